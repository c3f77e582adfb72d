"""Where orders are kept: an order, its vendor orders and its payments share a partition of the commerce table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cauri.books.database import Database
from cauri.books.listing import read_page
from cauri.books.shelf import Key, Shelf, Wire, shelve
from cauri.clock import rfc3339
from cauri.orders.model import Backorder, Order, OrderTree, VendorOrder
from cauri.payments.store import PAYMENTS

TABLE: Final = "commerce"


def _list_of(order: Order) -> str | None:
    if order.customer_id is not None:
        return f"orders_of#{order.customer_id}"
    return guest_list(order.guest) if order.guest else None


def guest_list(guest: str) -> str:
    """The orders of a guest who has not become a customer; `guest` is the digest of the address."""
    return f"orders_of_guest#{guest}"


ORDERS: Final = shelve(
    Shelf(
        TABLE,
        Order,
        place=lambda order: (f"order#{order.id}", "root"),
        tenant=lambda order: order.tenant,
        listed=lambda order: (name, f"{rfc3339(order.created_at)}#{order.id}") if (name := _list_of(order)) else None,
    )
)
VENDOR_ORDERS: Final = shelve(
    Shelf(
        TABLE,
        VendorOrder,
        place=lambda vendor_order: (f"order#{vendor_order.order_id}", f"vendor#{vendor_order.id}"),
        tenant=lambda vendor_order: vendor_order.tenant,
        listed=lambda vendor_order: (
            f"orders_at#{vendor_order.vendor_id}",
            f"{rfc3339(vendor_order.created_at)}#{vendor_order.order_id}",
        ),
    )
)


BACKORDERS: Final = shelve(
    Shelf(
        TABLE,
        Backorder,
        place=lambda row: (f"backorders#{row.sku}", _waits_since(row)),
        tenant=lambda row: row.tenant,
        listed=lambda row: None if row.is_over else (f"backorders#{row.sku}", _waits_since(row)),
    )
)


def _waits_since(row: Backorder) -> str:
    return f"{rfc3339(row.confirmed_at)}#{row.order_id}#{row.line_id}"


def backorders_of(database: Database, tenant: str, sku: str, *, limit: int) -> list[Backorder]:
    """Who waits for a SKU, the oldest first: found in the list, which may be behind, and then looked at."""
    page = read_page(database, BACKORDERS, tenant, f"backorders#{sku}", after=None, limit=limit)
    keys = [BACKORDERS.key(tenant, *BACKORDERS.place(row)) for row in page.items]
    found = database.fetch(keys)
    return [row for key in keys if (row := found[key]) and not row.is_over]


def vendor_order_key(tenant: str, order_id: str, vendor_order_id: str) -> Key[VendorOrder]:
    return VENDOR_ORDERS.key(tenant, f"order#{order_id}", f"vendor#{vendor_order_id}")


def order_key(tenant: str, order_id: str) -> Key[Order]:
    """Of the order alone, without what is below it."""
    return ORDERS.key(tenant, f"order#{order_id}", "root")


def load_tree(database: Database, tenant: str, order_id: str) -> OrderTree | None:
    """The whole order in one Query, or None."""
    return tree_of(read_order(database, tenant, order_id))


def read_order(database: Database, tenant: str, order_id: str) -> list[Wire]:
    """Everything that is kept with an order, also what other contexts keep there."""
    request = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": f"{tenant}#order#{order_id}"}},
    }
    return database.query_all(TABLE, request)


def tree_of(items: Sequence[Wire]) -> OrderTree | None:
    """The order among what is kept with it."""
    roots = [ORDERS.from_item(item) for item in items if item["sk"]["S"] == "root"]
    if not roots:
        return None
    return OrderTree(
        roots[0],
        tuple(VENDOR_ORDERS.from_item(item) for item in items if item["sk"]["S"].startswith("vendor#")),
        tuple(PAYMENTS.from_item(item) for item in items if item["sk"]["S"].startswith("payment#")),
    )
