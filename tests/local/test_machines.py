"""Executions of the sample's saga: its steps are the real handlers, its waits are task tokens."""

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.local.conftest import Sample

pytestmark = pytest.mark.e2e


def test_an_execution_waits_for_its_token_and_goes_on_with_it(sample: Sample) -> None:
    assert sample.start_order("plain").status_code == 201
    sample.cloud.idle()
    assert sample.execution("plain")["status"] == "RUNNING"
    sample.client("stepfunctions").send_task_success(taskToken=sample.token("plain"), output='{"paid": true}')
    sample.cloud.idle()
    ended = sample.execution("plain")
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"did": "finish", "function": "Step"}


def test_a_step_is_tried_again_as_the_machine_says(sample: Sample) -> None:
    sample.start_order("again", "hiccup")
    sample.cloud.idle()
    assert sample.execution("again")["status"] == "RUNNING"  # it waits for its token
    assert int(sample.seen("step:again")["reserve"]["times"]) == 2


@pytest.mark.parametrize(
    "order, fails",
    [("error", "reserve"), ("function-timeout", "timeout"), ("before-token", "wait")],
)
def test_a_step_that_fails_is_undone(sample: Sample, order: str, fails: str) -> None:
    sample.start_order(order, fails)
    sample.cloud.idle()
    assert (sample.execution(order)["status"], sample.execution(order)["error"]) == ("FAILED", "Undone")
    assert "undo" in sample.seen(f"step:{order}")


def test_a_wait_that_ends_is_undone_and_its_token_is_refused(sample: Sample) -> None:
    sample.start_order("impatient", patience=1)
    sample.cloud.idle()
    time.sleep(1.2)
    sample.cloud.idle()
    assert sample.execution("impatient")["error"] == "Undone"
    machines = sample.client("stepfunctions")
    with pytest.raises(machines.exceptions.ClientError) as refused:
        machines.send_task_success(taskToken=sample.token("impatient"), output="{}")
    assert refused.value.response["Error"]["Code"] in ("TaskTimedOut", "InvalidToken")


def test_the_first_answer_to_a_token_counts(sample: Sample) -> None:
    sample.start_order("twice")
    sample.cloud.idle()
    machines, token = sample.client("stepfunctions"), sample.token("twice")
    machines.send_task_failure(taskToken=token, error="Declined", cause="no money")
    with pytest.raises(machines.exceptions.ClientError):
        machines.send_task_success(taskToken=token, output="{}")
    sample.cloud.idle()
    assert sample.execution("twice")["error"] == "Undone"


def test_a_token_that_never_was_is_invalid(sample: Sample) -> None:
    machines = sample.client("stepfunctions")
    with pytest.raises(machines.exceptions.InvalidToken):
        machines.send_task_heartbeat(taskToken="nobody's")


def test_a_name_starts_once(sample: Sample) -> None:
    first = sample.start_order("named")
    assert sample.start_order("named").text == first.text  # still open, same input: the same answer
    assert sample.start_order("named", "reserve").status_code == 409
    sample.cloud.idle()
    sample.client("stepfunctions").send_task_success(taskToken=sample.token("named"), output="{}")
    sample.cloud.idle()
    assert sample.start_order("named").status_code == 409  # a name stays taken


def test_a_compensation_that_fails_is_a_dead_letter_that_finishes_it(sample: Sample) -> None:
    sample.start_order("stuck", "reserve", "undo")
    sample.cloud.idle()
    execution = sample.execution("stuck")
    assert execution["error"] == "GivenUp"
    [letter] = sample.cloud.dead_letters("SagaDead")
    assert (letter["kind"], letter["error"]) == ("task", "RuntimeError")
    assert letter["body"]["execution"] == execution["arn"]
    before = int(sample.seen("step:stuck")["undo"]["times"])
    [replayed] = sample.cloud.replay("SagaDead")
    assert replayed["problem"] is None
    assert int(sample.seen("step:stuck")["undo"]["times"]) == before + 1
    assert sample.cloud.dead_letters("SagaDead") == []


def test_the_endpoint_tells_of_an_execution(sample: Sample) -> None:
    sample.start_order("told", "reserve")
    sample.cloud.idle()
    machines, arn = sample.client("stepfunctions"), sample.execution("told")["arn"]
    described = machines.describe_execution(executionArn=arn)
    assert (described["status"], described["error"]) == ("FAILED", "Undone")
    assert json.loads(described["input"])["order"] == "told"
    history = machines.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    assert history[0]["type"] == "ExecutionStarted"
    assert history[-1]["type"] == "ExecutionFailed"
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    failed = machines.list_executions(
        stateMachineArn=sample.cloud.where["machines"]["Order"], statusFilter="FAILED", maxResults=1000
    )
    assert arn in [each["executionArn"] for each in failed["executions"]]


def test_an_execution_can_be_stopped(sample: Sample) -> None:
    sample.start_order("stopped")
    sample.cloud.idle()
    machines, arn = sample.client("stepfunctions"), sample.execution("stopped")["arn"]
    machines.stop_execution(executionArn=arn, error="Enough", cause="a test")
    deadline = time.monotonic() + 5
    while sample.execution("stopped")["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert machines.describe_execution(executionArn=arn)["status"] == "ABORTED"


@pytest.mark.parametrize(
    "change, code",
    [
        ({"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:no"}, "StateMachineDoesNotExist"),
        ({"name": "with space"}, "InvalidName"),
        ({"input": "{"}, "InvalidExecutionInput"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(sample: Sample, change: dict[str, Any], code: str) -> None:
    machines = sample.client("stepfunctions")
    start = {"stateMachineArn": sample.cloud.where["machines"]["Order"], "name": "refused", "input": "{}"} | change
    with pytest.raises(machines.exceptions.ClientError) as refused:
        machines.start_execution(**start)
    assert refused.value.response["Error"]["Code"] == code


def test_executions_go_on_when_the_interpreter_dies(sample: Sample) -> None:
    names = [f"many-{number}" for number in range(100)]
    for name in names:
        sample.start_order(name)
    sample.cloud.idle()
    [interpreter] = _children(sample, "local.machines.interpreter")
    os.kill(interpreter, signal.SIGKILL)
    time.sleep(0.2)
    sample.cloud.idle()  # each is where it was, with a new token
    machines, tokens = sample.client("stepfunctions"), sample.seen("token")
    for name in names:
        machines.send_task_success(taskToken=tokens[name]["token"], output="{}")
    sample.cloud.idle()
    ended = {each["name"]: each["status"] for each in sample.cloud.executions()}
    assert {ended[name] for name in names} == {"SUCCEEDED"}


def _children(sample: Sample, module: str) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(sample.cloud.where["pid"]), "-f", module], capture_output=True, text=True, check=True
    )
    return [int(line) for line in found.stdout.split()]
