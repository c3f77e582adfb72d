"""A checkout that was left for later goes on."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.plan import Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.values import dataclass


@dataclass(frozen=True)
class ResumeCheckout(Command):
    """Start the saga of an order again, under a new name."""

    name: ClassVar = "resume_checkout"
    order_id: str
    execution: str


@decides(ResumeCheckout)
def resume_checkout(command: ResumeCheckout, work: Work) -> Plan:
    saga = StartSaga("checkout", command.execution, {"order_id": command.order_id})
    return Plan({"execution": command.execution}).start(saga)
