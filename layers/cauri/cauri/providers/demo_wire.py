"""What the demo provider and its adapter say to each other: keys, signatures, and the shapes of messages.

Every key is derived from one secret and names its purpose and its tenant, so that a tenant's key opens nothing
of another tenant, and a key for calls signs no webhook.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from cauri.money import Money, exponent
from cauri.providers.wire import Shape as Shape
from cauri.providers.wire import same_text

SIGNATURE_HEADER: Final = "x-demo-signature"
_REFERENCE_PATTERN: Final = r"^[A-Za-z0-9._=-]{1,100}$"

# -- Keys and signatures ------------------------------------------------------------------------------


def derived(secret: str, purpose: str) -> str:
    """A key for one purpose: 64 hex digits."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def bearer(secret: str, tenant: str) -> str:
    """What a tenant shows when it calls the provider's API."""
    return f"Bearer {tenant}.{derived(secret, f'api:{tenant}')}"


def tenant_of(secret: str, authorization: str) -> str | None:
    """Whose call this is, or None when the header proves nothing."""
    tenant = authorization.removeprefix("Bearer ").rpartition(".")[0]
    return tenant if same_text(authorization, bearer(secret, tenant)) else None


def signature(secret: str, tenant: str, raw: bytes) -> str:
    """Lower-case hex HMAC-SHA512 of a webhook's raw body, under the tenant's webhook key."""
    return hmac.new(derived(secret, f"webhook:{tenant}").encode(), raw, hashlib.sha512).hexdigest()


def is_signed(secret: str, tenant: str, raw: bytes, claimed: str) -> bool:
    return same_text(claimed, signature(secret, tenant, raw))


# -- Shapes -------------------------------------------------------------------------------------------


def _currency(code: str) -> str:
    exponent(code)  # raises for what is no currency
    return code


Reference = Annotated[str, Field(pattern=_REFERENCE_PATTERN)]
CurrencyCode = Annotated[str, AfterValidator(_currency)]
MinorUnits = Annotated[int, Field(gt=0)]
ChargeStatus = Literal["pending", "processing", "success", "failed", "abandoned"]


class Referenced(Shape):
    """Says which charge or refund of ours it is about."""

    reference: Reference


class ChargeShape(Referenced):
    """A charge, as `GET /charges/{reference}` answers it and as a webhook's `data` carries it."""

    id: str
    amount: MinorUnits
    currency: CurrencyCode
    status: ChargeStatus
    paid_at: AwareDatetime | None = None
    reason: str | None = None

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class ListedChargeShape(ChargeShape):
    """A charge in the list, at the moment when somebody last tried to pay it."""

    tried_at: AwareDatetime


class ChargesShape(Shape):
    """What `GET /charges?since=…&until=…` answers; `next` is asked for as `after`."""

    charges: list[ListedChargeShape]
    next: str | None = None


class RefundAskShape(Referenced):
    """The body of `POST /refunds`."""

    charge_reference: Reference
    amount: MinorUnits
    currency: CurrencyCode

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class RefundShape(RefundAskShape):
    """A refund that was made."""

    id: str
    status: Literal["processed"] = "processed"
    refunded_at: AwareDatetime


class RefundsShape(Referenced):
    """What `GET /charges/{reference}/refunds` answers: `reference` is the charge's."""

    refunds: list[RefundShape]


class RefusalShape(Referenced):
    """The provider's no. `error` is a code."""

    error: str


class EventDataShape(Referenced):
    id: str
    status: str


class EventShape(Shape):
    """A webhook's body, as far as its reader needs it."""

    event: str
    data: EventDataShape
