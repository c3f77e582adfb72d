"""Whose orders who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step, begin_behind, go_on_behind
from cauri.books.listing import Page, read_page
from cauri.books.trail import history_of
from cauri.orders.model import STATUS_AFTER, Order, OrderTree, UnknownOrder, VendorOrder
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


def explain_order(
    database: Database, caller: Caller, order_id: str, *, position: str | None, limit: int
) -> Explanation:
    """Why an order's status is what it is: every record of the order and its payments. Raises UnknownOrder."""
    order = order_for(database, caller, order_id)
    after, status = begin_behind(position, "")
    records, place = history_of(database, caller.tenant, order_id, after=after, limit=limit)
    steps = []
    for record in records:
        for event in record.events:
            if event.resource == order_id:
                status = STATUS_AFTER.get(event.name, status)
        steps.append(Step(record.at, record.command, record.log_id, None, status))
    return Explanation(order.status, steps, go_on_behind(place, status))


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
