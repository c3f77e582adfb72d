"""An accepted quote becomes an order: what suppliers agreed to deliver, at the prices they agreed to.

Staff send it, or the system in which the buyer accepted, since whoever sends it says what everything costs.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from cauri.books.plan import Plan
from cauri.books.shelf import Found, Key
from cauri.books.work import AlreadyDone, Command, Work, decides
from cauri.checkout.model import (
    LINES_MAX,
    QUANTITY_MAX,
    CartLine,
    NamedTwice,
    OrderCurrencyMismatch,
    QuantityTooLarge,
    TooManyLines,
)
from cauri.checkout.opening import Contact, Payer, known_contact, opened, order_number
from cauri.checkout.placing import Placing, place
from cauri.checkout.pricing import Item, quote
from cauri.checkout.reservation import Reserved, reservations
from cauri.checkout.tenders import TenderAsked, asks_wallet, tenders
from cauri.inventory.model import OutOfStock, Product, UnknownSku
from cauri.inventory.store import product_key
from cauri.money import Money
from cauri.orders.drawing import drawn
from cauri.orders.model import Delivery
from cauri.parties.emails import email_digest
from cauri.parties.model import STANDARD, Tenant, UnknownTenant, UnknownVendor, Vendor, VendorDisabled
from cauri.parties.store import tenant_key, vendor_key
from cauri.values import dataclass, replace
from cauri.wallet.changes import desk_keys, desk_of


@dataclass(frozen=True)
class QuotedLine:
    """So many of something, at `price` for one. Without a SKU it has a name, and no stock of ours."""

    quantity: int
    price: Money
    sku: str | None = None
    title: str = ""
    impa_code: str | None = None
    tax_class: str = STANDARD
    """Of what has no SKU; a product has its own."""


@dataclass(frozen=True)
class Selection:
    """What is taken of one supplier's quote. It is ready on a day, or so many days after the order; or nobody said."""

    vendor_id: str
    lines: tuple[QuotedLine, ...]
    estimated_ready_date: date | None = None
    lead_time_days: int | None = None

    def ready(self, ordered: date) -> str | None:
        if self.lead_time_days is not None:
            return (ordered + timedelta(days=self.lead_time_days)).isoformat()
        return self.estimated_ready_date.isoformat() if self.estimated_ready_date else None


@dataclass(frozen=True)
class OrderFromQuote(Command):
    """Place the order of a quote that was accepted."""

    name: ClassVar = "order_from_quote"
    rfq_id: str
    currency: str
    selections: tuple[Selection, ...]
    tenders: tuple[TenderAsked, ...]
    return_url: str
    customer_id: str | None = None
    """Whose order it is, where the buyer has an account; the wallet is theirs."""
    buyer_org_id: str | None = None
    contact: Contact | None = None
    delivery: Delivery | None = None
    demo_outcome: str = ""


@dataclass(frozen=True)
class _Agreed:
    """A line as it was agreed, and what it is a line of."""

    line: QuotedLine
    product: Product

    @property
    def cart_line(self) -> CartLine:
        product = self.product
        return CartLine(product.sku, self.line.quantity, product.vendor_id, product.cells, self.line.price.amount)


@decides(OrderFromQuote)
def order_from_quote(command: OrderFromQuote, work: Work) -> Plan:
    _require_sense(command)
    found, number, tenant = _load(command, work)
    pays = command.customer_id if asks_wallet(command.tenders) else None
    desk = desk_of(found, pays, work) if pays else None
    vendors = _vendors(command, found, work)
    agreed = _agreed(command, found, work)
    stock = _claim([each.cart_line for each in agreed if each.line.sku], tenant, work)
    items = [Item(each.product, each.line.quantity, each.line.impa_code) for each in agreed]
    priced = quote(items, vendors, tenant, command.currency)
    asked = tenders(command.tenders, priced.total, is_customer=command.customer_id is not None)
    paid_by = drawn(asked, priced.total - priced.tax, desk, work.at)
    placing = Placing(
        priced,
        paid_by,
        stock,
        number,
        has_contact=command.contact is not None,
        expires_at=work.at + tenant.reservation(work.books.settings.reservation),
        guest=_guest(command, work),
        customer_id=command.customer_id,
        rfq_id=command.rfq_id,
        buyer_org_id=command.buyer_org_id,
        delivery=command.delivery,
        ready={each.vendor_id: ready for each in command.selections if (ready := each.ready(work.at.date()))},
    )
    tree = place(placing, work)
    saves: list[Any] = [tree.order, *tree.vendor_orders, *known_contact(tree.order, command.contact)]
    refusals = [parts for parts in stock.values() if isinstance(parts, OutOfStock)]
    if refusals:
        raise refusals[0]
    email = command.contact.email if command.contact else ""
    return opened(tree, saves, Payer(command.return_url, email, command.demo_outcome), tenant, desk, work)


