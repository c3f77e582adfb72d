"""Who calls: one verifier of bearer tokens, for all that people and programs send us. Source: SPEC 1."""

from __future__ import annotations

import functools
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cauri.books.caller import Caller
from cauri.edge.fields import ID_PATTERN
from cauri.edge.problems import EdgeRefusal
from cauri.errors import UnavailableError
from cauri.providers.http import Answer, Http
from cauri.values import dataclass

ALGORITHMS: Final = frozenset({"RS256", "ES256", "EdDSA"})
"""Signatures that only the issuer can make. HS256 is not among them: whoever can verify it can sign."""
LEEWAY_SECONDS: Final = 10
REFETCH_SECONDS: Final = 60
TOKEN_CHARACTERS_MAX: Final = 8192
REMEMBERED_MAX: Final = 1024
"""So many tokens are believed without being verified again, until they expire or their key is gone."""
ROLES: Final = frozenset({"customer", "vendor", "partner", "manager", "finance", "admin", "guest"})

Id = Annotated[str, Field(pattern=ID_PATTERN)]


class TokenMissing(EdgeRefusal):
    code: ClassVar[str] = "token_missing"

    def detail(self) -> str:
        return "This operation needs a bearer token."

    def suggestion(self) -> str:
        return "Send Authorization: Bearer and the token."

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class TokenInvalid(EdgeRefusal):
    """Not signed by the issuer, not meant for us, or without a claim that we need. It does not say which."""

    code: ClassVar[str] = "token_invalid"

    def detail(self) -> str:
        return "The bearer token is not valid here."

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class TokenExpired(TokenInvalid):
    code: ClassVar[str] = "token_expired"

    def detail(self) -> str:
        return "The bearer token has expired."

    def suggestion(self) -> str:
        return "Get a new token, and send the same request again."


class Forbidden(EdgeRefusal):
    """The caller is known, and has none of the roles that this takes."""

    code: ClassVar[str] = "forbidden"

    def detail(self) -> str:
        return "Your roles do not allow this."

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}


class _Claims(BaseModel):
    """What we read of a token. All of it ends up in keys or in the log, so that its form matters."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    tenant: Id
    # Our own sagas and consumers call as "system:…": nobody may share their idempotency keys.
    sub: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
    roles: list[str]
    customer_id: Id | None = None
    vendor_id: Id | None = None
    # OpenID Connect Core, 5.1. Of whatever form they are, they make no token invalid: they prove something, or nothing.
    email: object = None
    email_verified: object = None

    @property
    def proven_email(self) -> str | None:
        """One that a guest could have: in ASCII alone, since in lower case other letters turn into those of another."""
        if self.email_verified is not True or not isinstance(self.email, str):
            return None
        return self.email if "@" in self.email and self.email.isascii() else None


class KeySet:
    """The issuer's public keys, by the header of the tokens they sign; kept until an unknown one is named."""

    def __init__(self, url: str, http: Http, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._http = http
        self._monotonic = monotonic
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._asked_at = -math.inf
        self._lock = threading.Lock()

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key, or None if the issuer has none of this name. Raises UnavailableError if nobody can tell.

        An unknown name is asked about at most once a minute: anybody can make names up.
        """
        with self._lock:
            if key_id not in self._keys and self._monotonic() >= self._asked_at + REFETCH_SECONDS:
                self._keys = self._fetch()
                self._asked_at = self._monotonic()
            return self._keys.get(key_id)

    def _fetch(self) -> Mapping[str | None, jwt.PyJWK]:
        answer = self._http.ask("GET", self._url, headers={"accept": "application/json"}, safe_twice=True)
        if not isinstance(answer, Answer) or answer.status != 200:
            raise UnavailableError(f"the issuer's keys: {answer}")
        try:
            listed = json.loads(answer.body)["keys"]
            keys = {one.get("kid"): jwt.PyJWK(one) for one in listed if _signs_tokens(one)}
        except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as nonsense:
            raise UnavailableError(f"the issuer's keys: {type(nonsense).__name__}") from nonsense
        return {key_id: key for key_id, key in keys.items() if key.algorithm_name in ALGORITHMS}


def _signs_tokens(key: Mapping[str, Any]) -> bool:
    return key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")


@dataclass(frozen=True)
class _Verified:
    """What a token says, by which key, and until when (Unix seconds)."""

    claims: _Claims
    key: jwt.PyJWK
    until: float


class Verifier:
    """Tells whether a bearer token is one of the issuer's, and of whom. One that comes again is remembered."""

    def __init__(self, issuer: str, audience: str, keys: KeySet, now: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._now = now
        self._remembered: dict[str, _Verified] = {}

    def caller(self, authorization: str | None, ip: str) -> Caller:
        """Who sends an ``Authorization`` header from the address `ip`.

        Raises TokenMissing, TokenInvalid, TokenExpired, or UnavailableError when the issuer's keys can't be had: a
        token that nobody could check is not a bad one.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise TokenMissing
        return _caller(self._claims(token), ip)

    def _claims(self, token: str) -> _Claims:
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            raise TokenInvalid
        try:
            key = self._keys.find(_key_id(token.partition(".")[0]))
            if key is None:
                raise TokenInvalid
            known = self._remembered.get(token)
            if known is not None and known.key is key and self._now() < known.until:
                return known.claims
            return self._verify(token, key)
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.InvalidTokenError, ValidationError):
            raise TokenInvalid from None

    def _verify(self, token: str, key: jwt.PyJWK) -> _Claims:
        said = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],  # the key says how it signs, never the token
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "sub"]},
        )
        claims = _Claims.model_validate(said)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[token] = _Verified(claims, key, int(said["exp"]) + LEEWAY_SECONDS)
        return claims


@functools.lru_cache(maxsize=256)
def _key_id(header: str) -> str | None:
    """Which key a token's header names. An issuer's tokens have few headers, and PyJWT reads them slowly."""
    key_id: str | None = jwt.get_unverified_header(f"{header}.e30.").get("kid")
    return key_id


def _caller(claims: _Claims, ip: str) -> Caller:
    roles = ROLES.intersection(claims.roles)
    if claims.sub.startswith("system:"):
        raise TokenInvalid
    if ("customer" in roles and claims.customer_id is None) or ("vendor" in roles and claims.vendor_id is None):
        raise TokenInvalid
    return Caller(
        claims.tenant,
        claims.sub,
        roles,
        customer_id=claims.customer_id if "customer" in roles else None,
        vendor_id=claims.vendor_id if "vendor" in roles else None,
        ip=ip,
        proven_email=claims.proven_email,
    )
