"""Whose refunds who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.listing import Page, read_page
from cauri.orders.model import UnknownOrder
from cauri.orders.store import read_order, tree_of
from cauri.refunds.model import Refund, UnknownRefund
from cauri.refunds.store import CREDIT_NOTES, REFUNDS, credit_note_key, refund_key
from cauri.refunds.views import RefundList, RefundView, refund_view


def refund_for(database: Database, caller: Caller, refund_id: str) -> RefundView:
    """A refund, to staff and to the customer whose it is. To all others it does not exist: UnknownRefund."""
    refund_at, note_at = refund_key(caller.tenant, refund_id), credit_note_key(caller.tenant, refund_id)
    found = database.fetch([refund_at, note_at])
    refund = found[refund_at]
    if refund is None or not _may_see(caller, refund.customer_id):
        raise UnknownRefund(refund_id)
    return refund_view(refund, found[note_at])


def refunds_of(database: Database, caller: Caller, order_id: str) -> RefundList:
    """All refunds of an order, the oldest first. Raises UnknownOrder."""
    items = read_order(database, caller.tenant, order_id)
    tree = tree_of(items)
    if tree is None or not _may_see(caller, tree.order.customer_id):
        raise UnknownOrder(order_id)
    refunds = REFUNDS.from_items(item for item in items if item["sk"]["S"].startswith("refund#"))
    notes = CREDIT_NOTES.from_items(item for item in items if item["sk"]["S"].startswith("credit_note#"))
    by_refund = {note.refund_id: note for note in notes}
    refunds.sort(key=lambda refund: (refund.requested_at, refund.id))
    return RefundList([refund_view(refund, by_refund.get(refund.id)) for refund in refunds])


def refunds_that_are(database: Database, tenant: str, status: str, *, after: str | None, limit: int) -> Page[Refund]:
    """The refunds of a tenant that have a status, the oldest first: those that wait for somebody, above all."""
    return read_page(database, REFUNDS, tenant, f"refunds#{status}", after=after, limit=limit)


def _may_see(caller: Caller, customer_id: str | None) -> bool:
    return caller.is_staff or (customer_id is not None and caller.customer_id == customer_id)
