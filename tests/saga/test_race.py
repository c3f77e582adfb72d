"""The webhook and the deadline meet: one of them wins, and the other follows. Source: SPEC 3 and 4, DESIGN 4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from cauri.books.commit import Books
from cauri.checkout.saga import CheckoutSaga, standing
from cauri.payments.asking import settle
from cauri.payments.hearing import look_into
from cauri.payments.model import PaymentStatus

from tests.engines import Engine
from tests.proof.faults import Script
from tests.proof.invariants import differences
from tests.proof.picture import picture, read_everything
from tests.saga.interleaving import Play, every_order, play_in_turns
from tests.saga.stories import STORIES, begin, end_of
from tests.saga.truths import troubles, unfinished
from tests.saga.world import Beginning, World
from tests.shop import Shop, database_of, no_pause

ABANDONED = next(story for story in STORIES if story.name == "abandoned")


def news_of(world: World, order: str, kind: str = "charge.success", *, whole: bool = False) -> Callable[[], None]:
    """The shopper pays (or the bank declines), the webhook comes, and is recorded.

    With `whole`, all that follows of it happens as well, while the other execution stands where it is.
    """

    def news() -> None:
        payment = world.payment_of(order)
        if kind == "charge.success":
            world.provider.pay(payment)
        else:
            world.provider.decline(payment)
        world.tell(kind, payment)
        while world.pump() or world.consume():
            pass
        if whole:
            world.settle()

    return news


@pytest.mark.parametrize("whole", [False, True])
def test_a_success_at_any_moment_of_the_saga_is_an_order(world: World, whole: bool, tally: Counter[str]) -> None:
    """Before the deadline, at it, while it is given up, and after: nobody pays for nothing."""
    world.folds = False
    order = begin(world)
    beginning = Beginning.of(world)
    world.run()
    ends = Counter[str]()
    for call in range(world.calls + 1):
        world = beginning.again()
        world.folds = False
        world.interludes[call] = news_of(world, order, whole=whole)
        world.run()
        for late in list(world.interludes.values()):  # after the last call
            late()
        world.pass_time(hours=2)
        assert unfinished(world) == [], call
        assert (world.status(order), world.letters) == ("CONFIRMED", []), call
        ends["late" if any(one.name.endswith("-late") for one in world.executions.all) else "in time"] += 1
        tally["saga: a success at a call"] += 1
    assert set(ends) == {"late", "in time"}


def test_a_decline_at_any_moment_of_the_saga_is_no_order(world: World, tally: Counter[str]) -> None:
    world.folds = False
    order = begin(world)
    beginning = Beginning.of(world)
    world.run()
    end = end_of(world, order)
    for call in range(world.calls):
        world = beginning.again()
        world.folds = False
        world.interludes[call] = news_of(world, order, "charge.failed")
        world.run()
        world.pass_time(hours=2)
        assert unfinished(world) == [], call
        assert world.status(order) == "CANCELLED"
        assert end_of(world, order).wallet == end.wallet
        tally["saga: a decline at a call"] += 1


@pytest.mark.parametrize("whole", [False, True])
def test_a_success_at_any_moment_after_a_decline_is_an_order(world: World, whole: bool, tally: Counter[str]) -> None:
    """The shopper tries another card while the order is being given up for the first."""
    world.folds = False
    order = begin(world)
    world.pump()
    world.run(minutes=3)
    world.provider.decline(world.payment_of(order))
    world.tell("charge.failed", world.payment_of(order))
    world.pump()
    world.executions.all.clear()
    beginning = Beginning.of(world)

    def declined() -> World:
        world = beginning.again()
        world.folds = False
        world.consume()
        world.start_again(order)
        return world

    world = declined()
    world.run()
    for call in range(world.calls + 1):
        world = declined()
        world.interludes[call] = news_of(world, order, whole=whole)
        world.run()
        for late in list(world.interludes.values()):
            late()
        world.pass_time(hours=2)
        assert (unfinished(world), world.status(order), world.letters) == ([], "CONFIRMED", []), call
        tally["saga: a success after a decline at a call"] += 1


def give_up(world: World, order: str) -> Play:
    """What the saga does at the deadline: ask, and then cancel what nobody has paid."""

    def play(script: Script) -> object:
        saga = CheckoutSaga(world.process(script), world.executions)
        payload = {"tenant": world.shop.tenant, "order_id": order, "customer_id": "cus_amina"}
        asked = saga.ask_provider(payload)
        if asked["next"] != "abandoned":
            return asked["next"]
        cancel = {"reason": "unpaid", "forbids": [], "key": f"{order}:CancelOrder:unpaid"}
        return saga.cancel_order(payload | cancel)["next"]

    return play


def hear(world: World, order: str) -> Play:
    """What the webhook's consumer does. The shopper pays with the first call."""

    def play(script: Script) -> object:
        payment = world.payment_of(order)
        script.play("the shopper pays", {}, lambda: world.provider.pay(payment))
        news = {"kind": "charge.success", "provider": "demo", "reference": payment}
        look_into(world.process(script), world.shop.tenant, news)
        return "heard"

    return play


