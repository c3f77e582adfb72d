"""Invoices that come again."""

from __future__ import annotations

from datetime import date

from cauri.billing.model import Priced
from cauri.billing.recurrence import Recurrence, Unit
from cauri.billing.scheduling import (
    BillSchedule,
    CreateSchedule,
    EndSchedule,
    PauseSchedule,
    ResumeSchedule,
    by_schedule,
)
from cauri.money import Money

from tests.proof.examples.worlds import Act, example, sent
from tests.shop import Shop

LINES = (Priced("Rent", 1, Money(31_000, "KES"), "standard"),)
MONTHLY = Recurrence(Unit.MONTH, 1, date(2026, 10, 31))


def a_schedule(shop: Shop) -> str:
    shop.furnish()
    schedule_id: str = shop.run(CreateSchedule("cus_amina", LINES, MONTHLY))["id"]
    return schedule_id


@example(CreateSchedule, "every month")
def _(shop: Shop) -> Act:
    return sent(CreateSchedule("cus_amina", LINES, MONTHLY), shop.furnish().admin)


@example(PauseSchedule, "that is active")
def _(shop: Shop) -> Act:
    return sent(PauseSchedule(a_schedule(shop)), shop.admin)


@example(ResumeSchedule, "after a pause")
def _(shop: Shop) -> Act:
    schedule_id = a_schedule(shop)
    shop.run(PauseSchedule(schedule_id))
    return sent(ResumeSchedule(schedule_id), shop.admin)


@example(EndSchedule, "that is active")
def _(shop: Shop) -> Act:
    return sent(EndSchedule(a_schedule(shop)), shop.admin)


@example(BillSchedule, "a period that has begun")
def _(shop: Shop) -> Act:
    return sent(BillSchedule(a_schedule(shop), date(2026, 10, 31)), by_schedule(shop.tenant))
