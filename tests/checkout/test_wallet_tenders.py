"""A wallet pays orders: its lots are held at the checkout, spent by the confirmation, and come back with refunds.

Source: SPEC 3, 4, 11 and 12.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cauri.books.log import Record
from cauri.errors import Refusal
from cauri.money import Money
from cauri.orders.commands import CancelOrder
from cauri.orders.drawing import ExtendHold
from cauri.orders.model import CancelReason
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked, PartStatus
from cauri.refunds.paying import RecordRefundPart, by_system
from cauri.wallet.depletion import Policy
from cauri.wallet.lots import PTS, Kind
from cauri.wallet.queries import statement_for

from tests.proof import state
from tests.proof.examples.worlds import confirmation, give_up, loyal, pay, saga
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import BY_CARD, Shop, from_wallet

TENDER = 14_000
"""Of the 160.00 that Amina has in lots of every kind."""


@pytest.fixture(autouse=True)
def everything_adds_up(shop: Shop) -> Any:
    yield
    assert differences(picture(state.items(), shop.clock())) == []


def place(shop: Shop, *tenders: Any) -> str:
    paid_by = (*(tenders or (from_wallet(TENDER),)), BY_CARD)
    order_id: str = shop.checkout(cart_id=shop.cart(shirt_l=1), tenders=paid_by)["order"]["id"]
    return order_id


def confirm(shop: Shop, order_id: str) -> Record:
    """What the log says of it."""
    pay(shop, order_id)
    shop.run(confirmation(shop, order_id), saga(shop))
    [record] = [each for each in picture(state.items(), shop.clock()).records if each.command == "confirm_order"]
    return record


def stands(shop: Shop) -> dict[str, int]:
    """What can be spent, by kind."""
    wallet = shop.wallet().live(shop.clock())
    return {kind: wallet.spendable(shop.clock(), PTS if kind is Kind.POINTS else "KES", kind) for kind in Kind}


def lots(shop: Shop) -> list[tuple[str, int, Any]]:
    return sorted((lot.id, lot.units, lot.expires_at) for lot in shop.wallet().lots.values())


def refund(shop: Shop, order_id: str, amount: int | None = None) -> None:
    money = None if amount is None else Money(amount, "KES")
    asked = Asked(amount=money, tenders=("wallet",))
    refund_id = shop.run(RequestRefund(order_id, asked, "Damaged"))["id"]
    shop.run(RecordRefundPart(refund_id, 0, PartStatus.DONE), by_system(shop.tenant))


# -- Held


def test_what_an_order_draws_is_held_as_long_as_it_waits(shop: Shop) -> None:
    before = stands(loyal(shop))
    order = shop.tree(place(shop)).order
    assert before == {"reward": 1_000, "store_credit": 10_000, "points": 500}
    assert stands(shop) == {"reward": 0, "store_credit": 0, "points": 200}
    [hold] = shop.wallet().holds.values()
    assert hold.expires_at > order.expires_at
    shop.clock.now = hold.expires_at
    assert stands(shop) == before


def test_the_answer_says_what_each_kind_pays(shop: Shop) -> None:
    loyal(shop)
    order = shop.checkout(cart_id=shop.cart(shirt_l=1), tenders=(from_wallet(TENDER), BY_CARD))["order"]
    assert order["payment_method"] == "demo"
    assert [(each["kind"], each["units"], each["pays"]["amount"]) for each in order["payments"][0]["drawn"]] == [
        ("reward", 1_000, 1_000),
        ("store_credit", 10_000, 10_000),
        ("points", 300, 3_000),
    ]


def test_a_shopper_may_choose_what_pays(shop: Shop) -> None:
    loyal(shop)
    place(shop, from_wallet(2_500, Kind.POINTS, Kind.REWARD), from_wallet(400, Kind.STORE_CREDIT))
    assert stands(shop) == {"reward": 1_000, "store_credit": 9_600, "points": 250}


def test_points_and_rewards_pay_no_tax_of_the_whole_cart(shop: Shop) -> None:
    """A shirt of 1,500.00 with 240.00 tax: whoever pays, points and rewards pay 1,500.00 of it at most."""
    loyal(shop, automatic_max=10**9)
    shop.credit(20_000, Kind.POINTS)
    with pytest.raises(Refusal, match=r"1,500\.00"):
        place(shop, from_wallet(150_001, Kind.POINTS))
    place(shop, from_wallet(150_000, Kind.POINTS), from_wallet(2_000, Kind.STORE_CREDIT))
    assert stands(shop)["points"] == 20_500 - 15_000


@pytest.mark.parametrize(
    ("tender", "code", "suggestion"),
    [
        (from_wallet(16_001), "insufficient_balance", "Pay KES 160.00 or less"),
        (from_wallet(900, Kind.POINTS), "below_minimum_redemption", "Redeem 100 points or more."),
    ],
)
def test_what_a_wallet_can_not_pay_is_refused_with_what_it_can(
    tender: Any, code: str, suggestion: str, shop: Shop
) -> None:
    loyal(shop)
    before = state.items()
    with pytest.raises(Refusal) as refused:
        place(shop, tender)
    assert refused.value.code == code
    assert suggestion in (refused.value.suggestion() or "")
    assert {name: items for name, items in state.items().items() if name != "log"}["wallet"] == before["wallet"]


def test_a_wallet_to_which_nothing_is_left_to_pay_is_left_alone(shop: Shop) -> None:
    before = loyal(shop).wallet()
    whole = replace(BY_CARD, amount=Money(214_600, "KES"))
    shop.checkout(cart_id=shop.cart(shirt_l=1), tenders=(from_wallet(), whole))
    assert shop.wallet() == before


def test_without_a_programme_no_wallet_pays(shop: Shop) -> None:
    shop.furnish().stock(shirt_l=5)
    with pytest.raises(Refusal) as refused:
        place(shop, from_wallet(5))
    assert refused.value.code == "no_loyalty_programme"


# -- Spent


def test_the_confirmation_spends_the_lots_with_a_line_for_each_kind(shop: Shop) -> None:
    record = confirm(loyal(shop), place(shop))
    assert record.entry is not None
    posted = {(each.account, each.asset): each.amount for each in record.entry.postings if "wallet" in each.account}
    assert posted == {
        ("wallet:reward:cus_amina", "KES"): 1_000,
        ("wallet:store_credit:cus_amina", "KES"): 10_000,
        ("wallet:points:cus_amina", PTS): 300,
    }
    assert ("expense:loyalty", 3_000) in [(each.account, each.amount) for each in record.entry.postings]
    assert "wallet.captured" in [event.name for event in record.events]
    assert not shop.wallet().holds


def test_the_statement_tells_the_order_and_the_balances_after_it(shop: Shop) -> None:
    order_id = place(loyal(shop))
    confirm(shop, order_id)
    newest = statement_for(shop.database, shop.customer(), "cus_amina", after=None, limit=1).items[0]
    assert (newest.why, newest.about, newest.note) == ("captured", order_id, shop.tree(order_id).order.number)
    assert {line.kind: line.balance_after.amount for line in newest.lines} == {
        "reward": 0,
        "store_credit": 0,
        "points": 200,
    }


def test_points_pay_an_order_at_the_rate_of_the_sale(shop: Shop) -> None:
    order_id = place(loyal(shop), from_wallet(2_000, Kind.POINTS))
    give_up(shop, order_id)
    shop.programme(spending=Policy(points_minimum=400, per_1000_points={"KES": 5_000}))
    confirm(shop, order_id)
    assert stands(shop)["points"] == 300


def test_a_hold_that_lapsed_is_made_good_by_whatever_the_wallet_has(shop: Shop) -> None:
    order_id = place(loyal(shop, automatic_max=10**9))
    shop.clock.advance(minutes=30)
    spent = shop.redeem(11_000)
    assert spent["status"] == "completed"
    shop.fund(13_500)
    confirm(shop, order_id)
    assert stands(shop) == {"reward": 0, "store_credit": 0, "points": 450}


def test_what_is_held_when_it_expires_is_spent_all_the_same(shop: Shop) -> None:
    loyal(shop)
    lot = shop.credit(500, Kind.REWARD, days=1)
    shop.clock.advance(hours=23, minutes=50)
    order_id = place(shop)
    assert lot in [payment.lot.id for payment in shop.tree(order_id).order.draws[0].payments]
    shop.clock.advance(minutes=12)
    confirm(shop, order_id)
    assert lot not in shop.wallet().lots


def test_an_order_that_is_given_up_lets_go_of_the_lots_once(shop: Shop) -> None:
    before = lots(loyal(shop))
    order_id = place(shop)
    give_up(shop, order_id)
    assert (lots(shop), shop.wallet().holds) == (before, {})
    version = shop.wallet().version
    shop.run(CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE), saga(shop))
    assert shop.wallet().version == version


def test_a_hold_is_extended_and_never_shortened_and_one_that_is_over_stays_over(shop: Shop) -> None:
    order_id = place(loyal(shop))
    first = shop.wallet().holds[order_id].expires_at
    for hours, expected in ((2, 2), (1, 2)):
        shop.run(ExtendHold(order_id, "cus_amina", first + timedelta(hours=hours)), saga(shop))
        assert shop.wallet().holds[order_id].expires_at == first + timedelta(hours=expected)
    shop.clock.advance(hours=3)
    shop.run(ExtendHold(order_id, "cus_amina", first + timedelta(hours=9)), saga(shop))
    assert stands(shop)["store_credit"] == 10_000


def test_a_checkout_far_above_the_customer_s_habit_is_flagged(shop: Shop) -> None:
    loyal(shop).redeem(100)
    order_id = place(shop)
    events = [event for record in picture(state.items(), shop.clock()).records for event in record.events]
    [flagged] = [event for event in events if event.name == "redemption.flagged"]
    assert (flagged.resource, flagged.data["signs"]) == (order_id, ["far_more"])


# -- Given back


@pytest.mark.parametrize("parts", [[None], [5_000, None], [1, 3_001, 7_999, None]], ids=str)
def test_refunds_restore_the_lots_however_they_are_cut(parts: list[int | None], shop: Shop) -> None:
    before = lots(loyal(shop, restored_days=None))
    order_id = place(shop)
    confirm(shop, order_id)
    for amount in parts:
        left = TENDER - shop.tree(order_id).order.tenders[0].refunded
        refund(shop, order_id, amount or left)
    assert lots(shop) == before


def test_what_was_spent_last_is_restored_first(shop: Shop) -> None:
    order_id = place(loyal(shop))
    confirm(shop, order_id)
    refund(shop, order_id, 4_000)
    assert stands(shop) == {"reward": 0, "store_credit": 1_000, "points": 500}


@pytest.mark.parametrize(("restored_days", "spendable"), [(None, 7_000), (14, 10_000)])
def test_what_expired_meanwhile_comes_back_as_the_programme_says(
    restored_days: int | None, spendable: int, shop: Shop
) -> None:
    loyal(shop, restored_days=restored_days)
    order_id = place(shop)
    confirm(shop, order_id)
    shop.clock.advance(days=45)
    refund(shop, order_id, TENDER)
    assert stands(shop)["store_credit"] == spendable
