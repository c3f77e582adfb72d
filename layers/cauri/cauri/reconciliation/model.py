"""A reconciliation: what was looked at, what does not agree, and the figures of the time. Source: SPEC 16."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.ids import digest
from cauri.values import dataclass, field, replace

SAYS_MAX: Final = 1_000
"""Characters of a sentence. What is too long for it can be looked at where it is."""
KEPT_MAX: Final = 1_000
"""Findings of one report. More are counted, and not kept: whoever has a thousand looks for what they have in common."""
OVERLAP: Final = timedelta(minutes=1)
"""How far a light reconciliation goes back behind the one before: a commit is written some seconds after its time."""
LOOK_BACK_MAX: Final = timedelta(hours=1)
"""How far it goes back at the most. What is older is the daily one's."""


class Kind(StrEnum):
    LIGHT = "light"
    """What changed a moment ago, and what should not be waiting any more."""
    FULL = "full"
    """A day, and everything that stands."""


class Severity(StrEnum):
    ALARM = "alarm"
    """Money or goods are not where the books say."""
    WARNING = "warning"
    """Something waits for longer than it should, or for people."""
    NOTICE = "notice"
    """A difference that time explains, such as an order that was paid before midnight and confirmed after it."""


class ReportStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"


class Part(StrEnum):
    """What a reconciliation looks at, one after another."""

    JOURNAL = "journal"
    """The log of the time, its accounts, and all that its records touched."""
    WALLETS = "wallets"
    CUSTOMERS = "customers"
    STOCK = "stock"
    LEDGER = "ledger"
    WAITING = "waiting"
    PROVIDERS = "providers"


PARTS: Final[Mapping[Kind, tuple[Part, ...]]] = {
    Kind.LIGHT: (Part.JOURNAL, Part.WAITING),
    Kind.FULL: tuple(Part),
}


@dataclass
class UnknownReconciliation(Refusal):
    code: ClassVar[str] = "unknown_reconciliation"
    id: str

    def detail(self) -> str:
        return f"There is no reconciliation {self.id!r}."


@dataclass
class UnknownFinding(Refusal):
    code: ClassVar[str] = "unknown_finding"
    id: str

    def detail(self) -> str:
        return f"The reconciliation has no finding {self.id!r}."


@dataclass
class NothingRepairsIt(Refusal):
    """There is no command that makes it right: people look at the evidence, and decide."""

    code: ClassVar[str] = "nothing_repairs_it"
    id: str
    check: str

    def detail(self) -> str:
        return f"No command repairs what {self.check} found."

    def suggestion(self) -> str:
        return "Look at the evidence, and at what explains the resource; a mistake is reversed by a new entry."


@dataclass
class AlreadyRepaired(Refusal):
    code: ClassVar[str] = "finding_repaired"
    id: str
    by: str

    def detail(self) -> str:
        return f"Finding {self.id} was repaired by {self.by}."

    def suggestion(self) -> str:
        return "Reconcile again: what is still not right is found again."


@dataclass
class PeriodTooLong(Refusal):
    code: ClassVar[str] = "period_too_long"
    days_max: int

    def detail(self) -> str:
        return f"A reconciliation goes from a moment to a later one, {self.days_max} days on at the most."


@dataclass(frozen=True)
class Repair:
    """A command that makes it right, and what it is about: a SKU, an order, a record of the log."""

    command: str
    about: str


@dataclass(frozen=True)
class Difference:
    """What a check saw. `about` tells two of one check and resource apart: a currency, a record."""

    check: str
    resource: str
    says: str
    evidence: Mapping[str, Any]
    severity: Severity = Severity.ALARM
    repair: Repair | None = None
    about: str = ""

    @property
    def id(self) -> str:
        """The same whenever the same thing is wrong with the same resource, so that people know it again."""
        return f"fnd_{digest(self.check, self.resource, self.about)[:26]}"


