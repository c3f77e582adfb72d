"""The state machine dies between any two steps, and what was open runs again from the top. Source: DESIGN 4 and 7."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.saga.machine import Execution
from tests.saga.stories import STORIES, Story, begin, end_of
from tests.saga.truths import unfinished
from tests.saga.world import Beginning, Invocation, World

Killed = list[tuple[Execution, list[str]]]
FEW = {"paid", "paid late, and the hold is spent"}


def told(world: World, story: Story, order: str) -> None:
    world.folds = False
    story.tell(world, order)
    world.run()
    world.pass_time(hours=2)
    assert unfinished(world) == []
    assert world.letters == []


@pytest.mark.parametrize(
    "story",
    [pytest.param(story, id=str(story), marks=() if str(story) in FEW else pytest.mark.slow) for story in STORIES],
)
@pytest.mark.parametrize("kills", [1, 2])
def test_a_rerun_from_the_top_after_any_step_comes_to_the_same_end(
    world: World, story: Story, kills: int, tally: Counter[str]
) -> None:
    """The step it dies in takes effect, and its answer is lost; with two, the rerun dies in its next step as well."""
    order = begin(world)
    beginning = Beginning.of(world)
    told(world, story, order)
    end, steps = end_of(world, order), len(world.invocations)
    for number in range(1, steps + 1):
        world = beginning.again()
        killed: Killed = []

        def die(invocation: Invocation, world: World = world, killed: Killed = killed, first: int = number) -> None:
            if first <= len(world.invocations) < first + kills:
                killed += world.executions.kill_all()

        world.plan = die
        told(world, story, order)
        assert end_of(world, order) == end, number
        assert [one.states for one, _ in killed] == [states for _, states in killed], "it went no further"
        assert len({one.name for one in world.executions.all}) == len(world.executions.all)
        tally["saga: a rerun from the top"] += 1


def test_a_rerun_while_it_waits_waits_on(world: World) -> None:
    order = begin(world)
    world.run(minutes=5)
    first = world.shop.tree(order).order.expires_at

    world.executions.kill_all()
    world.run(minutes=5)
    assert world.way(order) == ["Begin", "WhereItStands", "AwaitPayment"]

    world.run()
    assert world.status(order) == "CANCELLED"
    assert world.shop.tree(order).order.cancelled_at == first, "the deadline is the order's, and not the wait's"
    assert unfinished(world) == []
