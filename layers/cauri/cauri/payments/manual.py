"""Staff records money that it received by hand."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from cauri.books.plan import Plan
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money
from cauri.payments.commands import load_payment, received
from cauri.payments.model import PaymentStatus
from cauri.values import dataclass


class Method(StrEnum):
    CASH = "cash"
    CHEQUE = "cheque"
    BANK_TRANSFER = "bank_transfer"


@dataclass
class PaymentNotManual(Refusal):
    """A provider takes this payment, and the provider says whether it did."""

    code: ClassVar[str] = "payment_not_manual"
    payment_id: str
    provider: str

    def detail(self) -> str:
        return f"Payment {self.payment_id} is taken by {self.provider!r}: only it can say whether it was paid."


@dataclass
class WrongReceiptAmount(Refusal):
    """Not what the payment comes to. Nothing was recorded."""

    code: ClassVar[str] = "wrong_receipt_amount"
    due: Money
    received: Money

    def detail(self) -> str:
        return f"The payment comes to {self.due}, and not to {self.received}."

    def facts(self) -> dict[str, object]:
        return {"due": self.due}


@dataclass(frozen=True)
class RecordReceipt(Command):
    """Staff has the money. `document` is what proves it."""

    name: ClassVar = "record_payment_receipt"
    payment_id: str
    received: Money
    method: Method
    document: str = ""


@dataclass(frozen=True)
class ReceiptView:
    payment_id: str
    order_id: str
    status: PaymentStatus
    amount: Money
    method: Method
    document: str
    received_at: Instant


@decides(RecordReceipt)
def record_receipt(command: RecordReceipt, work: Work) -> Plan:
    before = load_payment(command.payment_id, work)
    if before.provider != "manual":
        raise PaymentNotManual(before.id, before.provider)
    if command.received != before.amount:
        raise WrongReceiptAmount(before.amount, command.received)
    payment, plan = received(before, command.received, f"{command.method}:{command.document}", work.at)
    plan.answer = ReceiptView(
        payment.id, payment.order_id, payment.status, payment.amount, command.method, command.document, work.at
    )
    return plan
