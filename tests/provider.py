"""A payment provider in memory: it does what the test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cauri.money import Money
from cauri.providers.ports import (
    Authentic,
    Authentication,
    Captured,
    Charge,
    Declined,
    KnownDispute,
    KnownRefund,
    NotFound,
    Opening,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Refunded,
    Session,
    Unknown,
    Unreadable,
    Verification,
)


@dataclass
class ScriptedProvider:
    name: str = "demo"
    charges: dict[str, Charge] = field(default_factory=dict)
    truth: dict[str, Verification] = field(default_factory=dict)
    refunds: dict[str, Money] = field(default_factory=dict)
    refund_answer: RefundAnswer | None = None
    known: dict[str, dict[str, KnownRefund]] = field(default_factory=dict)
    """The refunds of each charge."""
    disputes: dict[str, KnownDispute] = field(default_factory=dict)
    opening: Opening | None = None
    """What to answer to whoever wants to open a payment, if not a session."""

    def get_ready(self, tenant: str) -> None:
        """It needs nothing."""

    def initialize(self, charge: Charge) -> Opening:
        if self.opening is not None:
            return self.opening
        self.charges[charge.reference] = charge
        return Session(charge.reference, f"https://pay.example/{charge.reference}")

    def pay(self, reference: str, amount: Money | None = None) -> None:
        """The shopper pays: from now on the provider says so."""
        self.truth[reference] = Captured(
            amount or self.charges[reference].amount, f"txn-{reference}", datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
        )

    def decline(self, reference: str) -> None:
        self.truth[reference] = Declined("insufficient_funds")

    def verify(self, tenant: str, reference: str) -> Verification:
        return self.truth.get(reference, NotFound())

    def refund(self, refund: RefundCall) -> RefundAnswer:
        if self.refund_answer is not None:
            return self.refund_answer
        self.refunds[refund.reference] = refund.amount
        done = Refunded(refund.amount, f"rfd-{refund.reference}", datetime(2026, 11, 20, 9, 32, tzinfo=UTC))
        of_charge = self.known.setdefault(refund.charge_reference, {})
        of_charge[refund.reference] = KnownRefund(refund.reference, refund.amount, done)
        return done

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        return tuple(self.known.get(charge_reference, {}).values())

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        return self.disputes.get(dispute_id, NotFound())

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        return Authentic()

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        return Unreadable("this provider sends none")
