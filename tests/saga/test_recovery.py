"""Everything that can get stuck gets stuck, and comes to its end when it is found: once, however often it is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier
from typing import Final

import pytest
from cauri.books.commit import Books
from cauri.errors import Unsettled
from cauri.payments.model import PaymentStatus
from cauri.recovery.deadlines import Remedy, State
from cauri.recovery.running import ASKS_MAX, Outcome, Stuck, recover, stuck
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked, RefundStatus
from cauri.refunds.store import load_refund

from tests.engines import Engine
from tests.proof.faults import FAULTS, Died, Script
from tests.proof.worlds import crash_points
from tests.saga.stories import begin
from tests.saga.trouble import CutOff
from tests.saga.truths import look, troubles, unfinished
from tests.saga.world import Beginning, Invocation, World
from tests.shop import TENANT, Shop, a_checkout, database_of, no_pause

DEATHS: Final = tuple(fault for fault in FAULTS if fault.kills)
ON_TIME: Final = 15
"""Minutes that an order waits for its payment."""


def lose_executions(world: World) -> None:
    """Somebody stopped them, or the state machine lost them."""
    world.executions.all.clear()


def failing(world: World, step: str) -> None:
    """From now on the step never gets an answer."""

    def never(invocation: Invocation) -> Script | None:
        return CutOff(0, after=False) if invocation.step == step else None

    world.plan = never


def lost_in(world: World) -> None:
    """The executions are lost while they wait to try again; from now on all is well."""
    lose_executions(world)
    world.plan = lambda invocation: None


def buy(world: World) -> str:
    order = begin(world)
    world.settle()
    return order


# -- Each state of the table, stuck on purpose


def never_begun(world: World) -> str:
    order = begin(world)
    world.lose_what_was_committed()
    return order


def never_begun_and_paid(world: World) -> str:
    order = never_begun(world)
    world.pays(world.payment_of(order))
    world.settle()
    return order


def lost_while_it_waits(world: World) -> str:
    order = buy(world)
    lose_executions(world)
    return order


def lost_and_then_paid(world: World) -> str:
    order = lost_while_it_waits(world)
    world.run(minutes=3)
    world.pays(world.payment_of(order))
    world.settle()
    return order


def saga_and_webhook_lost(world: World) -> str:
    order = lost_while_it_waits(world)
    world.provider.pay(world.payment_of(order))
    return order


def the_dispatcher_lost_the_webhook(world: World) -> str:
    order = lost_while_it_waits(world)
    world.pays(world.payment_of(order))
    world.lose_what_was_committed()
    return order


def lost_when_paid(step: str) -> Callable[[World], str]:
    def get_stuck(world: World) -> str:
        order = buy(world)
        failing(world, step)
        world.pays(world.payment_of(order))
        world.settle()
        lost_in(world)
        return order

    get_stuck.__name__ = f"lost_before_{step}"
    return get_stuck


def lost_when_unpaid(step: str) -> Callable[[World], str]:
    def get_stuck(world: World) -> str:
        order = buy(world)
        failing(world, step)
        world.run(minutes=ON_TIME)
        lost_in(world)
        return order

    get_stuck.__name__ = f"lost_before_{step}"
    return get_stuck


@dataclass(frozen=True)
class Case:
    state: State
    get_stuck: Callable[[World], str]
    end: str

    def __str__(self) -> str:
        return f"{self.state}: {self.get_stuck.__name__}"


CASES: Final = (
    Case(State.ORDER_NOT_BEGUN, never_begun, "CANCELLED"),
    Case(State.ORDER_PAID, never_begun_and_paid, "CONFIRMED"),
    Case(State.ORDER_UNPAID, lost_while_it_waits, "CANCELLED"),
    Case(State.ORDER_PAID, lost_and_then_paid, "CONFIRMED"),
    Case(State.ORDER_UNPAID, saga_and_webhook_lost, "CONFIRMED"),
    Case(State.ORDER_UNPAID, the_dispatcher_lost_the_webhook, "CONFIRMED"),
    Case(State.ORDER_PAID, lost_when_paid("secure_stock"), "CONFIRMED"),
    Case(State.ORDER_PAID, lost_when_paid("confirm_order"), "CONFIRMED"),
    Case(State.ORDER_CONFIRMED, lost_when_paid("settle_stock"), "CONFIRMED"),
    Case(State.ORDER_UNPAID, lost_when_unpaid("ask_provider"), "CANCELLED"),
    Case(State.ORDER_UNPAID, lost_when_unpaid("cancel_order"), "CANCELLED"),
)


def found_stuck(world: World) -> Stuck:
    """What is the first to be past its deadline."""
    for _ in range(10):
        if found := stuck(world.shop.database, TENANT, world.clock.now):
            assert len(found) == 1
            return found[0]
        world.run(minutes=5)
    raise AssertionError("nothing is stuck")


def over(world: World, order: str, end: str) -> None:
    world.pass_time(hours=2)
    assert (unfinished(world), world.status(order), world.letters) == ([], end, [])
    left = ["abandoned"] if end == "CANCELLED" else []
    assert [watch.machine for watch in world.shop.watched()] == left


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_stuck_is_found_in_its_state_and_comes_to_its_end(world: World, case: Case) -> None:
    order = case.get_stuck(world)
    found = found_stuck(world)
    assert (found.resource, found.state, found.remedy) == (order, case.state, Remedy.RESUME)
    assert found.since < found.deadline <= world.clock.now
    assert troubles(world) == []
    [did] = world.recover()
    assert (did.outcome, did.state) == (Outcome.RESUMED, case.state)
    assert world.recover() == [], "the second time there is nothing to do"
    assert stuck(world.shop.database, TENANT, world.clock.now) == []
    over(world, order, case.end)
    assert [one.name for one in world.executions.all if "again" in one.name] == [did.execution]


@pytest.mark.parametrize("step", ["release_stock", "refund_payment", "finish"])
def test_one_of_which_nothing_is_left_to_do_is_let_go(world: World, step: str) -> None:
    """Its claims came back when their time was over, and nobody had paid."""
    order = lost_when_unpaid(step)(world)
    world.run(minutes=6)
    assert stuck(world.shop.database, TENANT, world.clock.now) == []
    assert world.recover() == []
    over(world, order, "CANCELLED")


def test_money_of_an_order_that_can_not_go_on_is_given_back_by_the_next(world: World) -> None:
    """It was paid, and is sold out; the saga is lost before the money goes back."""
    order = buy(world)
    world.run(hours=1)
    other = world.buy(guest=True, coffee=world.stock("coffee")[0])
    world.pays(world.payment_of(other))
    world.settle()
    failing(world, "refund_payment")
    world.pays(world.payment_of(order))
    world.settle()
    lost_in(world)
    world.run(minutes=6)
    [did] = world.recover()
    assert (did.resource, did.state, did.outcome) == (order, State.ORDER_GIVEN_UP, Outcome.RESUMED)
    world.run()
    assert world.shop.tree(order).payments[0].status is PaymentStatus.REFUNDED
    assert unfinished(world) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_is_found_of_an_order_that_goes_its_way(world: World, case: Case) -> None:
    """Whatever it comes to: while its saga lives, recovery has nothing to do, whenever it looks."""
    order = buy(world)
    if case.end == "CONFIRMED":
        world.after(lambda: world.pays(world.payment_of(order)), minutes=13)
    for _ in range(12):
        world.run(minutes=5)
        assert world.recover() == []
    over(world, order, case.end)


def test_one_that_nobody_can_say_is_paid_is_left_to_its_saga_for_days(world: World) -> None:
    order = buy(world)
    world.provider.silent(world.payment_of(order))
    looked = 0
    for _ in range(5 * 24):
        world.run(hours=1)
        assert world.recover() == []
        looked += 1
    assert (looked, world.status(order)) == (120, "PENDING_PAYMENT")
    world.provider.pay(world.payment_of(order))
    world.run(days=1, hours=1)
    for _ in range(3):
        world.recover()
        world.run(hours=1)
    assert world.status(order) == "CONFIRMED"


def test_who_has_a_day_to_pay_is_left_alone_and_found_soon_if_that_gets_stuck(world: World) -> None:
    """The watch is moved while the order waits, so that its saga can't take it away; recovery does."""
    world.shop.furnish(reservation_minutes=24 * 60)
    paid, stuck_ = begin(world), begin(world)
    world.run(hours=3)
    for _ in range(30):
        world.recover()
        world.run(minutes=6)
    world.pays(world.payment_of(paid))
    world.settle()
    lose_executions(world)
    world.pays(world.payment_of(stuck_))
    did = []
    for _ in range(100):
        world.run(minutes=6)
        did += world.recover()
    assert [(one.resource, one.state) for one in did] == [(stuck_, State.ORDER_PAID)]
    for order in (paid, stuck_):
        assert world.status(order) == "CONFIRMED"
    over(world, paid, "CONFIRMED")


