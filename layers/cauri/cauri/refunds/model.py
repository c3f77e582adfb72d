"""A refund: what is to be given back, whether that was granted, and how far each part of it has come."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, total
from cauri.values import dataclass, replace


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    """Somebody else has to approve it. Nothing is given back, and nothing reserved for it."""
    APPROVED = "approved"
    PROCESSING = "processing"
    """Some of it is on its way."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """No money moved, and none will."""
    NEEDS_ATTENTION = "needs_attention"
    """It can't go on without people."""
    REJECTED = "rejected"


class RefundChange(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    PROCESS = "process"
    SUCCEED = "succeed"
    FAIL = "fail"
    WORRY = "worry"


LEGAL: Final = {
    (RefundStatus.REQUESTED, RefundChange.APPROVE): RefundStatus.APPROVED,
    (RefundStatus.REQUESTED, RefundChange.REJECT): RefundStatus.REJECTED,
    (RefundStatus.APPROVED, RefundChange.PROCESS): RefundStatus.PROCESSING,
    (RefundStatus.PROCESSING, RefundChange.SUCCEED): RefundStatus.SUCCEEDED,
    (RefundStatus.PROCESSING, RefundChange.FAIL): RefundStatus.FAILED,
    (RefundStatus.PROCESSING, RefundChange.WORRY): RefundStatus.NEEDS_ATTENTION,
    # People tried again, or the provider found a way after all.
    (RefundStatus.NEEDS_ATTENTION, RefundChange.PROCESS): RefundStatus.PROCESSING,
    (RefundStatus.NEEDS_ATTENTION, RefundChange.SUCCEED): RefundStatus.SUCCEEDED,
    (RefundStatus.NEEDS_ATTENTION, RefundChange.FAIL): RefundStatus.FAILED,
}

OPEN: Final = frozenset({RefundStatus.APPROVED, RefundStatus.PROCESSING, RefundStatus.NEEDS_ATTENTION})
"""Granted, and not over."""


class PartStatus(StrEnum):
    WAITING = "waiting"
    """Nobody was asked to give it back yet."""
    SENT = "sent"
    """The provider was, or may have been, asked; nobody knows what became of it."""
    PENDING = "pending"
    """The provider is at it."""
    NEEDS_ATTENTION = "needs_attention"
    """The provider can't finish it without people."""
    DECLINED = "declined"
    """The provider will not: the money stayed."""
    DONE = "done"


ASK_AGAIN: Final = (
    *(timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)),
    *(timedelta(days=1),) * 5,
)
"""How long to wait before a provider is asked again what became of a refund. Then people look. Source: SPEC 4."""

SETTLES_IN: Final = timedelta(seconds=30)
"""Whoever asked a provider for a refund is not at it any more after so long, whatever became of the call."""


@dataclass
class UnknownRefund(Refusal):
    code: ClassVar[str] = "unknown_refund"
    refund_id: str

    def detail(self) -> str:
        return f"There is no refund {self.refund_id!r}."


@dataclass
class IllegalRefundChange(Refusal):
    code: ClassVar[str] = "illegal_refund_change"
    refund_id: str
    status: RefundStatus
    change: RefundChange

    def detail(self) -> str:
        legal = ", ".join(change for status, change in LEGAL if status is self.status) or "nothing"
        return f"Refund {self.refund_id} is {self.status}: it can't {self.change}, only {legal}."


@dataclass
class OrderNotRefundable(Refusal):
    """Nothing was sold: an order that waits for its payment, or was given up, is cancelled, and not refunded."""

    code: ClassVar[str] = "order_not_refundable"
    order_id: str
    status: str

    def detail(self) -> str:
        return f"Order {self.order_id} is {self.status}: there is no sale to refund."


@dataclass
class RefundTooLarge(Refusal):
    """More is asked back than was paid, and not given back yet, for this line, shipping or order."""

    code: ClassVar[str] = "refund_too_large"
    asked: Money
    left: Money

    def detail(self) -> str:
        return f"{self.asked} were asked back, and {self.left} are left to give back."

    def facts(self) -> dict[str, object]:
        return {"asked": self.asked, "left": self.left}


