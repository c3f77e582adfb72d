"""What settling touches, as one change: the account, invoices, and credits, whatever settles them.

A `Settlement` begins with what was read, takes one share after another, and is written in one transaction: so the
payment, each target, and what the customer owes change together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cauri.billing.model import Account, Invoice, InvoiceStatus, Standing, UnknownInvoice
from cauri.billing.payments import OPENING, AllocationExceedsTarget
from cauri.billing.store import invoice_key
from cauri.books.plan import Event
from cauri.books.shelf import Found, Key
from cauri.errors import ContendedError
from cauri.money import Money


class Settlement:
    """What is owed, share by share settled, in one currency."""

    def __init__(self, account: Account, currency: str, invoices: Mapping[str, Invoice]) -> None:
        self.account = account
        self.currency = currency
        self._before = dict(invoices)
        self.invoices = dict(invoices)

    def open(self, target: str) -> Money:
        """What is left to pay of a target. Raises InvoiceNotOpen where nothing ever can be."""
        if target == OPENING:
            return Money(self.account.of(self.currency).opening, self.currency)
        return self.invoices[target].settle(0).open

    def settle(self, target: str, amount: int) -> None:
        """So many more minor units of the target are paid, or, below zero, are not. Raises AllocationExceedsTarget."""
        open_on = self.open(target)
        if amount > open_on.amount:
            raise AllocationExceedsTarget(target, Money(amount, self.currency), open_on)
        if target == OPENING:
            self.account = self.account.moved(self.currency, Standing(opening=-amount))
            return
        self.invoices[target] = self.invoices[target].settle(amount)
        self.account = self.account.moved(self.currency, Standing(invoiced=-amount))

    @property
    def changed(self) -> list[Any]:
        """What is to be saved."""
        return [self.account, *(one for one in self.invoices.values() if one != self._before[one.id])]

    def events(self) -> list[Event]:
        """That invoices are paid now."""
        paid = [one for one in self.invoices.values() if one != self._before[one.id]]
        return [
            Event("invoice.paid", one.id, one.version + 1, {"customer_id": one.customer_id, "number": one.number})
            for one in paid
            if one.status is InvoiceStatus.PAID and self._before[one.id].status is not InvoiceStatus.PAID
        ]


def invoices_in(found: Found, tenant: str, customer_id: str, currency: str, ids: Iterable[str]) -> dict[str, Invoice]:
    """Raises UnknownInvoice, also for another customer's, and for one of another currency: no payment fits it."""
    invoices: dict[str, Invoice] = {}
    for invoice_id in ids:
        invoice = found[invoice_key(tenant, invoice_id)]
        if invoice is None or invoice.customer_id != customer_id:
            raise UnknownInvoice(invoice_id)
        invoice.require_currency(currency)
        invoices[invoice_id] = invoice
    return invoices


def require_unchanged(found: Found, key: Key[Any], seen: Any) -> None:
    """What was read first is still what the rest was read with. Raises ContendedError: then all is read again."""
    now = found[key]
    if now is None or now.version != seen.version:
        raise ContendedError("it was changed while the rest was read")
