"""The redemption saga on its own definition: each step failing at each call, for a while, for good, and finishing late.

Its points are not listed: a clean run of each story says which steps there are and which calls they make.
Source: SPEC 12, DESIGN 4 and 8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from cauri.books.caller import Caller
from cauri.books.commit import StepUndone
from cauri.money import Money
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import Kind
from cauri.wallet.redeeming import CaptureRedemption, ReverseRedemption
from cauri.wallet.redemption import Redemption
from cauri.wallet.saga import RedemptionSaga

from local.template import Template
from tests.proof import invariants, state
from tests.proof.faults import Script
from tests.proof.picture import picture
from tests.saga.trouble import CutOff, Standstill
from tests.saga.world import Beginning, Invocation, World
from tests.shop import START, TENANT

JAVA: Final = "usr_java"
KIOSK: Final = "usr_kiosk"
FOR_GOOD: Final = 25
"""More often in a row than any step is tried."""
TRIES: Final = 3
CHANGING: Final = ("confirm", "capture", "complete", "give_up", "release", "give_back_hold")


@dataclass(frozen=True)
class Story:
    """What partners do to a redemption of 5.00 of Java's, 3.00 of the kiosk's, and 12.00 of store credit."""

    name: str
    tell: Callable[[World], None]
    end: str

    def __str__(self) -> str:
        return self.name


def _nothing(world: World) -> None:
    """Everybody confirms, and captures."""


def _declined(world: World) -> None:
    world.issuer.declines.add((KIOSK, "confirm"))


def _declined_late(world: World) -> None:
    world.issuer.declines.add((KIOSK, "capture"))


def _silent(world: World) -> None:
    """For a while."""
    world.issuer.silent.add(KIOSK)
    world.after(world.issuer.silent.clear, minutes=30)


STORIES: Final = (
    Story("captured", _nothing, "completed"),
    Story("declined", _declined, "compensated"),
    Story("declined when it was captured", _declined_late, "compensated"),
    Story("silent for a while", _silent, "completed"),
)
FEW: Final = ("captured", "declined when it was captured")
"""Between them they have every step, forward and back."""


@pytest.fixture(scope="module")
def opened() -> list[Beginning]:
    """At most one: Amina's wallet as it begins."""
    return []


@pytest.fixture
def wallet(world: World, opened: list[Beginning]) -> World:
    """Amina has rewards of two partners, and store credit."""
    if not opened:
        world.shop.programme(confirming_partners=(JAVA, KIOSK))
        for days, partner, amount in ((1, JAVA, 500), (2, KIOSK, 300)):
            expires = START + timedelta(days=days)
            reward = IssueCredit("cus_amina", Kind.REWARD, Money(amount, "KES"), "a coffee", expires)
            world.shop.run(reward, Caller(TENANT, partner, frozenset({"partner"})))
        world.shop.credit(5_000)
        world.pump()
        opened.append(Beginning.of(world))
    begun = opened[0].again()
    begun.folds = False
    return begun


def redeem(world: World, **more: Any) -> str:
    redemption: str = world.shop.redeem(2_000, **more)["id"]
    return redemption


def units(world: World) -> int:
    """All that Amina has, by what it is worth: no points are among it."""
    return sum(lot.units for lot in world.shop.wallet().lots.values())


def look(world: World) -> Redemption:
    [redemption] = picture(state.items(), world.clock.now).redemptions
    return redemption


@dataclass(frozen=True)
class End:
    """What a redemption came to, at the issuers and here."""

    status: str
    uses: dict[str, str]
    wallet: dict[str, int]
    movements: list[str]


def end_of(world: World) -> End:
    redemption = look(world)
    lots = {lot.id: lot.units for lot in world.shop.wallet().lots.values()}
    moved = [one.why for one in picture(state.items(), world.clock.now).movements_of_wallets]
    return End(redemption.step_status, dict(world.issuer.uses), lots, moved)


def over(world: World, point: object = None) -> None:
    """Nothing is held, at no issuer something is half done, and the books tell the same."""
    world.run()
    seen = picture(state.items(), world.clock.now)
    assert invariants.differences(seen) == [], point
    assert world.letters == [], point
    assert all(one.ended for one in world.executions.all), point
    assert world.shop.wallet().live(world.clock.now).holds == {}, point
    status = look(world).step_status
    left = {"completed": {"captured"}, "compensated": {"released"}, "reversed": {"released"}}[status]
    assert set(world.issuer.uses.values()) <= left, point


def replay_all(world: World) -> None:
    for letter in list(world.letters):
        world.replay(letter)
    world.run()


@dataclass(frozen=True)
class Point:
    step: str
    nth: int
    call: int
    after: bool


@dataclass
class Clean:
    """A story without failures, and every point at which one can come."""

    story: Story
    beginning: Beginning
    end: End
    points: list[Point]

    def world(self) -> World:
        world = self.beginning.again()
        world.folds = False
        self.story.tell(world)
        redeem(world)
        return world


