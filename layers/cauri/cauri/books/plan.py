"""A plan: everything that one command will change, as a value. Look at it, dry-run it, commit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from cauri.books.ledger import Entry
from cauri.errors import Refusal
from cauri.values import dataclass, field


@dataclass(frozen=True)
class Event:
    """What happened, for whoever wants to know. `version` is the resource's, so that an older one is told apart."""

    name: str
    resource: str
    version: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StartSaga:
    """An execution to start once the commit is done; a name starts once."""

    machine: str
    name: str
    input: Mapping[str, Any]
    tries: int = 0
    """How many executions before it did not come to their end."""


@dataclass(frozen=True)
class Save:
    """An aggregate to write, if nobody wrote it since it was read; `otherwise` is the refusal a lost race means."""

    aggregate: Any
    otherwise: Refusal | None


@dataclass
class Plan:
    """Conditional writes, at most one balanced entry, events, sagas to start, the answer."""

    answer: Any
    saves: list[Save] = field(default_factory=list)
    entry: Entry | None = None
    events: list[Event] = field(default_factory=list)
    sagas: list[StartSaga] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)

    def save(self, *aggregates: Any, otherwise: Refusal | None = None) -> Self:
        """Write what changed. Without `otherwise`, a lost race runs the command again on what is there now."""
        self.saves.extend(Save(aggregate, otherwise) for aggregate in aggregates)
        return self

    def post(self, entry: Entry | None) -> Self:
        if self.entry is not None:
            raise ValueError("a commit has one entry")
        self.entry = entry
        return self

    def emit(self, *events: Event) -> Self:
        self.events.extend(events)
        return self

    def start(self, saga: StartSaga) -> Self:
        self.sagas.append(saga)
        return self

    def forbid(self, *keys: str) -> Self:
        """Take the idempotency keys of our own steps that this command undoes, so that they can't commit after it."""
        self.forbidden.extend(keys)
        return self
