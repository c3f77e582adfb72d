"""A busy day at a shop, whose accounts are folded as the stream would do it; and its reconciliation, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cauri.billing.allocating import AllocatePayment
from cauri.billing.commands import RecordDelivery
from cauri.billing.invoicing import InvoicePeriod
from cauri.billing.receiving import ReceivePayment
from cauri.books.fold import Fold
from cauri.books.log import Record
from cauri.books.replaying import with_replayed
from cauri.books.trail import trail_of
from cauri.inventory.claims import Claims
from cauri.money import Money
from cauri.providers.ports import Captured
from cauri.providers.statements import Charges, KnownCharge, KnownSettlement, Page, Period, Settlements
from cauri.providers.unknown import Unknown
from cauri.reconciliation.commands import Reconcile, RepairFinding
from cauri.reconciliation.looking import Letter
from cauri.reconciliation.model import Kind
from cauri.reconciliation.queries import findings_of, report_of
from cauri.reconciliation.reading import read_logged
from cauri.reconciliation.saga import ReconciliationSaga
from cauri.reconciliation.views import FindingView, ReportView, finding_view, report_view
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked, LineAsked
from cauri.refunds.saga import RefundSaga
from cauri.wallet.lots import Kind as CreditKind

from tests.engines import Engine
from tests.proof.examples.billing import AMINA, OCTOBER
from tests.proof.examples.billing import busy as billing
from tests.proof.examples.worlds import a_confirmed_order, an_order, give_up, release
from tests.proof.picture import read_everything
from tests.proof.state import items
from tests.shop import Shop


@dataclass
class Lists:
    """What the provider says it took, which is what it has done, unless a test says otherwise."""

    shop: Shop
    more: list[KnownCharge] = field(default_factory=list)
    settled: dict[str, tuple[KnownSettlement, list[KnownCharge]]] = field(default_factory=dict)
    silent: str = ""

    def charges(self, tenant: str, period: Period, page: str | None = None) -> Charges | Unknown:
        if self.silent:
            return Unknown(self.silent)
        truth = self.shop.provider.truth.items()
        took = [charge_of(reference, said) for reference, said in truth if isinstance(said, Captured)]
        listed = [one for one in (*took, *self.more) if period.since <= one.at < period.until]
        start = int(page or 0)  # two a page, so that there are pages
        return Page(tuple(listed[start : start + 2]), str(start + 2) if len(listed) > start + 2 else None)

    def settlements(self, tenant: str, period: Period, page: str | None = None) -> Settlements | Unknown:
        return Page(tuple(one for one, _ in self.settled.values() if period.since <= one.on < period.until))

    def settled_charges(self, tenant: str, settlement_id: str, page: str | None = None) -> Charges | Unknown:
        return Page(tuple(self.settled[settlement_id][1]))


def charge_of(reference: str, said: Captured) -> KnownCharge:
    return KnownCharge(reference, said.provider_reference, "success", said.amount, None, said.at)


@dataclass
class Drawer:
    letters: list[Letter] = field(default_factory=list)

    def of(self, tenant: str) -> list[Letter]:
        return self.letters


@dataclass
class Desk:
    """Whoever reconciles a shop."""

    shop: Shop
    engine: Engine
    lists: Any = None
    drawer: Drawer = field(default_factory=Drawer)
    paused: list[float] = field(default_factory=list)
    folded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lists = Lists(self.shop)
        self.saga = ReconciliationSaga(self.shop.books, {"demo": self.lists}, self.drawer, self.paused.append)

    # -- What the stream does

    def records(self) -> list[Record]:
        """All that can be read, the oldest first."""
        stored: Mapping[str, Any] = items() if self.engine.name == "moto" else read_everything(self.engine)
        records = [one.record for one in map(read_logged, stored["log"]) if one.record and not one.record.undone]
        return sorted(records, key=lambda record: record.at)

    def fold(self, *, without: str = "") -> None:
        """Take what is new into the accounts, and follow what is replayed."""
        new = [one for one in self.records() if one.log_id not in self.folded and one.log_id != without]
        self.folded |= {one.log_id for one in new} | {without}
        followed = with_replayed(self.shop.database, new)
        Fold(self.shop.database).fold(followed, trail_of(followed))

    # -- What a reconciliation is

    def reconcile(self, kind: Kind = Kind.FULL, **period: Any) -> ReportView:
        """The report, a moment later, once every part was looked at."""
        self.shop.clock.advance(seconds=1)
        opened: str = self.shop.run(Reconcile(kind, **period))["id"]
        return self.go_on(opened)

    def go_on(self, report_id: str) -> ReportView:
        payload = {"step": "look", "tenant": self.shop.tenant, "report_id": report_id}
        while self.saga.run(payload)["next"] == "again":
            self.fold()
        return report_view(report_of(self.shop.database, self.shop.tenant, report_id))

    def findings(self, report: ReportView) -> list[FindingView]:
        page = findings_of(self.shop.database, self.shop.tenant, report.id, after=None, limit=1000)
        return [finding_view(one) for one in page.items]

    def found(self, kind: Kind = Kind.FULL, **period: Any) -> list[FindingView]:
        """What a new reconciliation finds."""
        return self.findings(self.reconcile(kind, **period))

    def repair(self, report: ReportView, finding: FindingView) -> Any:
        answer = self.shop.run(RepairFinding(report.id, finding.id))
        self.fold()
        return answer


def busy(shop: Shop, engine: Engine) -> Desk:
    """Orders in every state, refunds, credit, promotions: an hour ago, and all of it right."""
    sold = a_confirmed_order(shop, wallet=10_000)
    settle(shop, sold)
    asked = Asked(lines=(LineAsked("1", 1, restock=True),))
    refund = shop.run(RequestRefund(sold, asked, "Damaged"))["id"]
    pay_back(shop, refund)
    abandoned = an_order(shop)
    shop.clock.advance(minutes=16)
    give_up(shop, abandoned)
    release(shop, abandoned)
    shop.programme()
    shop.credit(7_000, days=200)
    shop.credit(500, CreditKind.POINTS)
    shop.redeem(2_500)
    shop.redeem(1_000, hold_minutes=600)
    bill(shop)
    shop.clock.advance(minutes=30)
    an_order(shop, wallet=5_000)
    desk = Desk(shop, engine)
    desk.fold()
    return desk


def bill(shop: Shop) -> None:
    """October is invoiced, part of what is owed is paid, and there is a delivery since."""
    billing(shop)
    shop.run(InvoicePeriod(AMINA, *OCTOBER, "KES"))
    paid = shop.run(ReceivePayment(AMINA, Money(520_000, "KES"), "Bank Transfer"))["id"]
    shop.run(AllocatePayment(paid))
    shop.run(ReceivePayment(AMINA, Money(4_000, "KES"), "Cash"))
    shop.run(RecordDelivery(AMINA, "Water, 20 l", date(2026, 11, 5), 3, Money(15_050, "KES"), "standard"))


def settle(shop: Shop, order_id: str) -> None:
    """Its stock is the order's, as the saga's last step makes it."""
    claims, parts = Claims(shop.database, shop.tenant), shop.tree(order_id).parts
    assert claims.keep(parts) == claims.allocate(parts) == []


def pay_back(shop: Shop, refund_id: str) -> None:
    watch = shop.watch(refund_id)
    saga, payload = RefundSaga(shop.books), {"tenant": shop.tenant, "refund_id": refund_id, "waits": 0, "watch": watch}
    for name in ("pay_back", "pay_back", "restock"):
        saga.run({"step": name, **payload})
