"""The front's side of the interpreter's process: messages to it, answers from it, and its restart when it dies."""

import asyncio
import itertools
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from local.aws import AwsError, Service, ask
from local.invoker import Invoker, UnknownFunctionError
from local.workers.child import start_child
from local.workers.wire import Channel, Kind

log = logging.getLogger(__name__)

RESTART_SECONDS: Final = 0.5

Message = Mapping[str, Any]


class InterpreterProcess:
    """Give it its `services` and what to do at `ready` and at the end of an execution, then `start` it."""

    def __init__(self, invoker: Invoker, logs: Path) -> None:
        self._invoker = invoker
        self._log = logs / "interpreter.log"
        self._channel: Channel | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._questions: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = asyncio.Event()
        self._closed = False
        self.services: dict[str, Service] = {}
        self.on_ready: Callable[[], None] = lambda: None
        self.on_ended: Callable[[Message], None] = lambda message: None

    async def start(self) -> None:
        """Returns before it can run executions: `on_ready` comes two seconds later, and starts what is open."""
        self._process, self._channel = await start_child(
            "local.machines.interpreter", self._log, os.environ, self._received, self._lost
        )

    async def stop(self) -> None:
        self._closed = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()  # it holds nothing: what it runs is written down
            await self._process.wait()

    def tell(self, message: Message) -> None:
        """Send what needs no answer. Before it is ready nothing is sent: `on_ready` starts what is open."""
        if self._channel is not None and self._ready.is_set():
            self._channel.send(Kind.MESSAGE, json.dumps(message).encode())

    async def ask(self, message: Message) -> Any:
        """Raises RuntimeError with the name of the refusal."""
        await self._ready.wait()
        question = next(self._ids)
        future = self._questions[question] = asyncio.get_running_loop().create_future()
        self.tell({**message, "question": question})
        return await future

    def _received(self, kind: int, body: bytes) -> None:
        if kind == Kind.READY:
            self._ready.set()
            self.on_ready()
            return
        message = json.loads(body)
        match message["op"]:
            case "ended":
                self.on_ended(message)
            case "reply":
                self._replied(message)
            case "invoke":
                self._spawn(self._answer(message, self._invoke(message)))
            case "call":
                self._spawn(self._answer(message, self._call(message)))

    def _replied(self, message: Message) -> None:
        future = self._questions.pop(message["question"])
        if future.done():
            return
        if "error" in message:
            future.set_exception(RuntimeError(message["error"]))
        else:
            future.set_result(message["ok"])

    async def _invoke(self, message: Message) -> Message:
        outcome = await self._invoker.invoke(message["function"], message["payload"].encode())
        return {"payload": outcome.payload.decode(), "failed": outcome.failed}

    async def _call(self, message: Message) -> Message:
        service = self.services.get(message["service"])
        if service is None:
            raise AwsError("UnsupportedOperation", f"the local cloud has no {message['service']}")
        return {"answer": await ask(service, message["action"], message["parameters"])}

    async def _answer(self, message: Message, work: Awaitable[Message]) -> None:
        try:
            answer = await work
        except AwsError as refused:
            answer = {"code": refused.code.rpartition("#")[2], "message": str(refused)}
        except UnknownFunctionError as unknown:
            answer = {"code": "ResourceNotFoundException", "message": f"Function not found: {unknown}"}
        self.tell({"op": "result", "call": message["call"], **answer})

    def _lost(self) -> None:
        """It died. Open executions run again from the top in the next one."""
        self._ready.clear()
        for future in self._questions.values():
            if not future.done():
                future.set_exception(RuntimeError("InvalidTokenError"))
        self._questions.clear()
        if not self._closed:
            log.error("the interpreter of state machines died; %s says why", self._log)
            self._spawn(self._restart())

    async def _restart(self) -> None:
        await asyncio.sleep(RESTART_SECONDS)
        await self.start()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
