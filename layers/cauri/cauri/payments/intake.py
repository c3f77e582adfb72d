"""Webhooks on their way in: believed or not, they are kept; what they say is looked into afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from enum import Enum
from typing import Final

from cauri.books.caller import Caller
from cauri.books.commit import Books, IdempotencyKeyReused
from cauri.clock import Instant
from cauri.parties.model import Tenant
from cauri.parties.store import tenant_key
from cauri.payments.commands import ReceiveWebhook
from cauri.payments.senders import Senders
from cauri.providers.keys import KeysUnavailableError
from cauri.providers.ports import Forged, PaymentProvider, ProviderEvent, Unreadable
from cauri.values import dataclass

BODY_BYTES_MAX: Final = 256 * 1024
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
    TOO_MANY = "too_many"
    """More in this minute than anybody has news for. To be sent again."""
    LATER = "later"
    """Whether it is to be believed can't be told now. To be sent again."""


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
        self._senders = Senders(books.clock)

    def receive(self, delivery: Delivery) -> Received:
        provider = self._books.providers.get(delivery.provider)
        tenant = self._tenant(delivery.tenant) if provider else None
        if provider is None or tenant is None or not _uses(tenant, provider):
            return Received.NOWHERE
        if len(delivery.raw) > BODY_BYTES_MAX:
            return Received.TOO_LARGE
        if not self._senders.may_send(delivery.source_ip):
            return Received.TOO_MANY
        try:
            verdict = provider.authenticate(delivery.tenant, delivery.headers, delivery.raw, delivery.source_ip)
        except KeysUnavailableError:
            return Received.LATER
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
            body = delivery.raw.decode()
            command = ReceiveWebhook(delivery.provider, body, event.kind, event.reference, event.object)
            key = f"webhook:{delivery.provider}:{event.dedupe_key}:{hashlib.sha256(delivery.raw).hexdigest()[:16]}"
        self._books.run(command, _sender(delivery), key)

    def _store_refused(self, delivery: Delivery, verdict: Forged) -> None:
        """A few of each sender and minute: what is not believed must not fill the table.

        The places are in the keys, so that all instances together keep no more; who finds one taken by another
        forgery leaves it at that. An instance that knows them all taken does not even try.
        """
        head = _head(delivery.raw)
        place = self._senders.place(delivery.source_ip, head)
        if place is None:
            return
        key = f"refused:{delivery.provider}:{verdict.reason}:{place}"
        with suppress(IdempotencyKeyReused):
            self._books.run(ReceiveWebhook(delivery.provider, head, refusal=verdict.reason), _sender(delivery), key)


def _head(raw: bytes) -> str:
    return raw[:HEAD_BYTES_MAX].decode(errors="backslashreplace")


def _uses(tenant: Tenant, provider: PaymentProvider) -> bool:
    return tenant.demo or provider.name != "demo"


def _sender(delivery: Delivery) -> Caller:
    return Caller(delivery.tenant, f"system:webhooks:{delivery.provider}", ip=delivery.source_ip)
