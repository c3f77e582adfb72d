"""The steps of the reconciliation saga: for each tenant a report, and of each report one part after another.

A step may come twice, and late: a report knows which of its parts are done, and a finding is recorded once. There is
no undo, since nothing but the report is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from cauri.books.commit import Books
from cauri.clock import Instant
from cauri.ids import digest
from cauri.parties.store import tenants_page
from cauri.providers.statements import StatementProvider
from cauri.reconciliation.commands import (
    FINDINGS_PER_COMMIT_MAX,
    Reconcile,
    RecordFindings,
    by_system,
    midnight_before,
)
from cauri.reconciliation.journal import look_at_journal
from cauri.reconciliation.looking import Letters, NoLetters, Sight, patiently
from cauri.reconciliation.model import Kind, Looked, Part, Report, UnknownReconciliation
from cauri.reconciliation.provider_lists import look_at_providers
from cauri.reconciliation.reading import log_between
from cauri.reconciliation.resuming import ResumeReconciliation
from cauri.reconciliation.standing import look_at_customers, look_at_ledger, look_at_wallets
from cauri.reconciliation.stock import look_at_stock
from cauri.reconciliation.store import report_key
from cauri.reconciliation.waiting import look_at_what_waits
from cauri.values import dataclass, field, replace

logger = logging.getLogger(__name__)

QUIET: Final = timedelta(minutes=11)
"""A tenant for whom nothing happened in so long is not looked at. A little longer than the schedule's period."""

Payload = Mapping[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class ReconciliationSaga:
    books: Books
    statements: Mapping[str, StatementProvider] = field(default_factory=dict)
    letters: Letters = field(default_factory=NoLetters)
    pause: Callable[[float], None] = lambda _: None

    def run(self, payload: Payload) -> Result:
        """Run the step that `payload` names."""
        steps: dict[str, Callable[[Payload], Result]] = {
            "list_tenants": self.list_tenants,
            "open_report": self.open_report,
            "look": self.look,
            "resume_reconciliation": self.resume_reconciliation,
        }
        return steps[payload["step"]](payload)

    def list_tenants(self, payload: Payload) -> Result:
        """A question: some of the tenants, and whether there are more."""
        tenants, after = tenants_page(self.books.database, payload["after"])
        return {"tenants": tenants, "after": after or "", "more": after is not None}

    def open_report(self, payload: Payload) -> Result:
        """Begin a tenant's reconciliation, whose saga the commit starts. A light one, only if something happened.

        No undo: a report that nobody goes on with is found by the next.
        """
        tenant, kind = payload["tenant"], Kind(payload["kind"])
        if kind is Kind.LIGHT and not self._has_changed(tenant):
            return {"report_id": None}
        now = self.books.clock()
        until = midnight(now) if kind is Kind.FULL else None
        since = midnight_before(until) if until else None
        command = Reconcile(kind, since, until)
        key = f"{payload['execution']}:open_report:{tenant}"
        self.books.run(command, by_system(tenant), key)
        return {"report_id": key}

    def look(self, payload: Payload) -> Result:
        """Look at the next part of a report, and record what was found. No undo: it says what was there."""
        report = self._report(payload)
        part = report.next_part
        if part is None:
            return {"next": "done", "part": None, "findings": 0, "by_severity": dict(report.by_severity)}
        looked = self.look_at(report, part)
        self._record(report, part, looked)
        for one in looked.differences:
            logger.warning("%s: %s", one.check, one.says)
        return {"next": "again", "part": part, "findings": len(looked.differences), "by_severity": {}}

    def resume_reconciliation(self, payload: Payload) -> Result:
        """From the dead letters: start the saga of a report again. It does what is left."""
        again = f"{payload['report_id']}-{self.books.clock():%Y%m%dT%H%M%S}"
        command = ResumeReconciliation(payload["report_id"], again)
        self.books.run(command, by_system(payload["tenant"]), f"{payload['execution']}:resume:{again}")
        return {"next": again}

    def look_at(self, report: Report, part: Part) -> Looked:
        sight = Sight(self.books, report.tenant, self.statements, self.letters, patiently(self.pause))
        match part:
            case Part.JOURNAL:
                return look_at_journal(sight, report.kind, report.since, report.until)
            case Part.WALLETS:
                return look_at_wallets(sight)
            case Part.CUSTOMERS:
                return look_at_customers(sight)
            case Part.STOCK:
                return look_at_stock(sight)
            case Part.LEDGER:
                return look_at_ledger(sight)
            case Part.WAITING:
                return look_at_what_waits(sight)
            case Part.PROVIDERS:
                return look_at_providers(sight, report.since, report.until)

    def _record(self, report: Report, part: Part, looked: Looked) -> None:
        """A commit's worth at a time; what was counted goes with the last."""
        found = looked.differences
        first, last = found[:-FINDINGS_PER_COMMIT_MAX], found[-FINDINGS_PER_COMMIT_MAX:]
        for start in range(0, len(first), FINDINGS_PER_COMMIT_MAX):
            some = Looked(differences=first[start : start + FINDINGS_PER_COMMIT_MAX])
            self._commit(RecordFindings(report.id, part, some, is_last=False), report)
        self._commit(RecordFindings(report.id, part, replace(looked, differences=last), is_last=True), report)

    def _commit(self, command: RecordFindings, report: Report) -> None:
        """The key names what was found: another look that found something else has that to record as well."""
        found = digest(*(f"{one.id} {one.says}" for one in command.looked.differences))
        key = f"{report.id}:{command.part}:{command.is_last}:{found}"
        self.books.run(command, by_system(report.tenant), key)

    def _has_changed(self, tenant: str) -> bool:
        """True if anybody but a reconciliation did anything of late."""
        now = self.books.clock()
        us = by_system(tenant).subject
        chunks = log_between(self.books.database, tenant, now - QUIET, now)
        return any(one.record is None or one.record.caller != us for chunk in chunks for one in chunk)

    def _report(self, payload: Payload) -> Report:
        key = report_key(payload["tenant"], payload["report_id"])
        report = self.books.database.fetch([key])[key]
        if report is None:
            raise UnknownReconciliation(payload["report_id"])
        return report


def midnight(moment: Instant) -> Instant:
    """The beginning of the day that a moment is in."""
    return midnight_before(moment + timedelta(microseconds=1))
