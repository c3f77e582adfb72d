"""The units of refunded lines go back on sale, once each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar

from cauri.books.commit import Books
from cauri.books.plan import Plan
from cauri.books.work import Command, Work, decides
from cauri.inventory.claims import Claims
from cauri.inventory.model import Part
from cauri.inventory.store import Returned
from cauri.orders.model import LineItem, OrderTree
from cauri.refunds.commands import news
from cauri.refunds.model import Refund, RefundLine
from cauri.refunds.paying import by_system
from cauri.refunds.store import load_refund
from cauri.refunds.views import refund_view
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class RestockLine(Command):
    """Put the units of one line of a refund back: they are the order's no more, and for sale again."""

    name: ClassVar = "restock_line"
    refund_id: str
    piece: str


@decides(RestockLine)
def restock_line(command: RestockLine, work: Work) -> Plan:
    tree, refund = load_refund(work.database, work.tenant, command.refund_id)
    [refunded] = [line for line in refund.lines if line.piece == command.piece]
    if refunded.restocked:
        return Plan(refund_view(refund))
    line = line_of(tree, refunded)
    back, kept = _cut(line.stock, refunded.restock)
    after = tree.restock(line.id, kept, work.at)
    lines = tuple(replace(each, restocked=True) if each is refunded else each for each in refund.lines)
    refund = replace(refund, lines=lines)
    [share] = [share for share in after.vendor_orders if share.id == refunded.vendor_order]
    facts = {"line_id": line.id, "sku": line.sku, "quantity": refunded.restock}
    return (
        Plan(refund_view(refund))
        .save(refund, after.order, share, *_returned(back, work.tenant))
        .emit(news(refund, "restocked", **facts))
    )


def restock(books: Books, tree: OrderTree, refund: Refund) -> None:
    """Put back what is to go back on sale of a refund that the customer has.

    A claim that the order's saga did not turn into an allocation yet is turned into one first: then one condition says
    what is there, and the saga finds nothing to do.
    """
    for refunded in refund.to_restock:
        Claims(books.database, refund.tenant).allocate(line_of(tree, refunded).stock)
        command = RestockLine(refund.id, refunded.piece)
        books.run(command, by_system(refund.tenant), f"refund:{refund.id}:restock:{refunded.piece}")


def line_of(tree: OrderTree, refunded: RefundLine) -> LineItem:
    [line] = [line for line in tree.lines if line.id == refunded.piece]
    return line


def _cut(stock: Iterable[Part], quantity: int) -> tuple[list[Part], list[Part]]:
    """`quantity` units off `stock`, from its end, and what is left of it."""
    back, kept = [], []
    for part in reversed(list(stock)):
        taken = min(part.quantity, quantity)
        quantity -= taken
        if taken:
            back.append(replace(part, quantity=taken))
        if part.quantity > taken:
            kept.append(replace(part, quantity=part.quantity - taken))
    return back, kept[::-1]


def _returned(parts: Iterable[Part], tenant: str) -> list[Returned]:
    """A change per cell: a transaction touches no item twice."""
    cells: defaultdict[tuple[str, str, int], list[Part]] = defaultdict(list)
    for part in parts:
        cells[part.sku, part.location, part.cell].append(part)
    return [Returned(tenant, tuple(each)) for each in cells.values()]
