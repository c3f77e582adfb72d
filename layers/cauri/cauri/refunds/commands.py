"""Ask for money back, grant it, and refuse it. How it then reaches the customer is in paying.py. Source: SPEC 4, 8."""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Final

from cauri.books.ledger import RECEIVABLE, Entry, Posting, credit, entry
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.orders.earning import change
from cauri.orders.model import CancelReason, LineItem, OrderStatus, OrderTree
from cauri.parties.model import Tenant, UnknownTenant
from cauri.parties.store import tenant_key
from cauri.payments.model import Payment, PaymentStatus
from cauri.refunds.division import amount_of, divide, parts_of, take
from cauri.refunds.model import (
    ApprovalNeedsAnother,
    Asked,
    CreditNote,
    CreditNoteLine,
    NothingToRefund,
    OrderNotRefundable,
    Refund,
    RefundChange,
    RefundLine,
    RefundPart,
)
from cauri.refunds.store import load, load_refund, refund_id_of
from cauri.refunds.views import refund_view
from cauri.values import dataclass, replace

MACHINE: Final = "refund"


@dataclass(frozen=True)
class RequestRefund(Command):
    """Give money of an order back. It is granted at once, unless the tenant wants a second person for the amount."""

    name: ClassVar = "request_refund"
    order_id: str
    asked: Asked
    reason: str


@dataclass(frozen=True)
class ApproveRefund(Command):
    """Grant a refund that waits for it. It comes to what it was asked for, of what is left now."""

    name: ClassVar = "approve_refund"
    refund_id: str


@dataclass(frozen=True)
class RejectRefund(Command):
    name: ClassVar = "reject_refund"
    refund_id: str
    reason: str


@dataclass(frozen=True)
class ReturnPayments(Command):
    """Give back whole what was paid for an order that was given up, and can't go on any more."""

    name: ClassVar = "return_payments"
    order_id: str
    payment_ids: tuple[str, ...]


@decides(RequestRefund)
def request_refund(command: RequestRefund, work: Work) -> Plan:
    reads: list[Any] = [
        functools.partial(load, work.database, work.tenant, command.order_id),
        functools.partial(work.fetch, tenant_key(work.tenant)),
        functools.partial(_number, work),
    ]
    (tree, refunds), found, number = work.database.together(*reads)
    tenant: Tenant | None = found[tenant_key(work.tenant)]
    if tenant is None:
        raise UnknownTenant
    _require_sold(tree)
    lines, parts = _divided(command.asked, tree)
    refund = Refund(
        work.tenant,
        refund_id_of(command.order_id, len(refunds) + 1),
        command.order_id,
        tree.order.currency,
        tree.order.customer_id,
        lines,
        parts,
        command.reason,
        work.caller.subject,
        work.at,
        command.asked,
    )
    limit = tenant.refund_approval.get(refund.currency)
    if limit is not None and refund.amount.amount > limit:
        return Plan(refund_view(refund)).save(refund).emit(news(refund, "requested"))
    return _granted(refund, tree, number, work)


@decides(ApproveRefund)
def approve_refund(command: ApproveRefund, work: Work) -> Plan:
    reads: list[Any] = [
        functools.partial(load_refund, work.database, work.tenant, command.refund_id),
        functools.partial(_number, work),
    ]
    (tree, refund), number = work.database.together(*reads)
    refund.change(RefundChange.APPROVE)
    if refund.requested_by == work.caller.subject:
        raise ApprovalNeedsAnother
    _require_sold(tree)
    lines, parts = _divided(refund.asked, tree)
    return _granted(replace(refund, lines=lines, parts=parts), tree, number, work)


@decides(RejectRefund)
def reject_refund(command: RejectRefund, work: Work) -> Plan:
    _, refund = load_refund(work.database, work.tenant, command.refund_id)
    rejected = replace(refund.change(RefundChange.REJECT), settled_at=work.at)
    return Plan(refund_view(rejected)).save(rejected).emit(news(rejected, "rejected", reason=command.reason))


