"""Refunds as people and programs see them."""

from __future__ import annotations

from cauri.clock import Instant
from cauri.money import Money
from cauri.orders.model import SHIPPING
from cauri.refunds.model import CreditNote, CreditNoteLine, Refund, RefundLine, RefundPart
from cauri.values import dataclass


@dataclass(frozen=True)
class RefundLineView:
    """What is given back of a line, or (`line_id` is null) of a vendor order's shipping."""

    vendor_order: str
    line_id: str | None
    quantity: int
    net: Money
    tax: Money
    total: Money
    restock: int
    restocked: bool


@dataclass(frozen=True)
class RefundPartView:
    """The money of one tender on its way back: to the wallet, through the provider, or outside, by hand."""

    method: str
    amount: Money
    status: str
    provider: str | None
    payment_id: str | None
    provider_reference: str | None
    reason: str | None


@dataclass(frozen=True)
class CreditNoteView:
    """The document of a refund that was granted; void, if no money moved in the end."""

    number: str
    order_number: str
    lines: list[CreditNoteLine]
    net: Money
    tax: Money
    total: Money
    issued_at: Instant
    voided_at: Instant | None


@dataclass(frozen=True)
class RefundView:
    """Money back for an order: of which lines, through which tenders, and how far it has come."""

    id: str
    order_id: str
    status: str
    amount: Money
    reason: str
    lines: list[RefundLineView]
    parts: list[RefundPartView]
    credit_note: CreditNoteView | None
    requested_by: str
    requested_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    settled_at: Instant | None


@dataclass(frozen=True)
class RefundList:
    """All refunds of an order, the oldest first; their credit notes are with each."""

    items: list[RefundView]


@dataclass(frozen=True)
class RefundPage:
    """A page of refunds, the oldest first. `next_cursor` leads to the next one, if there is one."""

    items: list[RefundView]
    next_cursor: str | None


def refund_view(refund: Refund, note: CreditNote | None = None) -> RefundView:
    return RefundView(
        id=refund.id,
        order_id=refund.order_id,
        status=refund.status,
        amount=refund.amount,
        reason=refund.reason,
        lines=[_line(line) for line in refund.lines],
        parts=[_part(part) for part in refund.parts],
        credit_note=_credit_note(note) if note else None,
        requested_by=refund.requested_by,
        requested_at=refund.requested_at,
        approved_by=refund.approved_by,
        approved_at=refund.approved_at,
        settled_at=refund.settled_at,
    )


def _line(line: RefundLine) -> RefundLineView:
    return RefundLineView(
        vendor_order=line.vendor_order,
        line_id=None if line.piece == SHIPPING else line.piece,
        quantity=line.quantity,
        net=line.net,
        tax=line.tax,
        total=line.total,
        restock=line.restock,
        restocked=line.restocked,
    )


def _part(part: RefundPart) -> RefundPartView:
    return RefundPartView(
        method=part.method,
        amount=part.amount,
        status=part.status,
        provider=part.provider,
        payment_id=part.payment_id,
        provider_reference=part.provider_reference,
        reason=part.reason,
    )


def _credit_note(note: CreditNote) -> CreditNoteView:
    return CreditNoteView(
        number=note.number,
        order_number=note.order_number,
        lines=list(note.lines),
        net=note.net,
        tax=note.tax,
        total=note.total,
        issued_at=note.issued_at,
        voided_at=note.voided_at,
    )
