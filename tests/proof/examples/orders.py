"""Orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cauri.checkout.commands import InlineLine
from cauri.checkout.opening import Contact
from cauri.checkout.resuming import ResumeCheckout
from cauri.orders.commands import CancelOrder, ConfirmOrder
from cauri.orders.drawing import ExtendHold
from cauri.orders.linking import LinkGuestOrders
from cauri.orders.model import CancelReason

from tests.proof.examples.worlds import (
    Act,
    a_paid_order,
    a_promoted_order,
    an_order,
    confirmation,
    example,
    give_up,
    market,
    pay,
    release,
    saga,
    sent,
)
from tests.shop import Shop


@example(ConfirmOrder, "paid at the provider")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "paid in part from the wallet")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, wallet=14_000)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "paid after it was given up, out of what the wallet has by then")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, wallet=14_000)
    give_up(shop, order_id)
    shop.fund(5_000)
    shop.redeem(6_000)
    pay(shop, order_id)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "refused: it is paid late, and the wallet is empty by then")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, wallet=14_000)
    shop.clock.advance(minutes=21)
    shop.redeem(16_000)
    pay(shop, order_id)
    return sent(confirmation(shop, order_id), saga(shop))


@example(CancelOrder, "nobody paid, and what the wallet holds is released")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, wallet=14_000)
    return sent(CancelOrder(order_id, "cus_amina", CancelReason.UNPAID), saga(shop))


@example(ExtendHold, "of an order that nobody can tell whether it is paid")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, wallet=14_000)
    return sent(ExtendHold(order_id, "cus_amina", shop.clock.now + timedelta(hours=1)), saga(shop))


@example(ExtendHold, "that is over")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, wallet=14_000)
    shop.clock.advance(minutes=20)
    return sent(ExtendHold(order_id, "cus_amina", shop.clock.now + timedelta(hours=1)), saga(shop))


@example(ConfirmOrder, "paid with promotions")
def _(shop: Shop) -> Act:
    order_id = a_promoted_order(shop)
    pay(shop, order_id)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "paid after it was given up, with the uses of promotions that it had given back")
def _(shop: Shop) -> Act:
    order_id = a_promoted_order(shop)
    give_up(shop, order_id)
    release(shop, order_id)
    pay(shop, order_id)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "refused, since the customer used the promotion meanwhile")
def _(shop: Shop) -> Act:
    order_id = a_promoted_order(shop)
    give_up(shop, order_id)
    release(shop, order_id)
    pay(shop, order_id)
    shop.checkout(cart_id=shop.cart(basket=1), promotion_codes=("ONCE",))
    return sent(confirmation(shop, order_id), saga(shop))


@example(CancelOrder, "nobody paid, and the uses of its promotions come back")
def _(shop: Shop) -> Act:
    return sent(CancelOrder(a_promoted_order(shop), "cus_amina", CancelReason.UNPAID), saga(shop))


@example(ConfirmOrder, "refused, since it is not paid")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    return sent(confirmation(shop, order_id), saga(shop))


def guests_orders(shop: Shop) -> None:
    """Three of one address, and one of another."""
    market(shop)
    for turn, email in enumerate(["amina@example.com", "Amina@Example.com", "brian@example.com", "amina@example.com"]):
        lines = (InlineLine("shirt-l", 1 + turn),)
        shop.checkout(shop.guest(), lines=lines, currency="KES", contact=Contact(email))


@example(LinkGuestOrders, "those of the proven address")
def _(shop: Shop) -> Act:
    guests_orders(shop)
    return sent(LinkGuestOrders("cus_amina"), replace(shop.customer(), proven_email="amina@example.com"))


@example(LinkGuestOrders, "none are left")
def _(shop: Shop) -> Act:
    guests_orders(shop)
    amina = replace(shop.customer(), proven_email="amina@example.com")
    shop.run(LinkGuestOrders("cus_amina"), amina)
    return sent(LinkGuestOrders("cus_amina"), amina)


@example(LinkGuestOrders, "refused, since nothing is proven")
def _(shop: Shop) -> Act:
    guests_orders(shop)
    return sent(LinkGuestOrders("cus_amina"), shop.customer())


@example(CancelOrder, "paid, and it can't be made good; its confirmation is forbidden")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, wallet=10_000)
    command = CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, ("confirm-1", "confirm-2"))
    return sent(command, saga(shop))


@example(CancelOrder, "refused, since the step that it undoes had committed")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    command = CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, ("confirmed",))
    shop.run(ResumeCheckout(order_id, "again"), saga(shop), "confirmed")
    return sent(command, saga(shop))


@example(CancelOrder, "refused, since it is paid")
def _(shop: Shop) -> Act:
    return sent(CancelOrder(a_paid_order(shop), "cus_amina", CancelReason.UNPAID), saga(shop))
