"""Begin a reconciliation, record what a part of it found, and repair what was found."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Final

from cauri.books.caller import Caller
from cauri.books.listing import read_partition
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import DECISIONS, Command, Work, decides
from cauri.clock import Instant
from cauri.reconciliation.model import (
    KEPT_MAX,
    LOOK_BACK_MAX,
    OVERLAP,
    Difference,
    Finding,
    Kind,
    Looked,
    Part,
    PeriodTooLong,
    Report,
    ReportStatus,
    UnknownFinding,
)
from cauri.reconciliation.repairs import repair_of
from cauri.reconciliation.resuming import MACHINE
from cauri.reconciliation.store import REPORTS, finding_key, load_report, reports_partition
from cauri.reconciliation.views import FindingView, finding_view, report_view
from cauri.values import dataclass, replace

DAYS_MAX: Final = 31
FINDINGS_PER_COMMIT_MAX: Final = 90
LOOKED_THROUGH_MAX: Final = 100
"""Reports, of which the last light one says where the next begins."""


@dataclass(frozen=True)
class Reconcile(Command):
    """Look whether everything agrees: of the time from `since` to `until`, where they are given."""

    name: ClassVar = "reconcile"
    kind: Kind
    since: Instant | None = None
    until: Instant | None = None


@dataclass(frozen=True)
class RecordFindings(Command):
    """What a part of a reconciliation found, a commit's worth at a time; `is_last` says that the part is done."""

    name: ClassVar = "record_findings"
    report_id: str
    part: Part
    looked: Looked
    is_last: bool


@dataclass(frozen=True)
class RepairFinding(Command):
    """Run the command that makes right what was found."""

    name: ClassVar = "repair_finding"
    report_id: str
    finding_id: str


@dataclass(frozen=True)
class RepairedFinding:
    """The finding, and what the command that repairs it answered."""

    finding: FindingView
    result: Any


@decides(Reconcile)
def reconcile(command: Reconcile, work: Work) -> Plan:
    until = command.until or work.at
    since = command.since or _since(command.kind, until, work)
    if not since < until <= since + timedelta(days=DAYS_MAX):
        raise PeriodTooLong(DAYS_MAX)
    report = Report(work.tenant, work.ids.new("rec"), command.kind, since, until, work.caller.subject, work.at)
    facts = {"kind": report.kind, "since": since.isoformat(), "until": until.isoformat()}
    return (
        Plan(report_view(report))
        .save(report)
        .emit(Event("reconciliation.started", report.id, 1, facts))
        .start(StartSaga(MACHINE, report.id, {"report_id": report.id}))
    )


def _since(kind: Kind, until: Instant, work: Work) -> Instant:
    """A full one is of the day that `until` ends, or is in; a light one goes on where the last left off."""
    if kind is Kind.FULL:
        return midnight_before(until)
    last = last_light(work)
    earliest = until - LOOK_BACK_MAX
    return max(earliest, last - OVERLAP) if last and last < until else earliest


def midnight_before(moment: Instant) -> Instant:
    """The beginning of the day that a moment is in, or, of a midnight, of the day that it ends."""
    just_before = moment - timedelta(microseconds=1)
    return datetime.combine(just_before.date(), time.min, just_before.tzinfo)


def last_light(work: Work) -> Instant | None:
    """Until when the last light reconciliation looked that was completed."""
    partition = reports_partition(work.tenant)
    page = read_partition(work.database, REPORTS, partition, after=None, limit=LOOKED_THROUGH_MAX, newest_first=True)
    done = [one.until for one in page.items if one.kind is Kind.LIGHT and one.status is ReportStatus.COMPLETED]
    return max(done, default=None)


@decides(RecordFindings)
def record_findings(command: RecordFindings, work: Work) -> Plan:
    before = load_report(command.report_id, work)
    if command.part in before.done:  # another execution was here first
        return Plan(report_view(before))
    fresh = _fresh(before, command.looked.differences, work)
    looked = replace(command.looked, differences=tuple(fresh))
    report = before.with_part(command.part, looked, work.at, is_last=command.is_last)
    kept = fresh[: max(0, KEPT_MAX - before.findings)]
    findings = [_finding(report, difference, work) for difference in kept]
    facts: dict[str, Any] = {"part": command.part, "findings": len(fresh)}
    plan = Plan(report_view(report)).save(report, *findings)
    if report.status is ReportStatus.COMPLETED:
        facts = {"kind": report.kind, "findings": report.findings, **report.by_severity}
        return plan.emit(Event("reconciliation.completed", report.id, report.version + 1, facts))
    return plan.emit(Event("reconciliation.advanced", report.id, report.version + 1, facts))


def _fresh(report: Report, differences: tuple[Difference, ...], work: Work) -> list[Difference]:
    """Those that no other part of the same reconciliation has found."""
    keys = [finding_key(report.tenant, report.id, one.id) for one in differences]
    found = work.fetch(*keys) if keys else None
    return [one for one, key in zip(differences, keys, strict=True) if not (found and found[key])]


def _finding(report: Report, one: Difference, work: Work) -> Finding:
    return Finding(
        report.tenant,
        report.id,
        one.id,
        one.check,
        one.resource,
        one.severity,
        one.says,
        one.evidence,
        work.at,
        one.repair,
    )


@decides(RepairFinding)
def repair_finding(command: RepairFinding, work: Work) -> Plan:
    """The repair's own decision, in whose commit the finding says that it was repaired, and by whom."""
    key = finding_key(work.tenant, command.report_id, command.finding_id)
    finding = work.fetch(key)[key]
    if finding is None:
        load_report(command.report_id, work)
        raise UnknownFinding(command.finding_id)
    repaired = finding.repaired(work.caller.subject, work.at)
    repair = repair_of(finding, work.at)
    plan = DECISIONS[type(repair)](repair, work)
    plan.answer = RepairedFinding(finding_view(repaired), plan.answer)
    facts = {"report": finding.report_id, "finding": finding.id, "check": finding.check, "command": repair.name}
    told = Event("reconciliation.repaired", f"{finding.report_id}.{finding.id}", repaired.version + 1, facts)
    return plan.save(repaired).emit(told)


def by_system(tenant: str) -> Caller:
    return Caller(tenant, "system:reconciliation")
