"""Reconciliations: begun, recorded part by part, resumed; and what they found, repaired."""

from __future__ import annotations

from cauri.books.log import log_id_of
from cauri.books.replaying import ReplayRecord
from cauri.ids import LogId
from cauri.money import Money
from cauri.payments.doubting import AskAboutPayment
from cauri.reconciliation.commands import Reconcile, RecordFindings, RepairFinding, by_system
from cauri.reconciliation.model import Difference, Figures, Looked, Part, Repair
from cauri.reconciliation.model import Kind as Looks
from cauri.reconciliation.resuming import ResumeReconciliation
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import Kind

from tests.proof.examples.worlds import Act, a_guests_order, an_order, example, market, sent
from tests.shop import START, Shop


def a_report(shop: Shop, kind: Looks = Looks.LIGHT) -> str:
    report: str = market(shop).run(Reconcile(kind))["id"]
    return report


def off(check: str = "stock_counters", repair: Repair | None = None) -> Difference:
    return Difference(check, "basket", "allocated of basket is 3, and orders have 2", {"found": 3}, repair=repair)


def looked(*differences: Difference) -> Looked:
    return Looked({"records": 7}, differences, (Figures("KES", orders=5, orders_count=1),))


def a_finding(shop: Shop, repair: Repair | None) -> RepairFinding:
    report, found = a_report(shop), off(repair=repair)
    shop.run(RecordFindings(report, Part.JOURNAL, looked(found), is_last=True), by_system(shop.tenant))
    return RepairFinding(report, found.id)


def a_gift(shop: Shop) -> LogId:
    gift = IssueCredit("cus_amina", Kind.STORE_CREDIT, Money(500, "KES"), "goodwill")
    market(shop).programme().run(gift, key="gift")
    return log_id_of(shop.tenant, shop.admin.subject, "gift")


@example(Reconcile, "of a day")
def _(shop: Shop) -> Act:
    return sent(Reconcile(Looks.FULL), market(shop).admin)


@example(Reconcile, "from where the last light one left off")
def _(shop: Shop) -> Act:
    report = a_report(shop)
    for part in (Part.JOURNAL, Part.WAITING):
        shop.run(RecordFindings(report, part, looked(), is_last=True), by_system(shop.tenant))
    shop.clock.advance(minutes=10)
    return sent(Reconcile(Looks.LIGHT), shop.admin)


@example(Reconcile, "refused, since it goes backwards")
def _(shop: Shop) -> Act:
    return sent(Reconcile(Looks.FULL, since=START, until=START), market(shop).admin)


@example(RecordFindings, "some of a part, which another part had found")
def _(shop: Shop) -> Act:
    report = a_report(shop)
    shop.run(RecordFindings(report, Part.JOURNAL, looked(off()), is_last=True), by_system(shop.tenant))
    more = looked(off(), off("stuck_order"))
    return sent(RecordFindings(report, Part.WAITING, more, is_last=False), by_system(shop.tenant))


@example(RecordFindings, "the last part")
def _(shop: Shop) -> Act:
    report = a_report(shop)
    shop.run(RecordFindings(report, Part.JOURNAL, looked(), is_last=True), by_system(shop.tenant))
    return sent(RecordFindings(report, Part.WAITING, looked(off()), is_last=True), by_system(shop.tenant))


@example(RecordFindings, "a part that is done")
def _(shop: Shop) -> Act:
    report = a_report(shop)
    shop.run(RecordFindings(report, Part.JOURNAL, looked(), is_last=True), by_system(shop.tenant))
    return sent(RecordFindings(report, Part.JOURNAL, looked(off()), is_last=True), by_system(shop.tenant))


@example(RecordFindings, "refused, since there is no such report")
def _(shop: Shop) -> Act:
    return sent(RecordFindings("rec_nobody", Part.JOURNAL, looked(), is_last=True), market(shop).admin)


@example(ResumeReconciliation, "under a new name")
def _(shop: Shop) -> Act:
    report = a_report(shop)
    return sent(ResumeReconciliation(report, f"{report}-again"), by_system(shop.tenant))


@example(RepairFinding, "by the repair of stock")
def _(shop: Shop) -> Act:
    return sent(a_finding(shop, Repair("repair_stock", "basket")), shop.admin)


@example(RepairFinding, "by a replay")
def _(shop: Shop) -> Act:
    return sent(a_finding(shop, Repair("replay_record", a_gift(shop))), shop.admin)


@example(RepairFinding, "by the saga of an order")
def _(shop: Shop) -> Act:
    return sent(a_finding(shop, Repair("resume_checkout", a_guests_order(shop))), shop.admin)


@example(RepairFinding, "refused, since nothing repairs it")
def _(shop: Shop) -> Act:
    return sent(a_finding(shop, None), shop.admin)


@example(RepairFinding, "refused, since it was repaired")
def _(shop: Shop) -> Act:
    repair = a_finding(shop, Repair("repair_stock", "basket"))
    shop.run(repair)
    return sent(repair, shop.admin, "another key")


@example(ReplayRecord, "a gift")
def _(shop: Shop) -> Act:
    return sent(ReplayRecord(a_gift(shop)), shop.admin)


@example(ReplayRecord, "refused, since there is no such record")
def _(shop: Shop) -> Act:
    return sent(ReplayRecord(LogId("0" * 40)), market(shop).admin)


@example(AskAboutPayment, "that nobody heard of")
def _(shop: Shop) -> Act:
    [payment] = shop.tree(an_order(shop)).payments
    return sent(AskAboutPayment(payment.id), shop.admin)
