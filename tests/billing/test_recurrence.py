"""Periods of schedules, on the calendar and where the clocks go otherwise."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from cauri.billing.recurrence import Period, Recurrence, Unit, begins_at, in_months, month_of, today
from cauri.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st


def begins(recurrence: Recurrence, count: int, since: date | None = None) -> list[str]:
    return [period.key for period in itertools.islice(recurrence.periods(since), count)]


def monthly(starts_on: str, every: int = 1, **more: object) -> Recurrence:
    return Recurrence(Unit.MONTH, every, date.fromisoformat(starts_on), **more)  # type: ignore[arg-type]


def test_a_month_s_end_stays_the_month_s_end() -> None:
    assert begins(monthly("2026-01-31"), 5) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_in_a_leap_year_february_has_its_29th() -> None:
    assert begins(monthly("2027-12-30"), 4) == ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]
    yearly = Recurrence(Unit.YEAR, 1, date(2024, 2, 29))
    assert begins(yearly, 5) == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_a_period_ends_the_day_before_the_next() -> None:
    first, second = itertools.islice(monthly("2026-01-31").periods(), 2)
    assert (first.until, first.days) == (date(2026, 2, 27), 28)
    assert second.since == date(2026, 2, 28)


@pytest.mark.parametrize(
    "unit, every, second",
    [
        (Unit.DAY, 10, "2026-01-15"),
        (Unit.WEEK, 2, "2026-01-19"),
        (Unit.MONTH, 3, "2026-04-05"),
        (Unit.YEAR, 2, "2028-01-05"),
    ],
)
def test_every_so_many_days_weeks_months_and_years(unit: Unit, every: int, second: str) -> None:
    assert begins(Recurrence(unit, every, date(2026, 1, 5)), 2)[1] == second


def test_no_period_begins_after_the_end() -> None:
    assert begins(monthly("2026-01-31", ends_on=date(2026, 3, 31)), 9) == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert begins(monthly("2026-01-31", ends_on=date(2026, 3, 30)), 9) == ["2026-01-31", "2026-02-28"]


def test_a_shorter_first_period_costs_its_share_by_days() -> None:
    recurrence = monthly("2026-01-21", anchored_on=date(2026, 2, 1), prorated=True)
    part, whole = itertools.islice(recurrence.periods(), 2)
    assert (part.since, part.until, part.days, part.full_days) == (date(2026, 1, 21), date(2026, 1, 31), 11, 31)
    assert part.share_of(Money(31_000, "KES")) == Money(11_000, "KES")
    assert part.share_of(Money(100, "KES")) == Money(35, "KES")
    assert (whole.key, whole.share_of(Money(31_000, "KES"))) == ("2026-02-01", Money(31_000, "KES"))


def test_a_shorter_first_period_that_is_not_prorated_costs_the_whole() -> None:
    part = next(monthly("2026-01-21", anchored_on=date(2026, 2, 1)).periods())
    assert part.share_of(Money(31_000, "KES")) == Money(31_000, "KES")


def test_a_day_on_which_no_period_begins_has_none() -> None:
    recurrence = monthly("2026-01-31")
    assert recurrence.period_on(date(2026, 2, 28)) == Period(date(2026, 2, 28), date(2026, 3, 30))
    assert recurrence.period_on(date(2026, 2, 27)) is None
    assert recurrence.period_on(date(2025, 12, 31)) is None


@settings(deadline=None)
@given(
    st.sampled_from(list(Unit)),
    st.integers(1, 40),
    st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    st.integers(0, 30),
    st.integers(-50, 9_000),
)
def test_whoever_begins_later_sees_the_same_periods(
    unit: Unit, every: int, starts_on: date, shorter: int, days: int
) -> None:
    recurrence = Recurrence(unit, every, starts_on, starts_on + timedelta(days=shorter))
    since = starts_on + timedelta(days=days)
    whole = list(itertools.takewhile(lambda one: one.since <= since + timedelta(days=800), recurrence.periods()))
    later = list(itertools.takewhile(lambda one: one.since <= since + timedelta(days=800), recurrence.periods(since)))
    assert later == [period for period in whole if period.since >= since]
    assert all(one.until + timedelta(days=1) == two.since for one, two in itertools.pairwise(whole)), "no day between"


def test_months_go_back_too() -> None:
    assert in_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert in_months(date(2026, 1, 15), -1) == date(2025, 12, 15)


def test_a_month_is_named_as_people_write_it() -> None:
    assert month_of("2028-02") == Period(date(2028, 2, 1), date(2028, 2, 29))
    for wrong in ("2026-13", "2026", "2026-1", "October"):
        with pytest.raises(ValueError, match=r"isoformat|month"):
            month_of(wrong)


def test_a_day_begins_where_the_tenant_is() -> None:
    assert begins_at(date(2026, 11, 1), "Africa/Nairobi") == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert today(datetime(2026, 10, 31, 21, tzinfo=UTC), "Africa/Nairobi") == date(2026, 11, 1)
    assert today(datetime(2026, 10, 31, 20, 59, tzinfo=UTC), "Africa/Nairobi") == date(2026, 10, 31)


def test_a_day_whose_midnight_is_skipped_begins_all_the_same() -> None:
    """In Cairo, the clocks go from midnight to one o'clock on the last Friday of April."""
    begun = begins_at(date(2026, 4, 24), "Africa/Cairo")
    assert today(begun, "Africa/Cairo") in (date(2026, 4, 23), date(2026, 4, 24))
    assert today(begun + timedelta(hours=1), "Africa/Cairo") == date(2026, 4, 24)
