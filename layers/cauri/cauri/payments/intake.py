"""Webhooks on their way in: believed or not, they are kept; what they say is looked into afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from cauri.books.caller import Caller
from cauri.books.commit import Books
from cauri.clock import Instant
from cauri.parties.model import Tenant
from cauri.parties.store import tenant_key
from cauri.payments.asking import settle
from cauri.payments.commands import ReceiveWebhook
from cauri.payments.model import UnknownPayment
from cauri.payments.store import payment_key
from cauri.providers.ports import Captured, Declined, Forged, PaymentProvider, ProviderEvent, Unreadable

BODY_BYTES_MAX: Final = 128 * 1024
"""What fits into an item of 400 KB also when it is all quotes, which take two bytes there."""
HEAD_BYTES_MAX: Final = 16 * 1024
"""What is kept of a body that is not believed, or can't be read, which may take six times as many bytes there."""
TENANT_REMEMBERED: Final = timedelta(seconds=30)
TENANTS_REMEMBERED_MAX: Final = 1000


class Received(Enum):
    """What to tell whoever sent it."""

    STORED = "stored"
    NOWHERE = "nowhere"
    """There is no such provider, or this tenant does not use it."""
    TOO_LARGE = "too_large"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_IP = "unknown_ip"


@dataclass(frozen=True)
class Delivery:
    """A webhook as it came; `raw` is the very bytes that were signed."""

    provider: str
    tenant: str
    headers: Mapping[str, str]
    raw: bytes
    source_ip: str


class Intake:
    """Verify, store, acknowledge: one round trip, once the tenant is known (remembered for 30 s)."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._tenants: dict[str, tuple[Instant, Tenant | None]] = {}

    def receive(self, delivery: Delivery) -> Received:
        provider = self._books.providers.get(delivery.provider)
        tenant = self._tenant(delivery.tenant) if provider else None
        if provider is None or tenant is None or not _uses(tenant, provider):
            return Received.NOWHERE
        if len(delivery.raw) > BODY_BYTES_MAX:
            return Received.TOO_LARGE
        verdict = provider.authenticate(delivery.tenant, delivery.headers, delivery.raw, delivery.source_ip)
        if isinstance(verdict, Forged):
            self._store_refused(delivery, verdict)
            return Received(verdict.reason)
        self._store(delivery, provider.read_event(delivery.raw))
        return Received.STORED

    def _tenant(self, tenant_id: str) -> Tenant | None:
        now = self._books.clock()
        known = self._tenants.get(tenant_id)
        if known is None or now - known[0] > TENANT_REMEMBERED:
            if len(self._tenants) >= TENANTS_REMEMBERED_MAX:
                self._tenants.clear()  # anybody can make names up
            key = tenant_key(tenant_id)
            known = self._tenants[tenant_id] = (now, self._books.database.fetch([key])[key])
        return known[1]

    def _store(self, delivery: Delivery, event: ProviderEvent | Unreadable) -> None:
        if isinstance(event, Unreadable):
            command = ReceiveWebhook(delivery.provider, _head(delivery.raw), kind="unreadable")
            key = f"webhook:{delivery.provider}:{hashlib.sha256(delivery.raw).hexdigest()}"
        else:
            command = ReceiveWebhook(delivery.provider, delivery.raw.decode(), event.kind, event.reference)
            key = f"webhook:{delivery.provider}:{event.dedupe_key}:{hashlib.sha256(delivery.raw).hexdigest()[:16]}"
        self._books.run(command, _sender(delivery), key)

    def _store_refused(self, delivery: Delivery, verdict: Forged) -> None:
        head = _head(delivery.raw)
        key = f"refused:{delivery.provider}:{verdict.reason}:{hashlib.sha256(head.encode()).hexdigest()}"
        self._books.run(ReceiveWebhook(delivery.provider, head, refusal=verdict.reason), _sender(delivery), key)


def look_into(books: Books, tenant: str, news: Mapping[str, Any]) -> None:
    """Ask the provider about the payment that a stored webhook speaks of. Raises if it has to be asked again.

    Raises UnknownPayment for money that belongs to no order of ours: people look at that.
    """
    if not news["kind"].startswith("charge."):
        return
    key = payment_key(tenant, news["reference"])
    payment = books.database.fetch([key])[key]
    if payment is None or payment.provider != news["provider"]:
        raise UnknownPayment(news["reference"])
    if payment.is_settled:
        return
    answer = settle(books, payment)
    if news["kind"] == "charge.success" and not isinstance(answer, Captured | Declined):
        raise NotSettledYetError(f"{payment.id}: the provider announced a success, and says {answer}")


class NotSettledYetError(Exception):
    """The provider announced what it does not confirm yet: it is asked again."""


def _head(raw: bytes) -> str:
    return raw[:HEAD_BYTES_MAX].decode(errors="backslashreplace")


def _uses(tenant: Tenant, provider: PaymentProvider) -> bool:
    return tenant.demo or provider.name != "demo"


def _sender(delivery: Delivery) -> Caller:
    return Caller(delivery.tenant, f"system:webhooks:{delivery.provider}", ip=delivery.source_ip)
