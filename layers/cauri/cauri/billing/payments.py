"""Payments on account, what they are allocated to, and customers' credit. Pure. Source: SPEC 10."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.documents.model import shown
from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass, replace

OPENING: Final = "opening_balance"
"""The target that is no invoice."""
TARGETS_MAX: Final = 40
"""In one transaction: each with its invoice, and perhaps a credit."""


ALLOCATIONS_MAX: Final = 1_000
"""Of one payment, and uses of one credit: an item has 400 KB at most, and each takes some 230 bytes."""


class AllocationStatus(StrEnum):
    UNAPPLIED = "unapplied"
    PARTIALLY_APPLIED = "partially_applied"
    FULLY_APPLIED = "fully_applied"


class PaymentType(StrEnum):
    """How an allocation meets its target."""

    EXACT = "EXACT"
    PARTIAL = "PARTIAL"
    OVERPAYMENT = "OVERPAYMENT"
    """More was meant for the target than was open on it: the rest is the customer's credit, or stays unapplied."""


@dataclass(frozen=True)
class Allocation:
    """So many minor units of a payment that settle a target: an invoice, by its id, or the opening balance."""

    id: str
    target: str
    amount: int
    payment_type: PaymentType
    at: Instant
    credit_id: str | None = None
    """The credit that was made of what was meant for the target, and was too much."""
    credited: int = 0


@dataclass(frozen=True)
class AccountPayment:
    """Money from a customer that is for no order: it settles what the account owes."""

    tenant: str
    id: str
    customer_id: str
    amount: Money
    method: str
    received_on: date
    created_at: Instant
    reference: str = ""
    allocations: tuple[Allocation, ...] = ()
    credited: int = 0
    """Made credit of, without a target."""
    deleted_at: Instant | None = None
    version: int = 0

    @property
    def allocated(self) -> int:
        return sum(one.amount for one in self.allocations)

    @property
    def unapplied(self) -> int:
        made_credit = self.credited + sum(one.credited for one in self.allocations)
        return 0 if self.deleted_at else self.amount.amount - self.allocated - made_credit

    @property
    def is_touched(self) -> bool:
        return bool(self.allocations or self.credited)

    @property
    def status(self) -> AllocationStatus:
        if not self.is_touched:
            return AllocationStatus.UNAPPLIED
        return AllocationStatus.PARTIALLY_APPLIED if self.unapplied else AllocationStatus.FULLY_APPLIED

    def apply(self, allocations: Sequence[Allocation]) -> AccountPayment:
        """Raises TooManyAllocations, AllocationsExceedPayment."""
        after = replace(self, allocations=(*self.allocations, *allocations))
        if len(after.allocations) > ALLOCATIONS_MAX:
            raise TooManyAllocations(self.id)
        if after.unapplied < 0:
            asked = sum(one.amount + one.credited for one in allocations)
            raise AllocationsExceedPayment(Money(asked, self.amount.currency), self.left)
        return after

    @property
    def left(self) -> Money:
        return Money(self.unapplied, self.amount.currency)

    def without(self, taken: Sequence[Allocation]) -> AccountPayment:
        gone = {one.id for one in taken}
        return replace(self, allocations=tuple(one for one in self.allocations if one.id not in gone))


@dataclass(frozen=True)
class Application:
    """So much of a credit that pays an invoice."""

    id: str
    invoice_id: str
    amount: int
    at: Instant


@dataclass(frozen=True)
class CustomerCredit:
    """A customer's money at the biller: available, until it is applied to invoices."""

    tenant: str
    id: str
    customer_id: str
    amount: Money
    created_at: Instant
    payment_id: str | None = None
    from_invoice: str | None = None
    """On which too much was paid."""
    applied: tuple[Application, ...] = ()
    withdrawn: bool = False
    """The payment it was made of was rolled back."""
    version: int = 0

    @property
    def left(self) -> int:
        return 0 if self.withdrawn else self.amount.amount - sum(one.amount for one in self.applied)

    @property
    def is_usable(self) -> bool:
        return self.left > 0 and len(self.applied) < ALLOCATIONS_MAX

    def apply(self, application: Application) -> CustomerCredit:
        return replace(self, applied=(*self.applied, application))

    def without(self, application_id: str) -> CustomerCredit:
        return replace(self, applied=tuple(one for one in self.applied if one.id != application_id))

    def withdraw(self) -> CustomerCredit:
        """Raises CreditApplied."""
        if self.applied:
            raise CreditApplied(self.id)
        return replace(self, withdrawn=True)


class Surplus(StrEnum):
    """What becomes of what was meant for a target and is more than is open on it."""

    CREDIT = "credit"
    UNAPPLIED = "unapplied"


