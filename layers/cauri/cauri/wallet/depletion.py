"""Which lots pay, and how much each. Source: SPEC 12."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, total
from cauri.values import dataclass, field
from cauri.wallet.lots import PTS, Kind, Lot, Wallet, first_units

LOYALTY: Final = frozenset({Kind.POINTS, Kind.REWARD})
"""What can't pay tax."""


@dataclass
class BelowMinimum(Refusal):
    """Fewer points than the tenant's minimum. Nothing moved."""

    code: ClassVar[str] = "below_minimum_redemption"
    minimum: int
    balance: int

    def detail(self) -> str:
        return f"A redemption takes at least {self.minimum} points."

    def suggestion(self) -> str:
        if self.balance < self.minimum:
            return f"You have {self.balance} points. Earn {self.minimum - self.balance} more to redeem."
        return f"Redeem {self.minimum} points or more."


@dataclass(frozen=True)
class Policy:
    """How a tenant's loyalty balances are spent."""

    order: tuple[Kind, ...] = (Kind.REWARD, Kind.STORE_CREDIT, Kind.POINTS)
    expiring_first_days: int = 7
    """Lots that expire within so many days go first, whatever their kind; 0 for never."""
    points_minimum: int = 100
    per_1000_points: dict[str, int] = field(default_factory=dict)
    """What 1,000 points pay, in minor units, by currency; in a currency that is not there points pay nothing."""

    def rate(self, currency: str) -> int:
        return self.per_1000_points.get(currency, 0)


@dataclass(frozen=True)
class Payment:
    """What one lot pays: `units` of its asset for `pays` of the amount."""

    lot: Lot
    units: int
    pays: Money


@dataclass(frozen=True)
class Split:
    """Who pays what of an amount; `rest` is what nothing pays."""

    payments: tuple[Payment, ...]
    rest: Money

    @property
    def units(self) -> dict[str, int]:
        """By lot: what to take or to hold."""
        return {payment.lot.id: payment.units for payment in self.payments}

    def paid_by(self, kind: Kind) -> Money:
        paid = (payment.pays for payment in self.payments if payment.lot.kind is kind)
        return total(paid, self.rest.currency)

    @property
    def points(self) -> int:
        return sum(payment.units for payment in self.payments if payment.lot.kind is Kind.POINTS)


def split(
    wallet: Wallet,
    amount: Money,
    policy: Policy,
    at: Instant,
    *,
    tax: Money,
    kinds: Sequence[Kind] | None = None,
    outside: bool = False,
) -> Split:
    """The best way to pay `amount`, of which `tax` is not for loyalty balances.

    `kinds` is the customer's own choice, in the customer's order: then lots that expire soon have no precedence, and
    too few points are refused (BelowMinimum) where otherwise they would be left alone. Only with `outside` is there
    somebody to ask about rewards that a partner's issuer must confirm; else they pay nothing.
    """
    lots = _in_turn(wallet, amount.currency, policy, at, kinds)
    lots = [lot for lot in lots if outside or not lot.confirmed_outside]
    made = pay(lots, amount, amount - tax, policy.rate(amount.currency))
    if not 0 < made.points < policy.points_minimum:
        _require_points(wallet, policy, at, kinds)
        return made
    if kinds is not None:
        raise BelowMinimum(policy.points_minimum, wallet.spendable(at, PTS, Kind.POINTS))
    without = [lot for lot in lots if lot.kind is not Kind.POINTS]
    return pay(without, amount, amount - tax, 0)


def _require_points(wallet: Wallet, policy: Policy, at: Instant, kinds: Sequence[Kind] | None) -> None:
    """Who asks to pay with points, and with nothing else, has some."""
    if kinds is not None and list(kinds) == [Kind.POINTS]:
        balance = wallet.spendable(at, PTS, Kind.POINTS)
        if balance < policy.points_minimum:
            raise BelowMinimum(policy.points_minimum, balance)


def _in_turn(wallet: Wallet, currency: str, policy: Policy, at: Instant, kinds: Sequence[Kind] | None) -> list[Lot]:
    order = policy.order if kinds is None else tuple(kinds)
    soon = at + timedelta(days=policy.expiring_first_days if kinds is None else 0)
    usable = [
        lot
        for lot in wallet.lots.values()
        if lot.units and lot.kind in order and lot.asset in (currency, PTS) and lot.is_spendable(at)
    ]

    def turn(lot: Lot) -> tuple[bool, int, tuple[bool, Instant, Instant, str]]:
        goes_first = lot.expires_at is not None and lot.expires_at < soon
        return (not goes_first, 0 if goes_first else order.index(lot.kind), lot.turn)

    return sorted(usable, key=turn)


def pay(lots: Sequence[Lot], amount: Money, for_loyalty: Money, rate: int) -> Split:
    """`amount` out of `lots` in their order, of which loyalty balances pay no more than `for_loyalty`.

    `rate` is what 1,000 points pay.
    """
    rest, loyalty_rest = amount.amount, for_loyalty.amount
    points = _Points(rate)
    spent: Counter[str] = Counter()
    pays: Counter[str] = Counter()
    for lot in lots:
        may_pay = min(rest, loyalty_rest) if lot.kind in LOYALTY else rest
        if lot.kind is Kind.POINTS:
            taken, paid = points.spend(lot, may_pay)
            spent.update(taken)
        else:
            spent[lot.id] = paid = min(lot.units, may_pay)
        pays[lot.id] = paid
        rest -= paid
        loyalty_rest -= paid if lot.kind in LOYALTY else 0
    payments = (Payment(lot, spent[lot.id], Money(pays[lot.id], amount.currency)) for lot in lots if spent[lot.id])
    return Split(tuple(payments), Money(rest, amount.currency))


@dataclass
class _Points:
    """The points of one redemption. Their value is rounded once, so that many small lots pay as one large."""

    rate: int
    spent: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    """Points by lot that would so far have been spent in vain."""

    def spend(self, lot: Lot, amount: int) -> tuple[dict[str, int], int]:
        """How many points of which lots go now, and what they pay: never more than `amount`, and none in vain."""
        if not self.rate:
            return {}, 0
        self.waiting[lot.id] = lot.units
        before = self._value(self.spent)
        most = min(before + amount, self._value(self.spent + self.waiting.total()))
        payable = self._value(((most + 1) * 1000 - 1) // self.rate)  # the most that whole points are worth, within that
        if payable <= before:
            return {}, 0
        units = -(-payable * 1000 // self.rate) - self.spent
        self.spent += units
        taken = first_units(self.waiting, units)
        self.waiting.subtract(taken)
        return taken, payable - before

    def _value(self, points: int) -> int:
        return points * self.rate // 1000
