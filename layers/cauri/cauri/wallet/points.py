"""Earn points with an order, make them spendable once it is delivered, and claw them back with what is refunded."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from cauri.books.plan import Plan
from cauri.books.work import Command, Work, decides
from cauri.money import Money, zero
from cauri.values import dataclass
from cauri.wallet.accounts import LOYALTY
from cauri.wallet.changes import Desk, at_desk, change
from cauri.wallet.earning import AlreadyEarned, Earning, NothingEarned, UnknownEarning
from cauri.wallet.lots import PTS, Kind, Lot, Wallet
from cauri.wallet.store import earning_key
from cauri.wallet.views import earning_view


@dataclass(frozen=True)
class EarnPoints(Command):
    """An order earns by its amount. The points wait for the delivery."""

    name: ClassVar = "earn_points"
    customer_id: str
    order_id: str
    amount: Money


@dataclass(frozen=True)
class MaturePoints(Command):
    """The delivery is accepted: what the order earned can be spent."""

    name: ClassVar = "mature_points"
    customer_id: str
    order_id: str


@dataclass(frozen=True)
class ClawBackPoints(Command):
    """So much of the order is refunded: its share of the points goes back, as far as there are any."""

    name: ClassVar = "claw_back_points"
    customer_id: str
    order_id: str
    refunded: Money


@decides(EarnPoints)
def earn_points(command: EarnPoints, work: Work) -> Plan:
    key = earning_key(work.tenant, command.order_id)
    desk = at_desk(command.customer_id, work, key)
    if desk.found[key] is not None:
        raise AlreadyEarned(command.order_id)
    points = desk.programme.earned(command.amount)
    if not points:
        raise NothingEarned(command.amount)
    lot_id, source = work.ids.new("lot"), f"order {command.order_id}"
    lot = Lot(lot_id, Kind.POINTS, PTS, points, points, source, work.at, pending=True)
    nothing = zero(command.amount.currency)
    earning = Earning(
        work.tenant, command.order_id, command.customer_id, command.amount, points, lot_id, refunded=nothing
    )
    return _changed(earning, desk.wallet, desk.wallet.add(lot), work, "earned")


@decides(MaturePoints)
def mature_points(command: MaturePoints, work: Work) -> Plan:
    desk, pending = _at(command.customer_id, command.order_id, work)
    earning = pending.matured()
    days = desk.programme.earned_days
    until = None if days is None else work.at + timedelta(days=days)
    is_there = earning.lot_id in desk.wallet.lots  # or all of it was clawed back
    after = desk.wallet.mature(earning.lot_id, until) if is_there else desk.wallet
    return _changed(earning, desk.wallet, after, work, "matured")


@decides(ClawBackPoints)
def claw_back_points(command: ClawBackPoints, work: Work) -> Plan:
    desk, earned = _at(command.customer_id, command.order_id, work)
    earning, points = earned.refund(command.refunded)
    after, _ = desk.wallet.claw_back(earning.lot_id, points)
    return _changed(earning, desk.wallet, after, work, "clawed_back")


def _at(customer_id: str, order_id: str, work: Work) -> tuple[Desk, Earning]:
    """Raises UnknownEarning, also for what another customer's order earned."""
    key = earning_key(work.tenant, order_id)
    desk = at_desk(customer_id, work, key)
    earning = desk.found[key]
    if earning is None or earning.customer_id != customer_id:
        raise UnknownEarning(order_id)
    return desk, earning


def _changed(earning: Earning, before: Wallet, after: Wallet, work: Work, why: str) -> Plan:
    plan = Plan(earning_view(earning)).save(earning)
    return change(plan, before, after, work, why=why, about=earning.order_id, against=LOYALTY)
