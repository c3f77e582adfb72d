"""What a worker process runs.

It hosts the functions of one group (see `pool.groups`), imports each at its first request, and runs one request at a
time, with the environment variables and the context object that Lambda would give.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.workers.logs import LAMBDA_LEVEL, FunctionLogs, LambdaHandler, Printed
from local.workers.meter import METERED, Meter
from local.workers.permissions import USED, Guard
from local.workers.wire import BlockingChannel, Kind

Handler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Hosted:
    """A function as its worker sees it. `timeout` is in seconds."""

    name: str
    module: str
    attribute: str
    timeout: int
    memory_mb: int
    arn: str
    allowed: Mapping[str, list[str]]  # ARNs by action

    def environment(self) -> dict[str, str]:
        return {
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "_HANDLER": f"{self.module}.{self.attribute}",
        }


@dataclass(frozen=True, slots=True)
class Context:
    """The second argument of a handler."""

    function: Hosted
    aws_request_id: str
    deadline: float  # time.monotonic()
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    identity: None = None
    client_context: None = None

    @property
    def function_name(self) -> str:
        return self.function.name

    @property
    def memory_limit_in_mb(self) -> str:
        return str(self.function.memory_mb)

    @property
    def invoked_function_arn(self) -> str:
        return self.function.arn

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function.name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class Instance:
    def __init__(
        self, functions: Mapping[str, Hosted], logs: FunctionLogs, guard: Guard, meter: Meter | None = None
    ) -> None:
        self._meter = meter
        self._functions = functions
        self._logs = logs
        self._guard = guard
        self._handlers: dict[str, Handler] = {}
        self._current = ""

    def run(self, name: str, request_id: str, event: bytes) -> tuple[Kind, bytes]:
        """The frame that answers an invocation: what the handler returned, or the error in Lambda's form."""
        function = self._functions[name]
        self._logs.begin(name, request_id)
        if name != self._current:
            os.environ.update(function.environment())
            self._current = self._guard.function = name
        started, cpu = time.perf_counter(), time.process_time()
        kind, body = self._call(function, request_id, event)
        status = "success" if kind is Kind.ANSWER else "failure"
        spent: dict[str, Any] = {"cpuMs": round((time.process_time() - cpu) * 1000, 3)}
        if self._meter is not None:
            spent["calls"] = self._meter.taken()
        self._logs.report(status, (time.perf_counter() - started) * 1000, **spent)
        return kind, body

    def _call(self, function: Hosted, request_id: str, event: bytes) -> tuple[Kind, bytes]:
        try:
            handler = self._handlers.get(function.name) or self._load(function)
            context = Context(function, request_id, time.monotonic() + function.timeout)
            answer = handler(json.loads(event), context)
        except Exception as error:  # noqa: BLE001 whatever a handler raises is its answer, as in Lambda's runtime
            return self._failure(error, type(error).__name__, request_id)
        try:
            return Kind.ANSWER, json.dumps(answer, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            return self._failure(error, "Runtime.MarshalError", request_id)

    def _load(self, function: Hosted) -> Handler:
        module = importlib.import_module(function.module)
        handler: Handler = getattr(module, function.attribute)
        self._handlers[function.name] = handler
        return handler

    def _failure(self, error: Exception, error_type: str, request_id: str) -> tuple[Kind, bytes]:
        if error.__traceback__ is not None:
            error.__traceback__ = error.__traceback__.tb_next  # its first frame is ours, and of no use to anyone
        self._logs.error(error)
        body = {
            "errorMessage": str(error),
            "errorType": error_type,
            "requestId": request_id,
            "stackTrace": traceback.format_tb(error.__traceback__),
        }
        return Kind.FAILURE, json.dumps(body).encode()


def capture_output(logs: FunctionLogs) -> None:
    """Send what handlers print and log to their own files, before any of their modules keeps a reference."""
    sys.stdout = sys.stderr = Printed(logs)
    root = logging.getLogger()
    root.handlers[:] = [LambdaHandler(logs)]
    root.setLevel(LAMBDA_LEVEL)


def main(descriptor: str) -> None:
    """Serve the front, which is at the other end of the socket, until it closes."""
    channel = BlockingChannel(int(descriptor))
    received = channel.receive()
    if received is None:
        return
    setup = json.loads(received[1])
    sys.path[:0] = setup["path"]
    logs = FunctionLogs(Path(setup["logs"]))
    capture_output(logs)
    functions = {each["name"]: Hosted(**each) for each in setup["functions"]}
    guard = Guard({name: each.allowed for name, each in functions.items()}, Path(setup["logs"]) / USED)
    guard.watch()
    meter = None
    if os.environ.get(METERED):
        meter = Meter()
        meter.watch()
    instance = Instance(functions, logs, guard, meter)
    channel.send(Kind.READY, b"")
    while (received := channel.receive()) is not None:
        header, _, event = received[1].partition(b"\n")
        call = json.loads(header)
        channel.send(*instance.run(call["function"], call["request_id"], event))
