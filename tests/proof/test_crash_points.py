"""Whatever goes wrong at whichever call: sent again under the same key, a command ends as if nothing had.

Each example of each command runs once undisturbed, and its calls are written down. Then it runs again in the same
world once for every call and every fault that can happen to that call, and is sent again until it answers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Final

import pytest
from cauri.books.work import commands
from cauri.checkout.commands import Checkout

from tests.engines import TEMPLATE
from tests.proof.examples.worlds import EXAMPLES, Example
from tests.proof.faults import FAULTS, Script, interlude
from tests.proof.worlds import Outcome, World, crash_points

COMMANDS: Final = [example for example in EXAMPLES if ":" not in example.of]
"""The others are steps of sagas."""
DEATHS: Final = tuple(fault for fault in FAULTS if fault.kills)
SAGA: Final = TEMPLATE.parent / "functions/checkout/checkout.asl.yaml"

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)
every_command = pytest.mark.parametrize("example", COMMANDS, ids=str)


def test_every_command_has_an_example() -> None:
    assert {example.of for example in COMMANDS} == set(commands())


def test_every_step_of_the_saga_has_an_example() -> None:
    steps = set(re.findall(r"step: (\w+)", SAGA.read_text()))
    assert {f"step:{name}" for name in steps} == {one.of for one in EXAMPLES if one.of.startswith("step:")}


@every_example
def test_a_retry_after_any_fault_ends_like_an_undisturbed_run(
    example: Example, world: World, tally: Counter[str]
) -> None:
    before, clean = world.stored(), Script()
    undisturbed = world.play(clean)
    if example.name.startswith("refused"):
        assert undisturbed.stored == before, "a refusal leaves no trace"
    assert undisturbed.answer.startswith(b"refused") == example.name.startswith("refused"), undisturbed.answer
    assert world.differences() == []
    at_last = _at_last(world, undisturbed)
    for script in crash_points(clean):
        world.reset()
        _require_the_same(world, world.play(script), undisturbed, at_last, script)
        tally["crash points"] += 1


@every_example
def test_calls_made_together_may_come_in_any_order(example: Example, world: World, tally: Counter[str]) -> None:
    """As before, the other way round: what was submitted to threads runs before what its submitter does itself."""
    clean = Script()
    undisturbed = world.play(clean)
    world.reset()
    reverse = Script()
    assert world.play(reverse, submitted_first=True) == undisturbed
    if [call.operation for call in clean.calls] == [call.operation for call in reverse.calls]:
        return
    at_last = _at_last(world, undisturbed)
    for script in crash_points(reverse, DEATHS):
        world.reset()
        _require_the_same(world, world.play(script, submitted_first=True), undisturbed, at_last, script)
        tally["crash points, calls reversed"] += 1


@every_command
def test_an_attempt_that_nobody_repeats_takes_effect_whole_or_not_at_all(world: World, tally: Counter[str]) -> None:
    """What it claimed before its commit comes back when its time is over."""
    world.let_time_pass()
    nothing = world.stored()
    world.reset()
    clean = Script()
    world.play(clean)
    world.let_time_pass()
    everything = world.stored()
    for script in crash_points(clean, DEATHS):
        world.reset()
        world.die(script)
        world.let_time_pass()
        assert world.stored() in (nothing, everything), _at(script)
        tally["abandoned attempts"] += 1


@pytest.mark.parametrize("example", [example for example in COMMANDS if example.of == Checkout.name], ids=str)
@pytest.mark.parametrize("minutes", [17, 21])
def test_a_retry_that_comes_late_leaves_everything_in_order(world: World, minutes: int, tally: Counter[str]) -> None:
    """An order reserves for 15 minutes, and its claims for 20: those of the first attempt end soon, or are over."""
    clean = Script()
    world.play(clean)
    for script in crash_points(clean, DEATHS):
        world.reset()
        world.die(script)
        world.shop.clock.advance(minutes=minutes)
        world.play(Script())
        assert world.differences() == [], _at(script)
        tally["late retries"] += 1


@every_example
def test_twins_under_one_key_give_one_answer_and_one_effect(world: World, tally: Counter[str]) -> None:
    """At every call of the first, the second runs whole."""
    clean = Script()
    undisturbed = world.play(clean)
    for number in range(len(clean.calls)):
        world.reset()
        twin: list[bytes] = []
        script = Script(number, interlude(lambda: twin.append(world.act(world.process()))))  # noqa: B023
        assert world.play(script) == undisturbed, _at(script)
        assert world.outcome(twin[0]) == undisturbed, _at(script)
        tally["interleaved twins"] += 1


def _at_last(world: World, outcome: Outcome) -> Outcome:
    """What an outcome comes to once nothing is held any more."""
    world.let_time_pass()
    return replace(outcome, stored=world.stored())


def _require_the_same(world: World, outcome: Outcome, undisturbed: Outcome, at_last: Outcome, script: Script) -> None:
    """The same at once; but what an attempt claimed that died, had no answer, or could not give it back, stays until
    it expires if the retry is refused: it may be a twin's, which is not refused. Then all else is the same at once,
    and that as well at last.
    """
    assert script.fault is not None
    if outcome == undisturbed:
        return
    assert outcome.answer.startswith(b"refused"), _at(script)
    assert script.fault.kills or "after" in script.fault.name or _gives_back(script), _at(script)
    assert _but_for_claims(outcome) == _but_for_claims(undisturbed), _at(script)
    assert world.differences() == [], _at(script)
    assert _at_last(world, outcome) == at_last, _at(script)


def _gives_back(script: Script) -> bool:
    """True if the fault met a call that came after the look for the record: it was to undo what had been claimed."""
    return any(call.operation == "TransactGetItems" for call in script.calls[: script.at])


def _but_for_claims(outcome: Outcome) -> Outcome:
    return replace(
        outcome, stored={place: text for place, text in outcome.stored.items() if '"claims": {"M"' not in text}
    )


def _at(script: Script) -> str:
    assert script.at is not None
    assert script.fault is not None
    calls = [call.operation for call in script.calls]
    return f"{script.fault.name} at call {script.at} of {calls}"
