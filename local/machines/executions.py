"""Executions as Step Functions keeps them, and the endpoint that the functions call.

An execution is written down before its start is answered, and its end before anyone sees it. On start, those that
were open run again from the top under their own names and start times: their steps are idempotent.
"""

import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.aws import AwsError
from local.environment import arn
from local.machines.child import InterpreterProcess
from local.state import State

INPUT_MAX: Final = 256 * 1024
NAME: Final = re.compile(r"[\w.+!@()=\-~#%&$',;\[\]{}^]{1,80}")
RUNNING: Final = "RUNNING"
PAGE: Final = 100
TOKEN_ERRORS: Final = {"TaskSettledError": "TaskTimedOut", "InvalidTokenError": "InvalidToken"}


@dataclass(frozen=True, slots=True)
class MachineSettings:
    name: str
    arn: str
    definition: str  # Amazon States Language, JSON
    express: bool


class Executions:
    def __init__(self, state: State, machines: Mapping[str, MachineSettings], interpreter: InterpreterProcess) -> None:
        """`machines` by ARN."""
        self._state = state
        self._machines = machines
        self._interpreter = interpreter
        self._actions: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]] = {
            "StartExecution": self._start,
            "StopExecution": self._stop,
            "DescribeExecution": self._describe,
            "ListExecutions": self._list,
            "GetExecutionHistory": self._history,
            "SendTaskSuccess": self._success,
            "SendTaskFailure": self._failure,
            "SendTaskHeartbeat": self._heartbeat,
            "DescribeStateMachine": self._describe_machine,
            "ListStateMachines": self._list_machines,
        }

    async def call(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """An action of the endpoint. Raises AwsError."""
        if action not in self._actions:
            raise AwsError("UnsupportedOperation", f"the local cloud has no {action}")
        return await self._actions[action](body)

    def resume(self) -> None:
        """Run every open execution: at start, and after the interpreter died."""
        for machine in self._machines.values():
            self._define(machine)
        for row in self._state.rows("select * from executions where status = ? order by started_at", RUNNING):
            self._run(row)

    def _define(self, machine: MachineSettings) -> None:
        self._interpreter.tell(
            {
                "op": "define",
                "arn": machine.arn,
                "name": machine.name,
                "definition": machine.definition,
                "express": machine.express,
            }
        )

    def ended(self, message: Mapping[str, Any]) -> None:
        """The interpreter finished an execution."""
        self._state.execute(
            "update executions set status = ?, output = ?, error = ?, cause = ?, stopped_at = ?, history = ?"
            " where arn = ? and status = ?",
            *(message["status"], message["output"], message["error"], message["cause"], time.time()),
            *(json.dumps(message["history"]), message["arn"], RUNNING),
        )

    def redefine(self, machines: Mapping[str, MachineSettings]) -> None:
        """Take new definitions, for the executions that start from now on."""
        self._machines = machines
        for machine in machines.values():
            self._define(machine)

    async def runnable(self) -> int:
        """How many executions have something to do, rather than to wait for something outside themselves."""
        [[running]] = self._state.rows("select count(*) from executions where status = ?", RUNNING)
        if not running:
            return 0
        status = await self._interpreter.ask({"op": "status"})
        return int(status["runnable"])

    def all(self) -> list[dict[str, Any]]:
        """Every execution, newest first, with its input and its end."""
        columns = "arn, machine, name, input, status, output, error, cause, started_at, stopped_at"
        return [dict(row) for row in self._state.rows(f"select {columns} from executions order by started_at desc")]

    async def _start(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        machine = self._machine(body["stateMachineArn"])
        text = body.get("input") or "{}"
        name = body.get("name") or str(uuid.uuid4())
        _check(name, text)
        execution = _execution_arn(machine, name)
        known = self._state.row("select * from executions where arn = ?", execution)
        if known is not None:
            if known["status"] == RUNNING and json.loads(known["input"]) == json.loads(text):
                return {"executionArn": execution, "startDate": known["started_at"]}
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{execution}'")
        self._state.execute(
            "insert into executions (arn, machine, name, input, status, started_at) values (?, ?, ?, ?, ?, ?)",
            *(execution, machine.arn, name, text, RUNNING, time.time()),
        )
        row = self._row(execution)
        self._run(row)
        return {"executionArn": execution, "startDate": row["started_at"]}

    def _run(self, row: Any) -> None:
        keys = ("arn", "machine", "name", "input", "started_at")
        self._interpreter.tell({"op": "start"} | {key: row[key] for key in keys})

    async def _stop(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        row = self._row(body["executionArn"])
        if row["status"] == RUNNING:
            stop = {"arn": row["arn"], "error": body.get("error"), "cause": body.get("cause")}
            self._interpreter.tell({"op": "stop", **stop})
        return {"stopDate": row["stopped_at"] or time.time()}

    async def _describe(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        row = self._row(body["executionArn"])
        optional = {"output": row["output"], "error": row["error"], "cause": row["cause"]}
        return (
            _listed(row) | {"input": row["input"]} | {key: each for key, each in optional.items() if each is not None}
        )

    async def _list(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        machine = self._machine(body["stateMachineArn"])
        size, offset = body.get("maxResults") or PAGE, int(body.get("nextToken") or 0)
        rows = self._state.rows(
            "select * from executions where machine = ? and (? is null or status = ?)"
            " order by started_at desc limit ? offset ?",
            *(machine.arn, body.get("statusFilter"), body.get("statusFilter"), size + 1, offset),
        )
        page = {"executions": [_listed(row) for row in rows[:size]]}
        return page | ({"nextToken": str(offset + size)} if len(rows) > size else {})

    async def _history(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        row = self._row(body["executionArn"])
        if row["history"] is not None:
            events = json.loads(row["history"])
        else:
            events = await self._interpreter.ask({"op": "history", "arn": row["arn"]})
        if body.get("reverseOrder"):
            events.reverse()
        size, offset = body.get("maxResults") or PAGE, int(body.get("nextToken") or 0)
        page = {"events": events[offset : offset + size]}
        return page | ({"nextToken": str(offset + size)} if len(events) > offset + size else {})

    async def _success(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._settle({"op": "success", "token": body["taskToken"], "output": body["output"]})

    async def _failure(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._settle({"op": "failure", "token": body["taskToken"], **_error_and_cause(body)})

    async def _heartbeat(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._settle({"op": "heartbeat", "token": body["taskToken"]})

    async def _settle(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        if "output" in message and not _is_json(message["output"]):
            raise AwsError("InvalidOutput", "the output is not JSON")
        try:
            await self._interpreter.ask(message)
        except RuntimeError as refused:
            raise AwsError(TOKEN_ERRORS[str(refused)], "Task Timed Out, or its token is not known") from refused
        return {}

    async def _describe_machine(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        machine = self._machine(body["stateMachineArn"])
        return _listed_machine(machine) | {
            "status": "ACTIVE",
            "definition": machine.definition,
            "roleArn": "arn:aws:iam::000000000000:role/local",
        }

    async def _list_machines(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stateMachines": [_listed_machine(machine) for machine in self._machines.values()]}

    def _machine(self, machine_arn: str) -> MachineSettings:
        if machine_arn not in self._machines:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine_arn}'")
        return self._machines[machine_arn]

    def _row(self, execution: str) -> Any:
        row = self._state.row("select * from executions where arn = ?", execution)
        if row is None:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{execution}'")
        return row


def _check(name: str, text: str) -> None:
    if not NAME.fullmatch(name):
        raise AwsError("InvalidName", f"Invalid Name: '{name}'")
    if len(text.encode()) > INPUT_MAX or not _is_json(text):
        raise AwsError("InvalidExecutionInput", f"the input is not JSON, or longer than {INPUT_MAX} bytes")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _execution_arn(machine: MachineSettings, name: str) -> str:
    """An Express execution has no name of its own: each start is another."""
    if machine.express:
        return arn("states", f"express:{machine.name}:{name}:{uuid.uuid4()}")
    return arn("states", f"execution:{machine.name}:{name}")


def _listed(row: Any) -> dict[str, Any]:
    listed = {
        "executionArn": row["arn"],
        "stateMachineArn": row["machine"],
        "name": row["name"],
        "status": row["status"],
        "startDate": row["started_at"],
    }
    return listed | ({"stopDate": row["stopped_at"]} if row["stopped_at"] is not None else {})


def _listed_machine(machine: MachineSettings) -> dict[str, Any]:
    kind = "EXPRESS" if machine.express else "STANDARD"
    return {"stateMachineArn": machine.arn, "name": machine.name, "type": kind, "creationDate": 0}


def _error_and_cause(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": body.get("error"), "cause": body.get("cause")}
