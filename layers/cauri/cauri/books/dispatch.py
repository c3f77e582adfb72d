"""The dispatcher: what a commit announced goes to the queues, and the sagas it asked for are started."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cauri.books.log import Record
from cauri.books.plan import Event, StartSaga
from cauri.books.watches import watch_id_of
from cauri.values import dataclass


class Queue(Protocol):
    def send(self, message: str) -> None:
        """Put `message` on the queue, or raise."""


class Machine(Protocol):
    def start(self, name: str, input_: str) -> None:
        """Start an execution. One that has this name already is this one."""


@dataclass(frozen=True)
class Routes:
    """Where things go: events to queues by their name, sagas to their machine, wake-ups to whoever waits."""

    queues: Mapping[str, Queue]
    machines: Mapping[str, Machine]
    wakes: Mapping[str, Callable[[str, Event], None]]


class Dispatcher:
    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def dispatch(self, record: Record) -> None:
        """Send on what `record` announces. Safe to repeat: consumers and executions know what they had."""
        for saga in record.sagas:
            self._start(saga, record)
        for event in record.events:
            if (queue := self._routes.queues.get(event.name)) is not None:
                queue.send(message(record, event))
            if (wake := self._routes.wakes.get(event.name)) is not None:
                wake(record.tenant, event)

    def _start(self, saga: StartSaga, record: Record) -> None:
        input_ = {"tenant": record.tenant, "watch": watch_id_of(saga, record.at), **saga.input}
        self._routes.machines[saga.machine].start(saga.name, json.dumps(input_))


def message(record: Record, event: Event) -> str:
    """An event as it travels: ``{"tenant", "log_id", "at", "name", "resource", "version", "data"}``."""
    body: dict[str, Any] = {"tenant": record.tenant, "log_id": record.log_id, "at": record.at.isoformat()}
    body |= {"name": event.name, "resource": event.resource, "version": event.version, "data": dict(event.data)}
    return json.dumps(body)