def told(story: Story, world: World) -> Clean:
    beginning = Beginning.of(world)
    story.tell(world)
    redeem(world)
    over(world)
    assert look(world).step_status == story.end
    points = [
        Point(one.step, one.nth, call, after)
        for one in world.invocations
        for call in range(len(one.script.calls))
        for after in (False, True)
    ]
    return Clean(story, beginning, end_of(world), points)


def each_story(few: int) -> pytest.MarkDecorator:
    """All points of all stories, in an unbounded run; of a few stories every so many points, in any run."""
    whole = [pytest.param(story, 1, id=str(story), marks=pytest.mark.slow) for story in STORIES]
    parts = [pytest.param(story, few, id=f"{story}, in part") for story in STORIES if story.name in FEW]
    return pytest.mark.parametrize("story, every", whole + parts)


# -- What becomes of it


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_a_redemption_ends_as_its_partners_want(wallet: World, story: Story) -> None:
    told(story, wallet)


def test_the_units_are_held_while_partners_are_asked_and_its_state_can_be_read(wallet: World) -> None:
    wallet.issuer.silent.add(KIOSK)
    redeem(wallet)
    wallet.run(minutes=3)
    [hold] = wallet.shop.wallet().holds.values()
    assert sum(hold.parts.values()) == 2_000
    redemption = look(wallet)
    assert redemption.step_status == "started"
    assert [(part.partner, part.status) for part in redemption.parts] == [(JAVA, "confirmed"), (KIOSK, "waiting")]


def test_a_silent_issuer_is_asked_for_days_and_then_people_look_and_nothing_is_undone(wallet: World) -> None:
    wallet.issuer.silent.add(KIOSK)
    redeem(wallet)
    wallet.run(hours=23)
    assert wallet.shop.wallet().live(wallet.clock.now).holds, "it is kept for a day"
    wallet.run()
    [letter] = wallet.letters
    assert letter["error"]["Error"] == "Unresolved"
    assert look(wallet).step_status == "started"
    assert wallet.issuer.uses == {f"{look(wallet).id}-1": "confirmed"}
    wallet.issuer.silent.clear()
    replay_all(wallet)
    over(wallet)
    assert look(wallet).step_status == "compensated", "the customer has the credit back since, and may have spent it"


def test_what_no_issuer_has_a_key_for_is_declined_and_given_back(wallet: World) -> None:
    wallet.issuer.declines.add((JAVA, "confirm"))
    wallet.issuer.refuses_as = "not_enabled"
    redeem(wallet)
    over(wallet)
    assert (look(wallet).step_status, wallet.issuer.uses) == ("compensated", {})


def test_a_hold_that_is_captured_asks_partners_for_what_is_captured(wallet: World) -> None:
    before = units(wallet)
    redemption = redeem(wallet, hold_minutes=30)
    wallet.run()
    assert (look(wallet).step_status, wallet.issuer.uses) == ("held", {})
    wallet.shop.run(CaptureRedemption("cus_amina", redemption, Money(700, "KES")))
    over(wallet)
    assert [(part.amount.amount, part.status) for part in look(wallet).parts] == [(500, "captured"), (200, "captured")]
    assert units(wallet) == before - 700


def test_a_reversal_gives_back_at_the_issuers_too(wallet: World) -> None:
    before = units(wallet)
    redemption = redeem(wallet)
    over(wallet)
    assert units(wallet) == before - 2_000
    wallet.shop.run(ReverseRedemption("cus_amina", redemption))
    over(wallet)
    assert (look(wallet).step_status, set(wallet.issuer.uses.values())) == ("reversed", {"released"})
    assert units(wallet) == before


def test_without_partners_rewards_no_saga_is_started(wallet: World) -> None:
    wallet.shop.redeem(2_000, kinds=(Kind.STORE_CREDIT,))
    wallet.run()
    assert (look(wallet).step_status, wallet.executions.all) == ("completed", [])


# -- Each step


@each_story(few=5)
def test_a_step_that_fails_once_changes_nothing_of_the_end(
    wallet: World, story: Story, every: int, tally: Counter[str]
) -> None:
    clean = told(story, wallet)
    for point in clean.points[::every]:
        world = clean.world()

        def once(one: Invocation, point: Point = point) -> Script | None:
            return CutOff(point.call, after=point.after) if one.place == (point.step, point.nth) else None

        world.plan = once
        over(world, point)
        assert end_of(world) == clean.end, point
        tally["redemption saga: a step fails once"] += 1


@each_story(few=5)
def test_a_step_that_fails_for_good_ends_in_a_letter_or_in_its_undo(
    wallet: World, story: Story, every: int, tally: Counter[str]
) -> None:
    """And once the trouble is over, replaying the letter finishes it: paid, or all given back; nothing between."""
    clean = told(story, wallet)
    for point in clean.points[::every]:
        world = clean.world()

        def always(one: Invocation, point: Point = point) -> Script | None:
            ill = one.step == point.step and 0 <= one.nth - point.nth < FOR_GOOD
            return CutOff(point.call, after=point.after) if ill else None

        world.plan = always
        world.pass_time(days=7)
        world.plan = lambda one: None
        replay_all(world)
        over(world, point)
        tally["redemption saga: a step fails for good, and is replayed"] += 1


