"""Periods of days, both ends included."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Final

from cauri.billing.model import PeriodBackwards
from cauri.values import dataclass

DAYS_MAX: Final = 366


@dataclass(frozen=True)
class Period:
    first: date
    last: date

    @staticmethod
    def of(first: date, last: date) -> Period:
        """Raises PeriodBackwards."""
        if not 0 <= (last - first).days < DAYS_MAX:
            raise PeriodBackwards
        return Period(first, last)

    @staticmethod
    def month(text: str) -> Period:
        """``2026-10``."""
        year, month = int(text[:4]), int(text[5:])
        return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))

    @property
    def name(self) -> str:
        return f"{self.first}..{self.last}"
