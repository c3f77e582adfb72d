"""The figures of a time, record by record: what was sold, paid, delivered and settled. Source: SPEC 16."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from cauri.books.ledger import COMMISSION, DEFERRED_REVENUE, RECEIVABLE, TAX, Posting, role_of
from cauri.books.log import Record
from cauri.clock import Instant
from cauri.money import Money
from cauri.reconciliation.model import Difference, Figures, Severity
from cauri.values import dataclass, field

PAID: Final = frozenset({"payment received", "order confirmed"})
"""Entries that lower what orders owe since somebody paid: a provider's money as it comes, and what a wallet pays in
the entry that confirms the order. Each is one payment."""
REVERSES: Final = frozenset({"refund"})
"""Entries that take back what others did: they deliver nothing."""
RETURNED: Final = "payment refunded"
SETTLED: Final = "settlement.initiated"
UNDER_WAY: Final = timedelta(minutes=1)
"""An order is confirmed within seconds of its last payment."""
UNMATCHED_MAX: Final = 200
"""Orders whose payments and totals differ that are listed by name."""


@dataclass
class Sums:
    """The figures so far, and the orders that were not paid and sold alike in this time."""

    by_currency: dict[str, Figures] = field(default_factory=dict)
    unmatched: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(paid, sold) by order and currency. What agrees is forgotten, so this is as long as what is under way."""
    touched: dict[str, Instant] = field(default_factory=dict)
    """When each of these orders was last paid, sold or given back."""

    def add(self, record: Record) -> None:
        for figures in (*figures_of(record), *self._returned(record)):
            known = self.by_currency.get(figures.currency, Figures(figures.currency))
            self.by_currency[figures.currency] = known + figures
            if figures.orders or figures.payments:
                self._match(_order_of(record), figures, record.at)

    def _returned(self, record: Record) -> Iterator[Figures]:
        """Money that went back since its order was never sold: it only passed through."""
        if record.entry is None or record.entry.kind != RETURNED:
            return
        for posting in record.entry.postings:
            paid, sold = self.unmatched.get((_order_of(record), posting.asset), (0, 0))
            if posting.account == RECEIVABLE and paid and not sold:
                yield Figures(posting.asset, payments=-posting.amount, payments_count=-1)

    def figures(self) -> tuple[Figures, ...]:
        return tuple(self.by_currency[currency] for currency in sorted(self.by_currency))

    def differences(self, now: Instant) -> Iterator[Difference]:
        """Each order that makes up a variance, but those that somebody is just paying."""
        settled = {at: sums for at, sums in self.unmatched.items() if self.touched[at[0]] + UNDER_WAY < now}
        for (order_id, currency), (paid, sold) in sorted(settled.items())[:UNMATCHED_MAX]:
            came, was = Money(paid, currency), Money(sold, currency)
            says = f"{order_id} was paid {came} in this time, and sold for {was}"
            evidence = {"paid": paid, "sold": sold, "currency": currency}
            yield Difference("payment_variance", order_id, says, evidence, Severity.NOTICE, about=currency)

    def _match(self, order_id: str, figures: Figures, moment: Instant) -> None:
        at = (order_id, figures.currency)
        paid, sold = self.unmatched.pop(at, (0, 0))
        self.touched.pop(order_id, None)
        paid, sold = paid + figures.payments, sold + figures.orders
        if paid != sold:
            self.unmatched[at] = (paid, sold)
            self.touched[order_id] = moment


def figures_of(record: Record) -> Iterator[Figures]:
    """What one record adds, by currency."""
    for event in record.events:
        if event.name == "order.confirmed":
            sold = _money(event.data["total"])
            yield Figures(sold.currency, orders=sold.amount, orders_count=1)
        if event.name == SETTLED:
            gross, commission, net = (_money(event.data[name]) for name in ("gross", "commission", "net"))
            yield Figures(
                gross.currency,
                gross_settled=gross.amount,
                commission=commission.amount,
                net_to_suppliers=net.amount,
            )
    if record.entry is None:
        return
    postings = record.entry.postings
    for currency in sorted({posting.asset for posting in postings}):
        of_it = [posting for posting in postings if posting.asset == currency]
        if record.entry.kind in PAID and (paid := -sum(one.amount for one in of_it if _pays(one))):
            yield Figures(currency, payments=paid, payments_count=1)
        delivered = sum(one.amount for one in of_it if one.account == DEFERRED_REVENUE)
        if delivered > 0 and record.entry.kind not in REVERSES and any(_is_earned(one) for one in of_it):
            yield Figures(currency, delivered=delivered)


def _pays(posting: Posting) -> bool:
    return posting.account == RECEIVABLE and posting.amount < 0


def _is_earned(posting: Posting) -> bool:
    """What deferred revenue becomes as goods are accepted."""
    return posting.amount < 0 and (role_of(posting.account) == "payable" or posting.account in (COMMISSION, TAX))


def _order_of(record: Record) -> str:
    for event in record.events:
        if event.resource.startswith("ord_"):
            return event.resource
        if "order_id" in event.data:
            return str(event.data["order_id"])
    return record.log_id


def _money(value: Mapping[str, Any]) -> Money:
    return Money(value["amount"], value["currency"])