@decides(ReturnPayments)
def return_payments(command: ReturnPayments, work: Work) -> Plan:
    tree, refunds = load(work.database, work.tenant, command.order_id)
    order = tree.order
    payments = [payment for payment in returnable(tree) if payment.id in command.payment_ids]
    if not payments:
        raise NothingToRefund
    place = {tender.payment_id: place for place, tender in enumerate(order.tenders)}
    parts = tuple(
        RefundPart(place[payment.id], "provider", payment.received, payment.provider, payment.id)
        for payment in payments
    )
    refund = Refund(
        work.tenant,
        refund_id_of(order.id, len(refunds) + 1),
        order.id,
        order.currency,
        order.customer_id,
        (),
        parts,
        str(order.cancel_reason),
        work.caller.subject,
        work.at,
    )
    refund = replace(refund.approve(work.caller.subject, work.at), executions=1)
    if order.cancel_reason is CancelReason.UNPAID:  # what comes now does not make it whole any more
        order = replace(order, cancel_reason=CancelReason.PART_PAID)
    return (
        Plan(refund_view(refund))
        .save(refund, order, *(replace(payment, refunding=refund.id) for payment in payments))
        .start(StartSaga(MACHINE, refund.id, {"refund_id": refund.id}))
        .emit(news(refund, "approved"))
    )


def returnable(tree: OrderTree) -> list[Payment]:
    """The payments of an order that was given up for good, as far as nobody gives them back yet.

    A payment that makes an unpaid order whole after all is none of them: with it the order goes on.
    """
    order = tree.order
    if order.status is not OrderStatus.CANCELLED or order.confirmed_at is not None:
        return []
    whole = all(payment.status is PaymentStatus.SUCCEEDED for payment in tree.payments)
    if order.cancel_reason is CancelReason.UNPAID and whole:
        return []
    return [payment for payment in tree.payments if payment.is_taken and payment.refunding is None]


def reversal(before: OrderTree, after: OrderTree, *due: Posting) -> Entry | None:
    """The entry that takes the books from one to the other; `due` is what the customer has to get, or not any more."""
    shares = {share.id: share for share in before.vendor_orders}
    changes = [posting for share in after.vendor_orders for posting in change(shares[share.id], share)]
    return entry("refund", *changes, *due)


def news(refund: Refund, what: str, **more: object) -> Event:
    facts = {"order_id": refund.order_id, "customer_id": refund.customer_id, "amount": refund.amount, **more}
    return Event(f"refund.{what}", refund.id, refund.version + 1, facts)


def credit_note_news(note: CreditNote, what: str) -> Event:
    facts = {"order_id": note.order_id, "refund_id": note.refund_id, "total": note.total, "tax": note.tax}
    return Event(f"credit_note.{what}", note.number, note.version + 1, facts)


def _granted(refund: Refund, tree: OrderTree, number: int, work: Work) -> Plan:
    """From here on it counts as given back, its credit note is issued, and its saga gives it back."""
    note = _credit_note(refund, tree, number, work.at)
    refund = replace(refund.approve(work.caller.subject, work.at), credit_note=note.number, executions=1)
    after = take(tree, refund.lines, refund.parts)
    touched = {line.vendor_order for line in refund.lines}
    return (
        Plan(refund_view(refund, note))
        .save(refund, after.order, note, *(share for share in after.vendor_orders if share.id in touched))
        .post(reversal(tree, after, credit(RECEIVABLE, refund.amount)))
        .start(StartSaga(MACHINE, refund.id, {"refund_id": refund.id}))
        .emit(news(refund, "approved"), credit_note_news(note, "issued"))
    )


def _divided(asked: Asked | None, tree: OrderTree) -> tuple[tuple[RefundLine, ...], tuple[RefundPart, ...]]:
    assert asked is not None
    lines = divide(asked, tree)
    return tuple(lines), tuple(parts_of(amount_of(lines, tree.order.currency), tree.order, asked.tenders))


def _credit_note(refund: Refund, tree: OrderTree, number: int, at: Instant) -> CreditNote:
    shares = {share.id: share for share in tree.vendor_orders}
    lines = {line.id: line for line in tree.lines}
    noted = tuple(
        CreditNoteLine(
            _title(lines.get(line.piece)), shares[line.vendor_order].vendor_id, line.quantity, line.net, line.tax
        )
        for line in refund.lines
    )
    tax = sum((line.tax for line in noted), noted[0].tax * 0)
    return CreditNote(
        refund.tenant,
        refund.order_id,
        refund.id,
        f"CN-{at:%Y}-{number:06d}",
        tree.order.number,
        refund.customer_id,
        noted,
        refund.amount - tax,
        tax,
        at,
    )


def _title(line: LineItem | None) -> str:
    return line.title if line else "Shipping"


def _require_sold(tree: OrderTree) -> None:
    if tree.order.confirmed_at is None:
        raise OrderNotRefundable(tree.order.id, tree.order.status)


def _number(work: Work) -> int:
    """The credit note's number; a dry run takes none."""
    return 0 if work.dry_run else work.books.numbers.next(work.tenant, f"credit_notes#{work.at:%Y}")
