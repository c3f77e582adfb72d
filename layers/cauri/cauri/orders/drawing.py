"""The wallet's part of an order: set aside as it is placed, spent as it is confirmed, or let go. Source: SPEC 3.

What is set aside has its time, like the stock that is claimed. A hold that is over stays over: an order that is paid
late is paid out of whatever the wallet has by then, on the terms of the sale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cauri.books.ledger import RECEIVABLE, Posting
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, total
from cauri.orders.model import Order, Tender
from cauri.values import dataclass, replace
from cauri.wallet.accounts import postings
from cauri.wallet.changes import Desk, at_desk, write
from cauri.wallet.depletion import BelowMinimum
from cauri.wallet.draws import Draw, draw, units_of
from cauri.wallet.lots import Hold
from cauri.wallet.programme import Programme
from cauri.wallet.proposing import InsufficientBalance
from cauri.wallet.redemption import RedemptionCurrencyMismatch


@dataclass
class HoldGone(Refusal):
    """The hold is over, and what it held is spent: the order can't be paid from the wallet any more."""

    code: ClassVar[str] = "hold_gone"
    order_id: str

    def detail(self) -> str:
        return f"The wallet holds nothing for {self.order_id} any more."


@dataclass(frozen=True)
class ExtendHold(Command):
    """What an order has set aside stays so until then; if it is over, nothing changes."""

    name: ClassVar = "extend_hold"
    order_id: str
    customer_id: str
    until: Instant


@decides(ExtendHold)
def extend_hold(command: ExtendHold, work: Work) -> Plan:
    before = at_desk(command.customer_id, work).wallet
    plan = Plan({"order_id": command.order_id, "until": command.until})
    hold = before.holds.get(command.order_id)
    if hold is None or hold.expires_at >= command.until:
        return plan
    held = {**before.holds, command.order_id: Hold(hold.parts, command.until)}
    write(plan, before, replace(before, holds=held), work, why="hold_extended", about=command.order_id)
    return plan


def drawn(tenders: Sequence[Tender], for_loyalty: Money, desk: Desk | None, at: Instant) -> tuple[Tender, ...]:
    """The tenders with the lots that pay those of the wallet; points and rewards pay no more than `for_loyalty`.

    Raises InsufficientBalance, BelowMinimum, RedemptionCurrencyMismatch.
    """
    if desk is None:
        return tuple(tenders)
    return _drawn(tenders, for_loyalty, desk.programme, desk, at)


def set_aside(plan: Plan, order: Order, until: Instant, desk: Desk, work: Work) -> None:
    """Have `plan` hold in the wallet what the order draws, and tell what looks unusual about it."""
    before = desk.wallet
    habit = before.habit.after(order.drawn, work.at)
    after = replace(before.hold(order.id, units_of(order.draws), until), habit=habit)
    write(plan, before, after, work, why="held", about=order.id)
    if signs := before.habit.signs(order.drawn, work.at):
        plan.emit(Event("redemption.flagged", order.id, 1, {"customer_id": before.customer_id, "signs": signs}))


def secured(order: Order, desk: Desk, at: Instant) -> Order:
    """The order with lots that pay: those it holds, or, if that is over, what the wallet has. Raises HoldGone."""
    if order.id in desk.wallet.holds:
        return order
    rate = order.draws[0].rate
    spending = replace(desk.programme.spending, per_1000_points={order.currency: rate}, points_minimum=0)
    as_agreed = replace(desk.programme, spending=spending)
    try:
        tenders = _drawn(order.tenders, order.total - order.tax, as_agreed, desk, at)
    except (InsufficientBalance, BelowMinimum, RedemptionCurrencyMismatch):
        raise HoldGone(order.id) from None
    return replace(order, tenders=tenders)


def spend(plan: Plan, order: Order, desk: Desk, work: Work) -> list[Posting]:
    """Have `plan` take what the secured `order` draws out of the wallet; what that posts."""
    before, units = desk.wallet, units_of(order.draws)
    after, _ = before.capture(order.id) if order.id in before.holds else before.take(units)
    moved = write(plan, before, after, work, why="captured", about=order.id, note=order.number)
    points_pay = total((each.points_pay for each in order.draws), order.currency)
    return postings(before.customer_id, moved, RECEIVABLE, points_pay)


def let_go(plan: Plan, order: Order, desk: Desk, work: Work) -> None:
    """Have `plan` give back what is set aside, if it still is."""
    if order.id in desk.wallet.holds:
        write(plan, desk.wallet, desk.wallet.release(order.id), work, why="released", about=order.id)


def _drawn(
    tenders: Sequence[Tender], for_loyalty: Money, programme: Programme, desk: Desk, at: Instant
) -> tuple[Tender, ...]:
    asked = [Draw(each.amount, each.draw.kinds) for each in tenders if each.draw is not None]
    made = iter(draw(asked, for_loyalty, programme, desk.wallet, at))
    return tuple(each if each.draw is None else replace(each, draw=next(made)) for each in tenders)
