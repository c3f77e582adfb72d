"""What the redemption saga records: what partners' issuers said, and the end of it. See saga.py for the steps."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from cauri.books.caller import Caller
from cauri.books.commit import Books, IdempotencyKeyReused
from cauri.books.plan import Plan
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant, rfc3339
from cauri.values import dataclass, replace
from cauri.wallet.partners import UseStatus
from cauri.wallet.redeeming import changed, news, paid, redemption_at, saga_of
from cauri.wallet.redemption import Redemption, RedemptionStatus, Step, UnknownRedemption
from cauri.wallet.store import redemption_key
from cauri.wallet.views import redemption_view


@dataclass(frozen=True)
class RecordPartnerPart(Command):
    """What an issuer said of one part."""

    name: ClassVar = "record_partner_part"
    redemption_id: str
    place: int
    status: UseStatus
    reason: str | None = None


@dataclass(frozen=True)
class KeepRedemption(Command):
    """An issuer is silent: what is set aside stays so for longer."""

    name: ClassVar = "keep_redemption"
    customer_id: str
    redemption_id: str
    until: Instant


@dataclass(frozen=True)
class CompleteRedemption(Command):
    """Every issuer has captured its part: the wallet pays."""

    name: ClassVar = "complete_redemption"
    customer_id: str
    redemption_id: str


@dataclass(frozen=True)
class GiveUpRedemption(Command):
    """It goes no further. `forbids` are the keys of steps that may not commit after this."""

    name: ClassVar = "give_up_redemption"
    redemption_id: str
    forbids: tuple[str, ...] = ()


@dataclass(frozen=True)
class GiveBackHold(Command):
    """What a redemption that was given up has set aside comes back."""

    name: ClassVar = "give_back_hold"
    customer_id: str
    redemption_id: str


@dataclass(frozen=True)
class ResumeRedemption(Command):
    """Start the saga of a redemption again, under a new name."""

    name: ClassVar = "resume_redemption"
    redemption_id: str
    execution: str


@decides(RecordPartnerPart)
def record_partner_part(command: RecordPartnerPart, work: Work) -> Plan:
    before = load_redemption(work, command.redemption_id)
    after = before.heard(command.place, command.status, command.reason, work.at)
    if after is before:  # somebody else heard it first, or it comes too late to count
        return Plan(redemption_view(before, work.at))
    return _told(before, after, Plan(redemption_view(after, work.at)).save(after))


@decides(KeepRedemption)
def keep_redemption(command: KeepRedemption, work: Work) -> Plan:
    desk, known = redemption_at(command.customer_id, command.redemption_id, work)
    kept = replace(known, expires_at=command.until)
    if known.step_status is not RedemptionStatus.STARTED or not known.sets_aside(work.at):
        return Plan(redemption_view(known, work.at))
    return changed(kept, desk.wallet, desk.wallet.keep(known.id, command.until), work, "kept")


@decides(CompleteRedemption)
def complete_redemption(command: CompleteRedemption, work: Work) -> Plan:
    """Raises IllegalRedemptionChange, and UnknownHold if nothing is set aside any more."""
    desk, started = redemption_at(command.customer_id, command.redemption_id, work)
    completed = started.completed(work.at)
    after, _ = desk.wallet.capture(completed.id)
    return paid(completed, desk.wallet, after, work, "captured").emit(news(completed))


@decides(GiveUpRedemption)
def give_up_redemption(command: GiveUpRedemption, work: Work) -> Plan:
    started = load_redemption(work, command.redemption_id)
    given_up = started.stepped(Step.GIVE_UP, work.at)
    plan = Plan(redemption_view(given_up, work.at)).save(given_up).forbid(*command.forbids)
    return plan.emit(news(given_up))


@decides(GiveBackHold)
def give_back_hold(command: GiveBackHold, work: Work) -> Plan:
    desk, before = redemption_at(command.customer_id, command.redemption_id, work)
    if before.step_status is not RedemptionStatus.COMPENSATING or before.expires_at is None:
        return Plan(redemption_view(before, work.at))
    after = before.without_hold(work.at)
    plan = changed(after, desk.wallet, desk.wallet.release(after.id), work, "released")
    return _told(before, after, plan)


@decides(ResumeRedemption)
def resume_redemption(command: ResumeRedemption, work: Work) -> Plan:
    return Plan({"execution": command.execution}).start(saga_of(command.redemption_id, command.execution))


def by_saga(tenant: str) -> Caller:
    return Caller(tenant, "system:redemption")


def record(books: Books, redemption: Redemption, place: int, status: UseStatus, reason: str | None = None) -> None:
    """Record what an issuer said of a part, once, whoever hears it: the first word stands."""
    command = RecordPartnerPart(redemption.id, place, status, reason)
    with suppress(IdempotencyKeyReused):
        books.run(command, by_saga(redemption.tenant), f"redemption:{redemption.id}:{place}:{status}")


def keep(books: Books, redemption: Redemption, until: Instant) -> None:
    command = KeepRedemption(redemption.customer_id, redemption.id, until)
    books.run(command, by_saga(redemption.tenant), f"redemption:{redemption.id}:keep:{rfc3339(until)}")


def load_redemption(work: Work, redemption_id: str) -> Redemption:
    """Raises UnknownRedemption."""
    key = redemption_key(work.tenant, redemption_id)
    redemption = work.fetch(key)[key]
    if redemption is None:
        raise UnknownRedemption(redemption_id)
    return redemption


def _told(before: Redemption, after: Redemption, plan: Plan) -> Plan:
    return plan if before.step_status is after.step_status else plan.emit(news(after))
