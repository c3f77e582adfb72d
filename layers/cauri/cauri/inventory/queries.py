"""What people and programs may know of products and stock."""

from __future__ import annotations

import functools
import itertools
from typing import Final

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step, begin_behind, go_on_behind
from cauri.books.listing import Page, read_page, read_partition
from cauri.inventory.model import CATALOGUE_SHARDS, Product, UnknownSku
from cauri.inventory.movements import Movement
from cauri.inventory.store import MOVEMENTS, PRODUCTS, cell_keys, movements_partition, product_key
from cauri.inventory.views import ProductView, StockView, product_view, stock_view

_SPARE: Final = 4
"""How many more than its share a shard is asked for: SKUs are spread by chance, and another round trip costs more."""


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
    """Products by SKU, merged from the shards of the catalogue, from behind the SKU `after`.

    Every shard is asked for its share at once. What came is certain up to the first place where some shard has
    more; shards that end before the page does are asked again. Mostly none is: one round trip.
    """
    found: list[Product] = []
    unread: dict[int, str | None] = dict.fromkeys(range(CATALOGUE_SHARDS), after)
    asked = list(unread)
    while asked:
        reads = [functools.partial(_read_shard, database, tenant, shard, unread[shard], limit) for shard in asked]
        for shard, page in zip(asked, database.together(*reads), strict=True):
            found += page.items
            del unread[shard]
            if page.position is not None:
                unread[shard] = page.position
        found.sort(key=lambda product: product.sku)
        enough = len(found) >= limit
        asked = [shard for shard, at in unread.items() if not enough or (at or "") < found[limit - 1].sku]
    more = bool(unread) or len(found) > limit
    items = found[:limit]
    return Page(items, items[-1].sku if more and items else None)


def _read_shard(database: Database, tenant: str, shard: int, after: str | None, limit: int) -> Page[Product]:
    share = min(limit, limit // CATALOGUE_SHARDS + _SPARE)
    return read_page(database, PRODUCTS, tenant, f"catalogue#{shard:02d}", after=after, limit=share)


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
