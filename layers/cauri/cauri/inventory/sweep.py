"""Give back claims that are over, also where no buyer comes by to need the units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cauri.books.database import Database
from cauri.clock import Instant
from cauri.inventory.claims import Claims
from cauri.inventory.model import CATALOGUE_SHARDS, Product
from cauri.inventory.store import PRODUCTS, cell_keys


def sweep(database: Database, tenant: str, now: Instant) -> int:
    """Give back every claim of the tenant's stock that is over; the units that came back. Safe beside anything."""
    claims = Claims(database, tenant)
    back = 0
    for product in products(database, tenant):
        keys = cell_keys(product)
        found = database.fetch(keys)
        back += sum(claims.expire(cell, now) for key in keys if (cell := found[key]))
    return back


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
