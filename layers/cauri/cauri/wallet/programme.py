"""A tenant's loyalty programme: what it reports in, who must agree to what, how long things live. Source: SPEC 11."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, exponent
from cauri.values import dataclass, field
from cauri.wallet.depletion import Policy
from cauri.wallet.lots import PTS, Lot, Snapshot

AUTOMATIC_MAX: Final = 100
MANAGER_MAX: Final = 1_000
"""In whole units of the reporting currency, unless the tenant chooses others."""


@dataclass
class NoProgramme(Refusal):
    """The tenant has not set up its loyalty programme: nothing can be issued or redeemed."""

    code: ClassVar[str] = "no_loyalty_programme"

    def detail(self) -> str:
        return "This tenant has no loyalty programme."

    def suggestion(self) -> str:
        return "An administrator of the tenant sends PUT /v1/loyalty-programme first."


@dataclass
class RateMissing(Refusal):
    """What something is worth in the reporting currency nobody can tell."""

    code: ClassVar[str] = "rate_missing"
    currency: str
    reporting_currency: str

    def detail(self) -> str:
        return f"The loyalty programme has no rate from {self.currency} to {self.reporting_currency}."

    def suggestion(self) -> str:
        return "Put the rate into the programme's table first."


@dataclass(frozen=True)
class Rate:
    """What one whole unit of a currency is worth in the reporting currency: a decimal, as it was given."""

    rate: str
    date: str
    source: str


class Estimate(StrEnum):
    """How breakage is estimated while it is not yet recognised."""

    REMOTE = "remote"
    """Not at all: a lot breaks when its grace is over."""
    PROPORTIONAL = "proportional"
    """As a share of what is outstanding."""


@dataclass(frozen=True)
class Programme:
    """The rules that a tenant chose. Amounts are minor units of the reporting currency."""

    tenant: str
    reporting_currency: str
    spending: Policy = field(default_factory=Policy)
    rates: dict[str, Rate] = field(default_factory=dict)
    """By currency, to the reporting currency."""
    automatic_max: int | None = None
    """What staff issue by themselves; None is 100 whole units."""
    manager_max: int | None = None
    """What one manager may agree to; above, a manager and finance. None is 1,000 whole units."""
    decide_hours: int = 24
    earn_per_1000: dict[str, int] = field(default_factory=dict)
    """Points that an order earns for each 1,000 minor units of its amount, by currency."""
    earned_days: int | None = None
    """How long earned points live once they can be spent; None is for ever."""
    grace_days: int = 30
    expiring_soon_days: int = 30
    restored_days: int | None = None
    """How long a lot lives again that had expired when its redemption was reversed; None: it stays expired."""
    hold_minutes_max: int = 24 * 60
    review_flagged: bool = False
    """What looks like fraud is set aside until staff capture or release it."""
    estimate: Estimate = Estimate.REMOTE
    estimate_bps: int = 1_500
    confirming_partners: tuple[str, ...] = ()
    """Partners, as their tokens name them, whose own issuer confirms each use of what they issue from now on."""
    version: int = 0

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)

    def earned(self, amount: Money) -> int:
        """The points that an order of `amount` earns. Part of a point is none."""
        return amount.amount * self.earn_per_1000.get(amount.currency, 0) // 1000

    def require_rates(self) -> None:
        """Every currency that points pay in has a worth. Raises RateMissing."""
        for currency in self.spending.per_1000_points:
            self.worth(Money(0, currency))

    def worth(self, value: Money) -> Money:
        """In the reporting currency, half even; points at the best rate that they pay at. Raises RateMissing."""
        if value.currency == self.reporting_currency:
            return value
        if value.currency == PTS:
            pay = (Money(value.amount * rate // 1000, to) for to, rate in self.spending.per_1000_points.items())
            return max((self.worth(money) for money in pay), default=Money(0, self.reporting_currency), key=_amount)
        whole_units = Fraction(value.amount, 10 ** exponent(value.currency)) * Fraction(self._rate(value.currency).rate)
        return Money(round(whole_units * 10 ** exponent(self.reporting_currency)), self.reporting_currency)

    def worth_of(self, lot: Lot, units: int) -> Money:
        """What `units` of a lot are worth in the reporting currency: by the rate of its issue, if it has one.

        A currency that was dropped from the table counts as nothing.
        """
        worth = lot.worth(units)
        if worth is not None and worth.currency == self.reporting_currency:
            return worth
        try:
            return self.worth(Money(units, lot.asset))
        except RateMissing:
            return Money(0, self.reporting_currency)

    def snapshot(self, value: Money) -> Snapshot | None:
        """What `value` is worth today, if it is in another currency than the reporting one. Raises RateMissing."""
        if value.currency in (self.reporting_currency, PTS):
            return None
        rate = self._rate(value.currency)
        return Snapshot(self.worth(value), rate.rate, rate.date, rate.source)

    def approvers(self, worth: Money) -> tuple[str, ...]:
        """The roles that must agree to giving away so much, each a person of its own."""
        if worth.amount <= self._limit(self.automatic_max, AUTOMATIC_MAX):
            return ()
        return ("manager",) if worth.amount <= self._limit(self.manager_max, MANAGER_MAX) else ("manager", "finance")

    def restored_until(self, expires_at: Instant | None, at: Instant) -> Instant | None:
        """When a lot expires that comes back from a redemption."""
        if expires_at is None or expires_at > at or self.restored_days is None:
            return expires_at
        return at + timedelta(days=self.restored_days)

    def _rate(self, currency: str) -> Rate:
        if currency not in self.rates:
            raise RateMissing(currency, self.reporting_currency)
        return self.rates[currency]

    def _limit(self, chosen: int | None, whole_units: int) -> int:
        return whole_units * 10 ** exponent(self.reporting_currency) if chosen is None else chosen


def _amount(money: Money) -> int:
    return money.amount
