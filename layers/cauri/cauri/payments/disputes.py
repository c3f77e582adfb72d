"""A shopper's complaint at the bank about a payment, as the provider tells of it."""

from __future__ import annotations

from typing import ClassVar, Final

from cauri.books.plan import Event, Plan
from cauri.books.shelf import Key, Shelf, shelve
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.ids import digest
from cauri.money import Money
from cauri.providers.ports import KnownDispute
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class PaymentDispute:
    """`status` and `resolution` are the provider's words. One that is resolved stays so."""

    tenant: str
    provider: str
    id: str
    payment_id: str
    status: str
    amount: Money | None
    due_at: Instant | None
    opened_at: Instant
    resolution: str | None = None
    resolved: bool = False
    version: int = 0


DISPUTES: Final = shelve(
    Shelf(
        "commerce",
        PaymentDispute,
        place=lambda dispute: _place(dispute.provider, dispute.id),
        tenant=lambda dispute: dispute.tenant,
    )
)


@dataclass(frozen=True)
class RecordDispute(Command):
    """The provider said, when asked, how a dispute stands."""

    name: ClassVar = "record_payment_dispute"
    payment_id: str
    provider: str
    dispute_id: str
    status: str
    amount: Money | None
    due_at: Instant | None
    resolution: str | None
    resolved: bool


@decides(RecordDispute)
def record_dispute(command: RecordDispute, work: Work) -> Plan:
    key = dispute_key(work.tenant, command.provider, command.dispute_id)
    known = work.fetch(key)[key]
    said = PaymentDispute(
        work.tenant,
        command.provider,
        command.dispute_id,
        command.payment_id,
        command.status,
        command.amount,
        command.due_at,
        known.opened_at if known else work.at,
        command.resolution,
        command.resolved,
        known.version if known else 0,
    )
    answer = {"dispute_id": said.id, "payment_id": said.payment_id}
    if known is not None and (known.resolved or known == said):
        return Plan(answer)
    name = "resolved" if said.resolved else "updated" if known else "opened"
    facts = {"payment_id": said.payment_id, "provider": said.provider, "status": said.status, "amount": said.amount}
    return (
        Plan(answer)
        .save(replace(said, version=said.version))
        .emit(Event(f"order.payment.dispute_{name}", said.payment_id, said.version + 1, facts))
    )


def dispute_id_of(said: KnownDispute) -> str:
    """Names what was said of a dispute: the same again is no news."""
    facts = (said.resolution, said.amount, said.due_at, said.resolved_at)
    return digest(said.id, said.status, *map(repr, facts))


def dispute_key(tenant: str, provider: str, dispute_id: str) -> Key[PaymentDispute]:
    return DISPUTES.key(tenant, *_place(provider, dispute_id))


def _place(provider: str, dispute_id: str) -> tuple[str, str]:
    return (f"dispute#{provider}#{dispute_id}", "dispute")
