"""The demo provider's payment link: a signed token that carries the whole charge, so that making one needs no call."""

from __future__ import annotations

from typing import Annotated, Final

import jwt
from pydantic import Field, ValidationError

from cauri.clock import Instant
from cauri.money import Money
from cauri.providers.demo_wire import CurrencyCode, MinorUnits, Reference, Shape, derived

_AUDIENCE: Final = "demo-provider:pay"
_ALGORITHM: Final = "HS256"


class Link(Shape):
    """What the hosted page shows and plays. `outcome` and `refund_outcome` are scripts, as in `script.scripted`."""

    tenant: Annotated[str, Field(min_length=1)]
    reference: Reference
    amount: MinorUnits
    currency: CurrencyCode
    return_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    merchant: str
    outcome: str = ""
    refund_outcome: str = ""

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class BadLinkError(ValueError):
    """Not a link of ours, or altered."""


class ExpiredLinkError(BadLinkError):
    """A link of ours, past its time."""


def seal(link: Link, secret: str, expires: Instant) -> str:
    """The link as a URL-safe token."""
    claims = link.model_dump(exclude_defaults=True) | {"aud": _AUDIENCE, "exp": int(expires.timestamp())}
    return jwt.encode(claims, _key(secret), algorithm=_ALGORITHM)


def unseal(token: str, secret: str, now: Instant) -> Link:
    """The link of a token. Raises BadLinkError, or ExpiredLinkError once its time is over."""
    try:
        claims = jwt.decode(
            token,
            _key(secret),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["exp", "aud"], "verify_exp": False},  # the clock is ours to ask
        )
        link = Link.model_validate(claims)
    except (jwt.InvalidTokenError, ValidationError) as bad:
        raise BadLinkError(type(bad).__name__) from bad
    if now.timestamp() >= int(claims["exp"]):
        raise ExpiredLinkError(link.reference)
    return link


def _key(secret: str) -> str:
    return derived(secret, "link")
