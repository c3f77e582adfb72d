"""What a wallet pays of an order: out of which lots, and what comes back of them. Source: SPEC 3, 4 and 12."""

from __future__ import annotations

from collections.abc import Sequence

from cauri.clock import Instant
from cauri.money import Money, total
from cauri.values import dataclass, replace
from cauri.wallet.depletion import LOYALTY, Payment
from cauri.wallet.lots import Kind, Lot, Wallet, first_units
from cauri.wallet.programme import Programme
from cauri.wallet.proposing import InsufficientBalance, proposal


@dataclass(frozen=True)
class Back:
    """Parts of lots that come back, with the terms they had, and what those of points had paid."""

    lots: tuple[Lot, ...]
    points_pay: Money | None = None


@dataclass(frozen=True)
class Draw:
    """An amount that a wallet pays, with the terms of the lots: what a refund gives back. Frozen at sale."""

    amount: Money
    kinds: tuple[Kind, ...] | None = None
    """The customer's own choice, in the customer's order."""
    rate: int = 0
    """What 1,000 points pay in it."""
    payments: tuple[Payment, ...] = ()

    @property
    def points_pay(self) -> Money:
        return self.paid_by(Kind.POINTS)

    def paid_by(self, *kinds: Kind) -> Money:
        return total((one.pays for one in self.payments if one.lot.kind in kinds), self.amount.currency)

    def units_of(self, kind: Kind) -> int:
        return sum(one.units for one in self.payments if one.lot.kind is kind)

    def back(self, after: int, more: int) -> Back:
        """What comes back when `more` minor units of it are given back, after so many were.

        What stays spent is what would have been, had the amount been that much smaller: what went last comes back
        first. Of points that pay for a part only, the fraction stays spent until the rest comes back.
        """
        whole = self.amount.amount
        before, now = self._spent(whole - after), self._spent(whole - after - more)
        lots = {one.lot.id: one.lot for one in self.payments}
        parts = {lot_id: units - now.units[lot_id] for lot_id, units in before.units.items()}
        pay = Money(before.points_pay - now.points_pay, self.amount.currency)
        return Back(tuple(lots[lot_id].part(units) for lot_id, units in parts.items() if units), pay)

    def _spent(self, amount: int) -> _Spent:
        """What of it pays only `amount`, the first first."""
        rest, units, points_pay = amount, dict[str, int](), 0
        for one in self.payments:
            pays = min(one.pays.amount, rest)
            rest -= pays
            units[one.lot.id] = pays
            points_pay += pays if one.lot.kind is Kind.POINTS else 0
        points = {one.lot.id: one.units for one in self.payments if one.lot.kind is Kind.POINTS}
        if points:  # some may have paid nothing by themselves, and only together with others
            units |= first_units(points, -(-sum(points.values()) * points_pay // self.points_pay.amount))
        return _Spent(units, points_pay)


@dataclass(frozen=True)
class _Spent:
    units: dict[str, int]
    points_pay: int


def draw(asked: Sequence[Draw], for_loyalty: Money, programme: Programme, wallet: Wallet, at: Instant) -> list[Draw]:
    """How the wallet pays the draws, one after another. Of all, points and rewards pay no more than `for_loyalty`.

    Raises InsufficientBalance, BelowMinimum, RedemptionCurrencyMismatch.
    """
    drawn = []
    for one in asked:
        tax = one.amount - min(one.amount, for_loyalty)
        made = proposal(programme, wallet, one.amount, tax, one.kinds, at)
        if made.rest:
            raise InsufficientBalance(one.amount, one.amount - made.rest)
        paid = replace(one, rate=programme.spending.rate(one.amount.currency), payments=made.payments)
        wallet, _ = wallet.take(made.units)
        for_loyalty -= paid.paid_by(*LOYALTY)
        drawn.append(paid)
    return drawn


def units_of(draws: Sequence[Draw]) -> dict[str, int]:
    """By lot: what all of them take."""
    units: dict[str, int] = {}
    for one in draws:
        for payment in one.payments:
            units[payment.lot.id] = units.get(payment.lot.id, 0) + payment.units
    return units