def test_an_execution_that_is_lost_again_is_found_later_each_time(world: World) -> None:
    order = lost_while_it_waits(world)
    tries = []
    for _ in range(20):
        world.run(minutes=30)
        tries += [did.tries for did in world.recover()]
        world.lose_what_was_committed()
        lose_executions(world)
    assert tries == [0, 1, 2], "after minutes, half an hour, four hours"
    world.run(days=2)
    world.recover()
    over(world, order, "CANCELLED")


def test_a_dead_letter_that_nobody_replays_is_made_good_and_replaying_it_does_no_harm(world: World) -> None:
    order = buy(world)
    failing(world, "settle_stock")
    world.pays(world.payment_of(order))
    world.run(minutes=40)
    assert [letter["payload"]["step"] for letter in world.letters] == ["resume"]
    world.plan = lambda invocation: None
    [did] = world.recover()
    assert (did.state, did.outcome) == (State.ORDER_CONFIRMED, Outcome.RESUMED)
    world.run()
    world.replay(world.letters[0])
    over(world, order, "CONFIRMED")


# -- Money that comes when nobody waits for it any more


def test_money_that_came_after_all_without_news_is_found_before_it_is_too_late(world: World) -> None:
    order = buy(world)
    world.run(hours=5)
    assert world.status(order) == "CANCELLED"
    world.provider.pay(world.payment_of(order))
    world.run(hours=18)
    assert world.recover() == []
    world.run(minutes=20)
    [did] = world.recover()
    assert (did.state, did.outcome) == (State.ORDER_ABANDONED, Outcome.ASKED)
    over(world, order, "CONFIRMED")


