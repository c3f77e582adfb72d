"""Money that people take: cash, cheques, bank transfers. Nobody can be asked about it: staff records what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cauri.providers.ports import (
    Authentication,
    Charge,
    Declined,
    Forged,
    KnownDispute,
    KnownRefund,
    NotFound,
    ProviderEvent,
    RefundCall,
    Session,
    Unreadable,
)


class Manual:
    """See `PaymentProvider`."""

    name: Final = "manual"

    def get_ready(self, tenant: str) -> None:
        """It needs nothing."""

    def initialize(self, charge: Charge) -> Session:
        return Session(charge.reference, None)

    def verify(self, tenant: str, reference: str) -> NotFound:
        """What nobody recorded was not paid."""
        return NotFound()

    def refund(self, refund: RefundCall) -> Declined:
        return Declined("refunds_are_made_by_hand")

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...]:
        return ()

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound:
        return NotFound()

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        return Forged("bad_signature")

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        return Unreadable("nobody sends these")
