"""A customer's wallet: lots of credit, what is held of them, and what became of them. Source: SPEC 11 and 12."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, round_half_even
from cauri.values import dataclass, field, replace
from cauri.wallet.signals import Habit

PTS: Final = "PTS"


class Kind(StrEnum):
    REWARD = "reward"
    STORE_CREDIT = "store_credit"
    POINTS = "points"


class LotStatus(StrEnum):
    PENDING = "pending"
    """Earned, and not yet spendable: the delivery is not accepted."""
    ACTIVE = "active"
    EXPIRED = "expired"
    """In its days of grace: not spendable, but staff may extend it."""
    FULLY_EXPIRED = "fully_expired"
    EXHAUSTED = "exhausted"


@dataclass
class UnknownLot(Refusal):
    code: ClassVar[str] = "unknown_lot"
    lot_id: str

    def detail(self) -> str:
        return f"The wallet has no lot {self.lot_id!r}."


@dataclass
class LotNotExtendable(Refusal):
    """Its grace is over, it never expires, or the new date is no later than the old."""

    code: ClassVar[str] = "lot_not_extendable"
    lot_id: str

    def detail(self) -> str:
        return f"Lot {self.lot_id} can't be extended to that date."


@dataclass
class LotHeld(Refusal):
    """Part of the lot is held for an order or a redemption, which comes first."""

    code: ClassVar[str] = "lot_held"
    lot_id: str
    held: Money

    def detail(self) -> str:
        return f"{self.held} of lot {self.lot_id} are held."


@dataclass
class UnknownHold(Refusal):
    """Never made, captured, released, or expired: a hold that is over stays over."""

    code: ClassVar[str] = "unknown_hold"
    hold_id: str

    def detail(self) -> str:
        return f"Nothing is held as {self.hold_id!r} any more."


@dataclass(frozen=True)
class Snapshot:
    """What a lot was worth in the reporting currency on the day of its issue. `rate` is a decimal, as it was given."""

    worth: Money
    rate: str
    date: str
    source: str


@dataclass(frozen=True)
class Lot:
    """Credit that came at once, and is spent together. A part of a lot is a lot with fewer `units`.

    `units` are available minor units of `asset`; what is held of the lot is not among them.
    """

    id: str
    kind: Kind
    asset: str
    granted: int
    units: int
    source: str
    issued_at: Instant
    expires_at: Instant | None = None
    pending: bool = False
    issuer: str | None = None
    """The partner that stands behind a reward."""
    confirmed_outside: bool = False
    """Whether the partner's own issuer must confirm each use."""
    snapshot: Snapshot | None = None

    def part(self, units: int) -> Lot:
        return replace(self, units=units)

    def is_spendable(self, at: Instant) -> bool:
        return not self.pending and (self.expires_at is None or at < self.expires_at)

    def status(self, at: Instant, grace: timedelta, held: int = 0) -> LotStatus:
        if not self.units + held:
            return LotStatus.EXHAUSTED
        if self.pending:
            return LotStatus.PENDING
        if self.is_spendable(at):
            return LotStatus.ACTIVE
        return LotStatus.EXPIRED if at < self._grace_ends(grace) else LotStatus.FULLY_EXPIRED

    def worth(self, units: int) -> Money | None:
        """What `units` of it are worth in the reporting currency, by the rate of its issue."""
        if self.snapshot is None:
            return None
        whole = self.snapshot.worth
        return Money(round_half_even(whole.amount * units, self.granted), whole.currency)

    def _grace_ends(self, grace: timedelta) -> Instant:
        assert self.expires_at is not None
        return self.expires_at + grace

    @property
    def turn(self) -> tuple[bool, Instant, Instant, str]:
        """First in, first out: by expiry, what never expires last; then by issue. Source: SPEC 12."""
        return (self.expires_at is None, self.expires_at or self.issued_at, self.issued_at, self.id)


@dataclass(frozen=True)
class Hold:
    """Units set aside for an order or a redemption, by lot."""

    parts: dict[str, int]
    expires_at: Instant


