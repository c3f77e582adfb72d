"""The steps of the checkout saga."""

from __future__ import annotations

from cauri.inventory.sweep import sweep
from cauri.orders.model import CancelReason
from cauri.providers.ports import Unknown

from tests.proof.examples.worlds import (
    Act,
    a_confirmed_order,
    a_paid_order,
    a_promoted_order,
    an_order,
    confirmation,
    example,
    give_up,
    pay,
    promoted,
    release,
    saga,
    step,
)
from tests.shop import Shop


@example("step:begin", "it waits")
def _(shop: Shop) -> Act:
    return step(shop, "begin", an_order(shop))


@example("step:await_payment", "a token is left")
def _(shop: Shop) -> Act:
    return step(shop, "await_payment", an_order(shop))


@example("step:finish", "nobody watches over it any more, but over its payment")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    give_up(shop, order_id)
    release(shop, order_id)
    return step(shop, "finish", order_id)


@example("step:ask_provider", "it has the money")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    shop.provider.pay(shop.tree(order_id).payments[0].id)
    return step(shop, "ask_provider", order_id)


@example("step:ask_provider", "it declined")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    shop.provider.decline(shop.tree(order_id).payments[0].id)
    return step(shop, "ask_provider", order_id)


@example("step:ask_provider", "it does not know, so the claims live longer")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    shop.provider.truth[shop.tree(order_id).payments[0].id] = Unknown("a timeout")
    shop.clock.advance(minutes=16)
    return step(shop, "ask_provider", order_id)


@example("step:ask_provider", "it does not know, so what the wallet holds lives longer")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, wallet=14_000)
    shop.provider.truth[shop.tree(order_id).payments[0].id] = Unknown("a timeout")
    shop.clock.advance(minutes=19)
    return step(shop, "ask_provider", order_id)


@example("step:secure_stock", "the claims are kept")
def _(shop: Shop) -> Act:
    return step(shop, "secure_stock", a_paid_order(shop, shirt_l=40, coffee=2))


@example("step:secure_stock", "given up and paid late: the uses of its promotions are claimed again")
def _(shop: Shop) -> Act:
    order_id = a_promoted_order(shop)
    give_up(shop, order_id)
    release(shop, order_id)
    pay(shop, order_id)
    return step(shop, "secure_stock", order_id)


@example("step:secure_stock", "given up and paid late, and the promotion is used up")
def _(shop: Shop) -> Act:
    cart = promoted(shop, uses_max=1).cart(shirt_l=2, coffee=1)
    order_id = shop.checkout(cart_id=cart, promotion_codes=("TEN",))["order"]["id"]
    give_up(shop, order_id)
    release(shop, order_id)
    pay(shop, order_id)
    shop.checkout(shop.customer("brian"), cart_id=shop.cart(shop.customer("brian"), basket=1), promotion_codes=("TEN",))
    return step(shop, "secure_stock", order_id)


@example("step:secure_stock", "the claims are gone, and stock is claimed again")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, shirt_l=3, coffee=2)
    shop.clock.advance(minutes=25)
    sweep(shop.database, shop.tenant, shop.clock())
    return step(shop, "secure_stock", order_id)


@example("step:secure_stock", "the claims of one line are gone, and so is the stock")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, shirt_l=2, basket=3)
    shop.clock.advance(minutes=25)
    shop.checkout(shop.customer("brian"), cart_id=shop.cart(shop.customer("brian"), basket=5))
    return step(shop, "secure_stock", order_id)


@example("step:confirm_order", "paid")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, wallet=10_000)
    return step(shop, "confirm_order", order_id, stock={})


@example("step:settle_stock", "claims become allocations")
def _(shop: Shop) -> Act:
    return step(shop, "settle_stock", a_confirmed_order(shop))


@example("step:settle_stock", "uses of promotions are used")
def _(shop: Shop) -> Act:
    order_id = a_promoted_order(shop)
    pay(shop, order_id)
    step(shop, "secure_stock", order_id)(shop.books)
    shop.run(confirmation(shop, order_id), saga(shop), "confirmed")
    return step(shop, "settle_stock", order_id)


@example("step:cancel_order", "nobody paid")
def _(shop: Shop) -> Act:
    return step(shop, "cancel_order", an_order(shop, wallet=10_000), reason="unpaid")


@example("step:refund_payment", "all of it")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    give_up(shop, order_id, CancelReason.NOT_FULFILLABLE)
    return step(shop, "refund_payment", order_id)


@example("step:release_stock", "in several cells")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, shirt_l=40, coffee=2)
    give_up(shop, order_id)
    return step(shop, "release_stock", order_id)


@example("step:resume", "another execution")
def _(shop: Shop) -> Act:
    return step(shop, "resume", an_order(shop))
