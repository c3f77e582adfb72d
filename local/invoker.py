"""Invocations by function name, whoever asks: the front, the pumps, state machines, the command line."""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.workers.instance import Hosted
from local.workers.pool import OWN_WORKERS, Group, Outcome, WorkerPool


class UnknownFunctionError(KeyError):
    """The template has no function of this name."""


class Invoker:
    def __init__(self, groups: Sequence[Group], workers: int, path: Sequence[str], logs: Path) -> None:
        self._pools = [WorkerPool(group, OWN_WORKERS if group.own else workers, path, logs) for group in groups]
        self._hosts: Mapping[str, tuple[WorkerPool, Hosted]] = {
            function.name: (pool, function) for pool in self._pools for function in pool.group.functions
        }
        self._listeners: list[Callable[[], None]] = []
        self.finished = 0  # invocations so far
        self.finished_at = 0.0  # the last, time.monotonic()

    @property
    def functions(self) -> Sequence[str]:
        return list(self._hosts)

    @property
    def outstanding(self) -> int:
        return sum(pool.outstanding for pool in self._pools)

    def on_finish(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each invocation: it may have written what a pump waits for."""
        self._listeners.append(listener)

    async def start(self) -> None:
        await asyncio.gather(*(pool.start() for pool in self._pools))

    async def stop(self) -> None:
        await asyncio.gather(*(pool.stop() for pool in self._pools))

    async def reload(self) -> None:
        await asyncio.gather(*(pool.reload() for pool in self._pools))

    async def invoke(
        self, function: str, event: bytes, *, request_id: str | None = None, background: bool = False
    ) -> Outcome:
        """What `function` (a name or an ARN) makes of `event` (JSON). Raises UnknownFunctionError."""
        name = function.rpartition(":function:")[2].partition(":")[0]
        if name not in self._hosts:
            raise UnknownFunctionError(name)
        pool, hosted = self._hosts[name]
        try:
            return await pool.invoke(hosted, request_id or str(uuid.uuid4()), event, background)
        finally:
            self.finished += 1
            self.finished_at = time.monotonic()
            self.nudge()

    def nudge(self) -> None:
        """Let the pumps look now: something may have changed."""
        for listener in self._listeners:
            listener()
