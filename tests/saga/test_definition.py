"""The state machine's definition itself: deadlines, retries, undos, ways through it. Source: SPEC 3, DESIGN 4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from cauri.checkout.saga import CheckoutSaga

from local.template import Template

FORWARD_SECONDS: Final = 10
UNDO_SECONDS: Final = 5
UNDOES: Final = {"SecureStock": "ReleaseStock", "ConfirmOrder": "CancelOrder"}
NOTHING_TO_UNDO: Final = {
    "Begin": "asks",
    "AskProvider": "asks; what it learns is recorded by commands of their own",
    "AwaitPayment": "leaves a token, which runs out",
    "SettleStock": "comes after the point of no return",
    "Finish": "is the end",
    "LeaveForLater": "sends a letter",
}
State = dict[str, Any]


@pytest.fixture
def states(definition: dict[str, Any]) -> dict[str, State]:
    found: dict[str, State] = definition["States"]
    return found


@pytest.fixture
def tasks(states: dict[str, State]) -> dict[str, State]:
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def function_of(task: State) -> str | None:
    """The logical id of the function that a task calls."""
    called = task["Parameters"].get("FunctionName", task["Resource"])
    return called.rpartition(":")[2] if ":function:" in called else None


def nexts(state: State) -> Iterator[str]:
    for key in ("Next", "Default"):
        if key in state:
            yield state[key]
    for branch in [*state.get("Choices", ()), *state.get("Catch", ())]:
        yield branch["Next"]


def reachable(states: dict[str, State], start: str) -> set[str]:
    seen, left = set[str](), {start}
    while left:
        name = left.pop()
        seen.add(name)
        left |= set(nexts(states[name])) - seen
    return seen


def test_every_state_can_be_reached_and_leads_to_an_end(definition: dict[str, Any], states: dict[str, State]) -> None:
    assert reachable(states, definition["StartAt"]) == set(states)
    ends = {name for name, state in states.items() if state["Type"] in ("Succeed", "Fail")}
    for name in states:
        assert reachable(states, name) & ends, name


def test_every_task_has_a_deadline_and_its_function_has_an_earlier_one(
    tasks: dict[str, State], template: Template
) -> None:
    for name, task in tasks.items():
        assert ("TimeoutSeconds" in task) != ("TimeoutSecondsPath" in task), name
        function = function_of(task)
        if "TimeoutSeconds" in task and function is not None:
            assert template.functions[function].timeout < task["TimeoutSeconds"], name


def test_a_forward_step_has_10_seconds_and_an_undo_5(tasks: dict[str, State]) -> None:
    for name, task in tasks.items():
        if (function := function_of(task)) is not None and "TimeoutSeconds" in task:
            assert (
                task["TimeoutSeconds"] == {"CheckoutSteps": FORWARD_SECONDS, "CheckoutUndo": UNDO_SECONDS}[function]
            ), name


def test_whatever_fails_is_tried_again_and_then_caught(tasks: dict[str, State]) -> None:
    """Nothing ends an execution but its own ends; the letter itself has nowhere else to go."""
    for name, task in tasks.items():
        assert task["Retry"], name
        if name != "LeaveForLater":
            assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_every_retry_backs_off_with_full_jitter(tasks: dict[str, State]) -> None:
    for name, task in tasks.items():
        for retry in task["Retry"]:
            assert retry["JitterStrategy"] == "FULL", name
            assert retry["BackoffRate"] >= 2, name


def test_what_can_be_undone_and_the_undo_itself_are_tried_three_times(tasks: dict[str, State]) -> None:
    for name in {*UNDOES, *UNDOES.values(), "RefundPayment"}:
        last = tasks[name]["Retry"][-1]
        assert last["ErrorEquals"] == ["States.ALL"], name
        assert last["MaxAttempts"] == 2, f"{name}: the first try is not counted"


def test_nobody_gives_up_asking_for_a_quarter_of_an_hour(tasks: dict[str, State]) -> None:
    """What is not undone on doubt is asked, or tried, for long; and not for ever."""
    for name in ("Begin", "AskProvider", "SettleStock", "Finish", "LeaveForLater"):
        [retry] = tasks[name]["Retry"]
        waits = [min(2**attempt, retry["MaxDelaySeconds"]) for attempt in range(retry["MaxAttempts"])]
        assert 15 * 60 <= sum(waits) <= 30 * 60, name


def test_every_step_that_changes_something_names_its_undo_or_why_it_has_none(tasks: dict[str, State]) -> None:
    assert set(tasks) == {*UNDOES, *UNDOES.values(), "RefundPayment", *NOTHING_TO_UNDO}
    for step, undo in UNDOES.items():
        assert function_of(tasks[step]) == "CheckoutSteps"
        assert function_of(tasks[undo]) == "CheckoutUndo"


def test_from_every_forward_step_its_undo_can_be_reached_by_failing(states: dict[str, State]) -> None:
    for step, undo in UNDOES.items():
        [catch] = states[step]["Catch"]
        assert undo in reachable(states, catch["Next"]), step


def test_the_confirmation_and_what_forbids_it_have_the_same_key(states: dict[str, State]) -> None:
    key = states["ConfirmOrder"]["Parameters"]["key.$"]
    assert states["GiveUpPaid"]["Parameters"]["forbids.$"] == f"States.Array({key})"


def test_the_steps_are_those_that_the_code_has(tasks: dict[str, State]) -> None:
    asked = {
        (task["Parameters"].get("Payload") or task["Parameters"])["step"]
        for task in tasks.values()
        if function_of(task) is not None
    }
    for step in {*asked, "resume"}:
        assert callable(getattr(CheckoutSaga, step)), step


def test_a_letter_has_all_that_is_needed_to_finish(tasks: dict[str, State]) -> None:
    letter = tasks["LeaveForLater"]["Parameters"]["MessageBody"]
    assert letter["function"] == "CheckoutSteps"
    assert letter["payload"] == {
        "step": "resume",
        "tenant.$": "$.tenant",
        "order_id.$": "$.order_id",
        "execution.$": "$.execution",
    }
