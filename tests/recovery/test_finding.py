"""The table of deadlines, and how what is watched over is told to be in one of its states."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cauri.books.caller import Caller
from cauri.books.plan import StartSaga
from cauri.books.watches import LOOK_AFTER, Watch, due_by, put, take_away, watch_later, watch_of
from cauri.orders.model import CancelReason
from cauri.orders.waiting import Wait
from cauri.payments.commands import RecordPaymentSuccess
from cauri.recovery.abandoned import ABANDONED, watch_over_abandoned
from cauri.recovery.commands import NothingStuck, ResumeStuck, by_recovery
from cauri.recovery.deadlines import DEADLINES, Remedy, State
from cauri.recovery.finding import Finding, standing_of_order, standing_of_refund
from cauri.refunds.model import PartStatus, Refund
from cauri.refunds.store import load_refund
from cauri.values import replace

from tests.proof.examples.refunds import a_refund, record, send_part
from tests.proof.examples.worlds import a_confirmed_order, a_paid_order, an_order, give_up
from tests.shop import START, TENANT, Shop

SAGA = StartSaga("checkout", "ord_1", {"order_id": "ord_1"})
WATCH = Watch(TENANT, "checkout", "ord_1", {"order_id": "ord_1"}, START, START + timedelta(minutes=5))
WAIT = Wait("a token", START + timedelta(minutes=15))


def test_every_state_has_a_deadline_and_a_remedy() -> None:
    assert set(DEADLINES) == set(State)
    assert all(deadline.lasts > timedelta(0) for deadline in DEADLINES.values())


def test_the_provider_is_asked_while_the_order_can_still_go_on() -> None:
    assert DEADLINES[State.ORDER_ABANDONED].lasts < timedelta(hours=24)


def test_an_order_whose_saga_never_began_is_stuck_after_five_minutes(shop: Shop) -> None:
    tree = shop.tree(an_order(shop))
    stands = standing_of_order(tree, None, WATCH)
    assert stands == (State.ORDER_NOT_BEGUN, START)
    finding = Finding(WATCH, *stands)
    assert not finding.is_overdue(START + timedelta(minutes=5, seconds=-1))
    assert finding.is_overdue(START + timedelta(minutes=5))


def test_an_order_that_waits_is_stuck_five_minutes_after_its_wait(shop: Shop) -> None:
    tree = shop.tree(an_order(shop))
    assert standing_of_order(tree, WAIT, WATCH) == (State.ORDER_UNPAID, WAIT.until)
    asked_tomorrow = replace(WAIT, until=START + timedelta(days=1))
    assert standing_of_order(tree, asked_tomorrow, WATCH) == (State.ORDER_UNPAID, asked_tomorrow.until)


def test_a_paid_order_is_stuck_five_minutes_after_the_money(shop: Shop) -> None:
    tree = shop.tree(a_paid_order(shop))
    paid = START + timedelta(minutes=1)
    assert standing_of_order(tree, WAIT, WATCH) == (State.ORDER_PAID, paid)
    [payment] = tree.payments
    ahead = replace(tree, payments=(replace(payment, settled_at=START + timedelta(days=9)),))
    assert standing_of_order(ahead, WAIT, WATCH) == (State.ORDER_PAID, tree.order.expires_at), "a clock that is ahead"


def test_one_that_is_confirmed_and_still_watched_may_lack_its_last_step(shop: Shop) -> None:
    tree = shop.tree(a_confirmed_order(shop))
    assert standing_of_order(tree, WAIT, WATCH) == (State.ORDER_CONFIRMED, START)


def test_one_that_was_given_up_is_watched_until_all_is_back_and_its_payments_are_asked_about(shop: Shop) -> None:
    order_id = an_order(shop)
    shop.clock.advance(minutes=16)
    give_up(shop, order_id)
    tree = shop.tree(order_id)
    assert standing_of_order(tree, WAIT, WATCH) == (State.ORDER_GIVEN_UP, shop.clock.now)
    watch = watch_over_abandoned(tree)
    assert watch is not None
    assert (watch.machine, watch.due) == (ABANDONED, shop.clock.now + timedelta(hours=23))
    stands = standing_of_order(tree, None, watch)
    assert stands == (State.ORDER_ABANDONED, shop.clock.now)
    assert Finding(watch, *stands).deadline == watch.due
    assert Finding(watch, *stands).remedy is Remedy.ASK


def test_nobody_is_asked_about_an_order_that_was_not_given_up_as_unpaid(shop: Shop) -> None:
    order_id = an_order(shop)
    assert watch_over_abandoned(shop.tree(order_id)) is None
    give_up(shop, order_id, CancelReason.NOT_FULFILLABLE)
    assert watch_over_abandoned(shop.tree(order_id)) is None


def test_a_refund_that_is_due_is_stuck_wherever_it_stands(shop: Shop) -> None:
    refund_id = a_refund(shop, restock=True)
    [watch] = shop.watched(refund_id)
    assert standing_of_refund(_refund(shop, refund_id), watch) == (State.REFUND_APPROVED, START)
    send_part(shop, refund_id)
    assert standing_of_refund(_refund(shop, refund_id), watch) == (State.REFUND_PROCESSING, START)
    record(shop, refund_id, PartStatus.DONE)
    assert standing_of_refund(_refund(shop, refund_id), watch) == (State.REFUND_NOT_RESTOCKED, START)


def test_a_refund_that_waits_for_people_has_no_saga_to_watch_over(shop: Shop) -> None:
    refund_id = a_refund(shop)
    [watch] = shop.watched(refund_id)
    send_part(shop, refund_id)
    record(shop, refund_id, PartStatus.NEEDS_ATTENTION)
    assert standing_of_refund(_refund(shop, refund_id), watch) is None


# -- The watches


def test_a_saga_is_watched_from_the_commit_that_asks_for_it_and_found_when_it_is_due(shop: Shop) -> None:
    order_id = an_order(shop)
    [watch] = shop.watched(order_id)
    assert (watch.begun_at, watch.due, watch.tries) == (START, START + timedelta(minutes=5), 0)
    assert due_by(shop.database, TENANT, watch.due - timedelta(milliseconds=1), limit=10) == []
    assert due_by(shop.database, TENANT, watch.due, limit=10) == [watch]
    assert due_by(shop.database, "another", watch.due, limit=10) == []
    for _ in range(2):
        take_away(shop.database, TENANT, watch.id)
    assert shop.watched(order_id) == []


def test_the_more_often_a_saga_failed_the_later_it_is_looked_at() -> None:
    watches = [watch_of(replace(SAGA, tries=tries), TENANT, START) for tries in range(6)]
    assert [watch.due - START for watch in watches if watch] == [*LOOK_AFTER, LOOK_AFTER[-1], LOOK_AFTER[-1]]
    assert watch_of(StartSaga("another", "x", {"id": "x"}), TENANT, START) is None


def test_the_oldest_are_found_first_whichever_shard_they_are_in(shop: Shop) -> None:
    for number in range(40):
        due = START + timedelta(minutes=(number * 7) % 40)
        put(shop.database, replace(WATCH, execution=f"ord_{number}", due=due))
    found = due_by(shop.database, TENANT, START + timedelta(minutes=29), limit=12)
    assert [watch.due - START for watch in found] == [timedelta(minutes=minute) for minute in range(12)]


def test_a_saga_that_sleeps_is_looked_at_when_it_has_slept(shop: Shop) -> None:
    refund_id = a_refund(shop)
    first = shop.watch(refund_id)
    assert watch_later(shop.database, TENANT, first, START + timedelta(minutes=4)) == first, "that is early enough"
    later = watch_later(shop.database, TENANT, first, START + timedelta(days=1))
    assert later != first
    [watch] = shop.watched(refund_id)
    assert (watch.id, watch.due) == (later, START + timedelta(days=1, minutes=5))
    take_away(shop.database, TENANT, later)
    assert watch_later(shop.database, TENANT, later, START + timedelta(days=2)) == later, "recovery took it over"
    assert shop.watched(refund_id) == []


# -- What a command refuses


def test_what_is_not_stuck_is_not_started_again(shop: Shop) -> None:
    watch = shop.watch(an_order(shop))
    for early in (watch, "2026-11-20T09:35:00.000Z#ord_nobody"):
        with pytest.raises(NothingStuck, match="Nothing is stuck"):
            shop.answer(ResumeStuck(early), by_recovery(TENANT))
    shop.clock.advance(minutes=5)
    with pytest.raises(NothingStuck):
        shop.answer(ResumeStuck(watch), Caller("another", "system:recovery"))
    assert shop.run(ResumeStuck(watch), by_recovery(TENANT))["state"] == "order_not_begun"


def test_money_that_came_late_has_a_watch_of_its_own(shop: Shop) -> None:
    order_id = an_order(shop)
    [payment] = shop.tree(order_id).payments
    give_up(shop, order_id)
    shop.clock.advance(hours=1)
    shop.run(RecordPaymentSuccess(payment.id, payment.amount, "txn", shop.clock.now))
    assert [watch.execution for watch in shop.watched(order_id)] == [order_id, f"{order_id}-late"]


def _refund(shop: Shop, refund_id: str) -> Refund:
    return load_refund(shop.database, shop.tenant, refund_id)[1]
