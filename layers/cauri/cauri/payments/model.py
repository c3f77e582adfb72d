"""A payment: what a provider was asked to take, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass, replace


class PaymentStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"
    MISMATCHED = "mismatched"
    """The provider took another amount than was asked. No value is given for it: it goes back."""
    REFUNDED = "refunded"
    """All of it went back."""


class PaymentChange(StrEnum):
    SUCCEED = "succeed"
    MISMATCH = "mismatch"
    FAIL = "fail"
    ABANDON = "abandon"
    REFUND = "refund"


LEGAL: Final = {
    (PaymentStatus.PENDING, PaymentChange.SUCCEED): PaymentStatus.SUCCEEDED,
    (PaymentStatus.PENDING, PaymentChange.FAIL): PaymentStatus.FAILED,
    (PaymentStatus.PENDING, PaymentChange.ABANDON): PaymentStatus.ABANDONED,
    # The provider has the last word: a success may come after we had given up.
    (PaymentStatus.FAILED, PaymentChange.SUCCEED): PaymentStatus.SUCCEEDED,
    (PaymentStatus.ABANDONED, PaymentChange.SUCCEED): PaymentStatus.SUCCEEDED,
    (PaymentStatus.PENDING, PaymentChange.MISMATCH): PaymentStatus.MISMATCHED,
    (PaymentStatus.FAILED, PaymentChange.MISMATCH): PaymentStatus.MISMATCHED,
    (PaymentStatus.ABANDONED, PaymentChange.MISMATCH): PaymentStatus.MISMATCHED,
    (PaymentStatus.SUCCEEDED, PaymentChange.REFUND): PaymentStatus.REFUNDED,
    (PaymentStatus.MISMATCHED, PaymentChange.REFUND): PaymentStatus.REFUNDED,
}


@dataclass
class UnknownPayment(Refusal):
    code: ClassVar[str] = "unknown_payment"
    payment_id: str

    def detail(self) -> str:
        return f"There is no payment {self.payment_id!r}."


@dataclass
class IllegalPaymentChange(Refusal):
    code: ClassVar[str] = "illegal_payment_change"
    payment_id: str
    status: PaymentStatus
    change: PaymentChange

    def detail(self) -> str:
        legal = ", ".join(change for status, change in LEGAL if status is self.status) or "nothing"
        return f"Payment {self.payment_id} is {self.status}: it can't {self.change}, only {legal}."


@dataclass
class ProviderNotEnabled(Refusal):
    code: ClassVar[str] = "provider_not_enabled"
    provider: str

    def detail(self) -> str:
        return f"This tenant does not take payments through {self.provider!r}."


@dataclass
class ProviderDeclined(Refusal):
    """The provider refuses to open a payment. No money moved, and nothing was kept."""

    code: ClassVar[str] = "provider_declined"
    provider: str
    reason: str

    def detail(self) -> str:
        return f"{self.provider} does not take this payment: {self.reason}."

    def facts(self) -> dict[str, object]:
        return {"reason": self.reason}


@dataclass
class ProviderUnavailable(Refusal):
    """The provider gave no answer, or is known to give none now. No money moved, and nothing was kept."""

    code: ClassVar[str] = "provider_unavailable"
    provider: str

    def detail(self) -> str:
        return f"{self.provider} does not answer."

    def suggestion(self) -> str:
        return "Send the same request again in a minute, or pay another way."


@dataclass(frozen=True)
class Payment:
    """One charge at one provider, for one order."""

    tenant: str
    id: str
    order_id: str
    provider: str
    amount: Money
    status: PaymentStatus
    created_at: Instant
    purpose: str = "order"
    provider_reference: str | None = None
    settled_at: Instant | None = None
    taken: Money | None = None
    """What the provider says it took, where that is not `amount`."""
    reference: str = ""
    """What the provider knows the charge by, where that is not `id`."""
    given_back: int = 0
    """Minor units of it that went back to the shopper."""
    refunding: str | None = None
    """The refund that is on its way at the provider, or may be: until it is settled, no other goes out."""
    version: int = 0

    @property
    def charge_reference(self) -> str:
        return self.reference or self.id

    @property
    def gave_up(self) -> bool:
        """True if the order went on without it: a success now comes late."""
        return self.status in (PaymentStatus.FAILED, PaymentStatus.ABANDONED)

    @property
    def is_taken(self) -> bool:
        """True while the provider has the shopper's money."""
        return self.status in (PaymentStatus.SUCCEEDED, PaymentStatus.MISMATCHED)

    @property
    def is_settled(self) -> bool:
        """True once the provider's last word on the charge is recorded."""
        return self.is_taken or self.status is PaymentStatus.REFUNDED

    @property
    def received(self) -> Money:
        """What the provider took."""
        return self.taken or self.amount

    def free(self, refund_id: str) -> Payment:
        """The payment when this refund is not on its way any more."""
        return replace(self, refunding=None) if self.refunding == refund_id else self

    def give_back(self, money: Money) -> Payment:
        """The payment when so much more of it went back."""
        payment = replace(self, given_back=self.given_back + money.amount)
        return payment.change(PaymentChange.REFUND) if payment.given_back == self.received.amount else payment

    def give_up(self) -> Payment:
        """The payment when nobody waits for it any more."""
        return self.change(PaymentChange.ABANDON) if self.status is PaymentStatus.PENDING else self

    def change(self, change: PaymentChange) -> Payment:
        """The payment after `change`. Raises IllegalPaymentChange."""
        after = LEGAL.get((self.status, change))
        if after is None:
            raise IllegalPaymentChange(self.id, self.status, change)
        return replace(self, status=after)
