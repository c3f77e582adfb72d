"""The demo provider's adapter: a card processor whose shoppers choose what happens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from cauri.clock import Clock
from cauri.providers import demo_wire as wire
from cauri.providers.http import Answer, Http
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
    Pending,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Refunded,
    Session,
    Unknown,
    Unreadable,
    Verification,
)
from cauri.providers.wire import where

LINK_LIVES: Final = timedelta(hours=72)
"""Longer than an order waits and than its late success counts, so that a late payer can be played."""

S = TypeVar("S", bound=wire.Referenced)


class DemoProvider:
    """See `PaymentProvider`. `url` is where the provider is hosted; `retiring` is the secret before `secret`, as long
    as webhooks signed with it may still arrive.

    A charge's metadata may name the `merchant` to show, and script what happens: `demo_outcome` and
    `demo_refund_outcome`, for instance ``succeed_late-30``.
    """

    def __init__(self, url: str, secret: str, clock: Clock, *, http: Http | None = None, retiring: str = "") -> None:
        if not secret:
            raise ValueError("without a secret, anybody's webhook would pass")
        self._url = url.rstrip("/")
        self._secret = secret
        self._retiring = retiring
        self._clock = clock
        self._http = http or Http()

    @property
    def name(self) -> str:
        return "demo"

    def get_ready(self, tenant: str) -> None:
        """It needs nothing."""

    def initialize(self, charge: Charge) -> Session:
        from cauri.providers.demo_link import Link, seal  # 100 ms of PyJWT that webhooks do without

        link = Link(
            tenant=charge.tenant,
            reference=charge.reference,
            amount=charge.amount.amount,
            currency=charge.amount.currency,
            return_url=charge.return_url,
            merchant=charge.metadata.get("merchant", charge.tenant),
            outcome=charge.metadata.get("demo_outcome", ""),
            refund_outcome=charge.metadata.get("demo_refund_outcome", ""),
        )
        token = seal(link, self._secret, self._clock() + LINK_LIVES)
        return Session(charge.reference, f"{self._url}/pay/{token}")

    def verify(self, tenant: str, reference: str) -> Verification:
        answer = self._ask(tenant, "GET", f"charges/{quote(reference, safe='')}")
        match answer:
            case Answer(status=200):
                charge = _read(wire.ChargeShape, answer.body, reference)
                return charge if isinstance(charge, Unknown) else _verification(charge)
            case Answer(status=404):
                return _not_found(answer.body, reference)
            case Answer():
                return Unknown(f"status {answer.status}")
            case Unknown():
                return answer

    def refund(self, refund: RefundCall) -> RefundAnswer:
        asked = wire.RefundAskShape(
            reference=refund.reference,
            charge_reference=refund.charge_reference,
            amount=refund.amount.amount,
            currency=refund.amount.currency,
        )
        answer = self._ask(refund.tenant, "POST", "refunds", asked.model_dump_json().encode())
        match answer:
            case Answer(status=200):
                return _refunded(answer.body, refund)
            case Answer(status=422):
                refused = _read(wire.RefusalShape, answer.body, refund.reference)
                return refused if isinstance(refused, Unknown) else Declined(refused.error)
            case Answer():
                return Unknown(f"status {answer.status}")
            case Unknown():
                return answer

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        answer = self._ask(tenant, "GET", f"charges/{quote(charge_reference, safe='')}/refunds")
        if isinstance(answer, Unknown) or answer.status != 200:
            return answer if isinstance(answer, Unknown) else Unknown(f"status {answer.status}")
        known = _read(wire.RefundsShape, answer.body, charge_reference)
        return known if isinstance(known, Unknown) else tuple(_known(refund) for refund in known.refunds)

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        return NotFound()

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        """Any address may speak for this provider: it has no fixed ones."""
        claimed = next((value for name, value in headers.items() if name.lower() == wire.SIGNATURE_HEADER), "")
        live = [secret for secret in (self._secret, self._retiring) if secret]
        signed = any(wire.is_signed(secret, tenant, raw, claimed) for secret in live)
        return Authentic() if signed else Forged("bad_signature")

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        try:
            said = wire.EventShape.model_validate_json(raw)
        except ValidationError as wrong:
            return Unreadable(where(wrong))
        # A list as text has no second reading, whatever the ids contain.
        news = repr([said.event, said.data.id, said.data.reference, said.data.status])
        return ProviderEvent(said.event, said.data.reference, hashlib.sha256(news.encode()).hexdigest(), said.data.id)

    def _ask(self, tenant: str, method: str, path: str, body: bytes | None = None) -> Answer | Unknown:
        headers = {"authorization": wire.bearer(self._secret, tenant), "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        # Verify is a question, and a refund is idempotent by its reference: both are safe twice.
        return self._http.ask(method, f"{self._url}/{path}", headers=headers, body=body, safe_twice=True)


def _verification(charge: wire.ChargeShape) -> Verification:
    match charge.status:
        case "success" if charge.paid_at is not None:
            return Captured(charge.money(), charge.id, charge.paid_at)
        case "success":
            return Unknown("a success without a time")
        case "failed":
            return Declined(charge.reason or "declined")
        case "pending" | "processing":
            return Pending()
        case "abandoned":
            return NotFound()


def _not_found(body: bytes, reference: str) -> NotFound | Unknown:
    """A 404 counts only when it speaks of this charge: a wrong address answers 404 to everything."""
    refused = _read(wire.RefusalShape, body, reference)
    if isinstance(refused, Unknown):
        return refused
    return NotFound() if refused.error == "no_such_charge" else Unknown(f"status 404, {refused.error}")


def _known(refund: wire.RefundShape) -> KnownRefund:
    done = Refunded(refund.money(), refund.id, refund.refunded_at)
    return KnownRefund(refund.reference, refund.money(), done)


def _refunded(body: bytes, refund: RefundCall) -> Refunded | Unknown:
    made = _read(wire.RefundShape, body, refund.reference)
    if isinstance(made, Unknown):
        return made
    if made.charge_reference != refund.charge_reference or made.money() != refund.amount:
        return Unknown("the answer is about another refund")
    return Refunded(made.money(), made.id, made.refunded_at)


def _read(shape: type[S], body: bytes, reference: str) -> S | Unknown:
    """The answer, if it has the shape and speaks of `reference`."""
    try:
        said = shape.model_validate_json(body)
    except ValidationError as wrong:
        return Unknown(where(wrong))
    if said.reference != reference:
        return Unknown("the answer is about another reference")
    return said