@dataclass
class TooManyUnits(Refusal):
    """More units are given back than were bought and not given back yet, or put back than the order has in stock."""

    code: ClassVar[str] = "too_many_units"
    line_id: str
    asked: int
    left: int

    def detail(self) -> str:
        return f"{self.asked} units of line {self.line_id} were asked back, and {self.left} are left."

    def facts(self) -> dict[str, object]:
        return {"line_id": self.line_id, "asked": self.asked, "left": self.left}


@dataclass
class NothingToRefund(Refusal):
    """Everything was given back already, or what is asked comes to nothing."""

    code: ClassVar[str] = "nothing_to_refund"

    def detail(self) -> str:
        return "There is nothing left to give back."


@dataclass
class UnknownLine(Refusal):
    """A refund names a line, a vendor order or a tender that the order does not have."""

    code: ClassVar[str] = "unknown_line"
    name: str

    def detail(self) -> str:
        return f"The order has no {self.name!r}."


@dataclass
class RefundCurrencyMismatch(Refusal):
    code: ClassVar[str] = "currency_mismatch"
    currency: str

    def detail(self) -> str:
        return f"The order is in {self.currency}, and amounts are never converted."


@dataclass
class ApprovalNeedsAnother(Refusal):
    """A refund over the tenant's limit is approved by somebody else than who asked for it."""

    code: ClassVar[str] = "approval_needs_another"

    def detail(self) -> str:
        return "Who asks for a refund of this amount can't approve it."

    def suggestion(self) -> str:
        return "Let somebody else of finance approve it."


@dataclass
class MoneyMayHaveMoved(Refusal):
    """A refund that may have reached the customer is not given up, and not paid in another way."""

    code: ClassVar[str] = "money_may_have_moved"
    refund_id: str

    def detail(self) -> str:
        return f"Some of refund {self.refund_id} was given back, or may have been."


@dataclass
class MoneyBackNeedsCustomer(Refusal):
    """A guest has no wallet to give money back to."""

    code: ClassVar[str] = "guest_has_no_wallet"

    def detail(self) -> str:
        return "A guest has no wallet that money could go back to."


@dataclass
class ChargeBusy(Refusal):
    """Refunds of one charge go out one by one."""

    code: ClassVar[str] = "charge_busy"
    payment_id: str
    refund_id: str

    def detail(self) -> str:
        return f"Refund {self.refund_id} of payment {self.payment_id} is not settled yet."


@dataclass(frozen=True)
class LineAsked:
    """So many units of a line, or else an amount of its price. `restock`: its units are for sale again."""

    line_id: str
    quantity: int = 0
    amount: Money | None = None
    restock: bool = False


@dataclass(frozen=True)
class ShippingAsked:
    """The shipping of one vendor order: an amount of it, or else all that is left."""

    vendor_order: str
    amount: Money | None = None


@dataclass(frozen=True)
class Asked:
    """What is to be given back: lines and shipping; or else an amount of the whole; or else all that is left.

    `tenders` says which tenders give first, by payment id or ``wallet``; without it each gives in proportion.
    """

    lines: tuple[LineAsked, ...] = ()
    shipping: tuple[ShippingAsked, ...] = ()
    amount: Money | None = None
    restock: bool = False
    """Of a refund of all that is left: its units are for sale again."""
    tenders: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefundLine:
    """What is given back of one piece of a vendor order, and for how many units. `net + tax` is the money."""

    vendor_order: str
    piece: str
    """A line's id, or ``shipping``."""
    quantity: int
    net: Money
    tax: Money
    restock: int = 0
    """How many of its units are to be for sale again."""
    restocked: bool = False

    @property
    def total(self) -> Money:
        return self.net + self.tax


@dataclass(frozen=True)
class RefundPart:
    """The money of one tender, on its way back: to the wallet, or through the provider that took it."""

    tender: int
    """Its place among the order's tenders."""
    method: str
    """``wallet``, ``provider``, or ``outside``: staff gave it back by hand."""
    amount: Money
    provider: str | None = None
    payment_id: str | None = None
    status: PartStatus = PartStatus.WAITING
    provider_reference: str | None = None
    reason: str | None = None
    attempt: int = 1
    """Counts up when it was declined and people try again: to the provider that is another refund."""
    asked_at: Instant | None = None
    """When the provider was first asked for it: from then on count the times to ask what became of it."""
    sent_at: Instant | None = None
    """When it was last asked for it."""
    after: int = 0
    """How many minor units of the tender were given back, or about to be, before it."""