def test_an_order_that_nobody_paid_is_asked_about_once(world: World) -> None:
    order = buy(world)
    world.run(hours=24)
    assert [did.outcome for did in world.recover()] == [Outcome.ASKED]
    world.run(hours=48)
    assert world.recover() == []
    assert world.shop.watched() == []
    assert world.shop.tree(order).payments[0].status is PaymentStatus.ABANDONED


def test_a_provider_that_can_not_say_is_asked_again_for_days_and_then_people_are_told(world: World) -> None:
    order = buy(world)
    world.run(hours=20)
    world.provider.silent(world.payment_of(order))
    outcomes = []
    for _ in range(10):
        world.run(days=1)
        outcomes += [did.outcome for did in world.recover()]
    assert outcomes[:ASKS_MAX] == [Outcome.ASKED] * ASKS_MAX
    assert outcomes[-1] is Outcome.FAILED
    assert len(world.shop.watched(order)) == 1


# -- Refunds


def sold(world: World) -> str:
    order = buy(world)
    world.pays(world.payment_of(order))
    world.run()
    return order


def granted(world: World) -> str:
    asked = RequestRefund(sold(world), Asked(restock=True), "Damaged")
    refund: str = world.shop.run(asked)["id"]
    return refund


def refund_never_begun(world: World) -> str:
    refund = granted(world)
    world.lose_what_was_committed()
    return refund


def refund_lost_while_it_asks(world: World) -> str:
    world.provider.refund_fates = ["unheard"]
    refund = granted(world)
    world.settle()
    lose_executions(world)
    return refund


def refund_lost_before_the_goods_are_back(world: World) -> str:
    refund = granted(world)
    failing(world, "restock")
    world.settle()
    lost_in(world)
    return refund


REFUNDS: Final = (
    Case(State.REFUND_APPROVED, refund_never_begun, "CANCELLED"),
    Case(State.REFUND_PROCESSING, refund_lost_while_it_asks, "CANCELLED"),
    Case(State.REFUND_NOT_RESTOCKED, refund_lost_before_the_goods_are_back, "CANCELLED"),
)