def test_every_interleaving_of_deadline_and_webhook_has_one_winner(world: World, tally: Counter[str]) -> None:
    world.folds = False
    order = begin(world)
    world.pump()
    world.clock.advance(minutes=15)
    world.executions.all.clear()
    beginning = Beginning.of(world)
    winners = Counter[object]()
    at_stake: list[World] = []

    def play(turns: Any) -> Any:
        at_stake[:] = [beginning.again()]
        at_stake[0].folds = False
        return play_in_turns([give_up(at_stake[0], order), hear(at_stake[0], order)], turns)

    for told in every_order(play):
        [world] = at_stake
        outcome, heard = told.outcomes
        assert heard == "heard", told
        tree = world.shop.tree(order)
        assert tree.payments[0].status is PaymentStatus.SUCCEEDED
        assert outcome in ("paid", "cancelled"), told
        assert standing(tree, world.clock.now) == "paid", "given up or not, it goes on"
        assert (tree.order.status == "CANCELLED") == (outcome == "cancelled"), told
        winners[outcome] += 1
        tally["saga: an interleaving of deadline and webhook"] += 1
        if winners[outcome] <= 10:
            world.start_again(order)
            world.run()
            world.pass_time(hours=2)
            assert (unfinished(world), world.status(order)) == ([], "CONFIRMED"), told
    assert set(winners) == {"paid", "cancelled"}


def give_up_and_release(world: World, order: str) -> Play:
    """The saga of a declined order."""

    def play(script: Script) -> object:
        saga = CheckoutSaga(world.process(script), world.executions)
        payload = {"tenant": world.shop.tenant, "order_id": order, "customer_id": "cus_amina", "stock": {}}
        cancel = {"reason": "unpaid", "forbids": [], "key": f"{order}:CancelOrder:unpaid"}
        if (following := saga.cancel_order(payload | cancel)["next"]) == "cancelled":
            saga.release_stock(payload)
        return following

    return play


def hear_and_sell(world: World, order: str) -> Play:
    """The late money's webhook, and its saga."""

    def play(script: Script) -> object:
        hear(world, order)(script)
        saga = CheckoutSaga(world.process(script), world.executions)
        late = f"{order}-late"
        payload = {"tenant": world.shop.tenant, "order_id": order, "customer_id": "cus_amina", "execution": late}
        payload["watch"] = world.shop.watch(order)
        secured = saga.secure_stock(payload)
        if secured["next"] != "secured":
            return secured["next"]
        confirmed = saga.confirm_order(payload | {"stock": secured["stock"], "key": f"{late}:ConfirmOrder:1"})
        if confirmed["next"] == "confirmed":
            saga.settle_stock(payload)
        return confirmed["next"]

    return play


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("declined", [False, True])
def test_two_sagas_of_one_order_sell_it_once_or_not_at_all(
    world: World, declined: bool, switches: int, tally: Counter[str]
) -> None:
    """The one gives the order up, and the other takes it on for late money, interrupting each other."""
    world.folds = False
    order = begin(world)
    world.pump()
    world.executions.all.clear()
    if declined:
        world.provider.decline(world.payment_of(order))
        settle(world.shop.books, world.shop.tree(order).payments[0])
        world.pump()
    beginning = Beginning.of(world)
    at_stake: list[World] = []
    ends = Counter[tuple[object, ...]]()

    def play(turns: Any) -> Any:
        at_stake[:] = [beginning.again()]
        at_stake[0].folds = False
        return play_in_turns([give_up_and_release(at_stake[0], order), hear_and_sell(at_stake[0], order)], turns)

    for told in every_order(play, switches):
        [world] = at_stake
        assert troubles(world) == [], told
        world.start_again(order)
        world.run()
        world.pass_time(hours=2)
        assert (unfinished(world), world.letters) == ([], []), told
        assert world.status(order) == "CONFIRMED", told
        ends[told.outcomes] += 1
        tally["saga: an interleaving of two sagas"] += 1
    assert len(ends) > 1, ends


@pytest.mark.engines
def test_deadline_and_webhook_at_once_have_one_winner(engine: Engine) -> None:
    """In real threads, each with a connection of its own, on a real engine."""
    shop = Shop(database_of(engine)).furnish().stock(shirt_l=40)
    books = [
        Books(database_of(engine), shop.clock, providers={"demo": shop.provider}, pause=no_pause) for _ in range(2)
    ]
    saga = CheckoutSaga(books[0], NoWaiter())
    orders = [shop.checkout(cart_id=shop.cart(shirt_l=1))["order"]["id"] for _ in range(12)]
    shop.clock.advance(minutes=16)
    start = Barrier(2)

    def deadline(order: str) -> str:
        start.wait()
        cancel = {"reason": "unpaid", "forbids": [], "key": f"{order}:CancelOrder:unpaid"}
        payload = {"tenant": shop.tenant, "order_id": order, "customer_id": "cus_amina"}
        answer: str = saga.cancel_order(payload | cancel)["next"]
        return answer

    def webhook(order: str) -> None:
        start.wait()
        news = {"kind": "charge.success", "provider": "demo", "reference": shop.tree(order).payments[0].id}
        look_into(books[1], shop.tenant, news)

    with ThreadPoolExecutor(2) as threads:
        for order in orders:
            shop.provider.pay(shop.tree(order).payments[0].id)
            given_up, heard = threads.submit(deadline, order), threads.submit(webhook, order)
            heard.result()
            tree = shop.tree(order)
            assert tree.payments[0].status is PaymentStatus.SUCCEEDED
            assert (given_up.result(), shop.tree(order).order.status) in (
                ("paid", "PENDING_PAYMENT"),
                ("cancelled", "CANCELLED"),
            )
    assert differences(picture(read_everything(engine), shop.clock.now)) == []


class NoWaiter:
    def wake(self, token: str) -> None:
        """Nobody waits here."""
