"""Where refunds and credit notes are kept: beside their order, in the commerce table."""

from __future__ import annotations

from typing import Final

from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, shelve
from cauri.clock import rfc3339
from cauri.orders.model import OrderTree, UnknownOrder
from cauri.orders.store import read_order, tree_of
from cauri.refunds.model import CreditNote, Refund, UnknownRefund

TABLE: Final = "commerce"

REFUNDS: Final = shelve(
    Shelf(
        TABLE,
        Refund,
        place=lambda refund: (f"order#{refund.order_id}", f"refund#{refund.id}"),
        tenant=lambda refund: refund.tenant,
        listed=lambda refund: (f"refunds#{refund.status}", f"{rfc3339(refund.requested_at)}#{refund.id}"),
    )
)
CREDIT_NOTES: Final = shelve(
    Shelf(
        TABLE,
        CreditNote,
        place=lambda note: (f"order#{note.order_id}", f"credit_note#{note.refund_id}"),
        tenant=lambda note: note.tenant,
    )
)


def refund_id_of(order_id: str, number: int) -> str:
    """The id of an order's refund: it names the order, so that a refund is found beside its order."""
    return f"rfd_{order_id.removeprefix('ord_')}-{number}"


def order_of(refund_id: str) -> str:
    return f"ord_{refund_id.removeprefix('rfd_').partition('-')[0]}"


def refund_key(tenant: str, refund_id: str) -> Key[Refund]:
    return REFUNDS.key(tenant, f"order#{order_of(refund_id)}", f"refund#{refund_id}")


def credit_note_key(tenant: str, refund_id: str) -> Key[CreditNote]:
    return CREDIT_NOTES.key(tenant, f"order#{order_of(refund_id)}", f"credit_note#{refund_id}")


def load(database: Database, tenant: str, order_id: str) -> tuple[OrderTree, list[Refund]]:
    """An order and its refunds, the oldest first, in one Query. Raises UnknownOrder."""
    items = read_order(database, tenant, order_id)
    tree = tree_of(items)
    if tree is None:
        raise UnknownOrder(order_id)
    refunds = REFUNDS.from_items(item for item in items if item["sk"]["S"].startswith("refund#"))
    return tree, sorted(refunds, key=lambda refund: int(refund.id.rpartition("-")[2]))


def load_refund(database: Database, tenant: str, refund_id: str) -> tuple[OrderTree, Refund]:
    """A refund and its order. Raises UnknownRefund."""
    try:
        tree, refunds = load(database, tenant, order_of(refund_id))
    except UnknownOrder:
        raise UnknownRefund(refund_id) from None
    for refund in refunds:
        if refund.id == refund_id:
            return tree, refund
    raise UnknownRefund(refund_id)
