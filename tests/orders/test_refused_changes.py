"""What an order and its payments refuse, told apart by class and code. Sagas follow these by themselves."""

from __future__ import annotations

import pytest
from cauri.books.caller import Caller
from cauri.books.commit import StepCommitted, StepUndone
from cauri.checkout.commands import InlineLine
from cauri.money import Money
from cauri.orders.commands import CancelOrder, ConfirmOrder
from cauri.orders.drawing import HoldGone
from cauri.orders.model import CancelReason, IllegalOrderChange, OrderNotPaid, OrderPaid, OrderTree
from cauri.parties.commands import PutVendor
from cauri.payments.commands import RecordPaymentFailure, RecordPaymentSuccess
from cauri.payments.model import IllegalPaymentChange, PaymentStatus, UnknownPayment

from tests.engines import Engine
from tests.shop import BY_CARD, START, Shop, database_of, from_wallet

SAGA = Caller("soko", "system:checkout")


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(database_of(engine)).furnish().stock(coffee=10)


def place(shop: Shop, drawn: int = 0) -> OrderTree:
    held = (from_wallet(drawn),) if drawn else ()
    order = shop.checkout(lines=(InlineLine("coffee", 1),), currency="KES", tenders=(*held, BY_CARD))["order"]
    return shop.tree(order["id"])


def pay(shop: Shop, tree: OrderTree, amount: int | None = None) -> None:
    (payment,) = tree.payments
    taken = payment.amount if amount is None else Money(amount, "KES")
    shop.run(RecordPaymentSuccess(payment.id, taken, "txn-1", START), SAGA)


def confirm(shop: Shop, tree: OrderTree, key: str | None = None) -> None:
    shop.run(ConfirmOrder(tree.order.id, tree.order.customer_id, shop.claimed(tree)), SAGA, key)


def cancel(shop: Shop, tree: OrderTree, *forbids: str) -> None:
    shop.run(CancelOrder(tree.order.id, tree.order.customer_id, CancelReason.UNPAID, forbids), SAGA)


def test_an_order_that_is_not_paid_is_not_confirmed(shop: Shop) -> None:
    with pytest.raises(OrderNotPaid):
        confirm(shop, place(shop))


def test_an_order_that_is_paid_is_not_given_up_for_want_of_payment(shop: Shop) -> None:
    tree = place(shop)
    pay(shop, tree)
    with pytest.raises(OrderPaid):
        cancel(shop, tree)


def test_an_order_that_is_given_up_is_not_given_up_again(shop: Shop) -> None:
    tree = place(shop)
    cancel(shop, tree)
    with pytest.raises(IllegalOrderChange) as refused:
        cancel(shop, tree)
    assert refused.value.detail() == f"Order {tree.order.id} is CANCELLED: it can't cancel, only nothing."


def test_a_late_payment_does_not_bring_back_a_hold_that_was_spent_meanwhile(shop: Shop) -> None:
    shop.fund(60_000)
    tree = place(shop, drawn=60_000)
    cancel(shop, tree)
    place(shop, drawn=60_000)
    pay(shop, tree)
    with pytest.raises(HoldGone):
        confirm(shop, shop.tree(tree.order.id))


def test_another_amount_than_was_asked_pays_nothing(shop: Shop) -> None:
    tree = place(shop)
    pay(shop, tree, amount=1)
    [payment] = shop.tree(tree.order.id).payments
    assert (payment.status, payment.taken) == (PaymentStatus.MISMATCHED, Money(1, "KES"))
    with pytest.raises(OrderNotPaid):
        confirm(shop, shop.tree(tree.order.id))


def test_a_payment_that_succeeded_does_not_fail(shop: Shop) -> None:
    tree = place(shop)
    pay(shop, tree)
    with pytest.raises(IllegalPaymentChange):
        shop.run(RecordPaymentFailure(tree.payments[0].id, "declined"), SAGA)


def test_a_payment_of_nobody_is_not_recorded(shop: Shop) -> None:
    with pytest.raises(UnknownPayment):
        shop.run(RecordPaymentSuccess("pay_none-1", Money(1, "KES"), "txn-1", START), SAGA)


def test_a_step_can_not_commit_after_its_own_undo(shop: Shop) -> None:
    tree = place(shop)
    cancel(shop, tree, "confirm:1")
    pay(shop, tree)
    with pytest.raises(StepUndone):
        confirm(shop, shop.tree(tree.order.id), "confirm:1")


def test_an_undo_yields_to_a_step_that_committed_after_all(shop: Shop) -> None:
    tree = place(shop)
    shop.run(PutVendor("ven_new", "New", "KE", 100), SAGA, "confirm:1")  # any commit takes the key
    with pytest.raises(StepCommitted):
        cancel(shop, tree, "confirm:1")
    assert shop.tree(tree.order.id) == tree
