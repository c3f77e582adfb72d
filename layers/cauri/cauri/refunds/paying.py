"""Give the parts of a refund back, one after another: to the wallet in a commit, through a provider by asking it.

A provider is asked once. Before it is, the refund takes the charge for itself, in a commit; so refunds of one charge go
out one by one, and after a crash it is known that money may have moved. From then on the provider is asked what became
of it, and asked to refund again only if it says that it knows of nothing. Source: SPEC 4.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import ClassVar, Final

from cauri.books.caller import Caller
from cauri.books.commit import Books, IdempotencyKeyReused
from cauri.books.ledger import RECEIVABLE, Posting, cash_at, credit, debit, entry
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.orders.model import Order, OrderTree
from cauri.payments.model import Payment, UnknownPayment
from cauri.providers.ports import (
    Declined,
    RefundAnswer,
    RefundCall,
    Refunded,
    RefundNeedsAttention,
    RefundOutcome,
    RefundPending,
    Unknown,
)
from cauri.refunds.commands import MACHINE, credit_note_news, news, reversal
from cauri.refunds.division import take
from cauri.refunds.model import (
    ASK_AGAIN,
    SETTLES_IN,
    ChargeBusy,
    PartStatus,
    Refund,
    RefundPart,
    RefundStatus,
)
from cauri.refunds.store import credit_note_key, load_refund, refund_key
from cauri.refunds.views import refund_view
from cauri.values import dataclass, replace
from cauri.wallet.accounts import postings
from cauri.wallet.changes import Desk, at_desk, given_back, write
from cauri.wallet.draws import Back
from cauri.wallet.lots import Kind, Lot
from cauri.wallet.programme import RateMissing

SAYS: Final[Mapping[type, PartStatus]] = {
    Refunded: PartStatus.DONE,
    Declined: PartStatus.DECLINED,
    RefundPending: PartStatus.PENDING,
    RefundNeedsAttention: PartStatus.NEEDS_ATTENTION,
}


@dataclass(frozen=True)
class SendRefundPart(Command):
    """Take the charge for this refund, before the provider is asked."""

    name: ClassVar = "send_refund_part"
    refund_id: str
    place: int


@dataclass(frozen=True)
class RecordRefundPart(Command):
    """What became of a part: of one at a provider, what the provider says; of one to a wallet, that it is there."""

    name: ClassVar = "record_refund_part"
    refund_id: str
    place: int
    status: PartStatus
    provider_reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ContinueRefund(Command):
    """Start the saga of a refund again; `execution` is its new name."""

    name: ClassVar = "continue_refund"
    refund_id: str
    execution: str


@decides(SendRefundPart)
def send_refund_part(command: SendRefundPart, work: Work) -> Plan:
    tree, refund = load_refund(work.database, work.tenant, command.refund_id)
    part = refund.parts[command.place]
    payment = _payment(tree, part)
    asking = part.sent_at is not None and work.at < part.sent_at + SETTLES_IN
    if payment.refunding not in (None, refund.id) or asking or part.status not in (PartStatus.WAITING, PartStatus.SENT):
        raise ChargeBusy(payment.id, payment.refunding or "")
    part = replace(part, status=PartStatus.SENT, asked_at=part.asked_at or work.at, sent_at=work.at)
    sent = refund.with_part(command.place, part, work.at)
    plan = Plan(refund_view(sent)).save(sent, replace(payment, refunding=refund.id))
    return plan.emit(news(sent, "processing")) if refund.status is not sent.status else plan


@decides(RecordRefundPart)
def record_refund_part(command: RecordRefundPart, work: Work) -> Plan:
    tree, before = load_refund(work.database, work.tenant, command.refund_id)
    known = before.parts[command.place]
    if known.status is command.status or known.status in (PartStatus.DONE, PartStatus.DECLINED):
        return Plan(refund_view(before))  # somebody else heard it first
    part = replace(
        known,
        status=command.status,
        provider_reference=command.provider_reference or known.provider_reference,
        reason=command.reason,
    )
    refund = before.with_part(command.place, part, work.at)
    plan = Plan(refund_view(refund)).save(refund)
    posted: list[Posting] = []
    if part.status is PartStatus.DONE:
        posted = _given_back(plan, refund, part, tree, work)
    elif part.status is PartStatus.DECLINED and not refund.is_return:  # a return keeps what nobody else may give back
        plan.save(_payment(tree, part).free(refund.id))
    if refund.status is RefundStatus.FAILED:
        return _failed(plan, refund, tree, work)
    plan.post(entry("payment refunded", *posted) if posted else None)
    return plan.emit(*_tell(before, refund))


@decides(ContinueRefund)
def continue_refund(command: ContinueRefund, work: Work) -> Plan:
    saga = StartSaga(MACHINE, command.execution, {"refund_id": command.refund_id})
    return Plan({"execution": command.execution}).start(saga)


def by_system(tenant: str) -> Caller:
    return Caller(tenant, "system:refunds")


def reference_of(refund: Refund, place: int) -> str:
    """Ours, for an attempt at a part of a refund; the provider gives it back once, however often it is called."""
    attempt = refund.parts[place].attempt
    return f"{refund.id}-{place + 1}" + (f"r{attempt}" if attempt > 1 else "")


def refund_of(reference: str) -> str:
    """The refund that a reference of ours is of."""
    return reference.rpartition("-")[0]


def pay_part(books: Books, tree: OrderTree, refund: Refund, place: int) -> int | None:
    """Bring one part further. None if it is settled, or else the seconds after which to try again.

    Raises ChargeBusy while somebody else asks the provider for a refund of the same charge.
    """
    part = refund.parts[place]
    if part.method != "provider":
        record(books, refund, place, PartStatus.DONE)
        return None
    known = None if part.status is PartStatus.WAITING else _known(books, tree, refund, place)
    if known is None and part.status in (PartStatus.WAITING, PartStatus.SENT):
        return learn(books, refund, place, _send(books, tree, refund, place))
    return learn(books, refund, place, known)


def hear(books: Books, tree: OrderTree, refund: Refund, place: int) -> RefundAnswer | None:
    """There is news of a part that was sent: what the provider says now, recorded; None if it knows nothing of it."""
    known = _known(books, tree, refund, place)
    if known is not None and not isinstance(known, Unknown):
        _record_answer(books, refund, place, known)
    return known


def learn(books: Books, refund: Refund, place: int, answer: RefundAnswer | None) -> int | None:
    """Record what the provider says. None if that is its last word, or else when to ask again, in seconds."""
    key = refund_key(refund.tenant, refund.id)
    now = books.database.fetch([key])[key] or refund  # it may have been sent since it was read
    if answer is not None and not isinstance(answer, Unknown):
        _record_answer(books, now, place, answer)
        if not isinstance(answer, RefundPending):
            return None
    at = books.clock()
    again = next((at_last for at_last in _times(now.parts[place].asked_at or at) if at_last > at), None)
    if again is None:
        record(books, now, place, PartStatus.NEEDS_ATTENTION, reason="the provider could not say how it ended")
        return None
    return math.ceil((again - at).total_seconds())


def _times(asked_at: Instant) -> Iterable[Instant]:
    """When to ask about a part that the provider was first asked for at `asked_at`."""
    return itertools.accumulate(ASK_AGAIN, initial=asked_at)  # type: ignore[arg-type]


def record(
    books: Books,
    refund: Refund,
    place: int,
    status: PartStatus,
    provider_reference: str | None = None,
    reason: str | None = None,
) -> None:
    """Record what became of a part, once, whoever hears it: the first word on one version of the refund stands."""
    command = RecordRefundPart(refund.id, place, status, provider_reference, reason)
    key = f"refund:{refund.id}:{place}:{status}:{refund.version}"
    with suppress(IdempotencyKeyReused):
        books.run(command, by_system(refund.tenant), key)


def _record_answer(books: Books, refund: Refund, place: int, answer: RefundOutcome) -> None:
    if isinstance(answer, Refunded) and answer.amount != refund.parts[place].amount:
        answer = RefundNeedsAttention(answer.amount, answer.provider_reference, f"the provider says {answer.amount}")
    reason = None if isinstance(answer, Refunded | RefundPending) else answer.reason
    reference = None if isinstance(answer, Declined) else answer.provider_reference
    record(books, refund, place, SAYS[type(answer)], reference, reason)


def _send(books: Books, tree: OrderTree, refund: Refund, place: int) -> RefundAnswer:
    """Ask the provider to refund, if it was this very call that took the charge. Raises ChargeBusy."""
    part, payment = refund.parts[place], _payment(tree, refund.parts[place])
    send = SendRefundPart(refund.id, place)
    taken = books.run(send, by_system(refund.tenant), f"refund:{refund.id}:{place}:send:{refund.version}")
    if taken.replayed:  # by somebody who may be asking now, or by this step before it lost its connection
        raise ChargeBusy(payment.id, refund.id)
    call = RefundCall(refund.tenant, reference_of(refund, place), payment.charge_reference, part.amount)
    return books.providers[payment.provider].refund(call)


def _known(books: Books, tree: OrderTree, refund: Refund, place: int) -> RefundAnswer | None:
    """What the provider knows of a part; None if nothing."""
    payment = _payment(tree, refund.parts[place])
    listed = books.providers[payment.provider].list_refunds(refund.tenant, payment.charge_reference)
    if isinstance(listed, Unknown):
        return listed
    reference = reference_of(refund, place)
    return next((each.outcome for each in listed if each.reference == reference), None)


# -- Parts of commands


def _given_back(plan: Plan, refund: Refund, part: RefundPart, tree: OrderTree, work: Work) -> list[Posting]:
    """The customer has this part: save whoever gave it, and say what was posted."""
    if part.payment_id is not None:
        payment = _payment(tree, part).free(refund.id).give_back(part.amount)
        facts = {"order_id": payment.order_id, "provider": payment.provider, "amount": part.amount}
        plan.save(payment).emit(Event("order.payment.refunded", payment.id, payment.version + 1, facts))
    if part.method == "provider":
        return [debit(RECEIVABLE, part.amount), credit(cash_at(part.provider or ""), part.amount)]
    if part.method == "outside":
        return [debit(RECEIVABLE, part.amount), credit(cash_at("manual"), part.amount)]
    return _to_wallet(plan, refund, part, tree.order, work)


def _to_wallet(plan: Plan, refund: Refund, part: RefundPart, order: Order, work: Work) -> list[Posting]:
    """The lots that paid come back; what a provider would not give back is credit, marked as a refund."""
    desk = at_desk(order.customer_id or "", work)
    draw = order.tenders[part.tender].draw
    back = draw.back(part.after, part.amount.amount) if draw else Back((_credit(refund, part, desk, work),))
    after = given_back(back.lots, desk, work)
    moved = write(plan, desk.wallet, after, work, why="refunded", about=refund.id, note=order.number)
    return postings(after.customer_id, moved, RECEIVABLE, -back.points_pay if back.points_pay else None)


def _credit(refund: Refund, part: RefundPart, desk: Desk, work: Work) -> Lot:
    amount, money = part.amount.amount, part.amount
    source = f"refund {refund.id}"
    try:
        snapshot = desk.programme.snapshot(money)
    except RateMissing:  # the money moved: it is not the customer's loss that nobody knows what it is worth
        snapshot = None
    return Lot(
        work.ids.new("lot"), Kind.STORE_CREDIT, money.currency, amount, amount, source, work.at, snapshot=snapshot
    )


def _failed(plan: Plan, refund: Refund, tree: OrderTree, work: Work) -> Plan:
    """No money moved: it does not count as given back any more, and its credit note is void."""
    after = take(tree, refund.lines, refund.parts, -1)
    key = credit_note_key(work.tenant, refund.id)
    note = work.fetch(key)[key]
    assert note is not None
    void = replace(note, voided_at=work.at)
    touched = {line.vendor_order for line in refund.lines}
    return (
        plan.save(after.order, void, *(share for share in after.vendor_orders if share.id in touched))
        .post(reversal(tree, after, debit(RECEIVABLE, refund.amount)))
        .emit(news(refund, "failed"), credit_note_news(void, "voided"))
    )


def _tell(before: Refund, after: Refund) -> list[Event]:
    """The news of a refund whose status changed."""
    return [news(after, after.status)] if before.status is not after.status else []


def _payment(tree: OrderTree, part: RefundPart) -> Payment:
    for payment in tree.payments:
        if payment.id == part.payment_id:
            return payment
    raise UnknownPayment(part.payment_id or "")
