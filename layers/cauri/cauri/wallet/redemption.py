"""A redemption: what a wallet paid, or has set aside to pay, and out of which lots. Source: SPEC 12."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, round_half_even, total
from cauri.values import dataclass, replace
from cauri.wallet.depletion import Payment, pay
from cauri.wallet.lots import Kind, Lot
from cauri.wallet.partners import FORWARD, PartnerPart, Parts, UseStatus, next_to_release, with_part
from cauri.wallet.signals import Sign


class RedemptionStatus(StrEnum):
    HELD = "held"
    """Set aside: it can be captured, in part or whole, or released."""
    STARTED = "started"
    """Set aside, while partners' issuers are asked."""
    COMPLETED = "completed"
    COMPENSATING = "compensating"
    """An issuer declined, or could not be asked: what others set aside is being given back."""
    COMPENSATED = "compensated"
    RELEASED = "released"
    EXPIRED = "expired"
    """It was held, and nobody captured it in time."""
    REVERSED = "reversed"


class Step(StrEnum):
    CAPTURE = "capture"
    RELEASE = "release"
    REVERSE = "reverse"
    START = "start"
    COMPLETE = "complete"
    GIVE_UP = "give up"
    COMPENSATE = "compensate"


LEGAL: Final = {
    (RedemptionStatus.HELD, Step.CAPTURE): RedemptionStatus.COMPLETED,
    (RedemptionStatus.HELD, Step.RELEASE): RedemptionStatus.RELEASED,
    (RedemptionStatus.HELD, Step.START): RedemptionStatus.STARTED,
    (RedemptionStatus.STARTED, Step.COMPLETE): RedemptionStatus.COMPLETED,
    (RedemptionStatus.STARTED, Step.GIVE_UP): RedemptionStatus.COMPENSATING,
    (RedemptionStatus.COMPENSATING, Step.COMPENSATE): RedemptionStatus.COMPENSATED,
    (RedemptionStatus.COMPLETED, Step.REVERSE): RedemptionStatus.REVERSED,
}
SETS_ASIDE: Final = frozenset({RedemptionStatus.HELD, RedemptionStatus.STARTED, RedemptionStatus.COMPENSATING})
RELEASES: Final = frozenset({RedemptionStatus.COMPENSATING, RedemptionStatus.REVERSED})
"""In these, issuers are told that a use is off."""


@dataclass
class UnknownRedemption(Refusal):
    code: ClassVar[str] = "unknown_redemption"
    redemption_id: str

    def detail(self) -> str:
        return f"There is no redemption {self.redemption_id!r}."


@dataclass
class IllegalRedemptionChange(Refusal):
    """A redemption that is over stays over."""

    code: ClassVar[str] = "illegal_redemption_change"
    redemption_id: str
    status: RedemptionStatus
    step: Step

    def detail(self) -> str:
        return f"Redemption {self.redemption_id} is {self.status}: there is nothing to {self.step}."


@dataclass
class HoldTooSmall(Refusal):
    """More is to be captured than was set aside."""

    code: ClassVar[str] = "hold_too_small"
    asked: Money
    held: Money

    def detail(self) -> str:
        return f"{self.asked} can't be captured of what was set aside for {self.held}."


@dataclass
class RedemptionCurrencyMismatch(Refusal):
    """Balances are never converted."""

    code: ClassVar[str] = "currency_mismatch"
    asked: str
    there: tuple[str, ...]

    def detail(self) -> str:
        return f"{self.asked} is asked for, and amounts are never converted."

    def suggestion(self) -> str:
        return f"Ask in {' or '.join(self.there)}."


@dataclass
class TaxTooLarge(Refusal):
    """The tax is a part of the amount."""

    code: ClassVar[str] = "tax_exceeds_amount"
    tax: Money
    amount: Money

    def detail(self) -> str:
        return f"A tax of {self.tax} is no part of {self.amount}."


