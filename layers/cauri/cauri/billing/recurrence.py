"""Periods that come again: days of a calendar, without clocks. A period is from a day to the day before the next one.

Every period is counted from the anchor and never from the period before, so that the 31st of January is followed by the
28th of February and then by the 31st of March. Source: SPEC 9.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from cauri.clock import Instant
from cauri.money import Money, round_half_even
from cauri.values import dataclass

ONE_DAY: Final = timedelta(days=1)
LAST_DAY: Final = date(2099, 12, 31)
"""Nothing of ours is after it."""


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


MONTHS: Final = {Unit.MONTH: 1, Unit.YEAR: 12}
DAYS: Final = {Unit.DAY: 1, Unit.WEEK: 7}


@dataclass(frozen=True)
class Period:
    """Both days are in it. `full_days` is what a period of its kind has, where this one is a part."""

    since: date
    until: date
    full_days: int | None = None

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def key(self) -> str:
        """What tells it from the others of its schedule, and sorts as time does."""
        return self.since.isoformat()

    def share_of(self, price: Money) -> Money:
        """What a part of a period costs, by days, rounded half even; a whole one costs the price."""
        if self.full_days is None:
            return price
        return Money(round_half_even(price.amount * self.days, self.full_days), price.currency)


@dataclass(frozen=True)
class Recurrence:
    """Every `every` units from `starts_on`; or from `anchored_on`, if the first period is shorter.

    `prorated`: a first period that is a part costs its share, and not the whole.
    """

    unit: Unit
    every: int
    starts_on: date
    anchored_on: date | None = None
    ends_on: date | None = None
    """No period begins after it."""
    prorated: bool = False

    def periods(self, since: date | None = None) -> Iterator[Period]:
        """Those that begin on `since` or later, in order, to the last."""
        last = min(self.ends_on or LAST_DAY, LAST_DAY)
        if self._is_partial and (since is None or since <= self.starts_on) and self.starts_on <= last:
            yield self._first_part()
        count = self._count_before(since) if since else 0
        while (begins := self._nth(count)) <= last:
            if since is None or begins >= since:
                yield Period(begins, self._nth(count + 1) - ONE_DAY)
            count += 1

    def period_on(self, since: date) -> Period | None:
        """The period that begins on that day, if one does."""
        period = next(self.periods(since), None)
        return period if period is not None and period.since == since else None

    @property
    def _anchor(self) -> date:
        return self.anchored_on or self.starts_on

    @property
    def _is_partial(self) -> bool:
        return self.starts_on < self._anchor

    def _first_part(self) -> Period:
        full = (self._anchor - self._nth(-1)).days
        return Period(self.starts_on, self._anchor - ONE_DAY, full if self.prorated else None)

    def _count_before(self, since: date) -> int:
        """A count of periods whose begin is before `since`, and not many more than that behind."""
        days = max(0, (since - self._anchor).days)
        longest = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.YEAR: 366}[self.unit] * self.every
        return days // longest

    def _nth(self, count: int) -> date:
        """When the period begins that is `count` periods from the anchor."""
        if self.unit in DAYS:
            return self._anchor + timedelta(days=DAYS[self.unit] * self.every * count)
        return in_months(self._anchor, MONTHS[self.unit] * self.every * count)


def in_months(anchor: date, months: int) -> date:
    """The same day so many months on; the last of a month that does not have it."""
    years, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(years, month + 1, min(anchor.day, calendar.monthrange(years, month + 1)[1]))


def month_of(text: str) -> Period:
    """The month that ``2026-10`` names. Raises ValueError."""
    first = date.fromisoformat(f"{text}-01")
    return Period(first, in_months(first, 1) - ONE_DAY)


def begins_at(day: date, timezone: str) -> Instant:
    """When the day begins where that clock goes. A midnight that is skipped there begins as it ends."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def today(at: Instant, timezone: str) -> date:
    """The day that it is there."""
    return at.astimezone(ZoneInfo(timezone)).date()
