"""Confirm an order that is paid, or give up one that is not."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from cauri.books.database import TRANSACTION_ACTIONS_MAX
from cauri.books.ledger import DEFERRED_REVENUE, RECEIVABLE, credit, debit, entry
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Found
from cauri.books.work import Command, Work, decides
from cauri.inventory.model import OutOfStock, Part
from cauri.inventory.store import Kept
from cauri.orders.drawing import let_go, secured, spend
from cauri.orders.model import CancelReason, OrderNotPaid, OrderPaid, OrderStatus, OrderTree, UnknownOrder
from cauri.orders.store import load_tree
from cauri.orders.uses import PromotionUsedByCustomer, counted, returned
from cauri.orders.views import order_view
from cauri.payments.model import PaymentStatus
from cauri.values import dataclass, replace
from cauri.wallet.changes import desk_keys, desk_of

CHANGES_MAX: Final = TRANSACTION_ACTIONS_MAX - 1
"""Of one commit, beside its log record."""


@dataclass(frozen=True)
class ConfirmOrder(Command):
    """The order is paid and its stock secured: it counts. `customer_id` is the order's own, or None for a guest.

    `stock` has, by line (or use of a promotion), the claims of those that lost some of theirs; others keep their own.
    """

    name: ClassVar = "confirm_order"
    order_id: str
    customer_id: str | None
    stock: dict[str, tuple[Part, ...]]


@dataclass(frozen=True)
class CancelOrder(Command):
    """The order is given up: its hold is released, its payments are abandoned.

    `forbids` are the keys of the steps that must not commit any more: the confirmation's.
    """

    name: ClassVar = "cancel_order"
    order_id: str
    customer_id: str | None
    reason: CancelReason
    forbids: tuple[str, ...] = ()


@decides(ConfirmOrder)
def confirm_order(command: ConfirmOrder, work: Work) -> Plan:
    tree, found = _load(command.order_id, command.customer_id, work)
    if any(payment.status is not PaymentStatus.SUCCEEDED for payment in tree.payments):
        raise OrderNotPaid(command.order_id)
    confirmed = tree.confirm(command.stock, work.at)
    desk = desk_of(found, command.customer_id or "", work) if tree.order.draws else None
    if desk is not None:
        confirmed = replace(confirmed, order=secured(confirmed.order, desk, work.at))
    order = confirmed.order
    postings = [debit(RECEIVABLE, order.total), credit(DEFERRED_REVENUE, order.total)]
    plan = Plan(order_view(confirmed)).save(order, *confirmed.vendor_orders)
    if desk is not None:
        postings += spend(plan, order, desk, work)
    if tree.order.status is OrderStatus.CANCELLED:  # it had given back what it used
        for use in counted(order):
            plan.save(use, otherwise=PromotionUsedByCustomer(use.code))
    _keep_claims(plan, tree, confirmed, work)
    return plan.post(entry("order confirmed", *postings)).emit(*_news("confirmed", confirmed))


def _keep_claims(plan: Plan, tree: OrderTree, confirmed: OrderTree, work: Work) -> None:
    """Make lasting, in this very commit, what was claimed again: before it, nobody could give it back after a crash.

    The order's own claims were kept when they were found. Raises OutOfStock if there are more than a commit holds.
    """
    own = set(tree.parts)
    for part in confirmed.parts:
        if part not in own:
            gone = OutOfStock(part.sku, part.quantity, 0)
            if len(plan.saves) >= CHANGES_MAX:
                raise gone
            plan.save(Kept(work.tenant, part), otherwise=gone)


@decides(CancelOrder)
def cancel_order(command: CancelOrder, work: Work) -> Plan:
    tree, found = _load(command.order_id, command.customer_id, work)
    if command.reason is CancelReason.UNPAID and _is_paid(tree):
        raise OrderPaid(command.order_id)
    cancelled = tree.cancel(command.reason, work.at)
    # Also those that failed: a success of theirs that comes now must meet this commit, or this commit it.
    given_up = [payment.give_up() for payment in tree.payments if not payment.is_taken]
    plan = (
        Plan(order_view(cancelled))
        .save(cancelled.order, *cancelled.vendor_orders)
        .save(*given_up, *returned(tree.order))
        .forbid(*command.forbids)
    )
    if tree.order.draws:
        let_go(plan, tree.order, desk_of(found, command.customer_id or "", work), work)
    return plan.emit(*_news("cancelled", cancelled, reason=command.reason))


def _is_paid(tree: OrderTree) -> bool:
    return all(payment.status is PaymentStatus.SUCCEEDED for payment in tree.payments)


def _load(order_id: str, customer_id: str | None, work: Work) -> tuple[OrderTree, Found]:
    """The order, and, of its customer's wallet, what a desk needs: one round trip."""
    reads: list[Any] = [functools.partial(load_tree, work.database, work.tenant, order_id)]
    if customer_id is not None:
        reads.append(functools.partial(work.fetch, *desk_keys(customer_id, work)))
    tree, *found = work.database.together(*reads)
    if tree is None or (tree.order.customer_id != customer_id and not _was_guests(tree, customer_id)):
        raise UnknownOrder(order_id)
    return tree, found[0] if found else Found({})


def _was_guests(tree: OrderTree, customer_id: str | None) -> bool:
    """A saga that began for a guest goes on when the order is linked to a customer: no wallet pays it."""
    return customer_id is None and tree.order.guest is not None


def _news(what: str, tree: OrderTree, **more: object) -> Iterable[Event]:
    order = tree.order
    yield Event(f"order.{what}", order.id, order.version + 1, {"number": order.number, "total": order.total, **more})
    for vendor_order in tree.vendor_orders:
        facts = {"order_id": order.id, "vendor_id": vendor_order.vendor_id, "total": vendor_order.total, **more}
        yield Event(f"vendor_order.{what}", vendor_order.number, vendor_order.version + 1, facts)
