"""Who runs an invocation: pools of worker processes, a queue before each, and the function's timeout.

A pool hosts the functions whose environments agree; a function that contradicts them, or that the template marks
`LocalWorker: own`, gets a pool of its own. An own pool keeps one worker free of background work (queues, schedules),
so that an outside party which delivers to us still answers us.
"""

import asyncio
import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from local.template import Function
from local.workers.child import start_child
from local.workers.instance import Hosted
from local.workers.meter import METERED
from local.workers.wire import Channel, Kind

log = logging.getLogger(__name__)

INIT_SECONDS: Final = 10.0  # what Lambda gives a function to import itself, before its own timeout begins
GRACE_SECONDS: Final = 0.25  # the worker's clock begins a little after ours
RESPAWN_SECONDS: Final = 1.0  # between attempts to start a worker that dies at once
OWN_WORKERS: Final = 2
# Nothing else of ours reaches a function.
INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", METERED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to. `payload` is JSON: the answer, or the error in Lambda's form."""

    payload: bytes
    error: str | None = None  # the error's type

    @property
    def failed(self) -> bool:
        return self.error is not None


@dataclass(frozen=True, slots=True)
class Group:
    """Functions that one worker can host, with the environment they share."""

    name: str
    functions: tuple[Hosted, ...]
    environment: Mapping[str, str]
    own: bool = False


def groups(functions: Iterable[tuple[Function, Hosted, Mapping[str, str]]]) -> list[Group]:
    """Divide functions among workers: together as long as no variable has two values."""
    shared: list[tuple[list[Hosted], dict[str, str]]] = []
    own: list[Group] = []
    for function, hosted, environment in functions:
        if function.own_worker:
            own.append(Group(hosted.name, (hosted,), environment, own=True))
            continue
        for members, union in shared:
            if all(union.get(key, value) == value for key, value in environment.items()):
                members.append(hosted)
                union.update(environment)
                break
        else:
            shared.append(([hosted], dict(environment)))
    together = [Group(f"shared-{n}", tuple(members), union) for n, (members, union) in enumerate(shared)]
    return together + own


@dataclass(eq=False, slots=True)
class Worker:
    """A live process. `answer` is the future of the invocation that it runs."""

    process: asyncio.subprocess.Process
    channel: Channel
    generation: int
    loaded: set[str] = field(default_factory=set)
    answer: asyncio.Future[tuple[int, bytes]] | None = None
    timer: asyncio.TimerHandle | None = None
    background: bool = False

    def settle(self) -> asyncio.Future[tuple[int, bytes]] | None:
        """The invocation is over, one way or another: whom to tell."""
        if self.timer is not None:
            self.timer.cancel()
        answer, self.answer, self.timer = self.answer, None, None
        return answer


