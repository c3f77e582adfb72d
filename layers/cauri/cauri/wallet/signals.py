"""Signs of fraud: somebody redeems more often, or far more, than this customer does. Source: SPEC 12."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from cauri.clock import Instant
from cauri.money import Money
from cauri.values import dataclass, field, replace

WINDOW: Final = timedelta(minutes=5)
OFTEN: Final = 5
TIMES: Final = 5


class Severity(StrEnum):
    MEDIUM = "medium"
    HIGH = "high"


class Sign(StrEnum):
    TOO_OFTEN = "too_often"
    """More than five within five minutes."""
    FAR_MORE = "far_more"
    """More than five times what the customer redeems on average."""


SEVERITY: Final = {Sign.TOO_OFTEN: Severity.MEDIUM, Sign.FAR_MORE: Severity.HIGH}


@dataclass(frozen=True)
class Habit:
    """How a customer redeems: when, of late; and how often and how much so far, by currency."""

    recent: tuple[Instant, ...] = ()
    count: dict[str, int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)

    def signs(self, amount: Money, at: Instant) -> tuple[Sign, ...]:
        """What is unusual about one more redemption."""
        signs = []
        if len(self._of_late(at)) >= OFTEN:
            signs.append(Sign.TOO_OFTEN)
        # More than so many times total / count, without a fraction.
        if amount.amount * self.count.get(amount.currency, 0) > TIMES * self.total.get(amount.currency, 0):
            signs.append(Sign.FAR_MORE)
        return tuple(signs)

    def after(self, amount: Money, at: Instant, *, counts: bool = True) -> Habit:
        """With one redemption more; one that is `counts=False` was tried, and is not yet known to be the customer's."""
        tried = replace(self, recent=(*self._of_late(at), at)[-OFTEN:])
        return tried.counted(amount) if counts else tried

    def counted(self, amount: Money) -> Habit:
        count = self.count.get(amount.currency, 0) + 1
        total = self.total.get(amount.currency, 0) + amount.amount
        return replace(self, count={**self.count, amount.currency: count}, total={**self.total, amount.currency: total})

    def _of_late(self, at: Instant) -> tuple[Instant, ...]:
        return tuple(moment for moment in self.recent if moment > at - WINDOW)
