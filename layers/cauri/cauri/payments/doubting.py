"""A payment that is doubted: its provider is asked once more, and what it says is recorded."""

from __future__ import annotations

from typing import ClassVar, Final

from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.payments.commands import load_payment
from cauri.values import dataclass

DOUBTED: Final = "payment.doubted"
"""It goes where news of charges go: whoever asks there can reach the provider, and comes again until it answers."""


@dataclass(frozen=True)
class AskAboutPayment(Command):
    """Have the provider asked what became of a payment. Nothing else follows from the question."""

    name: ClassVar = "ask_about_payment"
    payment_id: str


@decides(AskAboutPayment)
def ask_about_payment(command: AskAboutPayment, work: Work) -> Plan:
    payment = load_payment(command.payment_id, work)
    facts = {
        "order_id": payment.order_id,
        "provider": payment.provider,
        "kind": "charge.doubted",
        "reference": payment.charge_reference,
        "object": "",
    }
    answer = {"payment_id": payment.id, "status": str(payment.status)}
    return Plan(answer).emit(Event(DOUBTED, work.ids.new("dbt"), 1, facts))
