"""What waits for longer than it should, or for people: refunds, reconciliations, dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from cauri.books.listing import read_page, read_partition
from cauri.reconciliation.looking import Sight, standing
from cauri.reconciliation.model import Difference, Looked, Repair, ReportStatus, Severity
from cauri.reconciliation.store import REPORTS, reports_partition
from cauri.refunds.model import Refund, RefundStatus
from cauri.refunds.store import REFUNDS

TAKES_MAX: Final = timedelta(hours=1)
"""A refund that is granted is under way within seconds; a reconciliation is over in minutes."""
NAMED_MAX: Final = 100


def look_at_what_waits(sight: Sight) -> Looked:
    letters = sight.letters.of(sight.tenant)
    found = standing(sight, lambda: (*_refunds(sight), *_reconciliations(sight), *_letters(sight)))
    return Looked({"dead_letters": len(letters)}, found)


def _refunds(sight: Sight) -> Iterator[Difference]:
    """Those that were granted and don't move, and those that can't move without people."""
    for status in (RefundStatus.APPROVED, RefundStatus.PROCESSING, RefundStatus.NEEDS_ATTENTION):
        page = read_page(sight.database, REFUNDS, sight.tenant, f"refunds#{status}", after=None, limit=NAMED_MAX)
        for refund in page.items:
            if refund.status is RefundStatus.NEEDS_ATTENTION:
                yield _stuck(refund, "waits for people", None)
            elif refund.requested_at + TAKES_MAX < sight.clock() and not _is_asked_about(refund):
                yield _stuck(refund, "does not move", Repair("continue_refund", refund.id))


def _is_asked_about(refund: Refund) -> bool:
    """Its provider was asked, and is asked again for days: that is no standstill."""
    return any(part.asked_at is not None for part in refund.parts)


def _stuck(refund: Refund, why: str, repair: Repair | None) -> Difference:
    parts = [f"{part.method}: {part.status}" + (f", {part.reason}" if part.reason else "") for part in refund.parts]
    says = f"{refund.id} of {refund.amount} is {refund.status} since {refund.requested_at:%Y-%m-%d %H:%M}, and {why}"
    return Difference("stuck_refund", refund.id, says, {"parts": parts}, Severity.WARNING, repair)


def _reconciliations(sight: Sight) -> Iterator[Difference]:
    partition = reports_partition(sight.tenant)
    page = read_partition(sight.database, REPORTS, partition, after=None, limit=NAMED_MAX, newest_first=True)
    for report in page.items:
        if report.status is ReportStatus.RUNNING and report.started_at + TAKES_MAX < sight.clock():
            says = f"{report.id} began {report.started_at:%Y-%m-%d %H:%M}, and did not end: {report.next_part} is next"
            evidence = {"kind": str(report.kind), "done": [str(part) for part in report.done]}
            repair = Repair("resume_reconciliation", report.id)
            yield Difference("stuck_reconciliation", report.id, says, evidence, Severity.WARNING, repair)


def _letters(sight: Sight) -> Iterator[Difference]:
    for letter in sight.letters.of(sight.tenant):
        says = f"a dead letter in {letter.queue}: {letter.about}"
        evidence = {"queue": letter.queue, "message": letter.id, "replay": f"cauri dlq replay {letter.queue}"}
        yield Difference("dead_letter", letter.resource, says, evidence, Severity.WARNING, about=letter.id)
