"""What a payment provider can be asked, and what it can answer. Words only: nothing here does I/O.

An answer is a value, never an exception, because the caller has a branch for each: done, declined, or
unknown. Unknown is no decline. Money may have moved; the provider is asked again until somebody knows.
Source: SPEC 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from cauri.clock import Instant
from cauri.money import Money
from cauri.providers.unknown import Unknown as Unknown
from cauri.values import dataclass, field

# -- Questions ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Charge:
    """Money to be asked from a shopper. `reference` is ours, and names the charge for good.

    `return_url` is where the shopper goes afterwards (http or https). `metadata` is shown to the provider: no
    secrets and no personal data. `email` is the shopper's, or empty where nobody knows it; it goes to the provider,
    and nowhere else.
    """

    tenant: str
    reference: str
    amount: Money
    return_url: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    email: str = ""


@dataclass(frozen=True)
class Session:
    """A place where the shopper can pay. No money has moved.

    `reference` is what the charge is asked about with. It is ours, but for a provider that opens a charge only once:
    there a second opening adds to it.
    """

    reference: str
    authorization_url: str | None
    """None where there is nowhere to go: people take the money."""


@dataclass(frozen=True)
class RefundCall:
    """Money to be given back from the charge `charge_reference`. `reference` is ours, and makes it happen once."""

    tenant: str
    reference: str
    charge_reference: str
    amount: Money


# -- Answers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Captured:
    """The provider has the money: `amount` is what it says it took, which may not be what was asked."""

    amount: Money
    provider_reference: str
    at: Instant


@dataclass(frozen=True)
class Refunded:
    """The shopper has the money back, or the provider has sent it for good."""

    amount: Money
    provider_reference: str
    at: Instant


@dataclass(frozen=True)
class RefundPending:
    """The provider took the refund on, and is at it: its end is news, or is asked for with `list_refunds`."""

    amount: Money
    provider_reference: str


@dataclass(frozen=True)
class RefundNeedsAttention:
    """The provider took the refund on and can't finish it without people, who give it the shopper's bank account."""

    amount: Money
    provider_reference: str
    reason: str


@dataclass(frozen=True)
class Declined:
    """The provider said no, and no money moved. `reason` is a code of the provider's."""

    reason: str


@dataclass(frozen=True)
class Pending:
    """The shopper, or the shopper's bank, has not finished."""


@dataclass(frozen=True)
class NotFound:
    """Abandoned, or never begun: nobody has paid. (Somebody still may, as long as the session lives.)"""


Verification: TypeAlias = Captured | Declined | Pending | NotFound | Unknown
Opening: TypeAlias = Session | Declined | Unknown
RefundOutcome: TypeAlias = Refunded | RefundPending | RefundNeedsAttention | Declined
"""`Declined` also of one that was taken on and failed in the end: the money stayed."""
RefundAnswer: TypeAlias = RefundOutcome | Unknown


@dataclass(frozen=True)
class KnownRefund:
    """A refund in a provider's list. `reference` is ours, or empty where the refund was made past us."""

    reference: str
    amount: Money
    outcome: RefundOutcome


@dataclass(frozen=True)
class KnownDispute:
    """A shopper's complaint at the bank. `amount` is what is at stake, where the provider says so."""

    id: str
    charge_reference: str
    status: str
    resolution: str | None
    amount: Money | None
    due_at: Instant | None
    resolved_at: Instant | None

    @property
    def is_resolved(self) -> bool:
        return self.resolution is not None or self.resolved_at is not None


# -- Webhooks -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authentic:
    """The bytes are the provider's own, sent for this tenant."""


@dataclass(frozen=True)
class Forged:
    """The bytes may be anybody's. A bad signature is answered 401, an unknown address 403."""

    reason: Literal["bad_signature", "unknown_ip"]


@dataclass(frozen=True)
class ProviderEvent:
    """News of a charge or a refund; a hint that it is time to ask, and no proof.

    `kind` is the provider's word (``charge.success``, ``charge.failed``, ``charge.pending``, ``refund.processed``,
    ``refund.failed``), `reference` ours. Two deliveries of one piece of news have one `dedupe_key` (64 hex digits).
    """

    kind: str
    reference: str
    dedupe_key: str
    object: str = ""
    """The provider's id of what it is about, where it says so: a dispute, a refund."""


@dataclass(frozen=True)
class Unreadable:
    """Authentic, and yet no event: kept for people to look at."""

    why: str


Authentication: TypeAlias = Authentic | Forged

# -- The protocol -------------------------------------------------------------------------------------


class PaymentProvider(Protocol):
    """One outside party that takes money. Its answers to network trouble are `Unknown`, never an exception."""

    @property
    def name(self) -> str:
        """As in the webhook's path and in our records: ``paystack``, ``demo``."""

    def get_ready(self, tenant: str) -> None:
        """Do what `initialize` would otherwise wait for, while the caller waits for something else. Never raises."""

    def initialize(self, charge: Charge) -> Opening:
        """Open a place to pay. Moves no money, and may be called again for the same charge.

        Raises ValueError for a reference or a return URL that the provider could not carry.
        """

    def verify(self, tenant: str, reference: str) -> Verification:
        """What became of a charge. A question: it changes nothing, and its answer may change."""

    def refund(self, refund: RefundCall) -> RefundAnswer:
        """Give money back, once per `refund.reference` however often it is called, one call of a charge at a time.

        A provider may know no reference of ours to make it happen once. Its adapter looks at the charge's refunds
        before it asks for another; two calls at once would both find none, so the caller serialises them.
        """

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        """Every refund of a charge as it stands. A question."""

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        """How a dispute stands. A question."""

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        """Whether a webhook's raw bytes come from the provider, for this tenant. Compares in constant time."""

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        """What an authentic webhook says."""