@pytest.mark.parametrize("case", REFUNDS, ids=str)
def test_a_refund_that_is_stuck_reaches_the_customer_once(world: World, case: Case) -> None:
    refund = case.get_stuck(world)
    found = found_stuck(world)
    assert (found.resource, found.state) == (refund, case.state)
    [did] = world.recover()
    assert did.outcome is Outcome.RESUMED
    assert world.recover() == []
    world.run()
    tree, now = load_refund(world.shop.database, TENANT, refund)
    assert (now.status, tree.order.status) == (RefundStatus.SUCCEEDED, "CANCELLED")
    assert sum(money.amount for money in world.provider.refunds.values()) == tree.payments[0].amount.amount
    assert (unfinished(world), world.shop.watched()) == ([], [])
    assert world.stock("shirt-l") == (5, 0, 0)


def test_a_refund_that_a_provider_is_at_for_days_is_left_to_its_saga(world: World) -> None:
    world.provider.refund_fates = ["pending"]
    refund = granted(world)
    for _ in range(72):
        world.run(hours=1)
        assert world.recover() == []
    world.provider.end_refunds()
    world.run(days=2)
    assert load_refund(world.shop.database, TENANT, refund)[1].status is RefundStatus.SUCCEEDED
    assert world.shop.watched() == []


def test_what_waits_for_people_is_shown_and_left_to_them(world: World) -> None:
    world.provider.refund_fates = ["stuck"]
    refund = granted(world)
    world.run(hours=23)
    assert stuck(world.shop.database, TENANT, world.clock.now) == []
    world.run(hours=2)
    [found] = stuck(world.shop.database, TENANT, world.clock.now)
    assert (found.resource, found.state, found.remedy) == (refund, State.REFUND_NEEDS_ATTENTION, Remedy.PEOPLE)
    assert world.recover() == []
    assert load_refund(world.shop.database, TENANT, refund)[1].status is RefundStatus.NEEDS_ATTENTION


# -- Recovery itself


@pytest.mark.parametrize("get_stuck", [lost_and_then_paid, refund_lost_while_it_asks, never_begun])
def test_a_recovery_that_dies_anywhere_leaves_it_to_the_next(
    world: World, get_stuck: Callable[[World], str], tally: Counter[str]
) -> None:
    world.folds = False
    get_stuck(world)
    found_stuck(world)
    beginning = Beginning.of(world)
    clean = Script()
    recover(world.process(clean), TENANT)
    for script in crash_points(clean, DEATHS):
        world = beginning.again()
        world.folds = False
        with suppress(Died, Unsettled):
            recover(world.process(script), TENANT)
        world.recover()
        world.settle()
        assert len({one.name for one in world.executions.all}) == 1, script
        assert [one.command for one in look(world).records].count("resume_stuck") == 1, script
        world.pass_time(days=8)
        assert unfinished(world) == [], script
        tally["recovery: crash points"] += 1


def test_what_fails_keeps_nobody_else_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = never_begun(world), never_begun(world)
    world.run(minutes=6)
    monkeypatch.setattr("cauri.recovery.finding.load_tree", _without(first))
    outcomes = {did.resource: (did.outcome, did.problem) for did in world.recover()}
    assert outcomes == {
        first: (Outcome.FAILED, f"There is no order '{first}'."),
        second: (Outcome.RESUMED, None),
    }


def _without(order: str) -> Callable[..., object]:
    from cauri.orders.store import load_tree

    return lambda database, tenant, order_id: None if order_id == order else load_tree(database, tenant, order_id)


@pytest.mark.engines
def test_two_recoveries_at_once_start_one_saga(engine: Engine) -> None:
    """In real threads, each with a connection of its own, on a real engine."""
    shop = Shop(database_of(engine)).furnish().stock(shirt_l=40)
    for _ in range(8):
        shop.run(a_checkout(cart_id=shop.cart(shirt_l=1)), shop.customer())
    shop.clock.advance(minutes=6)
    start = Barrier(3)

    def run(turn: int) -> list[Stuck]:
        books = Books(database_of(engine), shop.clock, providers={"demo": shop.provider}, pause=no_pause)
        start.wait()
        return recover(books, TENANT)

    with ThreadPoolExecutor(3) as threads:
        did = [one for all_ in threads.map(run, range(3)) for one in all_]
    assert {one.outcome for one in did} == {Outcome.RESUMED}
    assert len({one.resource for one in did}) == 8
    assert {shop.tree(one.resource).order.version for one in did} == {2}, "placed, and resumed by one of them"
    watches = shop.watched()
    assert sorted(watch.execution for watch in watches) == sorted({one.execution for one in did})
    assert {watch.tries for watch in watches} == {1}
