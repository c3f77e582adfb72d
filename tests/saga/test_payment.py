"""A checkout from cart to end, by what the shopper and the provider do. Source: SPEC 2, 3 and 4."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from cauri.checkout.saga import ASK_FOR
from cauri.orders.model import LATE_PAYMENT
from cauri.providers.ports import Declined, Pending, Unknown
from cauri.refunds.resolving import ResolveRefund, Way

from tests.saga.truths import look, troubles, unfinished
from tests.saga.world import World

HELD = 100_000  # a reward of 300.00, points worth 500.00, and 200.00 of store credit
PRICE = 558_000  # two shirts at 1,500.00 and 16 % tax, one coffee at 2,100.00 without
BY_PROVIDER = PRICE - HELD
THERE = 500_000  # in the wallet

BEFORE_THE_SALE = {
    "expense:loyalty": 450_000,
    "wallet:reward": -30_000,
    "wallet:store_credit": -420_000,
    "issued:points": 5_000,
    "wallet:points": -5_000,
}
SOLD = {
    "expense:loyalty": 500_000,
    "cash:demo": BY_PROVIDER,
    "wallet:store_credit": HELD - THERE,
    "deferred_revenue:orders": -PRICE,
}


def assert_sold(world: World, order: str) -> None:
    assert world.status(order) == "CONFIRMED"
    assert world.wallet() == (THERE - HELD, 0)
    assert world.stock("shirt-l") == (3, 0, 2)
    assert world.stock("coffee") == (4, 0, 1)
    assert world.ledger() == SOLD
    assert world.letters == []
    assert unfinished(world) == []


def assert_given_back(world: World, order: str) -> None:
    assert world.status(order) == "CANCELLED"
    assert world.wallet() == (THERE, 0)
    assert world.stock("shirt-l") == (5, 0, 0)
    assert world.stock("coffee") == (5, 0, 0)
    assert world.ledger() == BEFORE_THE_SALE
    assert world.letters == []
    assert unfinished(world) == []


@pytest.fixture
def order(world: World) -> str:
    """Two shirts and a coffee, of which the wallet pays 1,000.00."""
    return world.buy(drawn=HELD, shirt_l=2, coffee=1)


@pytest.fixture
def payment(world: World, order: str) -> str:
    return world.payment_of(order)


# -- Paid in time ---------------------------------------------------------------------------------------


def test_while_it_waits_stock_and_lots_are_held_and_nothing_is_posted(world: World, order: str) -> None:
    world.run(minutes=14)

    assert world.way(order) == ["Begin", "WhereItStands", "AwaitPayment"]
    assert world.wallet() == (THERE - HELD, HELD)
    assert world.stock("shirt-l") == (3, 2, 0)
    assert world.ledger() == BEFORE_THE_SALE
    assert troubles(world) == []


def test_a_webhook_confirms_the_order(world: World, order: str, payment: str) -> None:
    world.run(minutes=3)

    world.provider.pay(payment)
    world.tell("charge.success", payment)
    world.run(seconds=0.001)

    assert world.way(order)[3:] == [
        "Begin",
        "WhereItStands",
        "SecureStock",
        "IsStockSecured",
        "ConfirmOrder",
        "IsOrderConfirmed",
        "SettleStock",
        "Done",
    ]
    assert_sold(world, order)


def test_a_webhook_that_comes_before_the_wait_is_not_missed(world: World, order: str, payment: str) -> None:
    world.provider.pay(payment)
    world.tell("charge.success", payment)
    while world.consume() or world.pump():  # the news are in the books before the saga's first step
        pass

    world.run()

    assert "AwaitPayment" not in world.way(order)
    assert_sold(world, order)


@pytest.mark.parametrize("call", [0, 1])
def test_a_webhook_that_comes_while_the_wait_begins_is_not_missed(
    world: World, order: str, payment: str, call: int
) -> None:
    """Before the token is left, or after that and before the step looks: nobody sleeps through it."""

    def news() -> None:
        world.provider.pay(payment)
        world.tell("charge.success", payment)
        while world.pump() or world.consume():
            pass

    begin = 1
    world.interludes[begin + call] = news
    world.run(seconds=0.001)

    assert world.way(order)[2] == "AwaitPayment"
    assert_sold(world, order)


def test_a_webhook_that_comes_often_counts_once(world: World, order: str, payment: str) -> None:
    world.run(minutes=3)
    world.provider.pay(payment)
    for seconds in (0, 0, 30, 3600):
        world.after(lambda: world.tell("charge.success", payment), seconds=seconds)
    world.after(lambda: world.tell("charge.success", payment, attempt="another body, the same news"), seconds=5)

    world.run()

    assert_sold(world, order)


def test_news_out_of_order_are_only_a_reason_to_ask(world: World, order: str, payment: str) -> None:
    world.run(minutes=3)
    world.provider.pay(payment)
    world.tell("charge.failed", payment)
    world.settle()
    assert_sold(world, order)

    world.tell("charge.success", payment)
    world.tell("charge.failed", payment, attempt="once more")
    world.tell("charge.pending", payment)
    world.run()

    assert_sold(world, order)
    assert world.lost_webhooks == []


def test_a_success_whose_webhook_is_lost_is_found_by_asking_at_the_deadline(
    world: World, order: str, payment: str
) -> None:
    world.after(lambda: world.provider.pay(payment), minutes=3)

    world.run(minutes=15, seconds=2)

    assert "AskProvider" in world.way(order)
    assert_sold(world, order)


def test_a_webhook_after_the_deadline_changes_nothing_of_what_was_found_by_asking(
    world: World, order: str, payment: str
) -> None:
    world.after(lambda: world.provider.pay(payment), minutes=3)
    world.after(lambda: world.tell("charge.success", payment), minutes=20)

    world.run()

    assert_sold(world, order)


def test_news_that_the_provider_does_not_confirm_yet_are_asked_about_again(
    world: World, order: str, payment: str
) -> None:
    world.run(minutes=3)
    world.provider.truth[payment] = Pending()
    world.tell("charge.success", payment)
    world.after(lambda: world.provider.pay(payment), minutes=4)

    world.run(minutes=7)

    assert world.status(order) == "CONFIRMED"
    assert_sold(world, order)


def test_a_forged_success_gives_nothing(world: World, order: str, payment: str) -> None:
    world.tell("charge.success", payment)

    world.run()

    assert_given_back(world, order)
    assert len(world.lost_webhooks) == 1, "people look at a success that the provider never confirmed"


def test_a_guest_pays_all_by_the_provider(world: World) -> None:
    order = world.buy(guest=True, shirt_l=1)
    payment = world.payment_of(order)
    world.provider.pay(payment)
    world.tell("charge.success", payment)

    world.run()

    assert world.status(order) == "CONFIRMED"
    assert unfinished(world) == []


def test_what_the_wallet_covers_whole_is_confirmed_at_once(world: World) -> None:
    order = world.buy(drawn=174_000, shirt_l=1)

    world.settle()

    assert world.status(order) == "CONFIRMED"
    assert world.wallet() == (THERE - 174_000, 0)
    assert unfinished(world) == []


# -- Not paid -------------------------------------------------------------------------------------------


def test_a_decline_gives_everything_back_at_once(world: World, order: str, payment: str) -> None:
    world.run(minutes=3)
    world.provider.decline(payment)
    world.tell("charge.failed", payment)

    world.settle()

    assert_given_back(world, order)


def test_a_decline_that_is_told_with_another_reason_is_no_trouble(world: World, order: str, payment: str) -> None:
    world.run(minutes=3)
    world.provider.decline(payment)
    world.tell("charge.failed", payment)
    world.settle()
    world.provider.truth[payment] = Declined("expired_card")
    world.tell("charge.failed", payment, attempt=2)

    world.run()

    assert_given_back(world, order)
    assert world.lost_webhooks == []


def test_an_order_that_nobody_pays_gives_everything_back_at_its_deadline(world: World, order: str) -> None:
    world.run(minutes=14, seconds=59)
    assert world.status(order) == "PENDING_PAYMENT"

    world.run(seconds=3)

    assert_given_back(world, order)


def test_a_decline_whose_webhook_is_lost_is_found_at_the_deadline(world: World, order: str, payment: str) -> None:
    world.provider.decline(payment)

    world.run(minutes=15, seconds=2)

    assert_given_back(world, order)


# -- Unknown --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [1, 10, 70, 23 * 60])
def test_unknown_is_asked_about_until_it_is_known_to_be_paid(
    world: World, order: str, payment: str, minutes: int
) -> None:
    world.provider.silent(payment)
    world.run(minutes=15 + minutes)
    assert world.status(order) == "PENDING_PAYMENT", "nothing is undone on doubt"
    assert world.wallet() == (THERE - HELD, HELD)
    assert world.stock("shirt-l") == (3, 2, 0)
    world.sweep()
    assert world.stock("shirt-l") == (3, 2, 0), "its claims live as long as it is asked about"

    world.provider.pay(payment)
    world.run()

    assert_sold(world, order)


def test_unknown_is_asked_about_until_it_is_known_to_be_declined(world: World, order: str, payment: str) -> None:
    world.provider.silent(payment)
    world.run(minutes=20)

    world.provider.decline(payment)
    world.run()

    assert_given_back(world, order)


def test_unknown_that_turns_out_abandoned_gives_everything_back(world: World, order: str, payment: str) -> None:
    world.provider.silent(payment)
    world.run(minutes=20)

    del world.provider.truth[payment]
    world.run()

    assert_given_back(world, order)


def test_unknown_is_asked_about_less_and_less_often_for_a_day_and_then_daily_for_five(
    world: World, order: str, payment: str
) -> None:
    world.provider.silent(payment)
    asked: list[timedelta] = []
    begin = world.clock.now
    world.plan = lambda invocation: asked.append(world.clock.now - begin) if invocation.step == "ask_provider" else None

    world.run()

    waits = [int((after - before).total_seconds()) for before, after in itertools.pairwise(asked)]
    assert waits[0] == 5
    assert sorted(waits) == waits, "never more often again"
    assert set(waits) == {5, 60, 300, 3600, 86_400}
    assert waits.count(86_400) == 5
    assert ASK_FOR <= asked[-1] - timedelta(minutes=15) < ASK_FOR + timedelta(hours=1)


def test_while_nobody_knows_stock_and_lots_are_kept_for_a_day(world: World, order: str, payment: str) -> None:
    world.provider.silent(payment)
    world.run(hours=23)
    assert world.stock("shirt-l") == (3, 2, 0)
    assert world.wallet() == (THERE - HELD, HELD)
    world.run(hours=5)
    assert world.stock("shirt-l") == (5, 0, 0), "others may have it; late money claims it anew, or goes back"
    assert world.wallet() == (THERE, 0)
    assert world.status(order) == "PENDING_PAYMENT"


def test_what_nobody_knows_for_six_days_is_left_to_people_and_undone_by_nobody(
    world: World, order: str, payment: str
) -> None:
    world.provider.silent(payment)

    world.run()

    assert world.executions.named(order).status == "FAILED", "the alarm watches failed executions"
    assert world.status(order) == "PENDING_PAYMENT"
    [letter] = world.letters
    assert letter["function"] == "CheckoutSteps"
    assert letter["error"]["Error"] == "Unresolved"
    assert letter["payload"]["order_id"] == order


@pytest.mark.parametrize("paid", [True, False])
def test_replaying_its_letter_finishes_what_is_known_at_last(
    world: World, order: str, payment: str, paid: bool
) -> None:
    world.provider.silent(payment)
    world.run()
    world.after(lambda: None, hours=50 + 5 * 24)
    world.run()
    if paid:
        world.provider.pay(payment)
    else:
        world.provider.decline(payment)

    [letter] = world.letters
    world.replay(letter)
    world.run()

    (assert_sold if paid else assert_given_back)(world, order)


# -- Late -----------------------------------------------------------------------------------------------


@pytest.fixture
def given_up(world: World, order: str) -> str:
    """The order, an hour after nobody had paid it."""
    world.run(hours=1)
    assert world.status(order) == "CANCELLED"
    return order


def pay_late(world: World, order: str) -> None:
    payment = world.payment_of(order)
    world.provider.pay(payment)
    world.tell("charge.success", payment)
    world.run()


def test_a_success_within_a_day_takes_the_order_on(world: World, given_up: str) -> None:
    pay_late(world, given_up)

    assert_sold(world, given_up)


def test_a_success_after_a_decline_takes_the_order_on(world: World, order: str, payment: str) -> None:
    world.provider.decline(payment)
    world.tell("charge.failed", payment)
    world.run(minutes=1)
    assert world.status(order) == "CANCELLED"

    pay_late(world, order)

    assert_sold(world, order)


def test_a_success_a_moment_before_the_day_is_over_takes_the_order_on(world: World, order: str) -> None:
    world.run(minutes=16)
    cancelled_at = world.shop.tree(order).order.cancelled_at
    assert cancelled_at is not None
    world.clock.now = cancelled_at + LATE_PAYMENT - timedelta(seconds=1)

    pay_late(world, order)

    assert_sold(world, order)


def test_a_success_after_a_day_is_refunded_in_full(world: World, order: str) -> None:
    world.run(minutes=16)
    cancelled_at = world.shop.tree(order).order.cancelled_at
    assert cancelled_at is not None
    world.clock.now = cancelled_at + LATE_PAYMENT

    pay_late(world, order)

    assert_refunded(world, order)
    assert_given_back(world, order)


def assert_refunded(world: World, order: str, attempt: str = "") -> None:
    [payment] = world.shop.tree(order).payments
    assert payment.status == "refunded"
    assert world.provider.refunds == {f"{payment.id.replace('pay_', 'rfd_')}-1{attempt}": payment.amount}


def test_a_success_when_the_stock_is_gone_is_refunded_in_full(world: World, given_up: str) -> None:
    other = world.buy(guest=True, coffee=5)
    world.provider.pay(world.payment_of(other))
    world.tell("charge.success", world.payment_of(other))
    world.run()
    assert world.stock("coffee") == (0, 0, 5)

    pay_late(world, given_up)

    assert_refunded(world, given_up)
    assert world.status(given_up) == "CANCELLED"
    assert world.wallet() == (THERE, 0)
    assert world.stock("shirt-l") == (5, 0, 0), "what was there of the other line is not kept"
    assert unfinished(world) == []


def test_a_success_when_what_was_held_is_spent_is_refunded_in_full(world: World, given_up: str) -> None:
    other = world.buy(drawn=THERE - HELD + 1, shirt_l=3)
    world.provider.pay(world.payment_of(other))
    world.tell("charge.success", world.payment_of(other))
    world.run()
    assert world.wallet() == (HELD - 1, 0)

    pay_late(world, given_up)

    assert_refunded(world, given_up)
    assert world.status(given_up) == "CANCELLED"
    assert world.wallet() == (HELD - 1, 0)
    assert world.stock("shirt-l") == (2, 0, 3)
    assert unfinished(world) == []


def test_a_claim_that_was_lost_while_the_order_waited_is_made_again(world: World, order: str, payment: str) -> None:
    """The order waits for longer than its claims live: the provider could not say."""
    world.provider.silent(payment)
    world.run(minutes=20)
    world.executions.all.clear()  # an outage of the state machine
    world.after(lambda: None, hours=3)
    world.run()
    world.sweep()
    assert world.stock("shirt-l") == (5, 0, 0)

    world.provider.pay(payment)
    world.start_again(order, f"{order}-again")
    world.run()

    assert_sold(world, order)


def test_a_refund_whose_outcome_is_unknown_is_asked_for_again_and_made_once(world: World, order: str) -> None:
    world.run(minutes=16)
    world.clock.advance(hours=25)
    world.provider.refund_answer = Unknown("no answer")
    world.after(lambda: setattr(world.provider, "refund_answer", None), minutes=4)

    pay_late(world, order)

    assert_refunded(world, order)
    assert_given_back(world, order)


def test_a_return_that_the_provider_declines_is_left_to_people(world: World, order: str) -> None:
    world.run(minutes=16)
    world.clock.advance(hours=25)
    world.provider.refund_answer = Declined("account_closed")

    pay_late(world, order)

    [refund] = look(world).refunds
    assert refund.status == "needs_attention", "the money is the shopper's, whatever the provider says"
    world.provider.refund_answer = None
    world.shop.run(ResolveRefund(refund.id, Way.AGAIN))
    world.run()
    assert_refunded(world, order, attempt="r2")
    assert_given_back(world, order)
