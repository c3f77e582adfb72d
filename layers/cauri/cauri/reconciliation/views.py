"""Reports and findings, as staff see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cauri.clock import Instant
from cauri.money import Money
from cauri.reconciliation.model import Figures, Finding, Kind, Part, Report, ReportStatus, Severity
from cauri.values import dataclass


@dataclass(frozen=True)
class FiguresView:
    """What the time came to in one currency. Counts are of orders and of payments."""

    currency: str
    orders: Money
    orders_count: int
    payments: Money
    payments_count: int
    delivered: Money
    gross_settled: Money
    commission: Money
    net_to_suppliers: Money
    payment_variance: Money
    """Payments less orders."""
    settlement_variance: Money
    """Delivered less settled."""


@dataclass(frozen=True)
class ReportView:
    """One reconciliation. While it is `running`, `done` says how far it has come of `parts`.

    `checked` counts what was looked at, `by_severity` and `by_check` the findings.
    """

    id: str
    kind: Kind
    status: ReportStatus
    since: Instant
    until: Instant
    requested_by: str
    started_at: Instant
    finished_at: Instant | None
    parts: list[Part]
    done: list[Part]
    checked: Mapping[str, int]
    figures: list[FiguresView]
    findings: int
    by_severity: Mapping[str, int]
    by_check: Mapping[str, int]


@dataclass(frozen=True)
class RepairView:
    """The command that makes it right, and what it is about."""

    command: str
    about: str


@dataclass(frozen=True)
class FindingView:
    """A difference. Its id is the same in every report that finds it."""

    id: str
    check: str
    resource: str
    severity: Severity
    says: str
    evidence: Mapping[str, Any]
    found_at: Instant
    repair: RepairView | None
    repaired_at: Instant | None
    repaired_by: str | None


def report_view(report: Report) -> ReportView:
    return ReportView(
        report.id,
        report.kind,
        report.status,
        report.since,
        report.until,
        report.requested_by,
        report.started_at,
        report.finished_at,
        list(report.parts),
        list(report.done),
        report.checked,
        [figures_view(figures) for figures in report.figures],
        report.findings,
        report.by_severity,
        report.by_check,
    )


def figures_view(of: Figures) -> FiguresView:
    def money(amount: int) -> Money:
        return Money(amount, of.currency)

    return FiguresView(
        of.currency,
        money(of.orders),
        of.orders_count,
        money(of.payments),
        of.payments_count,
        money(of.delivered),
        money(of.gross_settled),
        money(of.commission),
        money(of.net_to_suppliers),
        money(of.payment_variance),
        money(of.settlement_variance),
    )


def finding_view(finding: Finding) -> FindingView:
    return FindingView(
        finding.id,
        finding.check,
        finding.resource,
        finding.severity,
        finding.says,
        finding.evidence,
        finding.found_at,
        RepairView(finding.repair.command, finding.repair.about) if finding.repair else None,
        finding.repaired_at,
        finding.repaired_by,
    )