@dataclass(frozen=True)
class Finding:
    """A difference that still was one when it was looked at again. `version` counts what became of it."""

    tenant: str
    report_id: str
    id: str
    check: str
    resource: str
    severity: Severity
    says: str
    evidence: Mapping[str, Any]
    found_at: Instant
    repair: Repair | None = None
    repaired_at: Instant | None = None
    repaired_by: str | None = None
    version: int = 0

    def repaired(self, by: str, at: Instant) -> Finding:
        """Raises NothingRepairsIt, AlreadyRepaired."""
        if self.repair is None:
            raise NothingRepairsIt(self.id, self.check)
        if self.repaired_by is not None:
            raise AlreadyRepaired(self.id, self.repaired_by)
        return replace(self, repaired_at=at, repaired_by=by)


@dataclass(frozen=True)
class Figures:
    """What a time came to in one currency, in minor units."""

    currency: str
    orders: int = 0
    """What was sold: the totals of the orders that were confirmed."""
    orders_count: int = 0
    payments: int = 0
    """What paid for orders, by whichever tender."""
    payments_count: int = 0
    delivered: int = 0
    """What was accepted, at its price."""
    gross_settled: int = 0
    commission: int = 0
    net_to_suppliers: int = 0

    @property
    def payment_variance(self) -> int:
        return self.payments - self.orders

    @property
    def settlement_variance(self) -> int:
        return self.delivered - self.gross_settled

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.currency,
            self.orders + other.orders,
            self.orders_count + other.orders_count,
            self.payments + other.payments,
            self.payments_count + other.payments_count,
            self.delivered + other.delivered,
            self.gross_settled + other.gross_settled,
            self.commission + other.commission,
            self.net_to_suppliers + other.net_to_suppliers,
        )


@dataclass(frozen=True)
class Looked:
    """What one part came to: how much was looked at, by kind; what differs; and figures."""

    checked: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    figures: tuple[Figures, ...] = ()


@dataclass(frozen=True)
class Report:
    """One reconciliation of one tenant, of what happened from `since` to just before `until`."""

    tenant: str
    id: str
    kind: Kind
    since: Instant
    until: Instant
    requested_by: str
    started_at: Instant
    status: ReportStatus = ReportStatus.RUNNING
    done: tuple[Part, ...] = ()
    checked: Mapping[str, int] = field(default_factory=dict)
    figures: tuple[Figures, ...] = ()
    findings: int = 0
    by_severity: Mapping[str, int] = field(default_factory=dict)
    by_check: Mapping[str, int] = field(default_factory=dict)
    finished_at: Instant | None = None
    version: int = 0

    @property
    def parts(self) -> tuple[Part, ...]:
        return PARTS[self.kind]

    @property
    def next_part(self) -> Part | None:
        return next((part for part in self.parts if part not in self.done), None)

    def with_part(self, part: Part, looked: Looked, at: Instant, *, is_last: bool) -> Report:
        """The report with what a part of it found. With the last of it the part is done, and all with the last part."""
        found = looked.differences
        report = replace(
            self,
            done=(*self.done, part) if is_last else self.done,
            checked=_summed(self.checked, looked.checked),
            figures=self.figures or looked.figures,
            findings=self.findings + len(found),
            by_severity=_summed(self.by_severity, Counter(str(one.severity) for one in found)),
            by_check=_summed(self.by_check, Counter(one.check for one in found)),
        )
        if report.next_part is not None:
            return report
        return replace(report, status=ReportStatus.COMPLETED, finished_at=at)


def _summed(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def joined(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """One of each id: what a check says twice about a resource is said in one sentence."""
    known: dict[str, Difference] = {}
    for one in differences:
        there = known.get(one.id)
        says = one.says if there is None or one.says in there.says else f"{there.says}; {one.says}"
        known[one.id] = replace(there or one, says=says[:SAYS_MAX])
    return tuple(known.values())
