"""Everybody at once, on both engines: nothing is oversold, nothing is done twice, and losers hear why."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from cauri.books.commit import Books, Contended
from cauri.checkout.carts import PutCartLine
from cauri.checkout.commands import InlineLine
from cauri.checkout.model import CartCompleted
from cauri.checkout.opening import Contact
from cauri.errors import Refusal
from cauri.inventory.commands import AdjustStock, MoveStock, PutProduct
from cauri.inventory.model import OutOfStock, StockCommitted, stock_of
from cauri.inventory.movements import AdjustmentReason
from cauri.inventory.tending import SpreadStock
from cauri.money import Money
from cauri.orders.commands import CancelOrder
from cauri.orders.model import CancelReason, OrderStatus
from cauri.payments.asking import settle
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import Kind
from cauri.wallet.proposing import InsufficientBalance
from cauri.wallet.redeeming import Redeem

from local.engine.conflicts import Conflicts
from local.template import Template
from tests.engines import Engine
from tests.proof.crowd import Crowd, watching
from tests.proof.examples.worlds import saga
from tests.proof.invariants import differences
from tests.proof.picture import Picture, picture, read_everything
from tests.shop import Shop, a_checkout, database_of, from_wallet

pytestmark = pytest.mark.engines

UNITS = 50
ISSUE = IssueCredit("cus_amina", Kind.STORE_CREDIT, Money(100, "KES"), "goodwill")


@pytest.fixture
def crowd(engine: Engine, shop: Shop) -> Crowd:
    return Crowd(engine, shop)


def picture_of(engine: Engine, shop: Shop) -> Picture:
    return picture(read_everything(engine), shop.clock.now)


def the_answers(outcomes: list[bytes | Refusal]) -> list[bytes]:
    return [outcome for outcome in outcomes if not isinstance(outcome, Refusal)]


def refusals(outcomes: list[bytes | Refusal]) -> Counter[type[Refusal]]:
    return Counter(type(outcome) for outcome in outcomes if isinstance(outcome, Refusal))


def order_of(answer: bytes) -> str:
    order_id: str = json.loads(answer)["order"]["id"]
    return order_id


@pytest.mark.parametrize("buyers", [250, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_crowd_buys_what_there_is_and_not_one_more(engine: Engine, shop: Shop, crowd: Crowd, buyers: int) -> None:
    shop.furnish().stock(shirt_l=UNITS)
    received = [cell.on_hand for cell in shop.cells("shirt-l")]
    reader = replace(shop, database=database_of(engine))

    def buy(books: Books, turn: int) -> bytes:
        checkout = a_checkout(lines=(InlineLine("shirt-l", 1),), currency="KES")
        answer = books.run(checkout, shop.customer(f"buyer-{turn}"), "buy").body
        assert crowd.buy(books, order_of(answer)) == "confirmed"
        return answer

    with watching(lambda: [cell.on_hand for cell in reader.cells("shirt-l")]) as seen:
        outcomes = crowd.at_once(buy, buyers)

    assert len(the_answers(outcomes)) == UNITS
    assert refusals(outcomes) == {OutOfStock: buyers - UNITS}
    assert [each for each in seen if each != received] == []
    now = picture_of(engine, shop)
    assert [tree.order.status for tree in now.trees] == [OrderStatus.CONFIRMED] * UNITS
    assert len({tree.order.number for tree in now.trees}) == UNITS
    stock = stock_of("shirt-l", now.cells)
    assert (stock.allocated, stock.reserved, stock.available) == (UNITS, 0, 0)
    assert differences(now) == []


def test_a_crowd_that_wants_several_each_leaves_less_than_one_of_them_wants(
    engine: Engine, shop: Shop, crowd: Crowd
) -> None:
    """Claims span cells, and those that get too little give it back."""
    shop.furnish().stock(shirt_l=UNITS)

    def buy(books: Books, turn: int) -> bytes:
        lines = (InlineLine("shirt-l", 3),)
        contact = Contact(f"buyer-{turn}@example.com")
        checkout = a_checkout(lines=lines, currency="KES", contact=contact)
        return books.run(checkout, replace(shop.guest(), subject=f"guest-{turn}"), "buy").body

    outcomes = crowd.at_once(buy, 60)

    now = picture_of(engine, shop)
    stock = stock_of("shirt-l", now.cells)
    assert stock.reserved == 3 * len(the_answers(outcomes))
    assert stock.reserved + stock.available == UNITS
    assert differences(now) == []
    for turn in range(stock.available // 3):  # whoever was too late for what was given back can have it now
        shop.checkout(shop.customer(f"late-{turn}"), lines=(InlineLine("shirt-l", 3),), currency="KES")
    assert stock_of("shirt-l", shop.cells("shirt-l")).available < 3


def test_one_key_sent_fifty_times_at_once_is_one_order(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    cart = shop.furnish().stock(shirt_l=UNITS, coffee=9).cart(shirt_l=2, coffee=1)

    outcomes = crowd.at_once(lambda books, _: books.run(a_checkout(cart_id=cart), shop.customer(), "the-key"), 50)

    answers = [outcome for outcome in outcomes if not isinstance(outcome, Refusal)]
    assert len(answers) == 50
    assert len({answer.body for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    now = picture_of(engine, shop)
    assert len(now.trees) == 1
    assert stock_of("shirt-l", [c for c in now.cells if c.sku == "shirt-l"]).reserved == 2
    assert differences(now) == []


def test_one_cart_completed_eight_times_at_once_is_one_order(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    cart = shop.furnish().stock(shirt_l=UNITS, coffee=9).cart(shirt_l=2, coffee=1)

    outcomes = crowd.at_once(
        lambda books, turn: books.run(a_checkout(cart_id=cart), shop.customer(), f"at-once-{turn}").body, 8
    )

    [answer] = the_answers(outcomes)
    lost = [outcome for outcome in outcomes if isinstance(outcome, CartCompleted | OutOfStock)]
    assert len(lost) == 7
    assert {each.order_id for each in lost if isinstance(each, CartCompleted)} == {order_of(answer)}
    now = picture_of(engine, shop)
    assert [tree.order.id for tree in now.trees] == [order_of(answer)]
    assert stock_of("shirt-l", [c for c in now.cells if c.sku == "shirt-l"]).reserved == 2
    assert differences(now) == []


def test_a_wallet_is_not_overspent_by_orders_at_once(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    """Each holds a tenth of it. Those that lose too many races hear that, and hold nothing."""
    price = 174_000
    shop.furnish().stock(shirt_l=UNITS).fund(10 * price)
    carts = [shop.cart(shirt_l=1) for _ in range(20)]

    outcomes = crowd.at_once(
        lambda books, turn: (
            books.run(
                a_checkout(cart_id=carts[turn], tenders=(from_wallet(),)), shop.customer(), f"at-once-{turn}"
            ).body
        ),
        20,
    )

    assert set(refusals(outcomes)) <= {InsufficientBalance, Contended}
    held = len(the_answers(outcomes))
    assert held == 10 or Contended in refusals(outcomes)
    assert shop.worth()[1] == held * price
    assert differences(picture_of(engine, shop)) == []


def test_two_hundred_redemptions_of_one_against_a_hundred_are_a_hundred(engine: Engine, shop: Shop) -> None:
    shop.furnish().programme().credit(60, days=30)
    shop.credit(40, Kind.REWARD)
    redeem = Redeem("cus_amina", Money(1, "KES"), Money(0, "KES"))

    outcomes = Crowd(engine, shop, threads_max=32).at_once(
        lambda books, turn: books.run(redeem, shop.customer(), f"at-once-{turn}").body, 200
    )

    assert len(the_answers(outcomes)) == 100
    assert refusals(outcomes).keys() <= {InsufficientBalance, Contended}
    assert shop.wallet().lots == {}
    now = picture_of(engine, shop)
    assert len(now.redemptions) == 100
    assert differences(now) == []


def test_credit_issued_at_once_all_counts(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    shop.furnish().programme()

    outcomes = crowd.at_once(lambda books, turn: books.run(ISSUE, shop.admin, f"at-once-{turn}").body, 16)

    assert refusals(outcomes).keys() <= {Contended}
    assert shop.worth() == (100 * len(the_answers(outcomes)), 0)
    assert differences(picture_of(engine, shop)) == []


def test_money_and_cancellation_meet_and_the_order_follows_whoever_was_first(
    engine: Engine, shop: Shop, crowd: Crowd
) -> None:
    shop.furnish().stock(shirt_l=UNITS)
    orders = [shop.checkout(cart_id=shop.cart(shirt_l=1))["order"]["id"] for _ in range(12)]
    for order_id in orders:
        shop.provider.pay(shop.tree(order_id).payments[0].id)

    def hear_or_give_up(books: Books, turn: int) -> bytes:
        order_id = orders[turn // 3]
        if turn % 3 == 0:
            return books.run(CancelOrder(order_id, "cus_amina", CancelReason.UNPAID), saga(shop), order_id).body
        settle(books, shop.tree(order_id).payments[0])  # the webhook and the saga hear of it at once
        return b"heard"

    outcomes = crowd.at_once(hear_or_give_up, 3 * len(orders))

    assert [outcome for turn, outcome in enumerate(outcomes) if turn % 3] == [b"heard"] * 2 * len(orders)
    now = picture_of(engine, shop)
    cancelled = {tree.order.id for tree in now.trees if tree.order.status is OrderStatus.CANCELLED}
    assert len(cancelled) == sum(not isinstance(outcome, Refusal) for outcome in outcomes[::3])
    late = {saga.name for record in now.records for saga in record.sagas if saga.name.endswith("-late")}
    assert late == {f"{order_id}-late" for order_id in cancelled}
    assert differences(now) == []


def test_transactions_that_conflict_lose_nothing(engine: Engine, shop: Shop, template: Template) -> None:
    """AWS cancels whoever meets a transaction in flight; here both engines do."""
    conflicts = Conflicts(template.tables.values(), seconds_min=0.002)
    crowd = Crowd(engine, shop, conflicts)
    shop.furnish().stock(shirt_l=20, coffee=9).programme()
    cart = shop.cart(coffee=1)

    def act(books: Books, turn: int) -> bytes:
        match turn % 4:
            case 0:
                return books.run(a_checkout(cart_id=cart), shop.customer(), f"cart-{turn}").body
            case 1:
                return books.run(ISSUE, shop.admin, f"credit-{turn}").body
            case 2:
                checkout = a_checkout(lines=(InlineLine("shirt-l", 1),), currency="KES")
                return books.run(checkout, shop.customer(f"buyer-{turn}"), "buy").body
            case _:
                return books.run(ISSUE, shop.admin, "one-key").body

    outcomes = crowd.at_once(act, 48)

    assert conflicts.refused > 0
    assert len(the_answers(outcomes[0::4])) == 1
    assert len({*the_answers(outcomes[3::4])}) == 1
    issued = len(the_answers(outcomes[1::4])) + 1
    assert shop.worth() == (100 * issued, 0)
    assert differences(picture_of(engine, shop)) == []


def test_reserved_carts_and_checkouts_share_what_there_is(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    """Half of them reserve first. Whoever could reserve can buy, and nobody else gets those units."""
    shop.furnish().stock(shirt_l=20)
    carts = [shop.cart(shop.customer(f"buyer-{turn}"), coffee=1) for turn in range(40)]
    shop.stock(coffee=40)

    def act(books: Books, turn: int) -> bytes:
        buyer, cart = shop.customer(f"buyer-{turn}"), carts[turn]
        books.run(PutCartLine(cart, "shirt-l", 1, reserve=turn % 2 == 0), buyer, "put")
        try:
            return books.run(a_checkout(cart_id=cart), buyer, "buy").body
        except OutOfStock:
            assert turn % 2, "what was reserved is there"
            raise

    outcomes = crowd.at_once(act, 40)

    now = picture_of(engine, shop)
    stock = stock_of("shirt-l", [cell for cell in now.stock if cell.sku == "shirt-l"])
    assert set(refusals(outcomes)) <= {OutOfStock}
    assert len(the_answers(outcomes)) == stock.reserved
    assert stock.reserved + stock.available == 20
    assert differences(now) == []


def test_units_that_move_and_go_while_they_sell_are_neither_lost_nor_made(
    engine: Engine, shop: Shop, crowd: Crowd
) -> None:
    shop.furnish(locations=("main", "mombasa")).stock(shirt_l=60).stock("mombasa", shirt_l=40)

    def act(books: Books, turn: int) -> bytes:
        match turn % 6:
            case 0:
                here, there = ("main", "mombasa") if turn % 12 else ("mombasa", "main")
                return books.run(MoveStock("shirt-l", 10, here, there), shop.admin, f"move-{turn}").body
            case 1:
                lost = AdjustStock("shirt-l", -3, AdjustmentReason.LOSS, "mombasa")
                return books.run(lost, shop.admin, f"adjust-{turn}").body
            case 2:
                return books.run(SpreadStock("shirt-l", "main", 3 + turn // 6), shop.admin, f"spread-{turn}").body
            case _:
                checkout = a_checkout(lines=(InlineLine("shirt-l", 2),), currency="KES")
                return books.run(checkout, shop.customer(f"buyer-{turn}"), "buy").body

    outcomes = crowd.at_once(act, 60)

    assert set(refusals(outcomes)) <= {OutOfStock, StockCommitted, Contended}
    assert refusals([outcome for turn, outcome in enumerate(outcomes) if turn % 6 > 2]).keys() <= {OutOfStock}
    now = picture_of(engine, shop)
    stock = stock_of("shirt-l", [cell for cell in now.stock if cell.sku == "shirt-l"])
    sold = [outcome for turn, outcome in enumerate(outcomes) if turn % 6 > 2 and not isinstance(outcome, Refusal)]
    adjusted = len(the_answers(outcomes[1::6]))
    assert stock.on_hand == 100 - 3 * adjusted
    assert stock.reserved == 2 * len(sold)
    assert differences(now) == []


def test_no_more_is_sold_ahead_than_the_limit_however_many_want_it(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    shop.furnish().stock(coffee=5)
    shop.run(PutProduct("coffee", "ven_buna", "C", {"KES": 210_000}, "zero", backorder=True, backorder_limit=45))

    def buy(books: Books, turn: int) -> bytes:
        checkout = a_checkout(lines=(InlineLine("coffee", 1),), currency="KES")
        answer = books.run(checkout, shop.customer(f"buyer-{turn}"), "buy").body
        assert crowd.buy(books, order_of(answer)) == "confirmed"
        return answer

    outcomes = crowd.at_once(buy, 100)

    assert len(the_answers(outcomes)) == 50
    assert refusals(outcomes) == {OutOfStock: 50}
    now = picture_of(engine, shop)
    stock = stock_of("coffee", [cell for cell in now.stock if cell.sku == "coffee"])
    assert (stock.allocated, stock.backordered) == (5, 45)
    assert differences(now) == []
