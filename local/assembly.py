"""The local cloud, assembled: each resource of the template gets its local life, over one state directory."""

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from local.addresses import CONTROL, listen
from local.control import Control
from local.engine.stream_file import trim_stream
from local.engines import DATABASE, Choice, start_engine
from local.environment import Names, Places, hosted
from local.http.front import Api, FunctionUrl, Site
from local.http.routes import Router
from local.invoker import Invoker
from local.issuer import Bearer, Issuer
from local.letters import Letters
from local.machines.child import InterpreterProcess
from local.machines.executions import Executions, MachineSettings
from local.mail.inbox import Inbox
from local.mail.pages import INBOX
from local.outside.parties import PARTIES, OutsideParty
from local.queues import Queue, QueueSettings
from local.schedules import ScheduleRunner
from local.secrets import Secrets
from local.sqs import QueuePump, Sqs
from local.state import State
from local.store import Store
from local.streams import StreamApi, StreamPump, consumed_everywhere
from local.template import Schedule, read, read_definition, resolve
from local.template.sam import TemplateError
from local.workers.pool import groups

log = logging.getLogger(__name__)

QUIET_SECONDS: Final = 0.05  # how long nothing must happen to be called idle
LOOK_SECONDS: Final = 0.02
OBJECTS: Final = "objects"  # the folder of what S3 keeps


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `port` is the first API's; 0 is the one it had before, or any."""

    template: Path
    data: Path
    port: int = 0
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    fresh: bool = False
    engine: Choice = "auto"
    parameters: Mapping[str, str] = field(default_factory=dict)


