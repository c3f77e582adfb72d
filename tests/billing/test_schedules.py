"""Schedules bill each of their periods once: on time, late, after a pause, and whoever else tries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from cauri.billing.commands import PutBillingRules
from cauri.billing.model import Invoice, InvoiceCurrencyMismatch, Priced, Rules
from cauri.billing.recurrence import Recurrence, Unit
from cauri.billing.schedules import Schedule, ScheduleEnded, UnknownSchedule, schedule_key
from cauri.billing.scheduling import (
    BillSchedule,
    CreateSchedule,
    EndSchedule,
    PauseSchedule,
    ResumeSchedule,
    bill_due,
    by_schedule,
)
from cauri.billing.store import INVOICES, invoice_list
from cauri.books.listing import read_page
from cauri.money import Money
from cauri.parties.model import UnknownTaxClass

from tests.shop import Shop

RENT = (Priced("Rent", 1, Money(31_000, "KES"), "zero"),)
NAIROBI = "Africa/Nairobi"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.furnish()
    shop.clock.now = datetime(2026, 1, 15, tzinfo=UTC)
    return shop


def monthly(starts_on: str, **more: Any) -> Recurrence:
    return Recurrence(Unit.MONTH, 1, date.fromisoformat(starts_on), **more)


def schedule(shop: Shop, recurrence: Recurrence, timezone: str = NAIROBI) -> str:
    schedule_id: str = shop.run(CreateSchedule("cus_amina", RENT, recurrence, timezone))["id"]
    return schedule_id


def bill(shop: Shop, *now: int) -> list[str]:
    """Let the hour's run come; the codes of what was refused."""
    if now:
        shop.clock.now = datetime(*now, tzinfo=UTC)  # type: ignore[misc]
    return [refusal.code for _, refusal in bill_due(shop.books, shop.tenant) if refusal]


def invoices(shop: Shop) -> list[Invoice]:
    name = invoice_list("cus_amina", "open")
    found = read_page(shop.database, INVOICES, shop.tenant, name, after=None, limit=100).items
    return sorted(found, key=lambda one: one.number or "")


def billed(shop: Shop) -> list[str]:
    """The days on which the billed periods began."""
    return [(one.order or "").partition("#")[2] for one in invoices(shop)]


def kept(shop: Shop, schedule_id: str) -> Schedule:
    key = schedule_key(shop.tenant, schedule_id)
    found = shop.database.fetch([key])[key]
    assert found is not None
    return found


def test_a_period_is_billed_when_it_begins_where_the_clock_goes(shop: Shop) -> None:
    schedule(shop, monthly("2026-01-31"))
    bill(shop, 2026, 1, 30, 20, 59)
    assert billed(shop) == []
    bill(shop, 2026, 1, 30, 21)
    assert billed(shop) == ["2026-01-31"]
    [invoice] = invoices(shop)
    assert (invoice.note, invoice.number) == ("31 January 2026 – 27 February 2026", "INV-2026-000001")


def test_nothing_is_billed_twice_however_often_somebody_tries(shop: Shop) -> None:
    schedule_id = schedule(shop, monthly("2026-01-10"))
    for _ in range(3):
        bill(shop)
    shop.run(BillSchedule(schedule_id, date(2026, 1, 10)), by_schedule(shop.tenant))
    assert billed(shop) == ["2026-01-10"]
    assert kept(shop, schedule_id).billed == 1


def test_what_an_outage_missed_is_made_up_for_in_order(shop: Shop) -> None:
    schedule_id = schedule(shop, monthly("2026-01-31"))
    bill(shop, 2026, 4, 29, 12)
    assert billed(shop) == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert kept(shop, schedule_id).next_on == date(2026, 4, 30)


def test_what_begins_in_a_pause_is_not_billed(shop: Shop) -> None:
    schedule_id = schedule(shop, monthly("2026-01-10"))
    bill(shop)
    shop.run(PauseSchedule(schedule_id))
    bill(shop, 2026, 3, 20)
    assert billed(shop) == ["2026-01-10"]
    assert shop.run(ResumeSchedule(schedule_id))["next_on"] == "2026-04-10"
    bill(shop, 2026, 4, 10)
    assert billed(shop) == ["2026-01-10", "2026-04-10"]


def test_a_pause_in_which_nothing_began_leaves_nothing_out(shop: Shop) -> None:
    schedule_id = schedule(shop, monthly("2026-01-10"))
    bill(shop)
    shop.run(PauseSchedule(schedule_id))
    shop.run(ResumeSchedule(schedule_id))
    assert kept(shop, schedule_id).next_on == date(2026, 2, 10)


def test_a_schedule_ends_on_its_day_and_when_it_is_told_to(shop: Shop) -> None:
    by_itself = schedule(shop, monthly("2026-01-10", ends_on=date(2026, 2, 10)))
    told = schedule(shop, monthly("2026-03-01"))
    shop.run(EndSchedule(told))
    bill(shop, 2026, 6, 1)
    assert billed(shop) == ["2026-01-10", "2026-02-10"]
    assert {kept(shop, one).state for one in (by_itself, told)} == {"ended"}
    for command in (PauseSchedule, ResumeSchedule, EndSchedule):
        with pytest.raises(ScheduleEnded):
            shop.run(command(told))


def test_a_shorter_first_period_costs_its_share(shop: Shop) -> None:
    schedule(shop, monthly("2026-01-21", anchored_on=date(2026, 2, 1), prorated=True))
    bill(shop, 2026, 2, 2)
    assert [one.total for one in invoices(shop)] == [Money(11_000, "KES"), Money(31_000, "KES")]


def test_a_schedule_that_is_refused_stops_no_other_and_is_tried_again(shop: Shop) -> None:
    first, second = (schedule(shop, monthly("2026-01-10")) for _ in range(2))
    shop.run(PutBillingRules(Rules("", closed_until=date(2026, 1, 31))))
    assert bill(shop) == ["period_closed", "period_closed"]
    shop.run(PutBillingRules(Rules("")))
    assert bill(shop) == []
    assert [kept(shop, one).billed for one in (first, second)] == [1, 1]


def test_another_tenants_schedules_are_its_own(shop: Shop) -> None:
    schedule(shop, monthly("2026-01-10"))
    assert list(bill_due(shop.books, "duka")) == []


def test_a_schedule_that_could_not_be_billed_is_not_begun(shop: Shop) -> None:
    with pytest.raises(UnknownTaxClass):
        shop.run(CreateSchedule("cus_amina", (Priced("x", 1, Money(1, "KES"), "odd"),), monthly("2026-01-10")))
    two = (*RENT, Priced("x", 1, Money(1, "USD"), "zero"))
    with pytest.raises(InvoiceCurrencyMismatch):
        shop.run(CreateSchedule("cus_amina", two, monthly("2026-01-10")))
    with pytest.raises(UnknownSchedule):
        shop.run(PauseSchedule("sch_nowhere"))
