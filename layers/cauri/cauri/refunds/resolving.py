"""What people do with a refund that can't go on without them."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from cauri.books.plan import Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.refunds.commands import MACHINE, news
from cauri.refunds.model import (
    IllegalRefundChange,
    MoneyBackNeedsCustomer,
    MoneyMayHaveMoved,
    PartStatus,
    Refund,
    RefundChange,
    RefundPart,
    RefundStatus,
)
from cauri.refunds.store import load_refund
from cauri.refunds.views import refund_view
from cauri.values import dataclass, replace


class Way(StrEnum):
    AGAIN = "again"
    """The provider is asked again, also for what it declined."""
    TO_WALLET = "to_wallet"
    """What the provider declined is store credit in the customer's wallet."""
    OUTSIDE = "outside"
    """What the provider declined was given back by hand: cash, or a bank transfer."""


@dataclass(frozen=True)
class ResolveRefund(Command):
    """Let a refund that needs attention go on, in this way."""

    name: ClassVar = "resolve_refund"
    refund_id: str
    way: Way


@decides(ResolveRefund)
def resolve_refund(command: ResolveRefund, work: Work) -> Plan:
    _, refund = load_refund(work.database, work.tenant, command.refund_id)
    if refund.status is not RefundStatus.NEEDS_ATTENTION:
        raise IllegalRefundChange(refund.id, refund.status, RefundChange.PROCESS)
    if command.way is Way.TO_WALLET and refund.customer_id is None:
        raise MoneyBackNeedsCustomer
    parts = tuple(_resolved(part, command.way, refund) for part in refund.parts)
    executions = refund.executions + 1
    on = replace(refund.change(RefundChange.PROCESS), parts=parts, executions=executions)
    saga = StartSaga(MACHINE, f"{refund.id}-{executions}", {"refund_id": refund.id})
    return Plan(refund_view(on)).save(on).start(saga).emit(news(on, "processing", way=command.way))


def _resolved(part: RefundPart, way: Way, refund: Refund) -> RefundPart:
    if part.status is PartStatus.DONE:
        return part
    if way is Way.AGAIN and part.status is PartStatus.DECLINED:
        return replace(
            part, status=PartStatus.WAITING, attempt=part.attempt + 1, asked_at=None, sent_at=None, reason=None
        )
    if way is Way.AGAIN:
        return replace(part, status=PartStatus.SENT, asked_at=None, reason=None)
    if part.status is not PartStatus.DECLINED:
        raise MoneyMayHaveMoved(refund.id)
    return replace(part, status=PartStatus.WAITING, method=way.removeprefix("to_"), reason=None)
