"""Credit that nobody spent: when its grace is over it is the tenant's again, and what there is until then is owed.

Source: SPEC 11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, round_half_even
from cauri.values import dataclass
from cauri.wallet.lots import Kind, Lot, Wallet
from cauri.wallet.programme import Estimate, Programme


@dataclass
class NothingCounted(Refusal):
    """The schedule did not run in that quarter, or there was no loyalty programme."""

    code: ClassVar[str] = "nothing_counted"
    period: str

    def detail(self) -> str:
        return f"Nobody counted what was owed in {self.period}."


def period_of(at: Instant) -> str:
    """The quarter: ``2026-Q4``."""
    return f"{at.year}-Q{(at.month + 2) // 3}"


@dataclass(frozen=True)
class Breakage:
    """What lapsed of one wallet at once. Written with its entry, once and for good."""

    tenant: str
    id: str
    customer_id: str
    breakage_recognized_at: Instant
    breakage_recognition_period: str
    breakage_journal_entry_id: str
    """The record of the log that has the entry."""
    parts: tuple[Lot, ...]
    worth: Money
    """In the reporting currency, by the rates of their issue."""
    version: int = 0


@dataclass(frozen=True)
class Owed:
    """What customers have of a kind in a currency, and its worth in the reporting currency."""

    kind: Kind
    outstanding: Money
    worth: Money


@dataclass(frozen=True)
class Liability:
    """What the tenant owed its customers when somebody last counted on a day."""

    tenant: str
    day: str
    at: Instant
    owed: tuple[Owed, ...]
    worth: Money
    estimate: Estimate
    estimate_bps: int
    estimated_breakage: Money
    """The part of the worth that is not expected to be spent."""
    recognized: Money
    """What lapsed in the quarter so far."""
    version: int = 0


Sums = Counter[tuple[Kind, str, str]]
"""By kind, currency, and what is counted: units, or worth."""


def sums_of(wallets: Iterable[Wallet], programme: Programme) -> Sums:
    """What `wallets` have, available, held, pending and in their days of grace."""
    sums = Sums()
    for wallet in wallets:
        for lot in wallet.lots.values():
            units = lot.units + wallet.held_of(lot.id)
            sums[lot.kind, lot.asset, "units"] += units
            sums[lot.kind, lot.asset, "worth"] += programme.worth_of(lot, units).amount
    return sums


def liability(programme: Programme, sums: Sums, recognized: int, at: Instant) -> Liability:
    currency = programme.reporting_currency
    owed = tuple(
        Owed(kind, Money(sums[kind, asset, "units"], asset), Money(sums[kind, asset, "worth"], currency))
        for kind, asset in sorted({(kind, asset) for kind, asset, _ in sums})
    )
    worth = Money(sum(one.worth.amount for one in owed), currency)
    share = programme.estimate_bps if programme.estimate is Estimate.PROPORTIONAL else 0
    expected = Money(round_half_even(worth.amount * share, 10_000), currency)
    day = f"{at:%Y-%m-%d}"
    known = Money(recognized, currency)
    return Liability(programme.tenant, day, at, owed, worth, programme.estimate, share, expected, known)


@dataclass(frozen=True)
class Review:
    """A quarter: what was owed as it began, and what of it lapsed, beside the estimate.

    The days are those on which somebody counted first and last.
    """

    period: str
    first_day: str
    last_day: str
    opening: Money
    closing: Money
    recognized: Money
    recognized_bps: int
    """Of what was owed as the quarter began."""
    estimate: Estimate
    estimate_bps: int


def review(period: str, first: Liability, last: Liability) -> Review:
    share = round_half_even(last.recognized.amount * 10_000, first.worth.amount) if first.worth else 0
    counted = (first.worth, last.worth, last.recognized)
    return Review(period, first.day, last.day, *counted, share, last.estimate, last.estimate_bps)


def days_of(period: str) -> tuple[str, str]:
    """The first day of a quarter, and the last, or one that never comes."""
    year, _, quarter = period.partition("-Q")
    last = 3 * int(quarter)
    return f"{year}-{last - 2:02d}-01", f"{year}-{last:02d}-31"
