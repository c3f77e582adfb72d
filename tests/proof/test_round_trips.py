"""How often an operation waits for the database, one wait after another, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from cauri.books.commit import Books
from cauri.checkout.carts import PutCartLine
from cauri.inventory.store import product_key
from cauri.money import Money
from cauri.orders.store import load_tree
from cauri.payments.asking import settle
from cauri.payments.intake import Delivery, Intake, Received
from cauri.refunds.commands import ApproveRefund, RequestRefund
from cauri.refunds.model import Asked
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import Kind
from cauri.wallet.queries import wallet_for
from cauri.wallet.redeeming import CaptureRedemption, Redeem

from tests.proof.examples.checkout import a_quote
from tests.proof.examples.refunds import a_request, a_sold_order, finance
from tests.proof.examples.wallets import held, loyal
from tests.proof.examples.worlds import a_paid_order, an_order, confirmation, market, promoted, saga
from tests.shop import BY_CARD, Shop, a_checkout, from_wallet

Operation = Callable[[Books], Any]


def read_a_product(shop: Shop) -> Operation:
    market(shop)
    return lambda books: books.database.fetch([product_key(shop.tenant, "coffee")])


def read_a_wallet(shop: Shop) -> Operation:
    loyal(shop)
    return lambda books: wallet_for(books.database, shop.customer(), "cus_amina", shop.clock())


def read_an_order(shop: Shop) -> Operation:
    order_id = an_order(shop)
    return lambda books: load_tree(books.database, shop.tenant, order_id)


def check_out_a_cart(shop: Shop) -> Operation:
    command = a_checkout(cart_id=market(shop).cart(shirt_l=2, basket=1, coffee=1))
    return lambda books: books.run(command, shop.customer(), "buy")


def check_out_what_was_reserved(shop: Shop) -> Operation:
    cart = market(shop).cart(coffee=1)
    for sku, quantity in (("shirt-l", 2), ("basket", 1)):
        shop.run(PutCartLine(cart, sku, quantity, reserve=True), shop.customer())
    return lambda books: books.run(a_checkout(cart_id=cart), shop.customer(), "buy")


def reserve_a_line(shop: Shop) -> Operation:
    command = PutCartLine(market(shop).cart(), "shirt-l", 2, reserve=True)
    return lambda books: books.run(command, shop.customer(), "reserve")


def check_out_with_a_wallet(shop: Shop) -> Operation:
    loyal(shop)
    command = a_checkout(cart_id=shop.cart(shirt_l=2), tenders=(from_wallet(12_000), BY_CARD))
    return lambda books: books.run(command, shop.customer(), "buy")


def check_out_with_promotions(shop: Shop) -> Operation:
    command = a_checkout(cart_id=promoted(shop).cart(shirt_l=2, coffee=1), promotion_codes=("TEN", "ONCE"))

    def run(books: Books) -> None:
        order = json.loads(books.run(command, shop.customer(), "buy").body)["order"]
        assert [use["code"] for use in order["promotions"]] == ["AUTO", "TEN", "ONCE"]

    return run


def order_from_a_quote(shop: Shop) -> Operation:
    loyal(shop)
    return lambda books: books.run(a_quote(), shop.admin, "buy")


def repeat_a_checkout(shop: Shop) -> Operation:
    command = a_checkout(cart_id=market(shop).cart(shirt_l=2))
    shop.answer(command, shop.customer(), "buy")
    return lambda books: books.run(command, shop.customer(), "buy")


def receive_a_webhook(shop: Shop) -> Operation:
    market(shop)

    def receive(books: Books) -> None:
        intake = Intake(books)
        assert intake.receive(Delivery("demo", shop.tenant, {}, b"the first", "192.0.2.9")) is Received.STORED
        books.database.meter.round_trips = 0  # the tenant is known from here on, for a while
        assert intake.receive(Delivery("demo", shop.tenant, {}, b"the second", "192.0.2.9")) is Received.STORED

    return receive


def record_a_payment(shop: Shop) -> Operation:
    [payment] = shop.tree(an_order(shop)).payments
    shop.provider.pay(payment.id)
    return lambda books: settle(books, payment)


def confirm_an_order(shop: Shop) -> Operation:
    command = confirmation(shop, a_paid_order(shop, wallet=12_000))
    return lambda books: books.run(command, saga(shop), "confirm")


def redeem_from_a_wallet(shop: Shop) -> Operation:
    command = Redeem("cus_amina", Money(13_000, "KES"), Money(1_600, "KES"))
    loyal(shop)
    return lambda books: books.run(command, shop.customer(), "pay")


def capture_what_is_held(shop: Shop) -> Operation:
    command = CaptureRedemption("cus_amina", held(shop), Money(5_000, "KES"))
    return lambda books: books.run(command, shop.admin, "capture")


def issue_credit(shop: Shop) -> Operation:
    command = IssueCredit("cus_amina", Kind.STORE_CREDIT, Money(100, "KES"), "goodwill")
    loyal(shop)
    return lambda books: books.run(command, shop.admin, "issue")


def refund_an_order(shop: Shop) -> Operation:
    command = RequestRefund(a_sold_order(shop, wallet=10_000), Asked(restock=True), "Damaged")
    return lambda books: books.run(command, shop.admin, "back")


def approve_a_refund(shop: Shop) -> Operation:
    command = ApproveRefund(a_request(shop))
    return lambda books: books.run(command, finance(shop), "yes")


BUDGET: Final[dict[Callable[[Shop], Operation], int]] = {
    read_a_product: 1,
    read_a_wallet: 1,
    read_an_order: 1,
    redeem_from_a_wallet: 2,
    capture_what_is_held: 2,
    issue_credit: 2,
    check_out_a_cart: 3,
    check_out_what_was_reserved: 3,
    reserve_a_line: 3,
    check_out_with_a_wallet: 3,
    check_out_with_promotions: 3,
    order_from_a_quote: 3,
    repeat_a_checkout: 1,
    receive_a_webhook: 1,
    record_a_payment: 2,
    confirm_an_order: 2,
    refund_an_order: 2,
    approve_a_refund: 2,
}


@pytest.mark.parametrize("prepare", BUDGET, ids=lambda prepare: prepare.__name__)
def test_an_operation_keeps_to_its_round_trips(
    prepare: Callable[[Shop], Operation], shop: Shop, note: Callable[[str], None]
) -> None:
    operation = prepare(shop)
    process = Shop(shop.database, provider=shop.provider).books
    meter = process.database.meter
    meter.round_trips, meter.calls, meter.units, meter.units_of = 0, 0, 0.0, {}
    operation(process)
    note(f"{prepare.__name__}: {meter.round_trips} round trips, {meter.calls} calls, {meter.units:g} units")
    assert meter.round_trips == BUDGET[prepare]
