"""A deposit and the rest: the order goes on when both are paid; else what was paid goes back. Source: SPEC 3 and 4."""

from __future__ import annotations

import itertools

import pytest
from cauri.providers.ports import Unknown

from tests.saga.truths import look, unfinished
from tests.saga.world import World


def statuses(world: World, order: str) -> list[str]:
    return [str(payment.status) for payment in world.shop.tree(order).payments]


def over(world: World) -> None:
    world.run()
    world.pass_time(hours=2)
    world.fold_all()
    assert unfinished(world) == []
    assert world.letters == []


@pytest.mark.parametrize("order_of_payment", [(0, 1), (1, 0)])
def test_the_order_is_confirmed_when_both_are_paid(world: World, order_of_payment: tuple[int, int]) -> None:
    order, *payments = world.buy_in_two()
    for minutes, place in enumerate(order_of_payment, start=3):
        world.after(lambda place=place: world.pays(payments[place]), minutes=minutes)
    world.run(minutes=3)
    assert world.status(order) == "PENDING_PAYMENT", "one is not enough"
    over(world)
    assert world.status(order) == "CONFIRMED"


@pytest.mark.parametrize("paid", [0, 1])
def test_what_was_paid_goes_back_when_the_other_never_comes(world: World, paid: int) -> None:
    order, *payments = world.buy_in_two()
    world.after(lambda: world.pays(payments[paid]), minutes=3)
    over(world)
    assert world.status(order) == "CANCELLED"
    assert world.shop.tree(order).order.cancel_reason == "part_paid"
    assert sorted(statuses(world, order)) == ["abandoned", "refunded"]
    assert world.stock("coffee") == (5, 0, 0)


def test_what_was_paid_goes_back_when_the_other_is_declined(world: World) -> None:
    order, first, second = world.buy_in_two()
    world.after(lambda: world.pays(first), minutes=3)
    world.after(lambda: world.provider.decline(second), minutes=4)
    world.after(lambda: world.tell("charge.failed", second), minutes=4)
    over(world)
    assert (world.status(order), statuses(world, order)) == ("CANCELLED", ["refunded", "failed"])


def test_the_rest_that_comes_after_the_deposit_went_back_goes_back_as_well(world: World) -> None:
    order, first, second = world.buy_in_two()
    world.after(lambda: world.pays(first), minutes=3)
    world.after(lambda: world.pays(second), minutes=40)
    over(world)
    assert (world.status(order), statuses(world, order)) == ("CANCELLED", ["refunded", "refunded"])
    assert len(look(world).refunds) == 2


def test_nothing_goes_back_while_one_is_unknown_and_the_order_goes_on_when_it_is_known(world: World) -> None:
    order, first, second = world.buy_in_two()
    world.after(lambda: world.pays(first), minutes=3)
    world.provider.truth[second] = Unknown("a timeout")
    world.run(minutes=40)
    assert world.status(order) == "PENDING_PAYMENT"
    assert look(world).refunds == []
    world.provider.pay(second)
    over(world)
    assert world.status(order) == "CONFIRMED"


@pytest.mark.parametrize(("one", "other"), list(itertools.product([2, 14, 16, 40], repeat=2)))
def test_whenever_they_come_both_count_or_both_go_back(world: World, one: int, other: int) -> None:
    order, first, second = world.buy_in_two()
    world.after(lambda: world.pays(first), minutes=one)
    world.after(lambda: world.pays(second), minutes=other, seconds=1)
    over(world)
    kept = {"CONFIRMED": ["succeeded"] * 2, "CANCELLED": ["refunded"] * 2}[world.status(order)]
    assert statuses(world, order) == kept
    assert (world.status(order) == "CONFIRMED") or max(one, other) > 15
