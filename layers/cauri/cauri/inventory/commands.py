"""Put products into the catalogue, and stock on the shelf."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.inventory.model import MAIN, Product, SkuTaken, UnknownSku, cells_for, stock_of
from cauri.inventory.store import Receipt, cell_key, product_key
from cauri.inventory.views import product_view
from cauri.money import split_units
from cauri.parties.model import STANDARD, UnknownTenant, UnknownVendor
from cauri.parties.store import tenant_key, vendor_key


@dataclass(frozen=True)
class PutProduct(Command):
    """A product, new or changed. Orders that were placed keep what was true at their time."""

    name: ClassVar = "put_product"
    sku: str
    vendor_id: str
    title: str
    prices: dict[str, int]
    tax_class: str = STANDARD
    weight_grams: int | None = None
    dimensions_mm: tuple[int, int, int] | None = None
    variant_of: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReceiveStock(Command):
    """Units that arrive from a supplier."""

    name: ClassVar = "receive_stock"
    sku: str
    quantity: int
    reason: str = "receipt"


@decides(PutProduct)
def put_product(command: PutProduct, work: Work) -> Plan:
    key, vendor = product_key(work.tenant, command.sku), vendor_key(work.tenant, command.vendor_id)
    found = work.fetch(tenant_key(work.tenant), vendor, key)
    tenant, known = found[tenant_key(work.tenant)], found[key]
    if tenant is None:
        raise UnknownTenant
    if found[vendor] is None or not _sells_as(work, command.vendor_id):
        raise UnknownVendor(command.vendor_id)
    if known and not _sells_as(work, known.vendor_id):
        raise SkuTaken(command.sku)
    tenant.tax_rate(command.tax_class)
    product = Product(
        work.tenant,
        command.sku,
        command.vendor_id,
        command.title,
        command.prices,
        command.tax_class,
        command.weight_grams,
        command.dimensions_mm,
        command.variant_of,
        command.options,
        cells=known.cells if known else 1,
        version=known.version if known else 0,
    )
    return Plan(product_view(product)).save(product).emit(Event("product.updated", product.sku, product.version + 1))


@decides(ReceiveStock)
def receive_stock(command: ReceiveStock, work: Work) -> Plan:
    key = product_key(work.tenant, command.sku)
    product = work.fetch(key)[key]
    if product is None or not _sells_as(work, product.vendor_id):
        raise UnknownSku(command.sku)
    known = work.fetch(*(cell_key(work.tenant, product.sku, MAIN, cell) for cell in range(product.cells)))
    cells = [known[cell_key(work.tenant, product.sku, MAIN, cell)] for cell in range(product.cells)]
    before = stock_of(product.sku, filter(None, cells))
    number = max(product.cells, cells_for(before.available + command.quantity))
    shares = split_units(command.quantity, [1] * number)
    receipts = [
        Receipt(work.tenant, product.sku, MAIN, cell, units)
        for cell, units in enumerate(shares)
        if units or cell >= product.cells or cells[cell] is None
    ]
    after = replace(before, on_hand=before.on_hand + command.quantity, available=before.available + command.quantity)
    facts = {"quantity": command.quantity, "location": MAIN, "reason": command.reason}
    return (
        Plan(after)
        .save(replace(product, cells=number), *receipts)
        .emit(Event("stock.received", product.sku, product.version + 1, facts))
    )


def _sells_as(work: Work, vendor_id: str) -> bool:
    """A vendor changes its own products; to it, those of others do not exist."""
    caller = work.caller
    return caller.is_staff or caller.vendor_id in (None, vendor_id)
