"""What people and programs may know of products and stock."""

from __future__ import annotations

import itertools

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step, begin_behind, go_on_behind
from cauri.books.listing import Page, read_partition, read_sharded
from cauri.inventory.model import CATALOGUE_SHARDS, Product, UnknownSku
from cauri.inventory.movements import Movement
from cauri.inventory.store import MOVEMENTS, PRODUCTS, cell_keys, movements_partition, product_key
from cauri.inventory.views import ProductView, StockView, product_view, stock_view


def product_of(database: Database, tenant: str, sku: str) -> ProductView:
    """Raises UnknownSku."""
    return product_view(_product(database, tenant, sku))


def stock_of(database: Database, caller: Caller, sku: str) -> StockView:
    """What is there, and who has claimed of it. To a vendor, other vendors' stock does not exist: UnknownSku."""
    keys = cell_keys(_own_product(database, caller, sku))
    found = database.fetch(keys)
    return stock_view(sku, [cell for key in keys if (cell := found[key])])


def movements_of(database: Database, caller: Caller, sku: str, *, after: str | None, limit: int) -> Page[Movement]:
    """What came, left or went elsewhere, the newest first. To a vendor, others' stock does not exist: UnknownSku."""
    _own_product(database, caller, sku)
    return _movements(database, caller.tenant, sku, after, limit, newest_first=True)


def explain_stock(database: Database, caller: Caller, sku: str, *, position: str | None, limit: int) -> Explanation:
    """Why so many units are on hand: the movements. To a vendor, others' stock does not exist: UnknownSku."""
    stock = stock_of(database, caller, sku)
    after, before = begin_behind(position, 0)
    page = _movements(database, caller.tenant, sku, after, limit, newest_first=False)
    sums = list(itertools.accumulate((movement.quantity for movement in page.items), initial=int(before)))
    steps = [
        Step(movement.at, " ".join([movement.kind, movement.reason]).strip(), movement.id, movement.quantity, units)
        for movement, units in zip(page.items, sums[1:], strict=True)
    ]
    return Explanation(stock.on_hand, steps, go_on_behind(page.position, sums[-1]))


def _movements(
    database: Database, tenant: str, sku: str, after: str | None, limit: int, *, newest_first: bool
) -> Page[Movement]:
    partition = movements_partition(tenant, sku)
    return read_partition(database, MOVEMENTS, partition, after=after, limit=limit, newest_first=newest_first)


def catalogue(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Product]:
    """Products by SKU, from behind the SKU `after`."""
    return read_sharded(
        database, PRODUCTS, tenant, "catalogue", CATALOGUE_SHARDS, lambda it: it.sku, after=after, limit=limit
    )


def _own_product(database: Database, caller: Caller, sku: str) -> Product:
    product = _product(database, caller.tenant, sku)
    if not caller.is_staff and caller.vendor_id != product.vendor_id:
        raise UnknownSku(sku)
    return product


def _product(database: Database, tenant: str, sku: str) -> Product:
    key = product_key(tenant, sku)
    product = database.fetch([key])[key]
    if product is None:
        raise UnknownSku(sku)
    return product
