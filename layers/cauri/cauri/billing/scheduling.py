"""Begin, pause and end schedules, and bill the periods that have begun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

from cauri.billing.invoicing import bill_lines
from cauri.billing.model import InvoiceCurrencyMismatch, Priced
from cauri.billing.papers import day_shown
from cauri.billing.recurrence import Recurrence, today
from cauri.billing.schedule_views import schedule_view
from cauri.billing.schedules import SCHEDULES, Schedule, UnknownSchedule, schedule_key
from cauri.billing.store import SHARDS, TABLE
from cauri.books.caller import Caller
from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant, rfc3339
from cauri.errors import Refusal
from cauri.parties.model import UnknownTenant
from cauri.parties.store import tenant_key
from cauri.values import dataclass, replace

CAUGHT_UP_MAX: Final = 60
"""Periods of one schedule that one run bills: it goes on with the next."""


@dataclass(frozen=True)
class CreateSchedule(Command):
    """Bill these lines to a customer again and again. What has begun already is billed with the next run."""

    name: ClassVar = "create_schedule"
    customer_id: str
    lines: tuple[Priced, ...]
    recurrence: Recurrence
    timezone: str = "UTC"


@dataclass(frozen=True)
class PauseSchedule(Command):
    name: ClassVar = "pause_schedule"
    schedule_id: str


@dataclass(frozen=True)
class ResumeSchedule(Command):
    """Go on with the next period that begins: what began in the pause is not billed."""

    name: ClassVar = "resume_schedule"
    schedule_id: str


@dataclass(frozen=True)
class EndSchedule(Command):
    name: ClassVar = "end_schedule"
    schedule_id: str


@dataclass(frozen=True)
class BillSchedule(Command):
    """Bill the period that begins on this day, if it comes next."""

    name: ClassVar = "bill_schedule"
    schedule_id: str
    period: date


@dataclass(frozen=True)
class NotNext:
    """The period was billed, or is not to be."""

    schedule_id: str
    next_on: date | None


@decides(CreateSchedule)
def create_schedule(command: CreateSchedule, work: Work) -> Plan:
    tenant_at = tenant_key(work.tenant)
    tenant = work.fetch(tenant_at)[tenant_at]
    if tenant is None:
        raise UnknownTenant
    currency = command.lines[0].price.currency
    for line in command.lines:
        tenant.tax_rate(line.tax_class)
        if line.price.currency != currency:
            raise InvoiceCurrencyMismatch(currency)
    first = next(command.recurrence.periods(), None)
    schedule = Schedule(
        work.tenant,
        work.ids.new("sch"),
        command.customer_id,
        command.lines,
        command.recurrence,
        command.timezone,
        first.since if first else None,
    )
    return _changed(schedule, "created")


@decides(PauseSchedule)
def pause_schedule(command: PauseSchedule, work: Work) -> Plan:
    return _changed(_load(command.schedule_id, work).pause(), "paused")


@decides(ResumeSchedule)
def resume_schedule(command: ResumeSchedule, work: Work) -> Plan:
    schedule = _load(command.schedule_id, work)
    return _changed(schedule.resume(today(work.at, schedule.timezone)), "resumed")


@decides(EndSchedule)
def end_schedule(command: EndSchedule, work: Work) -> Plan:
    return _changed(_load(command.schedule_id, work).end(), "ended")


@decides(BillSchedule)
def bill_schedule(command: BillSchedule, work: Work) -> Plan:
    schedule = _load(command.schedule_id, work)
    period = schedule.recurrence.period_on(command.period)
    if period is None or schedule.state != "active" or schedule.next_on != command.period:
        return Plan(NotNext(schedule.id, schedule.next_on))
    lines = tuple(replace(line, price=period.share_of(line.price)) for line in schedule.lines)
    note = f"{day_shown(period.since)} – {day_shown(period.until)}"
    plan = bill_lines(schedule.customer_id, lines, work, note=note, order=f"{schedule.id}#{period.key}")
    after = schedule.after(period)
    told = {"period": period.key, "next_on": after.next_on.isoformat() if after.next_on else None}
    return plan.save(after).emit(Event("invoice_schedule.billed", schedule.id, after.version + 1, told))


def _load(schedule_id: str, work: Work) -> Schedule:
    """Raises UnknownSchedule."""
    key = schedule_key(work.tenant, schedule_id)
    schedule = work.fetch(key)[key]
    if schedule is None:
        raise UnknownSchedule(schedule_id)
    return schedule


def _changed(schedule: Schedule, what: str) -> Plan:
    told = Event(f"invoice_schedule.{what}", schedule.id, schedule.version + 1, {"customer_id": schedule.customer_id})
    return Plan(schedule_view(schedule)).save(schedule).emit(told)


# -- By the clock


def by_schedule(tenant: str) -> Caller:
    return Caller(tenant, "system:schedules")


def bill_due(books: Books, tenant: str) -> Iterator[tuple[Schedule, Refusal | None]]:
    """Bill every period that has begun, of every schedule; what a rule refuses is told, and stops no other."""
    for schedule in _due(books.database, tenant, books.clock()):
        yield schedule, _catch_up(books, schedule)


def _catch_up(books: Books, schedule: Schedule) -> Refusal | None:
    """All periods of one that have begun, in order: the first that is refused stops it."""
    for _ in range(CAUGHT_UP_MAX):
        if schedule.state != "active" or schedule.next_on is None or schedule.due_at is None:
            return None
        if schedule.due_at > books.clock():
            return None
        command = BillSchedule(schedule.id, schedule.next_on)
        try:
            books.run(command, by_schedule(schedule.tenant), f"schedule:{schedule.id}:{schedule.next_on}")
        except Refusal as refusal:
            return refusal
        key = schedule_key(schedule.tenant, schedule.id)
        schedule = books.database.fetch([key])[key] or schedule
    return None


def _due(database: Database, tenant: str, now: Instant) -> Iterator[Schedule]:
    for shard in range(SHARDS):
        request = {
            "IndexName": "by_list",
            "KeyConditionExpression": "#list = :list AND list_at < :now",
            "ExpressionAttributeNames": {"#list": "list"},
            "ExpressionAttributeValues": {
                ":list": {"S": f"{tenant}#schedules-active#{shard:02d}"},
                ":now": {"S": f"{rfc3339(now)}~"},
            },
        }
        yield from SCHEDULES.from_items(database.query_all(TABLE, request))
