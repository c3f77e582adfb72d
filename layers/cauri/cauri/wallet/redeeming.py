"""Pay from a wallet, at once or in two steps: set aside, then captured or released. And take it back."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final

from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import Command, Work, decides
from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass, replace
from cauri.wallet.accounts import REDEEMED
from cauri.wallet.changes import Desk, at_desk, change, given_back
from cauri.wallet.lots import Kind, Wallet
from cauri.wallet.proposing import InsufficientBalance, proposal
from cauri.wallet.redemption import Redemption, RedemptionStatus, Step, UnknownRedemption
from cauri.wallet.signals import Habit
from cauri.wallet.store import redemption_key
from cauri.wallet.views import redemption_view

MACHINE: Final = "redemption"
CONFIRMED_IN: Final = timedelta(minutes=15)
"""How long it stays set aside while partners' issuers are asked; where one is silent, it is kept for longer."""


@dataclass
class HoldTooLong(Refusal):
    """The tenant keeps nothing set aside for so long."""

    code: ClassVar[str] = "hold_too_long"
    minutes_max: int

    def detail(self) -> str:
        return f"Credit is set aside for at most {self.minutes_max} minutes."


@dataclass(frozen=True)
class Redeem(Command):
    """Pay `amount`, of which `tax` is not for points and rewards.

    `kinds` is the customer's own choice, in the customer's order. With `hold_minutes` it is only set aside.
    """

    name: ClassVar = "redeem"
    customer_id: str
    amount: Money
    tax: Money
    kinds: tuple[Kind, ...] | None = None
    reference: str | None = None
    hold_minutes: int | None = None


@dataclass(frozen=True)
class CaptureRedemption(Command):
    """Spend what was set aside, or so much of it; the rest comes back."""

    name: ClassVar = "capture_redemption"
    customer_id: str
    redemption_id: str
    amount: Money | None = None


@dataclass(frozen=True)
class ReleaseRedemption(Command):
    """What was set aside comes back."""

    name: ClassVar = "release_redemption"
    customer_id: str
    redemption_id: str


@dataclass(frozen=True)
class ReverseRedemption(Command):
    """What was paid comes back, to the lots that it came from."""

    name: ClassVar = "reverse_redemption"
    customer_id: str
    redemption_id: str


