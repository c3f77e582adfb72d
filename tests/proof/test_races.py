"""Two different commands at once: however their calls interleave, it is as if one had come after the other.

At every call of the one, the other runs whole. Then the answers and all that is stored are those of one of the two
orders, and every invariant holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from cauri.checkout.carts import PutCartLine, RemoveCartLine
from cauri.checkout.commands import InlineLine
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import Scope
from cauri.checkout.tenders import TenderAsked
from cauri.inventory.commands import AdjustStock, MoveStock, PutProduct, ReceiveStock
from cauri.inventory.movements import AdjustmentReason
from cauri.money import Money
from cauri.orders.backorders import AllocateBackorders
from cauri.orders.commands import CancelOrder
from cauri.orders.linking import LinkGuestOrders
from cauri.orders.model import CancelReason
from cauri.payments.commands import RecordPaymentFailure, by_system, failure_key, success_key
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import Kind

from tests.proof.examples.orders import guests_orders
from tests.proof.examples.stock import a_backorder
from tests.proof.examples.worlds import (
    KEY,
    Act,
    a_guests_order,
    a_paid_order,
    a_promoted_order,
    an_order,
    confirmation,
    give_up,
    market,
    pay,
    promoted,
    saga,
    sent,
    success,
)
from tests.proof.faults import Script, interlude
from tests.proof.state import Place, masked
from tests.proof.worlds import World
from tests.shop import BY_CARD, Shop, a_checkout, from_wallet

Scene = Callable[[Shop], tuple[Act, Act]]
Played = tuple[bytes, bytes, dict[Place, str]]


def one_cart_under_two_keys(shop: Shop) -> tuple[Act, Act]:
    checkout = a_checkout(cart_id=market(shop).cart(shirt_l=2, basket=3))
    return sent(checkout, shop.customer(), "one"), sent(checkout, shop.customer(), "other")


def a_cart_while_it_changes(shop: Shop) -> tuple[Act, Act]:
    cart = market(shop).cart(shirt_l=2)
    change = PutCartLine(cart, "coffee", 1)
    return sent(a_checkout(cart_id=cart), shop.customer(), "buy"), sent(change, shop.customer(), "change")


def the_last_units(shop: Shop) -> tuple[Act, Act]:
    brian = shop.customer("brian")
    mine, yours = market(shop).cart(coffee=1, basket=3), shop.cart(brian, basket=3, shirt_l=1)
    return sent(a_checkout(cart_id=mine), shop.customer()), sent(a_checkout(cart_id=yours), brian)


def the_last_units_over_cells(shop: Shop) -> tuple[Act, Act]:
    brian = shop.customer("brian")
    mine, yours = market(shop).cart(shirt_l=30), shop.cart(brian, shirt_l=30)
    return sent(a_checkout(cart_id=mine), shop.customer()), sent(a_checkout(cart_id=yours), brian)


def a_reserved_cart_under_two_keys(shop: Shop) -> tuple[Act, Act]:
    cart = market(shop).cart()
    shop.run(PutCartLine(cart, "basket", 5, reserve=True), shop.customer())
    checkout = a_checkout(cart_id=cart)
    return sent(checkout, shop.customer(), "one"), sent(checkout, shop.customer(), "other")


def a_reserved_cart_and_who_would_like_it(shop: Shop) -> tuple[Act, Act]:
    brian, cart = shop.customer("brian"), market(shop).cart()
    shop.run(PutCartLine(cart, "basket", 4, reserve=True), shop.customer())
    theirs = a_checkout(cart_id=shop.cart(brian, basket=2))
    return sent(a_checkout(cart_id=cart), shop.customer()), sent(theirs, brian)


def a_reserved_cart_while_it_is_emptied(shop: Shop) -> tuple[Act, Act]:
    cart = market(shop).cart(coffee=1)
    shop.run(PutCartLine(cart, "basket", 5, reserve=True), shop.customer())
    remove = RemoveCartLine(cart, "basket")
    return sent(a_checkout(cart_id=cart), shop.customer(), "buy"), sent(remove, shop.customer(), "remove")


def the_last_ones_reserved_and_bought(shop: Shop) -> tuple[Act, Act]:
    brian, cart = shop.customer("brian"), market(shop).cart()
    theirs = a_checkout(cart_id=shop.cart(brian, basket=3))
    return sent(PutCartLine(cart, "basket", 3, reserve=True), shop.customer()), sent(theirs, brian)


def an_adjustment_while_it_sells(shop: Shop) -> tuple[Act, Act]:
    checkout = a_checkout(cart_id=market(shop).cart(basket=3))
    return sent(AdjustStock("basket", -3, AdjustmentReason.LOSS), shop.admin), sent(checkout, shop.customer())


def a_move_while_it_sells(shop: Shop) -> tuple[Act, Act]:
    checkout = a_checkout(cart_id=market(shop).furnish(locations=("main", "mombasa")).cart(basket=3))
    return sent(MoveStock("basket", 4, "main", "mombasa"), shop.admin), sent(checkout, shop.customer())


def backorders_while_it_sells(shop: Shop) -> tuple[Act, Act]:
    a_backorder(shop)
    shop.stock(coffee=8)
    checkout = a_checkout(lines=(InlineLine("coffee", 3),), currency="KES")
    return sent(AllocateBackorders("coffee"), shop.admin), sent(checkout, shop.customer("brian"))


def the_same_backorders_twice(shop: Shop) -> tuple[Act, Act]:
    a_backorder(shop)
    shop.stock(coffee=3)
    allocate = AllocateBackorders("coffee")
    return sent(allocate, shop.admin, "one"), sent(allocate, shop.admin, "other")


def one_wallet_for_two_orders(shop: Shop) -> tuple[Act, Act]:
    market(shop).fund(250_000)
    carts = shop.cart(shirt_l=1), shop.cart(shirt_l=1)
    one, other = (a_checkout(cart_id=cart, tenders=(from_wallet(),)) for cart in carts)
    return sent(one, shop.customer(), "one"), sent(other, shop.customer(), "other")


def credit_while_it_is_spent(shop: Shop) -> tuple[Act, Act]:
    market(shop).fund(150_000)
    checkout = a_checkout(cart_id=shop.cart(shirt_l=1), tenders=(from_wallet(),))
    issue = IssueCredit("cus_amina", Kind.STORE_CREDIT, Money(100_000, "KES"), "goodwill")
    return sent(checkout, shop.customer()), sent(issue, shop.admin)


def money_as_the_order_is_given_up(shop: Shop) -> tuple[Act, Act]:
    order_id = an_order(shop, wallet=10_000)
    [payment] = shop.tree(order_id).payments
    success_of = sent(success(shop, order_id), by_system(shop.tenant), success_key(payment.id))
    return success_of, sent(CancelOrder(order_id, "cus_amina", CancelReason.UNPAID), saga(shop))


def good_and_bad_news(shop: Shop) -> tuple[Act, Act]:
    order_id = an_order(shop)
    [payment] = shop.tree(order_id).payments
    failure = sent(RecordPaymentFailure(payment.id, "no"), by_system(shop.tenant), failure_key(payment.id))
    return sent(success(shop, order_id), by_system(shop.tenant), success_key(payment.id)), failure


def a_confirmation_and_its_undo(shop: Shop) -> tuple[Act, Act]:
    order_id = a_paid_order(shop, wallet=10_000)
    undo = CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, (KEY,))
    return sent(confirmation(shop, order_id), saga(shop), KEY), sent(undo, saga(shop), "undo")


def two_undos_of_one_step(shop: Shop) -> tuple[Act, Act]:
    order_id = a_paid_order(shop, wallet=10_000)
    undo = CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, (KEY,))
    return sent(undo, saga(shop), "undo-1"), sent(replace(undo, forbids=(KEY, "another")), saga(shop), "undo-2")


def a_late_confirmation_while_the_wallet_goes(shop: Shop) -> tuple[Act, Act]:
    order_id = an_order(shop, wallet=14_000)
    give_up(shop, order_id)
    pay(shop, order_id)
    spend = a_checkout(cart_id=shop.cart(basket=1), tenders=(from_wallet(14_000), BY_CARD))
    return sent(confirmation(shop, order_id), saga(shop)), sent(spend, shop.customer())


def two_receipts(shop: Shop) -> tuple[Act, Act]:
    market(shop)
    return sent(ReceiveStock("shirt-l", 30), shop.admin, "one"), sent(ReceiveStock("shirt-l", 41), shop.admin, "other")


def a_receipt_while_the_product_changes(shop: Shop) -> tuple[Act, Act]:
    market(shop)
    change = PutProduct("shirt-l", "ven_kazi", "Shirt, large", {"KES": 140_000})
    return sent(ReceiveStock("shirt-l", 60), shop.admin, "receipt"), sent(change, shop.admin, "change")


def a_receipt_while_it_sells(shop: Shop) -> tuple[Act, Act]:
    checkout = a_checkout(cart_id=market(shop).cart(shirt_l=40))
    return sent(ReceiveStock("shirt-l", 60), shop.admin), sent(checkout, shop.customer())


def the_last_use_of_a_promotion(shop: Shop) -> tuple[Act, Act]:
    market(shop).run(PutPromotion("TEN", "Ten percent", Scope.ORDER, 1000, uses_max=1))
    brian = shop.customer("brian")
    mine = a_checkout(cart_id=shop.cart(basket=1), promotion_codes=("TEN",))
    other = a_checkout(cart_id=shop.cart(brian, basket=1), promotion_codes=("TEN",))
    return sent(mine, shop.customer()), sent(other, brian)


def one_customer_s_only_use(shop: Shop) -> tuple[Act, Act]:
    promoted(shop)
    carts = [shop.cart(basket=1), shop.cart(coffee=1)]
    one, other = (a_checkout(cart_id=cart, promotion_codes=("ONCE",)) for cart in carts)
    return sent(one, shop.customer(), "one"), sent(other, shop.customer(), "other")


def a_use_comes_back_while_it_is_wanted(shop: Shop) -> tuple[Act, Act]:
    order_id = a_promoted_order(shop)
    wanted = a_checkout(cart_id=shop.cart(basket=1), promotion_codes=("ONCE",))
    return sent(CancelOrder(order_id, "cus_amina", CancelReason.UNPAID), saga(shop)), sent(wanted, shop.customer())


def a_promotion_changes_while_it_is_used(shop: Shop) -> tuple[Act, Act]:
    promoted(shop)
    checkout = a_checkout(cart_id=shop.cart(basket=1), promotion_codes=("TEN",))
    change = PutPromotion("TEN", "Twenty percent", Scope.ORDER, 2000, uses_max=31)
    return sent(checkout, shop.customer()), sent(change, shop.admin)


def one_address_for_two_customers(shop: Shop) -> tuple[Act, Act]:
    guests_orders(shop)
    one, other = (replace(shop.customer(name), proven_email="amina@example.com") for name in ("amina", "brian"))
    return sent(LinkGuestOrders("cus_amina"), one), sent(LinkGuestOrders("cus_brian"), other)


def a_guest_s_order_is_linked_while_it_is_confirmed(shop: Shop) -> tuple[Act, Act]:
    order_id = a_guests_order(shop)
    pay(shop, order_id)
    amina = replace(shop.customer(), proven_email="amina@example.com")
    return sent(confirmation(shop, order_id), saga(shop)), sent(LinkGuestOrders("cus_amina"), amina)


def a_guest_s_order_is_linked_while_it_is_given_up(shop: Shop) -> tuple[Act, Act]:
    order_id = a_guests_order(shop)
    amina = replace(shop.customer(), proven_email="amina@example.com")
    return sent(CancelOrder(order_id, None, CancelReason.UNPAID), saga(shop)), sent(LinkGuestOrders("cus_amina"), amina)


_REST: Final = TenderAsked("provider", provider="demo")
SCENES: Final = (
    one_cart_under_two_keys,
    backorders_while_it_sells,
    the_same_backorders_twice,
    a_cart_while_it_changes,
    the_last_units,
    a_reserved_cart_under_two_keys,
    a_reserved_cart_and_who_would_like_it,
    a_reserved_cart_while_it_is_emptied,
    the_last_ones_reserved_and_bought,
    one_wallet_for_two_orders,
    credit_while_it_is_spent,
    money_as_the_order_is_given_up,
    good_and_bad_news,
    a_confirmation_and_its_undo,
    two_undos_of_one_step,
    a_late_confirmation_while_the_wallet_goes,
    two_receipts,
    a_receipt_while_the_product_changes,
    the_last_use_of_a_promotion,
    one_customer_s_only_use,
    a_use_comes_back_while_it_is_wanted,
    a_promotion_changes_while_it_is_used,
    one_address_for_two_customers,
    a_guest_s_order_is_linked_while_it_is_confirmed,
    a_guest_s_order_is_linked_while_it_is_given_up,
)
OVER_CELLS: Final = (
    the_last_units_over_cells,
    a_receipt_while_it_sells,
    an_adjustment_while_it_sells,
    a_move_while_it_sells,
)
"""Which cells the units come from depends on when the others came; how many does not."""


@pytest.mark.parametrize("scene", [*SCENES, *OVER_CELLS], ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("swapped", [False, True], ids=["", "swapped"])
def test_two_commands_at_once_are_as_one_after_the_other(
    scene: Scene, swapped: bool, shop: Shop, tally: Counter[str]
) -> None:
    one, other = reversed(scene(shop)) if swapped else scene(shop)
    world = World(shop, one)
    serial = [_one_after_the_other(world, one, other), _swapped(_one_after_the_other(world, other, one))]
    for number in range(_calls(world, one)):
        world.reset()
        meanwhile: list[bytes] = []
        script = Script(number, interlude(lambda: meanwhile.append(other(world.process()))))  # noqa: B023
        played = _told(one(world.process(script))), _told(meanwhile[0]), world.stored()
        if scene in OVER_CELLS:
            assert _kinds(played) in [_kinds(each) for each in serial], (number, script.calls[number])
        else:
            assert played in serial, (number, script.calls[number])
        assert world.differences() == []
        tally["interleaved pairs"] += 1


def _one_after_the_other(world: World, first: Act, second: Act) -> Played:
    world.reset()
    return _told(first(world.process())), _told(second(world.process())), world.stored()


def _swapped(played: Played) -> Played:
    return played[1], played[0], played[2]


def _told(answer: bytes) -> bytes:
    """Order numbers masked. A refusal is a refusal: which rule tells it first may depend on who came when."""
    return b"refused" if answer.startswith(b"refused") else masked(answer)


def _kinds(played: Played) -> tuple[bool, bool]:
    return played[0] == b"refused", played[1] == b"refused"


def _calls(world: World, act: Act) -> int:
    world.reset()
    clean = Script()
    act(world.process(clean))
    return len(clean.calls)
