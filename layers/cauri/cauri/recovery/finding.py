"""What is watched over, as it stands: in which state it is, since when, and whether that is too long."""

from __future__ import annotations

from typing import Final

from cauri.books.database import Database
from cauri.books.watches import Watch
from cauri.clock import Instant
from cauri.inventory.store import cell_key
from cauri.orders.model import LineStatus, Order, OrderStatus, OrderTree, UnknownOrder
from cauri.orders.store import load_tree
from cauri.orders.waiting import Wait, wait_key
from cauri.payments.model import PaymentStatus
from cauri.recovery.abandoned import ABANDONED, is_abandoned, unheard_of
from cauri.recovery.deadlines import DEADLINES, Deadline, Remedy, State
from cauri.refunds.commands import returnable
from cauri.refunds.model import Refund, RefundStatus
from cauri.refunds.store import load_refund
from cauri.values import dataclass

Stands = tuple[State, Instant]
LAST: Final = frozenset({State.ORDER_CONFIRMED, State.ORDER_GIVEN_UP})
"""From here the saga has only stock and money to settle, and tells nobody that it has."""


@dataclass(frozen=True)
class Finding:
    """`state` is None for what came to its end, and only its watch is left."""

    watch: Watch
    state: State | None
    since: Instant
    """When it could first have gone on from there."""

    @property
    def deadline(self) -> Instant:
        return self.since if self.state is None else self.since + self.allowed.lasts

    @property
    def allowed(self) -> Deadline:
        assert self.state is not None
        return DEADLINES[self.state]

    @property
    def remedy(self) -> Remedy | None:
        return None if self.state is None else self.allowed.remedy

    def is_overdue(self, now: Instant) -> bool:
        return self.state is not None and self.deadline <= now


def find(database: Database, watch: Watch) -> Finding:
    """How what is watched over stands now. Raises UnknownOrder or UnknownRefund."""
    if watch.machine == "refund":
        _, refund = load_refund(database, watch.tenant, watch.resource)
        stands = standing_of_refund(refund, watch)
    else:
        tree = load_tree(database, watch.tenant, watch.resource)
        if tree is None:
            raise UnknownOrder(watch.resource)
        key = wait_key(watch.tenant, watch.resource)
        wait = database.fetch([key])[key] if tree.order.status is OrderStatus.PENDING_PAYMENT else None
        stands = standing_of_order(tree, wait, watch)
        if stands is not None and stands[0] in LAST and _is_settled(database, tree):
            stands = None
    return Finding(watch, *(stands or (None, watch.due)))


def _is_settled(database: Database, tree: OrderTree) -> bool:
    """Nothing is claimed for the order any more, and no money of it is left to give back."""
    if returnable(tree) or any(line.status is LineStatus.BACKORDERED for line in tree.lines):
        return False  # whether the rows of those that wait were written can't be told
    keys = [cell_key(tree.order.tenant, part.sku, part.location, part.cell) for part in tree.parts]
    found = database.fetch(keys) if keys else None
    cells = [cell for key in keys if found and (cell := found[key])]
    return not any(part.owner in cell.claims for cell in cells for part in tree.parts)


def standing_of_order(tree: OrderTree, wait: Wait | None, watch: Watch) -> Stands | None:
    """Where an order stays that is watched over, and since when; None where nothing is left to do."""
    order, begun = tree.order, watch.begun_at
    if watch.machine == ABANDONED:
        asks = is_abandoned(order) and order.cancelled_at is not None and unheard_of(tree)
        return (State.ORDER_ABANDONED, order.cancelled_at or begun) if asks else None
    if order.status is OrderStatus.CANCELLED:
        is_sold = order.confirmed_at is not None  # and was refunded since, which has a saga of its own
        return None if is_sold else (State.ORDER_GIVEN_UP, _later(begun, order.cancelled_at))
    if order.status is not OrderStatus.PENDING_PAYMENT:
        return State.ORDER_CONFIRMED, _later(begun, order.confirmed_at)
    return _unconfirmed(order, tree, wait, begun)


def _unconfirmed(order: Order, tree: OrderTree, wait: Wait | None, begun: Instant) -> Stands:
    if all(payment.status is PaymentStatus.SUCCEEDED for payment in tree.payments):
        # A provider's clock may be ahead of ours; then the wait's end is soon enough.
        paid = max((payment.settled_at or begun for payment in tree.payments), default=begun)
        return State.ORDER_PAID, _later(begun, min(paid, order.expires_at))
    if wait is None:
        return State.ORDER_NOT_BEGUN, begun
    return State.ORDER_UNPAID, _later(begun, wait.until)


def standing_of_refund(refund: Refund, watch: Watch) -> Stands | None:
    """The same of a refund. Whoever gives it back moves its watch when it sleeps: that it is due means nobody does."""
    since = watch.due - DEADLINES[State.REFUND_PROCESSING].lasts
    if refund.status is RefundStatus.APPROVED:
        return State.REFUND_APPROVED, since
    if refund.status is RefundStatus.PROCESSING:
        return State.REFUND_PROCESSING, since
    if refund.status is RefundStatus.SUCCEEDED and refund.to_restock:
        return State.REFUND_NOT_RESTOCKED, since
    return None


def _later(one: Instant, other: Instant | None) -> Instant:
    return one if other is None else max(one, other)
