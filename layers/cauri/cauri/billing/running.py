"""Begin a run, write down whom it is about, note what became of them, and end it. See invoice_run.asl.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from cauri.billing.model import Account
from cauri.billing.periods import Period
from cauri.billing.run_store import read_run, read_shards, run_key, shard_key
from cauri.billing.run_views import RunView, run_view
from cauri.billing.runs import (
    SHARD_SIZE,
    SHARDS_AT_ONCE,
    Outcome,
    Result,
    Run,
    RunKind,
    RunNotUndoable,
    RunShard,
    RunStatus,
    UnknownRun,
    sharded,
)
from cauri.billing.store import ACCOUNTS, SHARDS
from cauri.books.caller import Caller
from cauri.books.listing import read_sharded
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.values import dataclass, replace

MACHINE: Final = "invoice_run"
NUMBERING: Final = "invoice.numbering"
"""The event that asks the sequencer for numbers."""


@dataclass(frozen=True)
class StartBillingRun(Command):
    """Bill these days to every customer who has something unbilled in the currency; or to these customers."""

    name: ClassVar = "start_billing_run"
    first: date
    last: date
    currency: str
    customer_ids: tuple[str, ...] = ()
    send: bool = False


@dataclass(frozen=True)
class StartDeletionRun(Command):
    """Delete these invoices; or all that a run made."""

    name: ClassVar = "start_deletion_run"
    invoice_ids: tuple[str, ...] = ()
    of_run: str | None = None


@dataclass(frozen=True)
class AddShards(Command):
    """Write down whom a run is about, from behind `after` on, in shards that are numbered from `first`."""

    name: ClassVar = "add_run_shards"
    run_id: str
    after: str
    first: int


@dataclass(frozen=True)
class RecordShard(Command):
    """What became of each id of a shard."""

    name: ClassVar = "record_run_shard"
    run_id: str
    number: int
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class FinishRun(Command):
    """Every shard is done."""

    name: ClassVar = "finish_run"
    run_id: str


@dataclass(frozen=True)
class ContinueRun(Command):
    """Start the saga of a run once more, under another name. It sees what is done, and does the rest."""

    name: ClassVar = "continue_run"
    run_id: str
    execution: str


@dataclass(frozen=True)
class Added:
    """How far the list is written down: the last that was looked at, and the number of the next shard."""

    after: str
    first: int
    more: bool


@dataclass(frozen=True)
class ShardDone:
    number: int


@decides(StartBillingRun)
def start_billing_run(command: StartBillingRun, work: Work) -> Plan:
    period = Period.of(command.first, command.last)
    run = Run(
        work.tenant,
        work.ids.new("run"),
        RunKind.BILL,
        work.at,
        since=period.first,
        until=period.last,
        currency=command.currency,
        named=bool(command.customer_ids),
        send=command.send,
    )
    return _started(run, sorted(set(command.customer_ids)))


@decides(StartDeletionRun)
def start_deletion_run(command: StartDeletionRun, work: Work) -> Plan:
    run = Run(
        work.tenant,
        work.ids.new("run"),
        RunKind.DELETE,
        work.at,
        of_run=command.of_run,
        named=command.of_run is None,
    )
    if command.of_run is not None:
        made_by = _load(command.of_run, work)
        if made_by.kind is not RunKind.BILL or made_by.status is RunStatus.RUNNING or not made_by.counts.invoices:
            raise RunNotUndoable(made_by.id)
    return _started(run, list(dict.fromkeys(command.invoice_ids)))


def _started(run: Run, ids: Sequence[str]) -> Plan:
    shards = sharded(run, ids, 0)
    run = replace(run, shards=len(shards))
    saga = StartSaga(MACHINE, run.id, {"run_id": run.id})
    plan = Plan(run_view(run, shards)).save(run, *shards).start(saga)
    return plan.emit(Event("invoice_run.started", run.id, 1, {"kind": run.kind, "of_run": run.of_run}))


@decides(AddShards)
def add_shards(command: AddShards, work: Work) -> Plan:
    run = _load(command.run_id, work)
    if run.named:
        return Plan(Added("", run.shards, more=False))
    if run.of_run is not None:
        return _add_invoices(run, run.of_run, command, work)
    return _add_accounts(run, command, work)


def _add_accounts(run: Run, command: AddShards, work: Work) -> Plan:
    """Of the accounts those with something unbilled. What was recorded within the last second may not be seen."""
    page = read_sharded(
        work.database,
        ACCOUNTS,
        work.tenant,
        "accounts",
        SHARDS,
        lambda account: account.customer_id,
        after=command.after or None,
        limit=SHARDS_AT_ONCE * SHARD_SIZE,
    )
    ids = [account.customer_id for account in page.items if _has_unbilled(account, run.currency or "")]
    shards = sharded(run, ids, command.first)
    more = page.position is not None
    return Plan(Added(page.position or "", command.first + len(shards), more)).save(*shards)


def _has_unbilled(account: Account, currency: str) -> bool:
    return account.of(currency).unbilled > 0


def _add_invoices(run: Run, of_run: str, command: AddShards, work: Work) -> Plan:
    """A shard for every one of the run that made them."""
    done = int(command.after or 0)
    theirs = read_shards(work.database, work.tenant, of_run, done, SHARDS_AT_ONCE)
    shards: list[RunShard] = []
    for shard in theirs:
        made = [invoice for outcome in shard.outcomes for invoice in outcome.invoices]
        shards += sharded(run, made, command.first + len(shards))
    more = len(theirs) == SHARDS_AT_ONCE
    return Plan(Added(str(done + len(theirs)), command.first + len(shards), more)).save(*shards)


@decides(RecordShard)
def record_shard(command: RecordShard, work: Work) -> Plan:
    run_at, shard_at = run_key(work.tenant, command.run_id), shard_key(work.tenant, command.run_id, command.number)
    found = work.fetch(run_at, shard_at)
    run, shard = found[run_at], found[shard_at]
    if run is None or shard is None:
        raise UnknownRun(command.run_id)
    if shard.done:  # another process was as far, and what it found is as true
        return Plan(ShardDone(shard.number))
    shard = replace(shard, outcomes=command.outcomes, done=True)
    plan = Plan(ShardDone(shard.number)).save(shard)
    made = [invoice for outcome in shard.outcomes if outcome.result is Result.MADE for invoice in outcome.invoices]
    if run.kind is RunKind.BILL and made:
        plan.emit(Event(NUMBERING, run.id, shard.number + 1, {"invoices": made, "send": run.send}))
    return plan


@decides(FinishRun)
def finish_run(command: FinishRun, work: Work) -> Plan:
    run, shards = read_run(work.database, work.tenant, command.run_id)
    if run is None:
        raise UnknownRun(command.run_id)
    if run.status is RunStatus.COMPLETED:
        return Plan(run_view(run, shards))
    if not all(shard.done for shard in shards):
        raise RunUnfinishedError(run.id)
    ended = run.completed(shards, work.at)
    told = Event("invoice_run.completed", ended.id, ended.version + 1, {"counts": ended.counts})
    return Plan(_told(ended)).save(ended).emit(told)


class RunUnfinishedError(Exception):
    """Some shards are not done: the saga tries them again, or leaves the run for later."""


def _told(run: Run) -> RunView:
    """Without the errors: they stay with the shards, and would fill the log."""
    return run_view(run)


@decides(ContinueRun)
def continue_run(command: ContinueRun, work: Work) -> Plan:
    run = _load(command.run_id, work)
    return Plan(_told(run)).start(StartSaga(MACHINE, command.execution, {"run_id": run.id}))


def _load(run_id: str, work: Work) -> Run:
    """Raises UnknownRun."""
    key = run_key(work.tenant, run_id)
    run = work.fetch(key)[key]
    if run is None:
        raise UnknownRun(run_id)
    return run


def by_run(tenant: str) -> Caller:
    """Who does the work of runs."""
    return Caller(tenant, "system:billing")
