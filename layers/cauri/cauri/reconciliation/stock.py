"""The counters of stock, over all orders of the tenant: what is allocated in a cell is what was sold from there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from cauri.books.caller import Caller
from cauri.clock import Instant
from cauri.ids import digest
from cauri.inventory.model import CATALOGUE_SHARDS, EARMARK, Cell, Product
from cauri.inventory.store import PRODUCTS, cell_keys
from cauri.orders.model import LineStatus
from cauri.orders.queries import orders_at
from cauri.orders.repairs import ABANDONED_AFTER, RepairStock
from cauri.parties.queries import vendors_of
from cauri.reconciliation.looking import Sight, standing
from cauri.reconciliation.model import KEPT_MAX, Difference, Looked, Repair
from cauri.reconciliation.reading import PAGE, listed
from cauri.reconciliation.subjects import Of, Subject, look_at

Place = tuple[str, str, int]
"""SKU, location, and number of a cell."""
SOLD = (LineStatus.ALLOCATED, LineStatus.BACKORDERED)


def look_at_stock(sight: Sight) -> Looked:
    """Every product. The orders are read once, for all products together; in memory is a number per cell.

    What the lists of orders say may be behind. So a product that looks wrong by them is looked at the way that a repair
    would, and what that would correct is the difference.
    """
    sold, orders = _sold(sight)
    checked: Counter[str] = Counter(vendor_orders=orders)
    found: list[Difference] = []
    names = [f"catalogue#{shard:02d}" for shard in range(CATALOGUE_SHARDS)]
    for products in listed(sight.database, PRODUCTS, sight.tenant, names):
        checked.update(products=len(products))
        subjects = [Subject(Of.SKU, product.sku) for product in products]
        found += standing(sight, lambda: look_at(sight, subjects))  # noqa: B023 - looked at now
        doubted = [product.sku for product in products if _is_doubtful(product, _cells(sight, product), sold, sight)]
        found += standing(sight, lambda: (one for sku in doubted for one in _as_repaired(sight, sku)))  # noqa: B023
    return Looked(checked, tuple(found[:KEPT_MAX]))


def _sold(sight: Sight) -> tuple[Counter[Place], int]:
    """The units that orders have, by cell, and how many vendor orders there are."""
    sold: Counter[Place] = Counter()
    orders = 0
    for vendor_id in _vendors(sight):
        after: str | None = None
        while True:
            page = orders_at(sight.database, sight.tenant, vendor_id, after=after, limit=PAGE)
            orders += len(page.items)
            for line in (line for share in page.items for line in share.lines if line.status in SOLD):
                sold.update({(part.sku, part.location, part.cell): part.quantity for part in line.stock})
            if (after := page.position) is None:
                break
    return sold, orders


def _vendors(sight: Sight) -> Iterator[str]:
    after: str | None = None
    while True:
        page = vendors_of(sight.database, sight.tenant, after=after, limit=PAGE)
        yield from (vendor.id for vendor in page.items)
        if (after := page.position) is None:
            return


def _cells(sight: Sight, product: Product) -> list[Cell]:
    keys = cell_keys(product)
    found = sight.database.fetch(keys)
    return [cell for key in keys if (cell := found[key])]


def _is_doubtful(product: Product, cells: list[Cell], sold: Counter[Place], sight: Sight) -> bool:
    now = sight.clock()
    return any(
        cell.allocated != sold[cell.sku, cell.location, cell.number] or _keeps_too_long(cell, now) for cell in cells
    )


def _keeps_too_long(cell: Cell, now: Instant) -> bool:
    """A claim was kept for an order, long ago, and neither allocated nor given back."""
    long_ago = (now - ABANDONED_AFTER).timestamp()
    return any(not claim.held and owner != EARMARK and claim.expires < long_ago for owner, claim in cell.claims.items())


def _as_repaired(sight: Sight, sku: str) -> Iterator[Difference]:
    """What a repair of the product would correct now."""
    for found in _dry_run(sight, sku):
        evidence = dict(found)
        where = f"{found['location']}" + ("" if found["cell"] is None else f", cell {found['cell']}")
        says = (
            f"{found['counter']} of {sku} at {where}: the records come to {found['recorded']}, "
            f"and the counter says {found['found']}"
        )
        about = f"{found['counter']} {where}"
        yield Difference("stock_counters", sku, says, evidence, repair=Repair("repair_stock", sku), about=about)


def _dry_run(sight: Sight, sku: str) -> list[dict[str, object]]:
    key = f"look:{digest(sku, sight.clock().isoformat())}"
    caller = Caller(sight.tenant, "system:reconciliation")
    answer = sight.books.run(RepairStock(sku), caller, key, dry_run=True)
    differences: list[dict[str, object]] = json.loads(answer.body)["differences"]
    return differences