class WorkerPool:
    def __init__(self, group: Group, size: int, path: Sequence[str], logs: Path) -> None:
        self.group = group
        self._size = size
        self._background_max = max(1, size - 1) if group.own else size
        self._path = list(path)
        self._logs = logs
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._waiting: deque[tuple[asyncio.Future[Worker], bool]] = deque()
        self._generation = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def outstanding(self) -> int:
        """Invocations that run or wait to."""
        return len(self._busy) + len(self._waiting)

    async def start(self) -> None:
        await asyncio.gather(*(self._spawn() for _ in range(self._size)))

    async def stop(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        workers = [*self._idle, *self._busy]
        for worker in workers:
            worker.channel.close()
        await asyncio.gather(*(_end(worker.process) for worker in workers))

    async def reload(self) -> None:
        """Replace every worker by one that imports the code as it is now. Running invocations finish first."""
        self._generation += 1
        stale, self._idle = self._idle, []
        for worker in stale:
            worker.channel.close()
        await asyncio.gather(*(self._respawn() for _ in stale))

    async def invoke(self, function: Hosted, request_id: str, event: bytes, background: bool = False) -> Outcome:
        """Run `event` through `function`. Errors of the function are outcomes, never exceptions.

        Waits for a worker as long as it takes. A caller that gives up cancels; the handler runs on, as on AWS.
        """
        while not (worker := await self._acquire(background)).channel.is_open:
            continue  # it died between two requests; another is on its way
        loop = asyncio.get_running_loop()
        limit = function.timeout + GRACE_SECONDS + (0 if function.name in worker.loaded else INIT_SECONDS)
        answer = worker.answer = loop.create_future()
        worker.timer = loop.call_later(limit, _expire, worker)
        worker.loaded.add(function.name)
        header = json.dumps({"function": function.name, "request_id": request_id}).encode()
        worker.channel.send(Kind.INVOKE, header + b"\n" + event)
        try:
            kind, payload = await answer
        except TimeoutError:
            return _fault("Sandbox.Timedout", f"Task timed out after {function.timeout:.2f} seconds", request_id)
        except ConnectionResetError:
            return _fault("Runtime.ExitError", "Runtime exited without providing a reason", request_id)
        if kind == Kind.ANSWER:
            return Outcome(payload)
        return Outcome(payload, error=json.loads(payload)["errorType"])

    def _answered(self, worker: Worker, kind: int, body: bytes) -> None:
        answer = worker.settle()
        self._release(worker)
        if answer is not None and not answer.done():
            answer.set_result((kind, body))

    async def _acquire(self, background: bool) -> Worker:
        if self._idle and not (background and self._background_full()):
            worker = self._idle.pop()
        else:
            place: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
            self._waiting.append((place, background))
            try:
                return await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._release(place.result())
                raise
        self._take(worker, background)
        return worker

    def _background_full(self) -> bool:
        return sum(worker.background for worker in self._busy) >= self._background_max

    def _take(self, worker: Worker, background: bool) -> None:
        worker.background = background
        self._busy.add(worker)

    def _release(self, worker: Worker) -> None:
        self._busy.discard(worker)
        if worker.generation != self._generation or self._closed:
            worker.channel.close()
            self._later_spawn()
        else:
            self._offer(worker)

    def _offer(self, worker: Worker) -> None:
        """Give a free worker to the first who may have it, or let it rest."""
        for position, (place, background) in enumerate(self._waiting):
            if place.cancelled():
                continue
            if background and self._background_full():
                continue
            del self._waiting[position]
            self._take(worker, background)
            place.set_result(worker)
            break
        else:
            self._idle.append(worker)
        while self._waiting and self._waiting[0][0].cancelled():
            self._waiting.popleft()

    async def _spawn(self) -> None:
        """Start a worker and wait until it can take work."""
        generation = self._generation
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        worker: Worker

        def received(kind: int, body: bytes) -> None:
            if kind == Kind.READY:
                if not ready.done():  # nobody waits for it when the pool stops as it starts
                    ready.set_result(None)
            else:
                self._answered(worker, kind, body)

        def lost() -> None:
            if not ready.done():
                ready.set_exception(ConnectionResetError(f"a worker of {self.group.name} died as it started"))
            else:
                self._lost(worker)

        process, channel = await start_child(
            "local.workers.instance", self._logs / "workers.log", self._environment(), received, lost
        )
        worker = Worker(process, channel, generation)
        channel.send(Kind.SETUP, json.dumps(self._setup()).encode())
        await ready
        self._offer(worker)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return kept | {"TZ": "UTC", "PYTHONPATH": os.pathsep.join(self._path)} | dict(self.group.environment)

    def _setup(self) -> dict[str, Any]:
        return {
            "path": self._path,
            "logs": str(self._logs),
            "functions": [asdict(each) for each in self.group.functions],
        }

    def _lost(self, worker: Worker) -> None:
        """A worker is gone: it was told to go, its function timed out, or it crashed."""
        answer = worker.settle()
        if answer is not None and not answer.done():
            answer.set_exception(ConnectionResetError())
        was_mine = worker in self._busy or worker in self._idle
        self._busy.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if was_mine:
            self._later_spawn()

    def _later_spawn(self) -> None:
        if self._closed:
            return
        task = asyncio.get_running_loop().create_task(self._respawn())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respawn(self) -> None:
        while True:
            try:
                return await self._spawn()
            except (ConnectionResetError, OSError) as error:
                log.error("%s; trying again", error)
                await asyncio.sleep(RESPAWN_SECONDS)


def _expire(worker: Worker) -> None:
    """The function's time is over. Only the end of its process ends a handler, so the worker goes too."""
    worker.process.kill()
    if worker.answer is not None and not worker.answer.done():
        worker.answer.set_exception(TimeoutError())


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a child leave by itself, for a moment."""
    deadline = time.monotonic() + 1.0
    while process.returncode is None and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    if process.returncode is None:
        process.kill()
    await process.wait()


def _fault(error_type: str, message: str, request_id: str) -> Outcome:
    body = {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Outcome(json.dumps(body).encode(), error=error_type)
