"""The refund saga on its own definition: each step failing at each call, for a while and for good. Source: DESIGN 4."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked
from cauri.refunds.saga import RefundSaga

from local.template import Template
from tests.proof.faults import Script
from tests.saga.stories import HELD
from tests.saga.trouble import CutOff, Standstill
from tests.saga.truths import look, unfinished
from tests.saga.world import Beginning, Invocation, World

STEPS = ("pay_back", "restock")
FOR_GOOD = 25
"""More often in a row than any step is tried."""


def sold(world: World) -> str:
    order = world.buy(drawn=HELD, shirt_l=2, coffee=1)
    world.pays(world.payment_of(order))
    world.run()
    assert world.status(order) == "CONFIRMED"
    world.folds = False
    world.executions.all.clear()
    world.invocations.clear()
    return order


def give_back(world: World, order: str) -> None:
    world.shop.run(RequestRefund(order, Asked(restock=True), "Damaged"), key="back")


def over(world: World, order: str, point: object = None) -> None:
    world.pass_time(hours=2)
    assert unfinished(world) == [], point
    assert world.letters == [], point
    [refund] = look(world).refunds
    assert refund.status == "succeeded", point
    assert world.provider.refunds == {f"{refund.id}-2": refund.parts[1].amount}, point
    assert world.status(order) == "CANCELLED", point
    assert world.stock("shirt-l") == (5, 0, 0), point


def points(world: World, order: str) -> tuple[Beginning, list[tuple[tuple[str, int], int]]]:
    beginning = Beginning.of(world)
    give_back(world, order)
    world.run()
    over(world, order)
    return beginning, [(one.place, call) for one in world.invocations for call in range(len(one.script.calls))]


@pytest.mark.parametrize("after", [False, True])
def test_a_step_that_fails_once_changes_nothing_of_the_end(world: World, after: bool, tally: Counter[str]) -> None:
    order = sold(world)
    beginning, calls = points(world, order)
    assert {place[0] for place, _ in calls} == set(STEPS)
    for place, call in calls:
        world = beginning.again()
        world.folds = False

        def once(one: Invocation, place: tuple[str, int] = place, call: int = call) -> Script | None:
            return CutOff(call, after=after) if one.place == place else None

        world.plan = once
        give_back(world, order)
        world.run()
        over(world, order, (place, call))
        tally["refund saga: a step fails once"] += 1


@pytest.mark.parametrize("after", [False, True])
def test_a_step_that_fails_for_good_leaves_a_letter_that_finishes_it(
    world: World, after: bool, tally: Counter[str]
) -> None:
    order = sold(world)
    beginning, calls = points(world, order)
    for (step, nth), call in calls:
        world = beginning.again()
        world.folds = False

        def always(one: Invocation, step: str = step, nth: int = nth, call: int = call) -> Script | None:
            return CutOff(call, after=after) if one.step == step and 0 <= one.nth - nth < FOR_GOOD else None

        world.plan = always
        give_back(world, order)
        world.pass_time(days=3)
        world.plan = lambda invocation: None
        for letter in list(world.letters):
            world.replay(letter)
        world.run()
        over(world, order, (step, nth, call))
        tally["refund saga: a step fails for good, and is replayed"] += 1


def test_a_step_that_stands_still_and_finishes_when_all_is_over_does_no_harm(world: World, tally: Counter[str]) -> None:
    order = sold(world)
    beginning, calls = points(world, order)
    for place, call in calls:
        world = beginning.again()
        world.folds = False
        script = Standstill(call, after=False)
        stood = [script]

        def once(one: Invocation, place: tuple[str, int] = place, stood: list[Standstill] = stood) -> Script | None:
            return stood[0] if one.place == place else None

        world.plan = once
        give_back(world, order)
        world.run()
        script.finish()
        over(world, order, (place, call))
        tally["refund saga: a step finishes late"] += 1


# -- The definition itself


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def test_every_task_has_a_deadline_later_than_its_functions(
    refund_definition: dict[str, Any], template: Template
) -> None:
    for name, task in tasks(refund_definition).items():
        assert task["TimeoutSeconds"] == 10, name
        assert template.functions["RefundSteps"].timeout < task["TimeoutSeconds"]


def test_whatever_fails_is_tried_again_for_long_with_full_jitter_and_then_caught(
    refund_definition: dict[str, Any],
) -> None:
    for name, task in tasks(refund_definition).items():
        [retry] = task["Retry"]
        assert (retry["ErrorEquals"], retry["JitterStrategy"]) == (["States.ALL"], "FULL"), name
        assert 15 * 60 <= sum(min(2**n, retry["MaxDelaySeconds"]) for n in range(retry["MaxAttempts"])) <= 30 * 60, name
        if name != "LeaveForLater":
            assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_the_steps_are_those_that_the_code_has(refund_definition: dict[str, Any]) -> None:
    asked = {task["Parameters"]["step"] for task in tasks(refund_definition).values() if "step" in task["Parameters"]}
    letter = refund_definition["States"]["LeaveForLater"]["Parameters"]["MessageBody"]
    assert asked == set(STEPS)
    for step in {*asked, letter["payload"]["step"]}:
        assert callable(getattr(RefundSaga, step)), step
