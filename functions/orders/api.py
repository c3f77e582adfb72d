"""Orders, as their customers, vendors and staff see them."""

from __future__ import annotations

from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
from cauri.edge.fields import ID_PATTERN
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.edge.problems import Fault, InvalidRequest
from cauri.orders.linking import EmailNotProven, LinkedOrders, LinkGuestOrders
from cauri.orders.model import UnknownOrder
from cauri.orders.queries import explain_order, order_for, orders_at, orders_of
from cauri.orders.views import OrderPage, OrderView, VendorOrderPage, order_summary, vendor_order_summary
from cauri.parties.limits import Tier
from cauri.parties.model import UnknownCustomer, UnknownVendor

OrderId = Annotated[str, Path(pattern=ID_PATTERN, examples=["ord_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
CustomerId = Annotated[str, Path(pattern=ID_PATTERN, examples=["cus_amina"])]
OfCustomer = Annotated[str | None, Query(pattern=ID_PATTERN, description="Whose orders; for staff")]
OfVendor = Annotated[str | None, Query(pattern=ID_PATTERN, description="Whose shares of orders; for staff")]

READERS: Final = STAFF | {"customer", "vendor"}

api = Api("Orders")


@api.read("/v1/orders/<order_id>", roles=READERS, answer=OrderView, refusals=[UnknownOrder])
def get_order(order_id: OrderId, caller: Caller) -> OrderView:
    """Get an order

    The whole tree: vendor orders, lines, payments, and how much of it is fulfilled. A vendor sees its share.
    """
    return order_for(wiring.database(), caller, order_id)


@api.read("/v1/orders", roles=READERS, answer=OrderPage | VendorOrderPage, refusals=[UnknownCustomer, UnknownVendor])
def list_orders(
    caller: Caller,
    customer_id: OfCustomer = None,
    vendor_id: OfVendor = None,
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> OrderPage | VendorOrderPage:
    """List orders, the newest first

    A customer lists its orders, a vendor its shares of orders. Staff say whose: by customer_id or by vendor_id.
    """
    customer_id, vendor_id = _whose(caller, customer_id, vendor_id)
    database, tenant = wiring.database(), caller.tenant
    if customer_id is not None:
        cursors = cursors_of(caller, "orders", "customer", customer_id)
        orders = orders_of(database, tenant, customer_id, after=cursors.open(cursor), limit=limit)
        return OrderPage([order_summary(order) for order in orders.items], cursors.seal(orders.position))
    cursors = cursors_of(caller, "orders", "vendor", vendor_id or "")
    shares = orders_at(database, tenant, vendor_id or "", after=cursors.open(cursor), limit=limit)
    return VendorOrderPage([vendor_order_summary(share) for share in shares.items], cursors.seal(shares.position))


def _whose(caller: Caller, customer_id: str | None, vendor_id: str | None) -> tuple[str | None, str | None]:
    """One of the two: whose list it is. To others than staff only their own is there."""
    if customer_id is not None and vendor_id is not None:
        raise InvalidRequest([Fault("Orders are listed by one of customer_id and vendor_id", parameter="vendor_id")])
    if caller.is_staff:
        if customer_id is None and vendor_id is None:
            raise InvalidRequest([Fault("Staff say whose orders, or by vendor_id", parameter="customer_id")])
        return customer_id, vendor_id
    if customer_id is not None and customer_id != caller.customer_id:
        raise UnknownCustomer(customer_id)
    if vendor_id is not None and vendor_id != caller.vendor_id:
        raise UnknownVendor(vendor_id)
    if customer_id is None and vendor_id is None:
        return caller.customer_id, None if caller.customer_id else caller.vendor_id
    return customer_id, vendor_id


@api.read("/v1/explain/order/<order_id>", roles=READERS, answer=ExplanationPage, refusals=[UnknownOrder])
def explain_order_of(
    order_id: OrderId, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> ExplanationPage:
    """Explain an order's status

    Every record of the order and of its payments, each with the status afterwards.
    """
    database = wiring.database()
    return explained(
        f"order/{order_id}",
        caller,
        cursor,
        lambda position: explain_order(database, caller, order_id, position=position, limit=limit),
    )


@api.command(
    "POST",
    "/v1/customers/<customer_id>/link",
    roles={"customer"},
    answer=LinkedOrders,
    tier=Tier.WRITES,
    refusals=[UnknownCustomer, EmailNotProven],
)
def link_guest_orders(customer_id: CustomerId) -> LinkGuestOrders:
    """Take over what was bought as a guest

    The orders that were placed by the caller's own email address, without signing in, become the customer's. The
    token must prove the address (`email`, and `email_verified: true`). While the answer says `more`, call again, under
    another key.
    """
    return LinkGuestOrders(customer_id)


handler = api.handler
