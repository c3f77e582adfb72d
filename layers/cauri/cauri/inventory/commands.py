"""Put products into the catalogue, and stock on the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.inventory.levels import levelled
from cauri.inventory.model import (
    BACKORDER,
    CellChange,
    Product,
    SameLocation,
    SkuTaken,
    UnknownLocation,
    UnknownSku,
)
from cauri.inventory.movements import AdjustmentReason, Movement, MovementKind
from cauri.inventory.shelves import Shelves, shelves_of
from cauri.inventory.store import product_key
from cauri.inventory.views import product_view
from cauri.parties.model import MAIN, STANDARD, UnknownTenant, UnknownVendor
from cauri.parties.store import tenant_key, vendor_key
from cauri.values import dataclass, field


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
    low_stock: int | None = None
    backorder: bool = False
    backorder_limit: int | None = None


@dataclass(frozen=True)
class ReceiveStock(Command):
    """Units that arrive from a supplier."""

    name: ClassVar = "receive_stock"
    sku: str
    quantity: int
    reason: str = "receipt"
    location: str = MAIN


@dataclass(frozen=True)
class AdjustStock(Command):
    """What is there is not what the books say: so many more, or, if negative, fewer."""

    name: ClassVar = "adjust_stock"
    sku: str
    quantity: int
    reason: AdjustmentReason
    location: str = MAIN
    note: str = ""


@dataclass(frozen=True)
class MoveStock(Command):
    """Available units go from one location to another."""

    name: ClassVar = "move_stock"
    sku: str
    quantity: int
    from_location: str
    to_location: str
    note: str = ""


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
        command.low_stock,
        backorder=command.backorder,
        backorder_limit=command.backorder_limit,
        is_low=bool(known and known.is_low and command.low_stock is not None),
        cells=known.cells if known else {},
        sellers=tuple(dict.fromkeys([*(known.sellers if known else ()), command.vendor_id])),
        version=known.version if known else 0,
    )
    more = product.backorder_capacity - (known.backorder_capacity if known else 0)
    shelves = shelves_of(product, work) if more else Shelves(product, ())
    changes = shelves.sell_ahead(more) if more else []
    told = Event("product.updated", product.sku, product.version + 1)
    return Plan(product_view(product)).save(shelves.changed(changes).product, *changes).emit(told)


@decides(ReceiveStock)
def receive_stock(command: ReceiveStock, work: Work) -> Plan:
    shelves = _shelves(command.sku, work, to=command.location)
    changes = shelves.receive(command.quantity, command.location)
    facts = {"quantity": command.quantity, "location": command.location, "reason": command.reason}
    moved = _moved(command.sku, MovementKind.RECEIPT, command.location, command.quantity, command.reason, "", work)
    return _restocked(shelves, changes, [moved]).emit(_news("stock.received", shelves, facts))


@decides(AdjustStock)
def adjust_stock(command: AdjustStock, work: Work) -> Plan:
    shelves, quantity = _shelves(command.sku, work, at=command.location), command.quantity
    changes = shelves.put(quantity, command.location) if quantity > 0 else shelves.draw(-quantity, command.location)
    facts = {"quantity": quantity, "location": command.location, "reason": command.reason}
    kind = MovementKind.ADJUSTMENT
    moved = _moved(command.sku, kind, command.location, quantity, command.reason, command.note, work)
    return _restocked(shelves, changes, [moved]).emit(_news("stock.adjusted", shelves, facts))


@decides(MoveStock)
def move_stock(command: MoveStock, work: Work) -> Plan:
    here, there = command.from_location, command.to_location
    if here == there:
        raise SameLocation(here)
    shelves = _shelves(command.sku, work, at=here, to=there)
    changes = shelves.draw(command.quantity, here) + shelves.put(command.quantity, there)
    movements = [
        _moved(command.sku, MovementKind.MOVE, location, units, "", command.note, work)
        for location, units in ((here, -command.quantity), (there, command.quantity))
    ]
    facts = {"quantity": command.quantity, "from": here, "to": there}
    return _restocked(shelves, changes, movements).emit(_news("stock.moved", shelves, facts))


def _shelves(sku: str, work: Work, *, at: str | None = None, to: str | None = None) -> Shelves:
    """Everything there is of a SKU that is the caller's to handle.

    Units come `to` locations that the tenant has. They may be `at` one that it gave up, and have to leave it.
    """
    key = product_key(work.tenant, sku)
    found = work.fetch(tenant_key(work.tenant), key)
    product, tenant = found[key], found[tenant_key(work.tenant)]
    if product is None or tenant is None or not _sells_as(work, product.vendor_id):
        raise UnknownSku(sku)
    if at is not None and at not in {*tenant.locations, *product.cells} - {BACKORDER}:
        raise UnknownLocation(at, tenant.locations)
    if to is not None and to not in tenant.locations:
        raise UnknownLocation(to, tenant.locations)
    return shelves_of(product, work)


def _moved(sku: str, kind: MovementKind, location: str, quantity: int, reason: str, note: str, work: Work) -> Movement:
    mov = work.ids.new("mov")
    return Movement(work.tenant, sku, mov, work.at, kind, location, quantity, work.caller.subject, reason, note)


def _restocked(shelves: Shelves, changes: Sequence[CellChange], movements: Sequence[Movement]) -> Plan:
    """The changes, with their movements; and the news, if what is available crosses what counts as low."""
    after = shelves.changed(changes)
    product, news = levelled(after)
    return Plan(after.stock).save(product, *changes, *movements).emit(*news)


def _news(name: str, shelves: Shelves, facts: dict[str, object]) -> Event:
    return Event(name, shelves.product.sku, shelves.product.version + 1, facts)


def _sells_as(work: Work, vendor_id: str) -> bool:
    """A vendor changes its own products; to it, those of others do not exist."""
    caller = work.caller
    return caller.is_staff or caller.vendor_id in (None, vendor_id)
