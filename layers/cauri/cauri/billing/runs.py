"""Bulk work: a run does the same to many, each by a command of its own, and remembers what became of each.

A run is divided into shards: so many ids each, written down before anything is done. A shard is worked on by one
process at a time, or by two, or again from its beginning: what was done is found done. Source: SPEC 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.values import dataclass, field, replace

SHARD_SIZE: Final = 25
"""How many a process does in one go: well within the seconds that it has."""
SHARDS_AT_ONCE: Final = 90
"""A commit has at most 100 actions."""
NAMED_MAX: Final = SHARD_SIZE * 40
"""Ids that one request may name."""


class RunKind(StrEnum):
    BILL = "bill"
    """Every customer with something unbilled gets the period's invoice."""
    DELETE = "delete"
    """Invoices are deleted."""


class RunStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"


class Result(StrEnum):
    MADE = "made"
    SKIPPED = "skipped"
    """There was nothing to do, or somebody did it before."""
    FAILED = "failed"


@dataclass
class UnknownRun(Refusal):
    code: ClassVar[str] = "unknown_run"
    run_id: str

    def detail(self) -> str:
        return f"There is no run {self.run_id!r}."


@dataclass
class RunNotUndoable(Refusal):
    """What a run made can be deleted when it has made it all, and if it made anything."""

    code: ClassVar[str] = "run_not_undoable"
    run_id: str

    def detail(self) -> str:
        return f"The run {self.run_id} has not ended, or made no invoices."

    def suggestion(self) -> str:
        return "Wait until a run that bills is completed, and then delete its invoices."


@dataclass(frozen=True)
class Outcome:
    """What became of one of a run's ids. `invoices` are those made or deleted; `code` and `detail` say why not."""

    id: str
    result: Result
    invoices: tuple[str, ...] = ()
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Counts:
    """Of a run's ids; `waiting` are those that nobody has looked at yet."""

    all: int = 0
    made: int = 0
    skipped: int = 0
    failed: int = 0
    invoices: int = 0

    @property
    def waiting(self) -> int:
        return self.all - self.made - self.skipped - self.failed

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.all + other.all,
            self.made + other.made,
            self.skipped + other.skipped,
            self.failed + other.failed,
            self.invoices + other.invoices,
        )


@dataclass(frozen=True)
class Run:
    """`since`, `until` and `currency`: what is billed. `of_run`: whose invoices are deleted, unless they are named."""

    tenant: str
    id: str
    kind: RunKind
    asked_at: Instant
    since: date | None = None
    until: date | None = None
    currency: str | None = None
    of_run: str | None = None
    named: bool = False
    """Whether the request said who; otherwise they are looked up."""
    send: bool = False
    """Whether each invoice goes to its customer by email, once it has its number."""
    status: RunStatus = RunStatus.RUNNING
    shards: int = 0
    counts: Counts = field(default_factory=Counts)
    """How it ended; until then the shards know."""
    ended_at: Instant | None = None
    version: int = 0

    def completed(self, shards: Sequence[RunShard], at: Instant) -> Run:
        return replace(self, status=RunStatus.COMPLETED, shards=len(shards), counts=counts_of(shards), ended_at=at)


@dataclass(frozen=True)
class RunShard:
    """A part of a run: whom it is about, and, once it is `done`, what became of each."""

    tenant: str
    run_id: str
    number: int
    ids: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = ()
    done: bool = False
    version: int = 0

    def counts(self) -> Counts:
        by = [outcome.result for outcome in self.outcomes]
        invoices = sum(len(outcome.invoices) for outcome in self.outcomes)
        return Counts(len(self.ids), by.count(Result.MADE), by.count(Result.SKIPPED), by.count(Result.FAILED), invoices)


def counts_of(shards: Iterable[RunShard]) -> Counts:
    return sum((shard.counts() for shard in shards), Counts())


def sharded(run: Run, ids: Sequence[str], first: int) -> list[RunShard]:
    """`ids` in shards that are numbered from `first` on."""
    parts = [tuple(ids[at : at + SHARD_SIZE]) for at in range(0, len(ids), SHARD_SIZE)]
    return [RunShard(run.tenant, run.id, first + number, part) for number, part in enumerate(parts)]
