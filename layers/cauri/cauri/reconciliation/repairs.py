"""The commands that repair what a reconciliation finds, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cauri.books.replaying import ReplayRecord
from cauri.books.work import Command
from cauri.checkout.resuming import ResumeCheckout
from cauri.clock import Instant
from cauri.ids import LogId
from cauri.orders.repairs import RepairStock
from cauri.payments.doubting import AskAboutPayment
from cauri.reconciliation.model import Finding, NothingRepairsIt
from cauri.reconciliation.resuming import ResumeReconciliation
from cauri.refunds.paying import ContinueRefund

Repairing = Callable[[str, Instant], Command]
"""The command about a resource; the time names what has to have a new name, an execution above all."""


def _again(name: str, at: Instant) -> str:
    return f"{name}-{at:%Y%m%dT%H%M%S}"


REPAIRS: Final[Mapping[str, Repairing]] = {
    RepairStock.name: lambda sku, _: RepairStock(sku),
    ReplayRecord.name: lambda record, _: ReplayRecord(LogId(record)),
    ResumeCheckout.name: lambda order, at: ResumeCheckout(order, _again(order, at)),
    ContinueRefund.name: lambda refund, at: ContinueRefund(refund, _again(refund, at)),
    AskAboutPayment.name: lambda payment, _: AskAboutPayment(payment),
    ResumeReconciliation.name: lambda report, at: ResumeReconciliation(report, _again(report, at)),
}


def repair_of(finding: Finding, at: Instant) -> Command:
    """Raises NothingRepairsIt."""
    if finding.repair is None:
        raise NothingRepairsIt(finding.id, finding.check)
    return REPAIRS[finding.repair.command](finding.repair.about, at)
