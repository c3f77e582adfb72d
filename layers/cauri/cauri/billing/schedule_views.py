"""Schedules as they are shown."""

from __future__ import annotations

from datetime import date

from cauri.billing.recurrence import Unit
from cauri.billing.schedules import Schedule
from cauri.money import Money
from cauri.values import dataclass


@dataclass(frozen=True)
class ScheduleLineView:
    description: str
    quantity: int
    price: Money
    tax_class: str


@dataclass(frozen=True)
class ScheduleView:
    """An invoice that comes again. `next_on` is the day on which the next period begins, and is billed."""

    id: str
    customer_id: str
    status: str
    lines: list[ScheduleLineView]
    unit: Unit
    every: int
    starts_on: date
    anchored_on: date | None
    ends_on: date | None
    prorated: bool
    timezone: str
    next_on: date | None
    billed: int


@dataclass(frozen=True)
class SchedulePage:
    items: list[ScheduleView]
    next_cursor: str | None


def schedule_view(schedule: Schedule) -> ScheduleView:
    recurrence = schedule.recurrence
    return ScheduleView(
        schedule.id,
        schedule.customer_id,
        schedule.state,
        [ScheduleLineView(one.description, one.quantity, one.price, one.tax_class) for one in schedule.lines],
        recurrence.unit,
        recurrence.every,
        recurrence.starts_on,
        recurrence.anchored_on,
        recurrence.ends_on,
        recurrence.prorated,
        schedule.timezone,
        schedule.next_on,
        schedule.billed,
    )