@decides(Redeem)
def redeem(command: Redeem, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    made = proposal(desk.programme, desk.wallet, command.amount, command.tax, command.kinds, work.at, outside=True)
    if made.rest:
        raise InsufficientBalance(command.amount, command.amount - made.rest)
    redemption = Redemption(
        work.tenant,
        work.ids.new("red"),
        command.customer_id,
        command.amount,
        command.tax,
        desk.programme.spending.rate(command.amount.currency),
        made.payments,
        RedemptionStatus.HELD,
        work.at,
        work.caller.subject,
        command.reference,
        signs=desk.wallet.habit.signs(command.amount, work.at),
    )
    return _begun(redemption, command.hold_minutes, desk, work)


def _begun(redemption: Redemption, hold_minutes: int | None, desk: Desk, work: Work) -> Plan:
    """Paid at once, or set aside: as somebody asked, because it looks like fraud and the tenant wants to see it, or
    until partners have confirmed their rewards.
    """
    for_review = hold_minutes is None and bool(redemption.signs) and desk.programme.review_flagged
    habit = desk.wallet.habit.after(redemption.amount, work.at, counts=not for_review)
    if for_review:
        redemption, hold_minutes = replace(redemption, for_review=True), desk.programme.hold_minutes_max
    if hold_minutes is not None:
        plan = _set_aside(redemption, hold_minutes, habit, desk, work)
    elif redemption.asks_partners:
        plan = _started(redemption, replace(desk.wallet, habit=habit), desk, work)
    else:
        after, _ = desk.wallet.take(redemption.units)
        at_once = replace(redemption, step_status=RedemptionStatus.COMPLETED)
        plan = paid(at_once, desk.wallet, replace(after, habit=habit), work, "redeemed")
    if redemption.signs:
        told = {"customer_id": redemption.customer_id, "signs": redemption.signs}
        plan.emit(Event("redemption.flagged", redemption.id, 1, told))
    return plan


@decides(CaptureRedemption)
def capture_redemption(command: CaptureRedemption, work: Work) -> Plan:
    desk, held = redemption_at(command.customer_id, command.redemption_id, work)
    captured = held.stepped(Step.CAPTURE, work.at)
    if command.amount not in (None, held.amount):
        held, captured = held.part(command.amount), captured.part(command.amount)
    habit = desk.wallet.habit
    if held.for_review:  # what staff let pass is the customer's own doing
        habit = habit.counted(captured.amount)
    if held.asks_partners:
        return _started(held, replace(desk.wallet.release(held.id), habit=habit), desk, work)
    after, _ = desk.wallet.capture(held.id, captured.units)
    return paid(captured, desk.wallet, replace(after, habit=habit), work, "captured")


@decides(ReleaseRedemption)
def release_redemption(command: ReleaseRedemption, work: Work) -> Plan:
    desk, held = redemption_at(command.customer_id, command.redemption_id, work)
    released = held.stepped(Step.RELEASE, work.at)
    return changed(released, desk.wallet, desk.wallet.release(held.id), work, "released")


@decides(ReverseRedemption)
def reverse_redemption(command: ReverseRedemption, work: Work) -> Plan:
    desk, done = redemption_at(command.customer_id, command.redemption_id, work)
    undone = done.stepped(Step.REVERSE, work.at)
    after = given_back(done.lots(), desk, work)
    plan = changed(undone, desk.wallet, after, work, "reversed", points_pay=-done.points_pay)
    return plan.start(saga_of(done.id, f"{done.id}-reversal")) if done.parts else plan


def redemption_at(customer_id: str, redemption_id: str, work: Work) -> tuple[Desk, Redemption]:
    """Raises UnknownRedemption, also for another customer's."""
    key = redemption_key(work.tenant, redemption_id)
    desk = at_desk(customer_id, work, key)
    redemption = desk.found[key]
    if redemption is None or redemption.customer_id != customer_id:
        raise UnknownRedemption(redemption_id)
    return desk, redemption


def _set_aside(redemption: Redemption, minutes: int, habit: Habit, desk: Desk, work: Work) -> Plan:
    if minutes > desk.programme.hold_minutes_max:
        raise HoldTooLong(desk.programme.hold_minutes_max)
    until = work.at + timedelta(minutes=minutes)
    held = replace(redemption, expires_at=until)
    after = replace(desk.wallet.hold(held.id, held.units, until), habit=habit)
    return changed(held, desk.wallet, after, work, "held")


def _started(redemption: Redemption, wallet: Wallet, desk: Desk, work: Work) -> Plan:
    """Set aside, for as long as it takes to ask the partners' issuers. `wallet` holds nothing for it."""
    until = work.at + CONFIRMED_IN
    started = redemption.started(work.at, until)
    plan = changed(started, desk.wallet, wallet.hold(started.id, started.units, until), work, "held")
    return plan.emit(news(started)).start(saga_of(started.id, started.id))


def saga_of(redemption_id: str, execution: str) -> StartSaga:
    return StartSaga(MACHINE, execution, {"redemption_id": redemption_id})


def news(redemption: Redemption) -> Event:
    """``redemption.started``, and whatever it is by now."""
    about = {"customer_id": redemption.customer_id}
    return Event(f"redemption.{redemption.step_status}", redemption.id, redemption.version + 1, about)


def paid(redemption: Redemption, before: Wallet, after: Wallet, work: Work, why: str) -> Plan:
    return changed(redemption, before, after, work, why, points_pay=redemption.points_pay)


def changed(
    redemption: Redemption, before: Wallet, after: Wallet, work: Work, why: str, points_pay: Money | None = None
) -> Plan:
    plan = Plan(redemption_view(redemption, work.at)).save(redemption)
    note = redemption.reference or ""
    return change(
        plan,
        before,
        after,
        work,
        why=why,
        about=redemption.id,
        against=REDEEMED,
        points_pay=points_pay,
        note=note,
    )