@dataclass(frozen=True)
class Wallet:
    """Everything one customer has with the tenant: one item, which is itself the guarded account.

    A lot that is spent, with nothing held of it, leaves; it comes back when a reversal restores a part of it.
    """

    tenant: str
    customer_id: str
    lots: dict[str, Lot] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    habit: Habit = field(default_factory=Habit)
    version: int = 0

    # -- What it holds

    def spendable(self, at: Instant, asset: str, kind: Kind) -> int:
        return sum(lot.units for lot in self._lots(asset, kind) if lot.is_spendable(at))

    def held(self, asset: str, kind: Kind) -> int:
        return sum(self.held_of(lot.id) for lot in self._lots(asset, kind))

    def held_of(self, lot_id: str) -> int:
        return sum(hold.parts.get(lot_id, 0) for hold in self.holds.values())

    def owed(self, asset: str, kind: Kind) -> int:
        """What the account stands at: available, held, pending, and expired as long as its grace lasts."""
        return sum(lot.units + self.held_of(lot.id) for lot in self._lots(asset, kind))

    def expiring(self, before: Instant, at: Instant) -> list[Lot]:
        """Spendable lots that expire before then, the first to go first."""
        soon = [lot for lot in self.lots.values() if lot.units and lot.is_spendable(at)]
        return sorted((lot for lot in soon if lot.expires_at and lot.expires_at < before), key=lambda lot: lot.turn)

    @property
    def expires_first(self) -> Instant | None:
        """When the first of its lots expires, or has, that something is left of."""
        return min((lot.expires_at for lot in self.lots.values() if lot.expires_at and not lot.pending), default=None)

    def accounts(self) -> set[tuple[Kind, str]]:
        """The (kind, asset) of everything in it."""
        return {(lot.kind, lot.asset) for lot in self.lots.values()}

    def lot(self, lot_id: str) -> Lot:
        if lot_id not in self.lots:
            raise UnknownLot(lot_id)
        return self.lots[lot_id]

    # -- What comes in

    def add(self, *lots: Lot) -> Wallet:
        """Put lots in, or parts of lots back to where they came from, with the terms they had."""
        known = dict(self.lots)
        for lot in lots:
            there = known.get(lot.id)
            known[lot.id] = lot if there is None else there.part(there.units + lot.units)
        return replace(self, lots=known)

    def mature(self, lot_id: str, expires_at: Instant | None) -> Wallet:
        """Make pending points spendable: their delivery is accepted."""
        return self._put(replace(self.lot(lot_id), pending=False, expires_at=expires_at))

    def extend(self, lot_id: str, until: Instant, at: Instant, grace: timedelta) -> Wallet:
        """Let a lot live longer, also in its days of grace. Raises LotNotExtendable."""
        lot = self.lot(lot_id)
        dead = lot.status(at, grace, self.held_of(lot_id)) is LotStatus.FULLY_EXPIRED
        if dead or lot.expires_at is None or until <= max(lot.expires_at, at):
            raise LotNotExtendable(lot_id)
        return self._put(replace(lot, expires_at=until))

    # -- What goes out

    def take(self, units: Mapping[str, int]) -> tuple[Wallet, tuple[Lot, ...]]:
        """The wallet without `units` by lot, and the parts taken. Whoever asks has seen that they are there."""
        parts = tuple(self.lot(lot_id).part(count) for lot_id, count in units.items() if count)
        lots = dict(self.lots)
        for part in parts:
            left = lots[part.id].units - part.units
            if left < 0:
                raise ValueError(f"{part.id} has no {part.units}")
            lots[part.id] = lots[part.id].part(left)
        return replace(self, lots=lots)._without_the_spent(), parts

    def lapse(self, at: Instant, grace: timedelta) -> tuple[Wallet, tuple[Lot, ...]]:
        """The wallet without the lots whose grace is over, and what was left of each: breakage.

        What is held of them is not: if it is released, it lapses then.
        """
        over = [lot for lot in self.lots.values() if lot.units and not lot.pending and not lot.is_spendable(at)]
        gone = {lot.id: lot.units for lot in over if lot.status(at, grace) is LotStatus.FULLY_EXPIRED}
        return self.take(gone)

    def claw_back(self, lot_id: str, points: int) -> tuple[Wallet, tuple[Lot, ...]]:
        """Take back points that should not have been earned: of their own lot first, then of those that expire first.

        What is spent or held is gone: no balance goes below zero.
        """
        lots = sorted(self._lots(PTS, Kind.POINTS), key=lambda lot: (lot.id != lot_id, lot.turn))
        return self.take(first_units({lot.id: lot.units for lot in lots}, points))

    def revoke(self, lot_id: str) -> tuple[Wallet, tuple[Lot, ...]]:
        """Take back what is left of a lot. Raises LotHeld while an order or a redemption holds some of it."""
        lot = self.lot(lot_id)
        if held := self.held_of(lot_id):
            raise LotHeld(lot_id, Money(held, lot.asset))
        return self.take({lot_id: lot.units})

    # -- Holds

    def hold(self, hold_id: str, units: Mapping[str, int], expires_at: Instant) -> Wallet:
        """Set `units` by lot aside. The lots stay, so that what is given back finds them."""
        lots = dict(self.lots)
        for lot_id, count in units.items():
            lots[lot_id] = self.lot(lot_id).part(self.lot(lot_id).units - count)
            if lots[lot_id].units < 0:
                raise ValueError(f"{lot_id} has no {count}")
        return replace(self, lots=lots, holds={**self.holds, hold_id: Hold(dict(units), expires_at)})

    def keep(self, hold_id: str, until: Instant) -> Wallet:
        """Set aside for longer what still is."""
        if hold_id not in self.holds:
            return self
        return replace(self, holds={**self.holds, hold_id: replace(self.holds[hold_id], expires_at=until)})

    def release(self, *hold_ids: str) -> Wallet:
        """Give back what was set aside, if it is still. Safe twice."""
        lots = dict(self.lots)
        for hold_id in hold_ids:
            for lot_id, count in self.holds[hold_id].parts.items() if hold_id in self.holds else ():
                lots[lot_id] = lots[lot_id].part(lots[lot_id].units + count)
        left = {hold_id: hold for hold_id, hold in self.holds.items() if hold_id not in hold_ids}
        return replace(self, lots=lots, holds=left)._without_the_spent()

    def capture(self, hold_id: str, units: Mapping[str, int] | None = None) -> tuple[Wallet, tuple[Lot, ...]]:
        """Spend what was set aside, all of it or `units` by lot; the rest is given back. Raises UnknownHold.

        Whoever asks for a part has seen that it is held.
        """
        if hold_id not in self.holds:
            raise UnknownHold(hold_id)
        held = self.holds[hold_id].parts
        wanted = held if units is None else units
        if any(count > held.get(lot_id, 0) for lot_id, count in wanted.items()):
            raise ValueError(f"{hold_id} does not hold {wanted}")
        return self.release(hold_id).take(wanted)

    def live(self, at: Instant) -> Wallet:
        """The wallet as it is: what a hold that is over had set aside is available again."""
        over = [hold_id for hold_id, hold in self.holds.items() if hold.expires_at <= at]
        return self.release(*over) if over else self

    # -- Parts

    def _put(self, lot: Lot) -> Wallet:
        return replace(self, lots={**self.lots, lot.id: lot})

    def _without_the_spent(self) -> Wallet:
        held = {lot_id for hold in self.holds.values() for lot_id in hold.parts}
        lots = {lot_id: lot for lot_id, lot in self.lots.items() if lot.units or lot_id in held}
        return replace(self, lots=lots)

    def _lots(self, asset: str, kind: Kind) -> list[Lot]:
        return [lot for lot in self.lots.values() if (lot.asset, lot.kind) == (asset, kind)]


def first_units(parts: Mapping[str, int], units: int) -> dict[str, int]:
    """The first `units` of the parts, in their order."""
    taken: dict[str, int] = {}
    for lot_id, count in parts.items():
        taken[lot_id] = min(count, units - sum(taken.values()))
    return taken