@dataclass(frozen=True)
class Redemption:
    """`payments` say what each lot pays, with the lot's terms: what a reversal gives back."""

    tenant: str
    id: str
    customer_id: str
    amount: Money
    tax: Money
    rate: int
    """What 1,000 points pay in it."""
    payments: tuple[Payment, ...]
    step_status: RedemptionStatus
    at: Instant
    by: str
    reference: str | None = None
    """What is paid, as whoever redeems names it."""
    expires_at: Instant | None = None
    """When what is set aside comes back by itself."""
    signs: tuple[Sign, ...] = ()
    """Of fraud."""
    for_review: bool = False
    """It is set aside for its signs, and not because somebody asked for it."""
    parts: Parts = ()
    """What partners' issuers are asked about, once it has started."""
    started_at: Instant | None = None
    version: int = 0

    @property
    def units(self) -> dict[str, int]:
        return {payment.lot.id: payment.units for payment in self.payments}

    @property
    def points_pay(self) -> Money:
        return total((one.pays for one in self.payments if one.lot.kind is Kind.POINTS), self.amount.currency)

    @property
    def pays(self) -> Money:
        return total((one.pays for one in self.payments), self.amount.currency)

    def status(self, at: Instant) -> RedemptionStatus:
        is_over = self.expires_at is not None and self.expires_at <= at
        held = self.step_status is RedemptionStatus.HELD
        return RedemptionStatus.EXPIRED if held and is_over else self.step_status

    def stepped(self, step: Step, at: Instant) -> Redemption:
        """Raises IllegalRedemptionChange."""
        status = self.status(at)
        if (status, step) not in LEGAL:
            raise IllegalRedemptionChange(self.id, status, step)
        return replace(self, step_status=LEGAL[status, step])

    def sets_aside(self, at: Instant) -> bool:
        """Whether the wallet holds its units."""
        return self.step_status in SETS_ASIDE and self.expires_at is not None and self.expires_at > at

    @property
    def asks_partners(self) -> bool:
        return any(one.lot.confirmed_outside for one in self.payments)

    def started(self, at: Instant, until: Instant) -> Redemption:
        """Before the first question to an issuer. Raises IllegalRedemptionChange."""
        outside = [one for one in self.payments if one.lot.confirmed_outside]
        parts = tuple(PartnerPart(one.lot.id, one.lot.issuer or "", one.pays) for one in outside)
        return replace(self.stepped(Step.START, at), parts=parts, started_at=at, expires_at=until)

    def completed(self, at: Instant) -> Redemption:
        """Once all issuers have captured their parts. Raises IllegalRedemptionChange."""
        if any(part.status is not UseStatus.CAPTURED for part in self.parts):
            raise IllegalRedemptionChange(self.id, self.status(at), Step.COMPLETE)
        return self.stepped(Step.COMPLETE, at)

    def heard(self, place: int, status: UseStatus, reason: str | None, at: Instant) -> Redemption:
        """With what an issuer said of a part, unless that comes too late to count."""
        known = self.parts[place].status
        goes_on = self.step_status is RedemptionStatus.STARTED and (known, status) in FORWARD
        goes_back = self.step_status in RELEASES and status is UseStatus.RELEASED and known is not status
        if not (goes_on or goes_back):
            return self
        return replace(self, parts=with_part(self.parts, place, status, reason))._compensated(at)

    def without_hold(self, at: Instant) -> Redemption:
        """Nothing of it is set aside any more."""
        return replace(self, expires_at=None)._compensated(at)

    def _compensated(self, at: Instant) -> Redemption:
        """Compensated, if nothing is left to be given back."""
        is_over = self.expires_at is None and next_to_release(self.parts) is None
        if self.step_status is RedemptionStatus.COMPENSATING and is_over:
            return self.stepped(Step.COMPENSATE, at)
        return self

    def part(self, amount: Money) -> Redemption:
        """Only so much of it, out of the same lots in the same order; of the tax its share. Raises HoldTooSmall."""
        if amount.currency != self.amount.currency:
            raise RedemptionCurrencyMismatch(amount.currency, (self.amount.currency,))
        if amount > self.amount:
            raise HoldTooSmall(amount, self.amount)
        tax = Money(round_half_even(self.tax.amount * amount.amount, self.amount.amount), amount.currency)
        made = pay(self.lots(), amount, amount - tax, self.rate)
        if made.rest:  # what is left is worth less than a part of a point
            raise HoldTooSmall(amount, self.amount)
        return replace(self, amount=amount, tax=tax, payments=made.payments)

    def lots(self) -> list[Lot]:
        """The parts of lots that paid, with the terms they had."""
        return [payment.lot.part(payment.units) for payment in self.payments]
