"""What a provider can be asked about money that leaves for somebody's bank account. Words only."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from cauri.clock import Instant
from cauri.money import Money
from cauri.providers.ports import Declined, NotFound
from cauri.providers.unknown import Unknown
from cauri.values import dataclass


@dataclass(frozen=True)
class BankAccount:
    """Where money is to go. `kind` is the provider's word for it: ``nuban``, ``mobile_money``, ``kepss``."""

    kind: str
    name: str
    number: str
    bank_code: str
    currency: str


@dataclass(frozen=True)
class Recipient:
    """The provider's name for a bank account. Asking for the same account again gives the same one."""

    code: str


@dataclass(frozen=True)
class PayoutCall:
    """Money to be paid to a recipient. `reference` is ours, and makes it happen once."""

    tenant: str
    reference: str
    recipient: str
    amount: Money
    reason: str


@dataclass(frozen=True)
class Paid:
    amount: Money
    provider_reference: str
    at: Instant


@dataclass(frozen=True)
class PayoutPending:
    """Taken on; its end is news, or is asked for."""

    provider_reference: str


@dataclass(frozen=True)
class PayoutNeedsAttention:
    """Taken on, and stuck until people act: a one-time password, an approval."""

    provider_reference: str
    reason: str


@dataclass(frozen=True)
class Bounced:
    """It was paid, and came back: the provider has the money again."""

    provider_reference: str


RecipientAnswer: TypeAlias = Recipient | Declined | Unknown
PayoutAnswer: TypeAlias = Paid | PayoutPending | PayoutNeedsAttention | Bounced | Declined | Unknown


class PayoutProvider(Protocol):
    """One outside party that pays out. Its answers to network trouble are `Unknown`, never an exception."""

    @property
    def name(self) -> str: ...

    def recipient(self, tenant: str, account: BankAccount) -> RecipientAnswer:
        """The recipient of a bank account, made if there is none. Moves no money."""

    def pay_out(self, payout: PayoutCall) -> PayoutAnswer:
        """Pay, once per `payout.reference` however often it is called.

        Raises ValueError for a reference or an amount that the provider could not carry.
        """

    def verify_payout(self, tenant: str, reference: str) -> PayoutAnswer | NotFound:
        """What became of a payout. A question."""
