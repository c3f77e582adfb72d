"""A reconciliation that stopped goes on."""

from __future__ import annotations

from typing import ClassVar, Final

from cauri.books.plan import Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.reconciliation.store import load_report
from cauri.values import dataclass

MACHINE: Final = "reconciliation"


@dataclass(frozen=True)
class ResumeReconciliation(Command):
    """Start the saga of a reconciliation again, under a new name: it goes on behind the last part that is done."""

    name: ClassVar = "resume_reconciliation"
    report_id: str
    execution: str


@decides(ResumeReconciliation)
def resume_reconciliation(command: ResumeReconciliation, work: Work) -> Plan:
    report = load_report(command.report_id, work)
    saga = StartSaga(MACHINE, command.execution, {"report_id": report.id})
    return Plan({"execution": command.execution}).start(saga)
