"""An order that was given up as unpaid: its payments may come all the same, and the news of them may get lost."""

from __future__ import annotations

from typing import Final

from cauri.books.watches import Watch
from cauri.orders.model import CancelReason, Order, OrderStatus, OrderTree
from cauri.payments.model import Payment
from cauri.recovery.deadlines import DEADLINES, State

ABANDONED: Final = "abandoned"
"""In place of a machine: there is no saga to watch over, but a question to be asked."""


def watch_over_abandoned(tree: OrderTree) -> Watch | None:
    """The watch that has the provider asked once more, if there is something to ask. The same, whoever makes it."""
    order = tree.order
    if not is_abandoned(order) or order.cancelled_at is None or not unheard_of(tree):
        return None
    due = order.cancelled_at + DEADLINES[State.ORDER_ABANDONED].lasts
    return Watch(order.tenant, ABANDONED, f"{order.id}-{ABANDONED}", {"order_id": order.id}, order.cancelled_at, due)


def is_abandoned(order: Order) -> bool:
    return order.status is OrderStatus.CANCELLED and order.cancel_reason is CancelReason.UNPAID


def unheard_of(tree: OrderTree) -> list[Payment]:
    """Its payments of which the provider may have news."""
    return [payment for payment in tree.payments if payment.gave_up]