@dataclass(frozen=True)
class Meant:
    """How much of a payment somebody means for a target."""

    target: str
    amount: Money


def oldest_first(left: int, opening: int, opens: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """How `left` minor units settle the opening balance, and then invoices in their order (oldest due first)."""
    shares: list[tuple[str, int]] = []
    for target, amount in [(OPENING, opening), *opens]:
        share = min(left, amount)
        if share > 0:
            shares.append((target, share))
            left -= share
    return shares


# -- Refusals


@dataclass
class UnknownAccountPayment(Refusal):
    code: ClassVar[str] = "unknown_account_payment"
    payment_id: str

    def detail(self) -> str:
        return f"There is no payment on account {self.payment_id!r}."


@dataclass
class UnknownCredit(Refusal):
    code: ClassVar[str] = "unknown_credit"
    credit_id: str

    def detail(self) -> str:
        return f"The customer has no credit {self.credit_id!r}."


@dataclass
class UnknownAllocation(Refusal):
    code: ClassVar[str] = "unknown_allocation"
    allocation_id: str

    def detail(self) -> str:
        return f"The payment has no allocation {self.allocation_id!r}."


@dataclass
class AllocationsExceedPayment(Refusal):
    """More was to be allocated than is left of the payment. Nothing moved."""

    code: ClassVar[str] = "allocations_exceed_payment"
    asked: Money
    left: Money

    def detail(self) -> str:
        return f"Total allocations {shown(self.asked)} exceed payment amount {shown(self.left)}"

    def facts(self) -> dict[str, object]:
        return {"asked": self.asked, "left": self.left}


@dataclass
class AllocationExceedsTarget(Refusal):
    """More was to be allocated to a target than is open on it. Nothing moved."""

    code: ClassVar[str] = "allocation_exceeds_target"
    target: str
    asked: Money
    open: Money

    def detail(self) -> str:
        return f"Allocation {shown(self.asked)} exceeds the {shown(self.open)} that are open on {self.target}"

    def suggestion(self) -> str:
        return "Allocate less, or send `mode: smart`, which allocates what is open."

    def facts(self) -> dict[str, object]:
        return {"target": self.target, "open": self.open}


@dataclass
class TooManyTargets(Refusal):
    code: ClassVar[str] = "too_many_targets"

    def detail(self) -> str:
        return f"One transaction has at most {TARGETS_MAX} targets."

    def suggestion(self) -> str:
        return "Send them in parts."


@dataclass
class TooManyAllocations(Refusal):
    """One payment is divided into no more shares."""

    code: ClassVar[str] = "too_many_allocations"
    id: str

    def detail(self) -> str:
        return f"{self.id} would have more than {ALLOCATIONS_MAX:,} allocations."

    def suggestion(self) -> str:
        return "Roll small ones back, or record the payment in parts."


@dataclass
class TargetNamedTwice(Refusal):
    code: ClassVar[str] = "target_named_twice"
    target: str

    def detail(self) -> str:
        return f"{self.target} is named twice."


@dataclass
class NothingToAllocate(Refusal):
    """Nothing is left of the payment, or nothing is open that it could settle."""

    code: ClassVar[str] = "nothing_to_allocate"

    def detail(self) -> str:
        return "Nothing is left of the payment, or nothing is open that it could settle."


@dataclass
class PaymentAllocated(Refusal):
    code: ClassVar[str] = "payment_allocated"
    payment_id: str

    def detail(self) -> str:
        return f"Payment {self.payment_id} is allocated, in part at least."

    def suggestion(self) -> str:
        return "Roll its allocations back first."


@dataclass
class AllocationsRequired(Refusal):
    """A payment that is allocated changes its amount together with what it is allocated to."""

    code: ClassVar[str] = "allocations_required"

    def detail(self) -> str:
        return "The payment is allocated: its new amount needs new allocations, which fit it."


@dataclass
class CreditApplied(Refusal):
    """The credit that an overpayment made pays invoices by now."""

    code: ClassVar[str] = "credit_applied"
    credit_id: str

    def detail(self) -> str:
        return f"The credit {self.credit_id} is applied to invoices."

    def suggestion(self) -> str:
        return "Take the credit off those invoices first."


@dataclass
class OverWriteOffLimit(Refusal):
    code: ClassVar[str] = "over_write_off_limit"
    asked: Money
    most: Money

    def detail(self) -> str:
        return f"{self.asked} were to be written off, and the tenant allows {self.most} on one invoice."


@dataclass
class InsufficientCredit(Refusal):
    code: ClassVar[str] = "insufficient_credit"
    asked: Money
    available: Money

    def detail(self) -> str:
        return f"{self.asked} of credit were to be applied, and {self.available} are available."
