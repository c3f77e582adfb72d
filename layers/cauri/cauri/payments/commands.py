"""Record what providers say about payments, once each, whoever hears it first."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.caller import Caller
from cauri.books.ledger import RECEIVABLE, cash_at, credit, debit, entry
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.money import Money
from cauri.payments.model import Payment, PaymentChange, UnknownPayment
from cauri.payments.store import payment_key
from cauri.payments.webhooks import WebhookEvent, packed
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class ReceiveWebhook(Command):
    """A delivery of a provider, believed (`refusal` is empty) or not."""

    name: ClassVar = "receive_webhook"
    provider: str
    body: str
    kind: str = ""
    reference: str = ""
    object: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class RecordPaymentSuccess(Command):
    """The provider confirmed, when asked, that it has the money: `taken`, which may not be what was asked."""

    name: ClassVar = "record_payment_success"
    payment_id: str
    taken: Money
    provider_reference: str
    settled_at: Instant


@dataclass(frozen=True)
class RecordPaymentFailure(Command):
    """The provider confirmed, when asked, that it will not take the money."""

    name: ClassVar = "record_payment_failure"
    payment_id: str
    reason: str


def by_system(tenant: str) -> Caller:
    """Who records what we asked a provider ourselves."""
    return Caller(tenant, "system:payments")


def success_key(payment_id: str) -> str:
    """The key of a fact, so that webhook, saga and recovery record it once between them."""
    return f"payment:{payment_id}:succeeded"


def failure_key(payment_id: str) -> str:
    return f"payment:{payment_id}:failed"


def late_saga_of(payment: Payment) -> str:
    """The name of the saga that takes late money on: each payment of an order may come late."""
    number = payment.id.rpartition("-")[2]
    return f"{payment.order_id}-late" if number == "1" else f"{payment.order_id}-late-{number}"


@decides(ReceiveWebhook)
def receive_webhook(command: ReceiveWebhook, work: Work) -> Plan:
    event = WebhookEvent(
        work.tenant,
        work.ids.new("whk"),
        command.provider,
        work.at,
        work.caller.ip,
        *packed(command.body),
        command.kind,
        command.reference,
        command.refusal,
    )
    plan = Plan({"received": event.id}).save(event)
    if command.refusal:
        return plan.emit(Event("webhook.refused", event.id, 1, {"provider": event.provider, "reason": command.refusal}))
    facts = {"provider": event.provider, "kind": event.kind, "reference": event.reference, "object": command.object}
    return plan.emit(Event("webhook.received", event.id, 1, facts))


@decides(RecordPaymentSuccess)
def record_payment_success(command: RecordPaymentSuccess, work: Work) -> Plan:
    before = load_payment(command.payment_id, work)
    _, plan = received(before, command.taken, command.provider_reference, command.settled_at)
    return plan


def received(before: Payment, taken: Money, reference: str, at: Instant) -> tuple[Payment, Plan]:
    """The payment once `taken` is with its provider, and what that changes."""
    is_right = taken == before.amount
    payment = replace(
        before.change(PaymentChange.SUCCEED if is_right else PaymentChange.MISMATCH),
        settled_at=at,
        provider_reference=reference,
        taken=None if is_right else taken,
    )
    plan = (
        Plan(_answer(payment))
        .save(payment)
        .post(entry("payment received", debit(cash_at(payment.provider), taken), credit(RECEIVABLE, taken)))
        .emit(_event("order.payment.received" if is_right else "order.payment.mismatched", payment))
    )
    if before.gave_up:  # the order's saga has ended, or is ending: another one takes the late money on
        plan.start(StartSaga("checkout", late_saga_of(payment), {"order_id": payment.order_id}))
    return payment, plan


@decides(RecordPaymentFailure)
def record_payment_failure(command: RecordPaymentFailure, work: Work) -> Plan:
    payment = load_payment(command.payment_id, work).change(PaymentChange.FAIL)
    return Plan(_answer(payment)).save(payment).emit(_event("order.payment.failed", payment, reason=command.reason))


def _answer(payment: Payment) -> dict[str, str]:
    return {"payment_id": payment.id, "order_id": payment.order_id, "status": payment.status}


def load_payment(payment_id: str, work: Work) -> Payment:
    payment = work.fetch(payment_key(work.tenant, payment_id))[payment_key(work.tenant, payment_id)]
    if payment is None:
        raise UnknownPayment(payment_id)
    return payment


def _event(name: str, payment: Payment, **more: object) -> Event:
    facts = {
        "order_id": payment.order_id,
        "provider": payment.provider,
        "amount": payment.taken or payment.amount,
        **more,
    }
    return Event(name, payment.id, payment.version + 1, facts)
