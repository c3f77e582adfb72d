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
from cauri.wallet.signals import Sign


class RedemptionStatus(StrEnum):
    HELD = "held"
    """Set aside: it can be captured, in part or whole, or released."""
    COMPLETED = "completed"
    RELEASED = "released"
    EXPIRED = "expired"
    """It was held, and nobody captured it in time."""
    REVERSED = "reversed"


class Step(StrEnum):
    CAPTURE = "capture"
    RELEASE = "release"
    REVERSE = "reverse"


LEGAL: Final = {
    (RedemptionStatus.HELD, Step.CAPTURE): RedemptionStatus.COMPLETED,
    (RedemptionStatus.HELD, Step.RELEASE): RedemptionStatus.RELEASED,
    (RedemptionStatus.COMPLETED, Step.REVERSE): RedemptionStatus.REVERSED,
}


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
