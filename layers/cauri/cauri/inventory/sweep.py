"""Give back claims that are over, also where no buyer comes by to need the units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cauri.books.database import Database
from cauri.clock import Instant
from cauri.inventory.claims import Claims
from cauri.inventory.model import CATALOGUE_SHARDS, Cell, Product
from cauri.inventory.store import PRODUCTS, cell_keys


def sweep(database: Database, tenant: str, now: Instant) -> int:
    """Give back every claim of the tenant's stock that is over; the units that came back. Safe beside anything."""
    return sum(give_back_what_is_over(database, tenant, cells, now) for _, cells in shelved(database, tenant))


def give_back_what_is_over(database: Database, tenant: str, cells: Iterable[Cell], now: Instant) -> int:
    claims = Claims(database, tenant)
    return sum(claims.expire(cell, now) for cell in cells)


def shelved(database: Database, tenant: str) -> Iterator[tuple[Product, list[Cell]]]:
    """Every product of the tenant, with its cells at all locations."""
    for product in products(database, tenant):
        keys = cell_keys(product)
        found = database.fetch(keys)
        yield product, [cell for key in keys if (cell := found[key])]


def products(database: Database, tenant: str) -> Iterator[Product]:
    """The whole catalogue, shard by shard."""
    for shard in range(CATALOGUE_SHARDS):
        request: dict[str, Any] = {
            "IndexName": "by_list",
            "KeyConditionExpression": "#list = :list",
            "ExpressionAttributeNames": {"#list": "list"},
            "ExpressionAttributeValues": {":list": {"S": f"{tenant}#catalogue#{shard:02d}"}},
        }
        while True:
            page = database.query("commerce", request)
            yield from PRODUCTS.from_items(page["Items"])
            if "LastEvaluatedKey" not in page:
                break
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