@dataclass(frozen=True)
class Refund:
    """Money back for one order. Its version guards its parts.

    A return gives back the money of an order that never became a sale: no line is refunded, and nothing reversed.
    """

    tenant: str
    id: str
    order_id: str
    currency: str
    customer_id: str | None
    lines: tuple[RefundLine, ...]
    parts: tuple[RefundPart, ...]
    reason: str
    requested_by: str
    requested_at: Instant
    asked: Asked | None = None
    """What was asked for. None for a return: that gives back all that was taken."""
    status: RefundStatus = RefundStatus.REQUESTED
    approved_by: str | None = None
    approved_at: Instant | None = None
    settled_at: Instant | None = None
    credit_note: str | None = None
    executions: int = 0
    """How many sagas were started for it."""
    version: int = 0

    @property
    def is_return(self) -> bool:
        return self.asked is None

    @property
    def amount(self) -> Money:
        return total((part.amount for part in self.parts), self.currency)

    @property
    def next_part(self) -> int | None:
        """The place of the part to go on with, or None: one that nobody was asked for yet, or else one to ask about."""
        for wanted in ({PartStatus.WAITING}, {PartStatus.SENT, PartStatus.PENDING}):
            for place, part in enumerate(self.parts):
                if part.status in wanted:
                    return place
        return None

    @property
    def to_restock(self) -> list[RefundLine]:
        """The lines whose units are to go back on sale, and did not yet."""
        return [line for line in self.lines if line.restock and not line.restocked]

    def change(self, change: RefundChange) -> Refund:
        """The refund after `change`. Raises IllegalRefundChange."""
        after = LEGAL.get((self.status, change))
        if after is None:
            raise IllegalRefundChange(self.id, self.status, change)
        return replace(self, status=after)

    def approve(self, by: str, at: Instant) -> Refund:
        return replace(self.change(RefundChange.APPROVE), approved_by=by, approved_at=at)

    def with_part(self, place: int, part: RefundPart, at: Instant) -> Refund:
        """The refund when one of its parts has come further: its status follows from all of them."""
        parts = (*self.parts[:place], part, *self.parts[place + 1 :])
        moved = replace(self, parts=parts)
        if self.status is RefundStatus.APPROVED:
            moved = moved.change(RefundChange.PROCESS)
        change = self._follows(parts)
        if change is RefundChange.PROCESS:
            return moved.change(change) if moved.status is RefundStatus.NEEDS_ATTENTION else moved
        if change is RefundChange.WORRY and moved.status is RefundStatus.NEEDS_ATTENTION:
            return moved
        over = change in (RefundChange.SUCCEED, RefundChange.FAIL)
        return replace(moved.change(change), settled_at=at if over else None)

    def _follows(self, parts: tuple[RefundPart, ...]) -> RefundChange:
        """What the parts make of it. Declined as a whole, it fails; in part, people have to find another way.

        So do they for a return: its money is the shopper's, whatever the provider says.
        """
        statuses = {part.status for part in parts}
        if statuses <= {PartStatus.DONE}:
            return RefundChange.SUCCEED
        if statuses <= {PartStatus.DECLINED} and not self.is_return:
            return RefundChange.FAIL
        if statuses & {PartStatus.WAITING, PartStatus.SENT, PartStatus.PENDING}:
            return RefundChange.PROCESS
        return RefundChange.WORRY


@dataclass(frozen=True)
class CreditNoteLine:
    """A line of a credit note. `net + tax` is its amount."""

    title: str
    vendor_id: str
    quantity: int
    net: Money
    tax: Money


@dataclass(frozen=True)
class CreditNote:
    """The document that lowers what an order owes, issued when its refund is granted; void if no money moved."""

    tenant: str
    order_id: str
    refund_id: str
    number: str
    order_number: str
    customer_id: str | None
    lines: tuple[CreditNoteLine, ...]
    net: Money
    tax: Money
    issued_at: Instant
    voided_at: Instant | None = None
    version: int = 0

    @property
    def total(self) -> Money:
        return self.net + self.tax