def _require_sense(command: OrderFromQuote) -> None:
    """Raises TooManyLines, NamedTwice, OrderCurrencyMismatch."""
    lines = [line for selection in command.selections for line in selection.lines]
    if len(lines) > LINES_MAX:
        raise TooManyLines
    named = [selection.vendor_id for selection in command.selections] + [line.sku for line in lines if line.sku]
    for name, times in Counter(named).items():
        if times > 1:
            raise NamedTwice(name)
    if any(line.price.currency != command.currency for line in lines):
        raise OrderCurrencyMismatch(command.currency)


def _guest(command: OrderFromQuote, work: Work) -> str | None:
    """Whose order it is until a customer proves the address: a digest."""
    if command.customer_id is not None or command.contact is None:
        return None
    return email_digest(work.books.settings.party_secret, work.tenant, command.contact.email)


def _load(command: OrderFromQuote, work: Work) -> tuple[Found, int, Tenant]:
    """All there is to read: its keys follow from the request. Raises AlreadyDone, since it claims before its commit."""
    keys: list[Key[Any]] = [work.record_key, tenant_key(work.tenant)]
    keys += [vendor_key(work.tenant, selection.vendor_id) for selection in command.selections]
    keys += [product_key(work.tenant, line.sku) for each in command.selections for line in each.lines if line.sku]
    if command.customer_id is not None and asks_wallet(command.tenders):
        keys += desk_keys(command.customer_id, work)
    reads: list[Any] = [functools.partial(work.fetch, *keys), functools.partial(order_number, work)]
    found, number = work.database.together(*reads)
    if (done := found[work.record_key]) is not None:
        raise AlreadyDone(done)
    tenant = found[tenant_key(work.tenant)]
    if tenant is None:
        raise UnknownTenant
    return found, number, tenant


def _vendors(command: OrderFromQuote, found: Found, work: Work) -> Mapping[str, Vendor]:
    vendors: dict[str, Vendor] = {}
    for selection in command.selections:
        vendor = found[vendor_key(work.tenant, selection.vendor_id)]
        if vendor is None:
            raise UnknownVendor(selection.vendor_id)
        if vendor.disabled:
            raise VendorDisabled(vendor.id)
        vendors[vendor.id] = vendor
    return vendors


def _agreed(command: OrderFromQuote, found: Found, work: Work) -> list[_Agreed]:
    """Every line with its product, at the price that was agreed. Raises UnknownSku, QuantityTooLarge."""
    return [
        _Agreed(line, _product(line, selection.vendor_id, command.currency, found, work))
        for selection in command.selections
        for line in selection.lines
    ]


def _product(line: QuotedLine, vendor_id: str, currency: str, found: Found, work: Work) -> Product:
    if line.quantity > QUANTITY_MAX:
        raise QuantityTooLarge(line.sku or line.title)
    prices = {currency: line.price.amount}
    if line.sku is None:
        return Product(work.tenant, "", vendor_id, line.title, prices, line.tax_class)
    known = found[product_key(work.tenant, line.sku)]
    if known is None or known.vendor_id != vendor_id:
        raise UnknownSku(line.sku)
    return replace(known, prices=prices, title=line.title or known.title)


def _claim(lines: Sequence[CartLine], tenant: Tenant, work: Work) -> dict[str, Reserved]:
    ordered = sorted(lines, key=lambda line: line.sku)
    if not ordered:
        return {}
    reserved = work.database.together(*reservations(ordered, tenant, work))
    return {line.sku: parts for line, parts in zip(ordered, reserved, strict=True)}