class Cloud:
    """Everything but the HTTP server itself, which serves `sites` on `listeners`."""

    def __init__(self, options: Options) -> None:
        """Opens the state, the ports and the engine. Raises StateInUseError and PortTakenError."""
        self.options = options
        self.template = read(options.template, options.parameters)
        self.state = State(options.data, options.fresh)
        self._outside = [name for name in PARTIES if f"{name}Url" in self.template.parameters]
        self._trim()
        self.engine = start_engine(options.engine, options.data, self.template)
        if not self.engine.keeps:
            self.state.forget_work()
        self.listeners = listen(self.state, self._listener_names(), options.port)
        self.names = Names(self.template, self.state, self._places(), options.parameters)
        self.issuer = Issuer(options.data, self.names.parameters.get("TokenIssuer", self.control_url))
        self.secrets = Secrets(self.template, self.names)
        self.inbox = Inbox(self.state)
        self._build_invoker()
        self._build_queues()
        self._build_machines()
        self._build_streams()
        self.sites = self._sites()
        self._tasks: list[asyncio.Task[None]] = []

    # -- building -----------------------------------------------------------------------------------

    def _listener_names(self) -> list[str]:
        apis = list(dict.fromkeys(route.api for route in self.template.routes))
        return [*apis, CONTROL, *self.template.function_urls, *self._outside]

    def _places(self) -> Places:
        urls = {name: listener.url for name, listener in self.listeners.items()}
        return Places(
            control=urls[CONTROL],
            dynamodb=self.engine.endpoint,
            apis={route.api: urls[route.api] for route in self.template.routes},
            function_urls={name: urls[name] for name in self.template.function_urls},
            outside={name: urls[name] for name in self._outside},
        )

    def _trim(self) -> None:
        tables = {name: table.name for name, table in self.template.tables.items()}
        trim_stream(
            self.options.data / DATABASE, consumed_everywhere(self.state, self.template.stream_consumers, tables)
        )

    def _build_invoker(self) -> None:
        functions = [
            (each, hosted(each, self.names), self.names.environment(each)) for each in self.template.functions.values()
        ]
        self.invoker = Invoker(groups(functions), self.options.workers, [str(self.template.directory)], self.state.logs)

    def _build_queues(self) -> None:
        settings = [self._queue_settings(logical_id) for logical_id in self.template.queues]
        self.queues = {each.name: Queue(each, self.state) for each in settings}
        self.sqs = Sqs(self.queues.values())
        self._queue_pumps = [
            QueuePump(consumer, self._queue(consumer.queue), self.invoker) for consumer in self.template.queue_consumers
        ]
        fed = {self.names.queue_name(consumer.queue) for consumer in self.template.queue_consumers}
        dead = [name for name in self.queues if name not in fed]
        self.letters = Letters(self.queues, dead, self.state, self.invoker)

    def _queue_settings(self, logical_id: str) -> QueueSettings:
        declared = self.template.queues[logical_id]
        redrive = declared.redrive
        return QueueSettings(
            name=self.names.queue_name(logical_id),
            arn=self.names.arn(logical_id),
            url=self.names.queue_url(logical_id),
            visibility_timeout=declared.visibility_timeout,
            delay=declared.delay,
            retention=declared.retention,
            dead_letters=self.names.queue_name(redrive.dead_letters) if redrive else None,
            receives_max=redrive.receives_max if redrive else None,
            fifo=declared.fifo,
            deduplicates_by_content=declared.deduplicates_by_content,
        )

    def _queue(self, logical_id: str) -> Queue:
        return self.queues[self.names.queue_name(logical_id)]

    def _queue_or_none(self, logical_id: str | None) -> Queue | None:
        return None if logical_id is None else self._queue(logical_id)

    def _build_machines(self) -> None:
        self.interpreter = InterpreterProcess(self.invoker, self.state.logs)
        self.executions = Executions(self.state, self._machine_settings(), self.interpreter)
        self.interpreter.on_ready = self.executions.resume
        self.interpreter.on_ended = self.executions.ended
        self.interpreter.services = {"sqs": self.sqs.call, "stepfunctions": self.executions.call}

    def _machine_settings(self) -> dict[str, MachineSettings]:
        settings = {}
        for machine in self.template.machines.values():
            definition = json.dumps(read_definition(machine, self.template.directory, self.names))
            arn = self.names.arn(machine.logical_id)
            settings[arn] = MachineSettings(machine.name, arn, definition, machine.express)
        return settings

    def _build_streams(self) -> None:
        for consumer in self.template.stream_consumers:
            if consumer.filters:
                raise TemplateError(f"{consumer.logical_id}: the local cloud does not filter streams")
        api = StreamApi(self.engine.endpoint)
        self._stream_pumps = [
            StreamPump(
                consumer,
                self.template.tables[consumer.table].name,
                api,
                self.state,
                self.invoker,
                self._queue_or_none(consumer.on_failure),
            )
            for consumer in self.template.stream_consumers
        ]

    def _sites(self) -> dict[int, Site]:
        sites: dict[str, Site] = {CONTROL: self._control()}
        for name, listener in self.listeners.items():
            if name in self.template.function_urls:
                function = self.template.function_urls[name].function
                sites[name] = FunctionUrl(name, function, listener.url, self.invoker)
            elif name in self._outside:
                sites[name] = OutsideParty(PARTIES[name](listener.url, self._webhook_url(), self.secrets))
            elif name != CONTROL:
                router = Router(route for route in self.template.routes if route.api == name)
                sites[name] = Api(name, listener.url, router, self.invoker)
        return {self.listeners[name].port: site for name, site in sites.items()}

    def _webhook_url(self) -> str:
        """Where outside parties send their webhooks: the first function URL that takes some."""
        return next((self.listeners[name].url for name in self.template.function_urls if "Webhook" in name), "")

    def _control(self) -> Control:
        services = {
            "AmazonSQS": self.sqs.call,
            "AWSStepFunctions": self.executions.call,
            "secretsmanager": self.secrets.call,
        }
        questions = {
            "token": self._answer_token,
            "idle": self._answer_idle,
            "executions": self._answer_executions,
            "letters": self._answer_letters,
            "replay": self._answer_replay,
            "hold": self._answer_hold,
            "admit": self._answer_admit,
            "emails": self._answer_emails,
        }
        store = Store(self.options.data / OBJECTS)
        return Control(self.issuer, self.invoker, self.inbox, services, questions, store)

    # -- running ------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        starting = [self.invoker.start()]
        if self.template.machines:
            starting.append(self.interpreter.start())
        await asyncio.gather(*starting)
        runs: list[Callable[[], Coroutine[Any, Any, None]]] = [pump.run for pump in self._queue_pumps]
        runs += [pump.run for pump in self._stream_pumps]
        runs += [self._schedule_runner(schedule).run for schedule in self.template.schedules if schedule.enabled]
        self._tasks = [asyncio.create_task(run()) for run in runs]
        for task in self._tasks:
            task.add_done_callback(_told)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.interpreter.stop(), self.invoker.stop())
        self.engine.stop()
        self.state.close()

    def _schedule_runner(self, schedule: Schedule) -> ScheduleRunner:
        async def fire(event: bytes) -> str | None:
            if schedule.target in self.template.machines:
                body = {"stateMachineArn": self.names.arn(schedule.target), "input": event.decode()}
                await self.executions.call("StartExecution", body)
                return None
            return (await self.invoker.invoke(schedule.target, event, background=True)).error

        event = None if schedule.input is None else str(resolve(schedule.input, self.names))
        return ScheduleRunner(schedule, event, fire, self.state, self._queue_or_none(schedule.dead_letters))

    async def reload(self) -> None:
        """Take the code and the state machines as they are now."""
        self.executions.redefine(self._machine_settings())
        await self.invoker.reload()

    # -- what it tells ------------------------------------------------------------------------------

    @property
    def control_url(self) -> str:
        return self.listeners[CONTROL].url

    def describe(self) -> dict[str, Any]:
        """Where everything is; what the command line finds a running cloud by."""
        places = self._places()
        return {
            "pid": os.getpid(),
            "api": places.api,
            "apis": dict(places.apis),
            "control": places.control,
            "inbox": places.control + INBOX,
            "function_urls": {
                each.function: places.function_urls[name] + "/" for name, each in self.template.function_urls.items()
            },
            "outside": dict(places.outside),
            "dynamodb": places.dynamodb,
            "engine": {"name": self.engine.name, "note": self.engine.note, "keeps": self.engine.keeps},
            "workers": self.options.workers,
            "tables": {name: table.name for name, table in self.template.tables.items()},
            "queues": {name: self.names.queue_url(name) for name in self.template.queues},
            "machines": {name: self.names.arn(name) for name in self.template.machines},
            "logs": str(self.state.logs),
        }

    async def _answer_token(self, question: Mapping[str, Any]) -> Any:
        bearer = Bearer(
            tenant=question["tenant"],
            roles=tuple(question["roles"]),
            subject=question.get("sub") or "local",
            customer_id=question.get("customer_id"),
            vendor_id=question.get("vendor_id"),
            email=question.get("email"),
        )
        return {"token": self.issuer.token(bearer, question.get("days", 1))}

    async def _answer_executions(self, question: Mapping[str, Any]) -> Any:
        return self.executions.all()

    async def _answer_letters(self, question: Mapping[str, Any]) -> Any:
        return [asdict(letter) for letter in self.letters.list(question.get("queue"))]

    async def _answer_replay(self, question: Mapping[str, Any]) -> Any:
        replayed = await self.letters.replay(question.get("queue"), question.get("message_id"))
        return [asdict(each) for each in replayed]

    async def _answer_hold(self, question: Mapping[str, Any]) -> Any:
        """Hold the streams back, or let them go."""
        for pump in self._stream_pumps:
            pump.hold(bool(question["held"]))
        return {"held": bool(question["held"])}

    async def _answer_admit(self, question: Mapping[str, Any]) -> Any:
        """Give a tenant a key at an outside party, if it has none. The key."""
        return self.secrets.admit(f"{question['party']}Keys", question["tenant"])

    async def _answer_emails(self, question: Mapping[str, Any]) -> Any:
        """What was sent, newest first; of what is attached, the names."""
        return [
            {**asdict(each), "attachments": [attachment.name for attachment in each.attachments]}
            for each in self.inbox.all()
        ]

    async def _answer_idle(self, question: Mapping[str, Any]) -> Any:
        """Whether all came to rest within `timeout` seconds, and what is left. `horizon`: see `_busy`."""
        asked_at = time.monotonic()
        deadline = asked_at + float(question.get("timeout", 30))
        horizon = float(question.get("horizon", 0))
        self.invoker.nudge()
        while True:
            before = self.invoker.finished
            busy = await self._busy(asked_at, horizon)
            if not busy:
                await asyncio.sleep(QUIET_SECONDS)
                busy = await self._busy(asked_at, horizon)
                if not busy and self.invoker.finished == before:
                    return {"idle": True, "busy": []}
            if time.monotonic() > deadline:
                return {"idle": False, "busy": busy}
            await asyncio.sleep(LOOK_SECONDS)

    async def _busy(self, asked_at: float, horizon: float) -> list[str]:
        """What has something to do: now, or within `horizon` seconds for messages that are delayed or come again."""
        busy = ["invocations"] if self.invoker.outstanding else []
        since = max(asked_at, self.invoker.finished_at)
        busy += [f"stream of {pump.name}" for pump in self._stream_pumps if not pump.settled_since(since)]
        busy += [f"queue {pump.name}" for pump in self._queue_pumps if pump.is_busy(horizon)]
        if await self.executions.runnable():
            busy.append("executions")
        return busy


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a part of the local cloud stopped", exc_info=problem)
