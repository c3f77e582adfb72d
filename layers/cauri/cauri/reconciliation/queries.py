"""Reports and findings, to read."""

from __future__ import annotations

import csv
import io
import json
from typing import Final

from cauri.books.database import Database
from cauri.books.listing import Page, read_partition
from cauri.reconciliation.model import KEPT_MAX, Finding, Report, UnknownReconciliation
from cauri.reconciliation.store import FINDINGS, REPORTS, findings_partition, report_key, reports_partition
from cauri.reconciliation.views import FiguresView, figures_view

_COLUMNS: Final = (
    *("kind", "id", "check", "severity", "resource", "currency", "amount"),
    *("says", "evidence", "repaired_by"),
)
_FIGURES: Final = (
    "orders",
    "orders_count",
    "payments",
    "payments_count",
    "delivered",
    "gross_settled",
    "commission",
    "net_to_suppliers",
    "payment_variance",
    "settlement_variance",
)


def report_of(database: Database, tenant: str, report_id: str) -> Report:
    """Raises UnknownReconciliation."""
    key = report_key(tenant, report_id)
    report = database.fetch([key])[key]
    if report is None:
        raise UnknownReconciliation(report_id)
    return report


def reports_of(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Report]:
    """The newest first."""
    return read_partition(database, REPORTS, reports_partition(tenant), after=after, limit=limit, newest_first=True)


def findings_of(database: Database, tenant: str, report_id: str, *, after: str | None, limit: int) -> Page[Finding]:
    """By id. Raises UnknownReconciliation."""
    report_of(database, tenant, report_id)
    partition = findings_partition(tenant, report_id)
    return read_partition(database, FINDINGS, partition, after=after, limit=limit, newest_first=False)


def csv_of(database: Database, tenant: str, report_id: str) -> str:
    """The figures, a line per currency and figure, and the findings, a line each. Raises UnknownReconciliation."""
    report = report_of(database, tenant, report_id)
    findings = findings_of(database, tenant, report_id, after=None, limit=KEPT_MAX).items
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(
        ["kind", "id", "check", "severity", "resource", "currency", "amount", "says", "evidence", "repaired_by"]
    )
    for view in map(figures_view, report.figures):
        for name in _FIGURES:
            out.writerow(["figure", report.id, name, "", "", view.currency, _amount(view, name), "", "", ""])
    for one in findings:
        evidence = json.dumps(one.evidence, sort_keys=True)
        says = [_harmless(one.resource), "", "", _harmless(one.says), evidence, _harmless(one.repaired_by or "")]
        out.writerow(["finding", one.id, one.check, one.severity, *says])
    return text.getvalue()


def _amount(view: FiguresView, name: str) -> int:
    """Minor units, or a count."""
    value = getattr(view, name)
    return value if isinstance(value, int) else value.amount


def _harmless(text: str) -> str:
    """What a spreadsheet would take for a formula is text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
