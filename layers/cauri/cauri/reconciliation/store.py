"""Where reports and their findings are kept: the platform table."""

from __future__ import annotations

from typing import Final

from cauri.books.shelf import Key, Shelf, shelve
from cauri.books.work import Work
from cauri.reconciliation.model import Finding, Report, UnknownReconciliation

REPORTS: Final = shelve(
    Shelf(
        "platform",
        Report,
        place=lambda report: ("reconciliations", report.id),
        tenant=lambda report: report.tenant,
    )
)
FINDINGS: Final = shelve(
    Shelf(
        "platform",
        Finding,
        place=lambda finding: (f"reconciliation#{finding.report_id}", finding.id),
        tenant=lambda finding: finding.tenant,
    )
)


def report_key(tenant: str, report_id: str) -> Key[Report]:
    return REPORTS.key(tenant, "reconciliations", report_id)


def reports_partition(tenant: str) -> str:
    return f"{tenant}#reconciliations"


def finding_key(tenant: str, report_id: str, finding_id: str) -> Key[Finding]:
    return FINDINGS.key(tenant, f"reconciliation#{report_id}", finding_id)


def findings_partition(tenant: str, report_id: str) -> str:
    return f"{tenant}#reconciliation#{report_id}"


def load_report(report_id: str, work: Work) -> Report:
    """Raises UnknownReconciliation."""
    key = report_key(work.tenant, report_id)
    report = work.fetch(key)[key]
    if report is None:
        raise UnknownReconciliation(report_id)
    return report
