"""What a provider says of everything it did for a tenant, for reconciliation. Words only."""

from __future__ import annotations

from typing import Generic, Protocol, TypeAlias, TypeVar

from cauri.clock import Instant
from cauri.money import Money
from cauri.providers.ports import KnownDispute, NotFound
from cauri.providers.unknown import Unknown
from cauri.values import dataclass

T = TypeVar("T")


@dataclass(frozen=True)
class Period:
    """From `since` on, up to and not including `until`."""

    since: Instant
    until: Instant


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. `next` asks for the part that follows, and is None at the end."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True)
class KnownCharge:
    """A charge in a provider's list. `reference` is ours; `status` the provider's word."""

    reference: str
    provider_reference: str
    status: str
    amount: Money
    fee: Money | None
    at: Instant


@dataclass(frozen=True)
class KnownSettlement:
    """Money that the provider sent to the tenant's bank: what it took, less fees and deductions."""

    id: str
    status: str
    gross: Money
    fees: Money
    net: Money
    on: Instant


Charges: TypeAlias = Page[KnownCharge]
Settlements: TypeAlias = Page[KnownSettlement]
Disputes: TypeAlias = Page[KnownDispute]


class StatementProvider(Protocol):
    """One outside party that tells what it did. `page` is the `next` of the page before, or None for the first."""

    def charges(self, tenant: str, period: Period, page: str | None = None) -> Charges | Unknown: ...

    def settlements(self, tenant: str, period: Period, page: str | None = None) -> Settlements | Unknown: ...

    def settled_charges(self, tenant: str, settlement_id: str, page: str | None = None) -> Charges | Unknown: ...

    def disputes(self, tenant: str, period: Period, page: str | None = None) -> Disputes | Unknown: ...

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown: ...
