"""Money: whole minor units of an ISO 4217 currency, and how to divide them so that nothing is lost."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from iso4217 import Currency

MINOR_UNITS_MAX: Final = 10**15
"""The largest amount one command may carry. JSON readers keep integers exact up to 2**53, about 9 * 10**15."""


OWN_ASSETS: Final = {"PTS": 0}
"""What a tenant counts that is nobody's currency, and the digits it is shown with: points."""


class UnknownCurrencyError(ValueError):
    """Not the code of a currency that people pay with."""


class CurrencyMismatchError(ValueError):
    """Two currencies in one sum."""


@functools.cache
def exponent(currency: str) -> int:
    """Digits after the decimal point: 2 for KES, 0 for JPY and XOF, 3 for KWD and IQD. Source: ISO 4217."""
    if currency in OWN_ASSETS:
        return OWN_ASSETS[currency]
    try:
        digits = Currency(currency).exponent
    except ValueError:
        raise UnknownCurrencyError(currency) from None
    if digits is None:  # gold, test codes, baskets: not a means of payment
        raise UnknownCurrencyError(currency)
    return int(digits)


def is_currency(code: str) -> bool:
    """Whether people pay with it: the code of a currency in use, and not of something a tenant counts."""
    try:
        exponent(code)
    except UnknownCurrencyError:
        return False
    return code not in OWN_ASSETS


def currencies() -> list[str]:
    """The codes of every currency that people pay with."""
    return sorted(currency.code for currency in Currency if currency.exponent is not None)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency, or of points, in minor units: ``Money(1250, "KES")`` is 12.50 shillings."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount is a whole number of minor units, not {self.amount!r}")
        exponent(self.currency)

    def __add__(self, other: Money | int) -> Money:
        if other == 0:  # so that sum() works from its own zero
            return self
        return Money(self.amount + self._same(other), self.currency)

    __radd__ = __add__

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.amount * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        digits = exponent(self.currency)
        whole, part = divmod(abs(self.amount), 10**digits)
        sign = "-" if self.amount < 0 else ""
        return f"{self.currency} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Parts in proportion to `weights` (whole, none negative, some positive) that sum to the whole.

        Largest remainder: each part is rounded towards zero, and the units left over go one each to the
        largest remainders, the earlier part first when two are equal. Source: SPEC 3, step 2.
        """
        return [Money(part, self.currency) for part in split_units(self.amount, weights)]

    def basis_points(self, rate: int) -> Money:
        """This amount times `rate` / 10,000, rounded half even. 1,000 is 10 %."""
        return Money(round_half_even(self.amount * rate, 10_000), self.currency)

    def _same(self, other: Money | int) -> int:
        if not isinstance(other, Money) or other.currency != self.currency:
            raise CurrencyMismatchError(f"{self!r} with {other!r}")
        return other.amount


def zero(currency: str) -> Money:
    return Money(0, currency)


def total(parts: Iterable[Money], currency: str) -> Money:
    """The sum of `parts`, which may be none."""
    return sum(parts, zero(currency))


def tax_on(base: Money, rate: int, *, included: bool) -> Money:
    """The tax that is due on `base`, or that is in it. `rate` in basis points; rounded half even, once."""
    if included:
        return Money(round_half_even(base.amount * rate, 10_000 + rate), base.currency)
    return base.basis_points(rate)


def split_units(units: int, weights: Sequence[int]) -> list[int]:
    """`Money.split` for things that are counted and are no money."""
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights are not negative, and their sum is positive")
    sign = -1 if units < 0 else 1
    shares = [divmod(abs(units) * weight, whole) for weight in weights]
    left_over = abs(units) - sum(quotient for quotient, _ in shares)
    by_remainder = sorted(range(len(weights)), key=lambda index: -shares[index][1])
    favoured = set(by_remainder[:left_over])
    return [sign * (quotient + (index in favoured)) for index, (quotient, _) in enumerate(shares)]


def round_half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole number, exact halves to the even one. Never through a float."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient
