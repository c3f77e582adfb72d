"""A provider behind a circuit breaker: while it gives no answers it is not asked, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

from cauri.providers.ports import (
    Authentication,
    Charge,
    KnownDispute,
    KnownRefund,
    NotFound,
    Opening,
    PaymentProvider,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Unreadable,
    Verification,
)
from cauri.providers.rewards import RewardAnswer, RewardIssuer, RewardUse
from cauri.providers.unknown import Unknown

A = TypeVar("A")
NOT_ASKED: Final = Unknown("not asked: it has not been answering")


class Circuit(Protocol):
    """One provider's, for every tenant."""

    def look(self, tenant: str) -> None:
        """Find out how it stands, if that is not known."""

    def lets_pass(self, tenant: str) -> bool:
        """Whether the provider is to be asked now."""

    def note(self, tenant: str, *, answered: bool) -> None:
        """What came of it."""


def _ask(circuit: Circuit, tenant: str, question: Callable[[], A]) -> A | Unknown:
    if not circuit.lets_pass(tenant):
        return NOT_ASKED
    answer = question()
    circuit.note(tenant, answered=not isinstance(answer, Unknown))
    return answer


class GuardedIssuer:
    """See `RewardIssuer`. What is not asked is `Unknown`, and nothing was sent."""

    def __init__(self, issuer: RewardIssuer, circuit: Circuit) -> None:
        self._issuer = issuer
        self._circuit = circuit

    @property
    def name(self) -> str:
        return self._issuer.name

    def confirm(self, use: RewardUse) -> RewardAnswer:
        return _ask(self._circuit, use.tenant, lambda: self._issuer.confirm(use))

    def capture(self, use: RewardUse) -> RewardAnswer:
        return _ask(self._circuit, use.tenant, lambda: self._issuer.capture(use))

    def release(self, use: RewardUse) -> RewardAnswer:
        return _ask(self._circuit, use.tenant, lambda: self._issuer.release(use))


class Guarded:
    """See `PaymentProvider`. What is not asked is `Unknown`, and nothing was sent."""

    def __init__(self, provider: PaymentProvider, circuit: Circuit) -> None:
        self._provider = provider
        self._circuit = circuit

    @property
    def name(self) -> str:
        return self._provider.name

    def get_ready(self, tenant: str) -> None:
        self._circuit.look(tenant)
        self._provider.get_ready(tenant)

    def initialize(self, charge: Charge) -> Opening:
        return self._ask(charge.tenant, lambda: self._provider.initialize(charge))

    def verify(self, tenant: str, reference: str) -> Verification:
        return self._ask(tenant, lambda: self._provider.verify(tenant, reference))

    def refund(self, refund: RefundCall) -> RefundAnswer:
        return self._ask(refund.tenant, lambda: self._provider.refund(refund))

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        return self._ask(tenant, lambda: self._provider.list_refunds(tenant, charge_reference))

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        return self._ask(tenant, lambda: self._provider.dispute(tenant, dispute_id))

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        return self._provider.authenticate(tenant, headers, raw, source_ip)

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        return self._provider.read_event(raw)

    def _ask(self, tenant: str, question: Callable[[], A]) -> A | Unknown:
        return _ask(self._circuit, tenant, question)
