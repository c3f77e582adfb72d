"""State machines in this process: moto's interpreter as the local cloud runs it, on a clock that a test sets.

Nothing here sleeps. An execution that waits (for its token, for a time, for a retry) is parked; `Executions.go_on`
lets one go on that has what it waits for, and `next_deadline` says how far the clock may be moved until one has. So a
day of waiting takes milliseconds, one thing happens at a time, and a test says in which order.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from cauri.clock import Instant
from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcome, CallbackOutcomeSuccess
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.utils import TMP_THREADS

from local.machines.adaptations import Front, TaskSettledError, TokenEndpoint, TokenPool, install
from local.machines.interpreter import Machine, Run
from tests.shop import SetClock

ARN: Final = "arn:aws:states:us-east-1:000000000000:execution:checkout"
STUCK_SECONDS: Final = 30
"""Of real time: an execution that neither ends nor waits for so long hangs."""

Ready = Callable[[], bool]


@dataclass(eq=False)
class Execution:
    """One run of the machine from the top."""

    name: str
    input: str
    machine: Machine
    run: Run | None = None
    deadline: Instant | None = None
    ready: Ready | None = None
    ended: bool = False
    paused: threading.Event = field(default_factory=threading.Event)
    resumed: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> str:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED`` or ``ABORTED``."""
        return self.run.status if self.run is not None and self.ended else "RUNNING"

    @property
    def states(self) -> list[str]:
        """The states it entered, in order."""
        history = self.run.history() if self.run is not None else []
        return [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]

    def can_go_on(self, now: Instant) -> bool:
        if self.run is None:
            return True
        return self.ready is not None and (self.ready() or (self.deadline is not None and self.deadline <= now))


class Executions:
    """The executions of all machines. What their tasks ask for, `front` does."""

    on_stage: Executions | None = None

    def __init__(self, machines: Mapping[str, Machine], clock: SetClock, front: Front) -> None:
        self.machines = machines
        self.clock = clock
        self.front = front
        self.all: list[Execution] = []
        self._running: list[Execution] = []
        Executions.on_stage = self

    def start(self, name: str, input_: str, machine: str = "checkout") -> None:
        """As Step Functions does: one that has this name already is this one."""
        if all(execution.name != name for execution in self.all):
            self.all.append(Execution(name, input_, self.machines[machine]))

    def named(self, name: str) -> Execution:
        return next(execution for execution in self.all if execution.name == name)

    def wake(self, token: str) -> None:
        """SendTaskSuccess; whoever waits no more is left alone, as in `cauri.edge.outbox`."""
        endpoint = TokenPool.endpoints.get(token)
        if endpoint is None:
            return
        try:
            endpoint.notify(CallbackOutcomeSuccess(token, "{}"))
        except TaskSettledError:
            return

    # -- One thing at a time

    def able(self) -> Iterator[Execution]:
        """Those that can go on now."""
        running = list(self._running)
        return (one for one in self.all if not one.ended and one not in running and one.can_go_on(self.clock.now))

    def go_on(self, execution: Execution) -> None:
        """Let it run until it waits for something, or is over."""
        self._running.append(execution)
        if execution.run is None:
            execution.run = self._new_run(execution)
            execution.run.start()
        else:
            execution.resumed.set()
        if not execution.paused.wait(STUCK_SECONDS):
            raise AssertionError(f"{execution.name} is stuck after {execution.states}")
        execution.paused.clear()
        self._running.remove(execution)

    def kill_all(self) -> list[tuple[Execution, list[str]]]:
        """The interpreter dies: nothing more of what is open happens, and it runs again from the top.

        What was open, with the states that it had entered.
        """
        killed = [(one, one.states) for one in self.all if one.run is not None and not one.ended]
        for execution, _ in killed:
            assert execution.run is not None
            execution.run.stop(datetime.now(UTC), "Killed", "the interpreter died")
            self.all[self.all.index(execution)] = Execution(execution.name, execution.input, execution.machine)
            if execution not in self._running:
                self.go_on(execution)
        return killed

    def next_deadline(self) -> Instant | None:
        return min((one.deadline for one in self.all if not one.ended and one.deadline), default=None)

    @property
    def running(self) -> Execution:
        return self._running[-1]

    def park(self, seconds: float | None, ready: Ready) -> None:
        """Called by the interpreter, in the thread of the execution that runs now."""
        if ready():
            return
        execution = self._running[-1]
        execution.deadline = None if seconds is None else self.clock.now + timedelta(seconds=seconds)
        execution.ready = ready
        execution.paused.set()
        execution.resumed.wait()
        execution.resumed.clear()
        execution.deadline = execution.ready = None

    def _new_run(self, execution: Execution) -> Run:
        def over(run: Run) -> None:
            if run.tokens is not None:
                run.tokens.forget()
            TMP_THREADS.clear()
            execution.ended = True
            execution.paused.set()

        start = {"arn": f"{ARN}:{execution.name}", "name": execution.name, "started_at": 0, "input": execution.input}
        return Run(execution.machine, start, over)


@dataclass(frozen=True)
class Starter:
    """One of the machines, for the dispatcher."""

    executions: Executions
    machine: str

    def start(self, name: str, input_: str) -> None:
        self.executions.start(name, input_, self.machine)


def machine_of(definition: Mapping[str, Any]) -> Machine:
    text = json.dumps(definition)
    program, _ = AmazonStateLanguageParser.parse(text)
    return Machine(ARN, "checkout", text, StateMachineType.STANDARD, program)


# -- moto on our clock


class _Stage:
    """The front of whichever executions a test has made last."""

    def invoke(self, function: str, payload: bytes) -> Mapping[str, Any]:
        return _now_playing().front.invoke(function, payload)

    def call(self, service: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return _now_playing().front.call(service, action, parameters)


class _Patient(threading.Event):
    """A task's own time is the world's to tell: a step times out when a test says so."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait()


def _now_playing() -> Executions:
    assert Executions.on_stage is not None
    return Executions.on_stage


def _never() -> bool:
    return False


def _wait_for_token(self: TokenEndpoint, timeout: float | None = None) -> CallbackOutcome | None:
    _now_playing().park(timeout, lambda: self.get_outcome() is not None)
    self._close()
    return self.get_outcome()


def put_on_our_clock() -> None:
    """Adapt moto's interpreter as the local cloud does, and let nothing in it look at real time."""
    install(_Stage())
    TokenEndpoint.wait = _wait_for_token  # type: ignore[method-assign]
    WaitFunction._wait_interval = lambda self, env, wait_seconds: _now_playing().park(wait_seconds, _never)
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: _now_playing().park(seconds, _never))
    jitter_strategy_decl.random = random.Random(20261120)
    execute_state.threading = SimpleNamespace(Event=_Patient)
