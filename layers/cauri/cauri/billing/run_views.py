"""Runs as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cauri.billing.runs import Counts, Result, Run, RunKind, RunShard, RunStatus, counts_of
from cauri.clock import rfc3339
from cauri.values import dataclass

ERRORS_MAX: Final = 100


@dataclass(frozen=True)
class CountsView:
    """Of those that the run is about. `waiting`: nobody has looked at them yet."""

    all: int
    waiting: int
    made: int
    skipped: int
    failed: int
    invoices: int


@dataclass(frozen=True)
class RunErrorView:
    """Why the run did not do it for this customer, or to this invoice."""

    id: str
    code: str
    detail: str


@dataclass(frozen=True)
class RunView:
    """A run over many. `errors` are the first hundred of its failures; its list of outcomes has all."""

    id: str
    kind: RunKind
    status: RunStatus
    since: str | None
    until: str | None
    currency: str | None
    of_run: str | None
    send: bool
    counts: CountsView
    errors: list[RunErrorView]
    asked_at: str
    ended_at: str | None


@dataclass(frozen=True)
class RunPage:
    """Runs, the last first. Of one that still runs, the counts are with itself."""

    items: list[RunView]
    next_cursor: str | None


@dataclass(frozen=True)
class OutcomeView:
    id: str
    result: Result
    invoices: list[str]
    code: str | None
    detail: str | None


@dataclass(frozen=True)
class OutcomePage:
    """What became of each, in the order in which the run takes them."""

    items: list[OutcomeView]
    next_cursor: str | None


def run_view(run: Run, shards: Sequence[RunShard] = ()) -> RunView:
    """Without its shards, a run is shown as it was when it began or ended."""
    errors = [one for shard in shards for one in shard.outcomes if one.result is Result.FAILED][:ERRORS_MAX]
    return RunView(
        id=run.id,
        kind=run.kind,
        status=run.status,
        since=run.since.isoformat() if run.since else None,
        until=run.until.isoformat() if run.until else None,
        currency=run.currency,
        of_run=run.of_run,
        send=run.send,
        counts=_counts_view(run.counts if run.status is RunStatus.COMPLETED else counts_of(shards)),
        errors=[RunErrorView(one.id, one.code, one.detail) for one in errors],
        asked_at=rfc3339(run.asked_at),
        ended_at=rfc3339(run.ended_at) if run.ended_at else None,
    )


def _counts_view(counts: Counts) -> CountsView:
    return CountsView(counts.all, counts.waiting, counts.made, counts.skipped, counts.failed, counts.invoices)


def outcome_views(shard: RunShard) -> list[OutcomeView]:
    return [
        OutcomeView(one.id, one.result, list(one.invoices), one.code or None, one.detail or None)
        for one in shard.outcomes
    ]
