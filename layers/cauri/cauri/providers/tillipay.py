"""TilliPay: deposits, withdrawals and their status. **Unverified**: no public documentation says what it really says.

What is assumed of it, and can be set otherwise, is in `Dialect`; all else follows from that. Source: SPEC 4.
A tenant's key is ``client_id:client_secret:webhook_secret``.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from pydantic import AwareDatetime, Field, ValidationError

from cauri.providers.http import Http
from cauri.providers.keys import Keys, KeysUnavailableError
from cauri.providers.payouts import Paid, PayoutAnswer, PayoutCall, PayoutPending
from cauri.providers.ports import (
    Authentic,
    Authentication,
    Captured,
    Charge,
    Declined,
    Forged,
    KnownDispute,
    KnownRefund,
    NotFound,
    Opening,
    Pending,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Session,
    Unknown,
    Unreadable,
    Verification,
)
from cauri.providers.wire import Exponents, Id, Shape, Whole, same_text, shape_of, where
from cauri.values import dataclass, field

S = TypeVar("S", bound=Shape)
TOKEN_SPARE_SECONDS: Final = 30.0
"""A token is not used in its last moments: the answer must come before its end."""


@dataclass(frozen=True)
class Dialect:
    """What TilliPay calls things."""

    token_path: str = "auth/token"
    deposits_path: str = "deposits"
    withdrawals_path: str = "withdrawals"
    signature_header: str = "x-tillipay-signature"
    algorithm: str = "sha256"
    done: frozenset[str] = frozenset({"completed"})
    at_it: frozenset[str] = frozenset({"pending", "processing"})
    refused: frozenset[str] = frozenset({"failed", "rejected"})
    abandoned: frozenset[str] = frozenset({"created", "expired", "cancelled"})
    addresses: frozenset[str] | None = None
    """Where its webhooks come from; None is anywhere."""
    exponents: Exponents = field(default_factory=Exponents)


AS_DOCUMENTED: Final = Dialect()


class TokenShape(Shape):
    access_token: str
    expires_in: int


class MovementShape(Shape):
    """A deposit or a withdrawal."""

    id: Id
    reference: str
    status: str
    amount: Whole
    currency: str
    reason: str | None = None
    payment_url: str | None = None
    completed_at: Annotated[AwareDatetime | None, Field(strict=False)] = None


class RefusalShape(Shape):
    code: str


class _EventData(Shape):
    id: Id = ""
    reference: str
    status: str = ""


class _EventShape(Shape):
    event: str
    data: _EventData


class TilliPay:
    """See `PaymentProvider` and `PayoutProvider`. It can't give back: that is done by hand, and recorded."""

    name: Final = "tillipay"

    def __init__(
        self,
        url: str,
        keys: Keys,
        http: Http,
        dialect: Dialect = AS_DOCUMENTED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._keys = keys
        self._http = http
        self._dialect = dialect
        self._monotonic = monotonic
        self._tokens: dict[str, tuple[str, float]] = {}

    def get_ready(self, tenant: str) -> None:
        with contextlib.suppress(KeysUnavailableError):  # whoever needs them will say so
            self._keys(tenant)

    # -- Deposits

    def initialize(self, charge: Charge) -> Opening:
        asked = self._movement(charge.reference, charge) | {
            "return_url": charge.return_url,
            "email": charge.email,
            "metadata": dict(charge.metadata),
        }
        made = self._make(charge.tenant, self._dialect.deposits_path, charge.reference, asked)
        if not isinstance(made, MovementShape):
            return made
        return Session(charge.reference, made.payment_url) if made.payment_url else Unknown("no place to pay")

    def verify(self, tenant: str, reference: str) -> Verification:
        found = self._find(tenant, self._dialect.deposits_path, reference)
        if not isinstance(found, MovementShape):
            return found
        money = self._dialect.exponents.from_wire(found.amount, found.currency)
        if isinstance(money, Unknown):
            return money
        if found.status in self._dialect.done and found.completed_at:
            return Captured(money, found.id, found.completed_at)
        return self._unfinished(found)

    def refund(self, refund: RefundCall) -> RefundAnswer:
        return Declined("refunds_are_made_by_hand")

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        return ()

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        return NotFound()

    # -- Withdrawals

    def pay_out(self, payout: PayoutCall) -> PayoutAnswer:
        asked = self._movement(payout.reference, payout) | {"account": payout.recipient, "narration": payout.reason}
        made = self._make(payout.tenant, self._dialect.withdrawals_path, payout.reference, asked)
        return self._paid(made) if isinstance(made, MovementShape) else made

    def verify_payout(self, tenant: str, reference: str) -> PayoutAnswer | NotFound:
        found = self._find(tenant, self._dialect.withdrawals_path, reference)
        return self._paid(found) if isinstance(found, MovementShape) else found

    def _paid(self, found: MovementShape) -> PayoutAnswer:
        money = self._dialect.exponents.from_wire(found.amount, found.currency)
        if isinstance(money, Unknown):
            return money
        if found.status in self._dialect.done and found.completed_at:
            return Paid(money, found.id, found.completed_at)
        meant = self._unfinished(found)
        return PayoutPending(found.id) if isinstance(meant, Pending | NotFound) else meant

    # -- Webhooks

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        addresses = self._dialect.addresses
        if addresses is not None and source_ip not in addresses:
            return Forged("unknown_ip")
        name = self._dialect.signature_header
        claimed = next((value for header, value in headers.items() if header.lower() == name), "")
        live = [key.split(":")[-1] for key in self._keys(tenant)]
        signed = [same_text(claimed, signature(key, raw, self._dialect.algorithm)) for key in live]
        return Authentic() if any(signed) else Forged("bad_signature")

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        """A deposit that is done is a ``charge.success``, as at other providers."""
        try:
            said = _EventShape.model_validate_json(raw)
        except ValidationError as wrong:
            return Unreadable(where(wrong))
        kind = self._kind(said)
        news = repr([said.event, said.data.id, said.data.reference, said.data.status])
        return ProviderEvent(kind, said.data.reference, hashlib.sha256(news.encode()).hexdigest(), said.data.id)

    def _kind(self, said: _EventShape) -> str:
        what = "transfer" if said.event.startswith("withdrawal") else "charge"
        if said.data.status in self._dialect.done:
            return f"{what}.success"
        return f"{what}.failed" if said.data.status in self._dialect.refused else f"{what}.pending"

    # -- Questions

    def _movement(self, reference: str, asked: Charge | PayoutCall) -> dict[str, Any]:
        amount = self._dialect.exponents.to_wire(asked.amount)
        return {"reference": reference, "amount": amount, "currency": asked.amount.currency}

    def _make(
        self, tenant: str, path: str, reference: str, asked: Mapping[str, Any]
    ) -> MovementShape | Declined | Unknown:
        """Safe twice: a reference that is taken means that it was made before, and it is looked up."""
        said = self._ask(tenant, "POST", path, asked)
        if not isinstance(said, tuple):
            return said
        status, body = said
        if status == 409:
            found = self._find(tenant, path, reference)
            return Unknown("the reference is taken, and not to be found") if isinstance(found, NotFound) else found
        if status in (400, 422):
            refused = shape_of(RefusalShape, body)
            return refused if isinstance(refused, Unknown) else Declined(refused.code)
        return self._read(status, body, reference)

    def _find(self, tenant: str, path: str, reference: str) -> MovementShape | NotFound | Unknown:
        said = self._ask(tenant, "GET", f"{path}/{quote(reference, safe='')}", None)
        if isinstance(said, Declined):
            return Unknown(said.reason)
        if isinstance(said, Unknown):
            return said
        status, body = said
        if status == 404:  # only if it speaks of what was asked for: a wrong address answers 404 to everything
            refused = shape_of(RefusalShape, body)
            return NotFound() if isinstance(refused, RefusalShape) and refused.code == "not_found" else Unknown("404")
        return self._read(status, body, reference)

    def _read(self, status: int, body: object, reference: str) -> MovementShape | Unknown:
        if status // 100 != 2:
            return Unknown(f"status {status}")
        found = shape_of(MovementShape, body)
        if isinstance(found, MovementShape) and found.reference != reference:
            return Unknown("the answer is about another reference")
        return found

    def _unfinished(self, found: MovementShape) -> Declined | Pending | NotFound | Unknown:
        if found.status in self._dialect.refused:
            return Declined(found.reason or found.status)
        if found.status in self._dialect.at_it:
            return Pending()
        if found.status in self._dialect.abandoned:
            return NotFound()
        return Unknown(f"a movement that is {found.status!r}")

    def _ask(
        self, tenant: str, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, object] | Declined | Unknown:
        """Declined only where the tenant has no key: then nobody was asked."""
        try:
            keys = self._keys(tenant)
        except KeysUnavailableError as trouble:
            return Unknown(str(trouble))
        if not keys:
            return Declined("not_enabled")
        token = self._token(keys[0])
        if isinstance(token, Unknown):
            return token
        said = self._send(method, path, body, {"authorization": f"Bearer {token}"})
        if isinstance(said, tuple) and said[0] == 401:
            self._tokens.pop(keys[0], None)  # it was withdrawn: the next question gets a new one
            return Unknown("status 401")
        return said

    def _token(self, key: str) -> str | Unknown:
        token, until = self._tokens.get(key, ("", 0.0))
        if self._monotonic() < until:
            return token
        client_id, secret, *_ = [*key.split(":"), ""]
        asked = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
        said = self._send("POST", self._dialect.token_path, asked, {})
        if isinstance(said, Unknown):
            return said
        made = shape_of(TokenShape, said[1]) if said[0] // 100 == 2 else Unknown(f"status {said[0]} for a token")
        if isinstance(made, Unknown):
            return made
        self._tokens[key] = (made.access_token, self._monotonic() + made.expires_in - TOKEN_SPARE_SECONDS)
        return made.access_token

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, object] | Unknown:
        raw = None if body is None else json.dumps(body).encode()
        told = {"accept": "application/json", "content-type": "application/json", **headers}
        answer = self._http.ask(method, f"{self._url}/{path}", headers=told, body=raw, safe_twice=True)
        if isinstance(answer, Unknown):
            return answer
        if answer.status == 429 or answer.status >= 500:
            return Unknown(f"status {answer.status}")
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            return Unknown(f"status {answer.status}, and no JSON")


def signature(secret: str, raw: bytes, algorithm: str = "sha256") -> str:
    """Lower-case hex HMAC of a webhook's raw body."""
    return hmac.new(secret.encode(), raw, algorithm).hexdigest()
