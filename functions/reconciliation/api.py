"""Reconciliation: whether everything agrees, asked by staff, with what differs, and its repair."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN, Moment, Shape
from cauri.edge.http import Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.parties.limits import Tier
from cauri.reconciliation.commands import Reconcile, RepairedFinding, RepairFinding
from cauri.reconciliation.model import (
    AlreadyRepaired,
    Kind,
    NothingRepairsIt,
    PeriodTooLong,
    UnknownFinding,
    UnknownReconciliation,
)
from cauri.reconciliation.queries import csv_of, findings_of, report_of, reports_of
from cauri.reconciliation.views import FindingView, ReportView, finding_view, report_view
from cauri.values import dataclass

ACCOUNTANTS: Final = frozenset({"finance", "admin"})

ReportId = Annotated[str, Path(pattern=ID_PATTERN, examples=["rec_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
FindingId = Annotated[str, Path(pattern=ID_PATTERN, examples=["fnd_5f0c2a7d9e1b4c8a3f6d7e2b1c"])]

api = Api("Reconciliation")


class ReconciliationRequest(Shape):
    """`light` looks at what changed a moment ago and at what waits; `full` at a day and everything that stands.

    From `since` to just before `until`, a month at the most. Without them: since the last light one; or today.
    """

    kind: Literal["light", "full"] = "full"
    since: Moment | None = None
    until: Moment | None = None


@dataclass(frozen=True)
class ReportPage:
    """Reconciliations, the newest first."""

    items: list[ReportView]
    next_cursor: str | None


@dataclass(frozen=True)
class FindingPage:
    """What differs, by id."""

    items: list[FindingView]
    next_cursor: str | None


@api.command(
    "POST",
    "/v1/reconciliations",
    roles=ACCOUNTANTS,
    tier=Tier.WRITES,
    answer=ReportView,
    status=HTTPStatus.CREATED,
    refusals=[PeriodTooLong],
    location=lambda report: f"/v1/reconciliations/{report['id']}",
)
def reconcile(body: ReconciliationRequest) -> Reconcile:
    """Reconcile

    It runs by itself: ask for the reconciliation until it is `completed`.
    """
    return Reconcile(Kind(body.kind), body.since, body.until)


@api.read("/v1/reconciliations", roles=ACCOUNTANTS, answer=ReportPage)
def list_reconciliations(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> ReportPage:
    """List reconciliations, the newest first"""
    cursors = cursors_of(caller, "reconciliations")
    page = reports_of(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return ReportPage([report_view(report) for report in page.items], cursors.seal(page.position))


@api.read("/v1/reconciliations/<report_id>", roles=ACCOUNTANTS, answer=ReportView, refusals=[UnknownReconciliation])
def get_reconciliation(report_id: ReportId, caller: Caller) -> ReportView:
    """Get a reconciliation, with its figures

    `payment_variance` is payments less orders, `settlement_variance` delivered less settled. The orders that make up
    a variance are among the findings of a full one.
    """
    return report_view(report_of(wiring.database(), caller.tenant, report_id))


@api.read(
    "/v1/reconciliations/<report_id>/findings",
    roles=ACCOUNTANTS,
    answer=FindingPage,
    refusals=[UnknownReconciliation],
)
def list_findings(report_id: ReportId, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> FindingPage:
    """List what a reconciliation found

    Each with its evidence, and the command that repairs it, where there is one.
    """
    cursors = cursors_of(caller, "findings", report_id)
    page = findings_of(wiring.database(), caller.tenant, report_id, after=cursors.open(cursor), limit=limit)
    return FindingPage([finding_view(finding) for finding in page.items], cursors.seal(page.position))


@api.read(
    "/v1/reconciliations/<report_id>/csv",
    roles=ACCOUNTANTS,
    answer=str,
    media_type="text/csv",
    refusals=[UnknownReconciliation],
)
def download_reconciliation(report_id: ReportId, caller: Caller) -> str:
    """Download a reconciliation as CSV

    A line for each figure, in minor units, and one for each finding.
    """
    return csv_of(wiring.database(), caller.tenant, report_id)


@api.command(
    "POST",
    "/v1/reconciliations/<report_id>/findings/<finding_id>/repair",
    roles=ACCOUNTANTS,
    tier=Tier.MONEY_WRITES,
    answer=RepairedFinding,
    refusals=[UnknownReconciliation, UnknownFinding, NothingRepairsIt, AlreadyRepaired],
)
def repair_finding(report_id: ReportId, finding_id: FindingId) -> RepairFinding:
    """Repair what was found

    Runs the finding's command, which looks again: it changes what is wrong now. The log has it under your name.
    """
    return RepairFinding(report_id, finding_id)


handler = api.handler