@dataclass(frozen=True)
class Late:
    """A step that stands still at a point, and finishes just before a later call of other steps, or (None) last."""

    point: Point
    given_up: bool
    """Whether the other tries of the step fail as well, so that it is undone, or followed by what comes next."""
    until: int | None = None


def stand_still(world: World, late: Late) -> Standstill:
    script = Standstill(late.point.call, after=late.point.after)

    def once(one: Invocation) -> Script | None:
        if one.step != late.point.step:
            return None
        tries = one.nth - late.point.nth
        if tries == 0:
            return script
        return CutOff(0, after=False) if late.given_up and 0 < tries < TRIES else None

    world.plan = once
    if late.until is not None:
        world.interludes[late.until] = script.finish
    return script


def all_late(clean: Clean, every: int, *, given_up: bool) -> Iterator[Late]:
    """A step may stand still before each of its calls, and finish before each call that is made meanwhile, or last."""
    for point in clean.points[:: min(every, 4)]:
        if point.step in CHANGING and not point.after:
            late = Late(point, given_up)
            world = clean.world()
            script = stand_still(world, late)
            world.run()
            for until in range(script.stood_at + 1, world.calls):
                yield replace(late, until=until)
            script.finish()
            yield late


@each_story(few=16)
@pytest.mark.parametrize("given_up", [False, True])
def test_a_step_that_finishes_at_any_later_moment_does_no_harm(
    wallet: World, story: Story, every: int, given_up: bool, tally: Counter[str]
) -> None:
    """After its own undo, half way through it, through what came instead, or when all is over."""
    clean = told(story, wallet)
    for late in list(all_late(clean, every, given_up=given_up))[::every]:
        world = clean.world()
        script = stand_still(world, late)
        world.run()
        if late.until is None:
            script.finish()
        world.run()
        replay_all(world)
        over(world, late)
        tally["redemption saga: a step finishes late"] += 1


def test_a_completion_that_was_given_up_on_can_not_commit_any_more(wallet: World) -> None:
    """Its key is taken by its undo, whatever else would or would not stop it. Source: DESIGN 4."""
    redeem(wallet)
    script = stand_still(wallet, Late(Point("complete", 1, 0, after=False), given_up=True))
    wallet.run()
    assert look(wallet).step_status == "compensated"
    script.finish()
    [late_step] = [one for one in wallet.invocations if one.script is script]
    assert isinstance(late_step.outcome, StepUndone)


def test_two_executions_of_one_redemption_end_it_once(wallet: World) -> None:
    redemption = redeem(wallet)
    wallet.pump()
    for name in ("again", "and-again"):
        wallet.executions.start(name, f'{{"tenant": "{TENANT}", "redemption_id": "{redemption}"}}', "redemption")
    over(wallet)
    assert look(wallet).step_status == "completed"
    assert end_of(wallet).movements.count("captured") == 1


# -- The definition itself


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in definition["States"].items() if one["Type"] == "Task"}


UNDOES: Final = {"Confirm": "Release", "Capture": "Release", "Complete": "GiveUp"}


def test_a_forward_step_has_10_seconds_and_an_undo_5_and_its_function_fewer(
    redemption_definition: dict[str, Any], template: Template
) -> None:
    for name, task in tasks(redemption_definition).items():
        function = task["Resource"].rpartition(":")[2]
        if function in template.functions:
            assert task["TimeoutSeconds"] == {"RedemptionSteps": 10, "RedemptionUndo": 5}[function], name
            assert template.functions[function].timeout < task["TimeoutSeconds"], name


def test_what_can_be_undone_and_the_undo_are_tried_three_times_with_full_jitter(
    redemption_definition: dict[str, Any],
) -> None:
    found = tasks(redemption_definition)
    for name in {*UNDOES, *UNDOES.values(), "GiveBackHold"}:
        [retry] = found[name]["Retry"]
        assert (retry["MaxAttempts"], retry["JitterStrategy"], retry["BackoffRate"]) == (2, "FULL", 2), name
        assert found[name]["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
    assert set(found) == {*UNDOES, *UNDOES.values(), "GiveBackHold", "Begin", "LeaveForLater"}


def test_the_completion_and_what_forbids_it_have_the_same_key(redemption_definition: dict[str, Any]) -> None:
    states = redemption_definition["States"]
    key = states["Complete"]["Parameters"]["key.$"]
    assert states["GiveUp"]["Parameters"]["forbids.$"] == f"States.Array({key})"


def test_the_steps_are_those_that_the_code_has(redemption_definition: dict[str, Any]) -> None:
    asked = {one["Parameters"]["step"] for one in tasks(redemption_definition).values() if "step" in one["Parameters"]}
    letter = redemption_definition["States"]["LeaveForLater"]["Parameters"]["MessageBody"]
    assert asked == {"begin", *CHANGING}
    for step in {*asked, letter["payload"]["step"]}:
        assert callable(getattr(RedemptionSaga, step)), step
