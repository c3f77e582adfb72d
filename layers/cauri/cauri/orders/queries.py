"""Whose orders who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.listing import Page, read_page
from cauri.orders.model import Order, OrderTree, UnknownOrder, VendorOrder
from cauri.orders.store import ORDERS, VENDOR_ORDERS, load_tree
from cauri.orders.views import OrderView, order_view


def order_for(database: Database, caller: Caller, order_id: str) -> OrderView:
    """The order as `caller` may see it: whole to its customer and to staff, to a vendor its share.

    To all others it does not exist: UnknownOrder.
    """
    tree = load_tree(database, caller.tenant, order_id)
    if tree is None:
        raise UnknownOrder(order_id)
    if caller.is_staff or _bought(tree, caller):
        return order_view(tree)
    if _sells_in(tree, caller):
        return order_view(tree, caller.vendor_id)
    raise UnknownOrder(order_id)


def orders_of(database: Database, tenant: str, customer_id: str, *, after: str | None, limit: int) -> Page[Order]:
    """A customer's orders, the newest first."""
    name = f"orders_of#{customer_id}"
    return read_page(database, ORDERS, tenant, name, after=after, limit=limit, newest_first=True)


def orders_at(database: Database, tenant: str, vendor_id: str, *, after: str | None, limit: int) -> Page[VendorOrder]:
    """A vendor's shares of orders, the newest first."""
    name = f"orders_at#{vendor_id}"
    return read_page(database, VENDOR_ORDERS, tenant, name, after=after, limit=limit, newest_first=True)


def _bought(tree: OrderTree, caller: Caller) -> bool:
    return caller.customer_id is not None and caller.customer_id == tree.order.customer_id


def _sells_in(tree: OrderTree, caller: Caller) -> bool:
    return caller.vendor_id is not None and any(share.vendor_id == caller.vendor_id for share in tree.vendor_orders)
