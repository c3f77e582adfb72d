"""Every step of the saga, failing at every call it makes, for a while and for good, and finishing when it is too late.

The points are not listed here: a clean run of each story says which steps there are and which calls they make.
Source: SPEC 3, DESIGN 4 and 8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from cauri.books.commit import StepUndone

from tests.proof.faults import Script
from tests.saga.stories import STORIES, End, Story, begin, end_of
from tests.saga.trouble import CutOff, Standstill
from tests.saga.truths import unfinished
from tests.saga.world import Beginning, Invocation, World

FEW = ("paid", "abandoned", "paid late, and the hold is spent")
"""Between them they have every step, forward and back."""
FOR_GOOD = 25
"""More often in a row than any step is tried."""
TRIES = 3
CHANGING = ("secure_stock", "confirm_order", "settle_stock", "cancel_order", "release_stock", "refund_payment")


def each_story(few: int) -> pytest.MarkDecorator:
    """All points of all stories, in an unbounded run; of a few stories every so many points, in any run."""
    whole = [pytest.param(story, 1, id=str(story), marks=pytest.mark.slow) for story in STORIES]
    parts = [pytest.param(story, few, id=f"{story}, in part") for story in STORIES if story.name in FEW]
    return pytest.mark.parametrize("story, every", whole + parts)


@dataclass(frozen=True)
class Point:
    """A call of a step, as it was in the clean run, and whether trouble comes before it or after its effect."""

    step: str
    nth: int
    call: int
    after: bool


@dataclass
class Clean:
    """A story without failures, and every point at which one can come."""

    story: Story
    beginning: Beginning
    order: str
    end: End
    points: list[Point]

    def world(self) -> World:
        world = self.beginning.again()
        world.folds = False
        self.story.tell(world, self.order)
        return world


def told(story: Story, world: World) -> Clean:
    world.folds = False
    order = begin(world)
    beginning = Beginning.of(world)
    story.tell(world, order)
    world.run()
    over(world)
    assert world.status(order) == story.end
    points = [
        Point(one.step, one.nth, call, after)
        for one in world.invocations
        for call in range(len(one.script.calls))
        for after in (False, True)
    ]
    return Clean(story, beginning, order, end_of(world, order), points)


def over(world: World, point: object = None) -> None:
    """Past every claim's time, nothing is left."""
    world.pass_time(hours=2)
    assert unfinished(world) == [], (point, {one.name: (one.status, one.states) for one in world.executions.all})
    assert world.letters == [], point


def replay_all(world: World) -> None:
    for letter in list(world.letters):
        world.replay(letter)
    world.run()


@each_story(few=3)
def test_a_step_that_fails_once_changes_nothing_of_the_end(
    world: World, story: Story, every: int, tally: Counter[str]
) -> None:
    clean = told(story, world)
    for point in clean.points[::every]:
        world = clean.world()

        def once(invocation: Invocation, point: Point = point) -> Script | None:
            return CutOff(point.call, after=point.after) if invocation.place == (point.step, point.nth) else None

        world.plan = once
        world.run()
        over(world, point)
        assert end_of(world, clean.order) == clean.end, point
        tally["saga: a step fails once"] += 1


@each_story(few=3)
def test_a_step_that_fails_for_good_ends_in_a_letter_or_in_its_undo(
    world: World, story: Story, every: int, tally: Counter[str]
) -> None:
    """And once the trouble is over, replaying the letter finishes it: sold, or all given back; nothing between."""
    clean = told(story, world)
    for point in clean.points[::every]:
        world = clean.world()

        def always(invocation: Invocation, point: Point = point) -> Script | None:
            ill = invocation.step == point.step and 0 <= invocation.nth - point.nth < FOR_GOOD
            return CutOff(point.call, after=point.after) if ill else None

        world.plan = always
        world.pass_time(days=3)
        world.plan = lambda invocation: None
        replay_all(world)
        over(world, point)
        tally["saga: a step fails for good, and is replayed"] += 1


@dataclass(frozen=True)
class Late:
    """A step that stands still at a point, and finishes just before a later call of other steps, or (None) last."""

    point: Point
    given_up: bool
    """Whether the other tries of the step fail as well, so that it is undone, or followed by what comes next."""
    until: int | None = None


def stand_still(world: World, late: Late) -> Standstill:
    script = Standstill(late.point.call, after=late.point.after)

    def once(invocation: Invocation) -> Script | None:
        if invocation.step != late.point.step:
            return None
        tries = invocation.nth - late.point.nth
        if tries == 0:
            return script
        return CutOff(0, after=False) if late.given_up and 0 < tries < TRIES else None

    world.plan = once
    if late.until is not None:
        world.interludes[late.until] = script.finish
    return script


def play_late(clean: Clean, late: Late) -> None:
    world = clean.world()
    script = stand_still(world, late)
    world.run()
    if late.until is None:
        script.finish()
    world.run()
    replay_all(world)
    over(world, late)


def all_late(clean: Clean, *, given_up: bool) -> Iterator[Late]:
    """A step may stand still before each of its calls, and finish before each call that is made meanwhile, or last."""
    for point in clean.points:
        if point.step in CHANGING and not point.after:
            late = Late(point, given_up)
            world = clean.world()
            script = stand_still(world, late)
            world.run()
            for until in range(script.stood_at + 1, world.calls):
                yield replace(late, until=until)
            script.finish()
            yield late


@each_story(few=20)
@pytest.mark.parametrize("given_up", [False, True])
def test_a_step_that_finishes_at_any_later_moment_does_no_harm(
    world: World, story: Story, every: int, given_up: bool, tally: Counter[str]
) -> None:
    """After its own undo, half way through it, through what came instead, or when all is over."""
    clean = told(story, world)
    for late in list(all_late(clean, given_up=given_up))[::every]:
        play_late(clean, late)
        tally["saga: a step finishes late"] += 1


def test_a_confirmation_that_was_given_up_on_can_not_commit_any_more(world: World) -> None:
    """Its key is taken by the cancellation, whatever else would or would not stop it. Source: DESIGN 4."""
    order = begin(world)
    next(story for story in STORIES if story.name == "paid").tell(world, order)
    late = Late(Point("confirm_order", 1, 0, after=False), given_up=True)
    script = stand_still(world, late)
    world.run()
    assert world.status(order) == "CANCELLED"
    script.finish()

    [late_step] = [one for one in world.invocations if one.script is script]
    assert isinstance(late_step.outcome, StepUndone)
