"""Where payments are kept (commerce), and what providers sent us (platform)."""

from __future__ import annotations

import zlib
from typing import Final

from cauri.books.shelf import Key, Shelf, shelve
from cauri.clock import rfc3339
from cauri.payments.model import Payment
from cauri.payments.webhooks import WebhookEvent

PAYMENTS: Final = shelve(
    Shelf(
        "commerce",
        Payment,
        place=lambda payment: _place(payment.id),
        tenant=lambda payment: payment.tenant,
    )
)
DAY_SHARDS: Final = 16
"""A day's webhooks are as many as its payments: one partition would be the hottest of all."""


def _place_of_webhook(event: WebhookEvent) -> tuple[str, str]:
    at = rfc3339(event.received_at)
    return f"webhooks#{at[:10]}#{zlib.crc32(event.id.encode()) % DAY_SHARDS:02d}", f"{at}#{event.id}"


WEBHOOKS: Final = shelve(
    Shelf(
        "platform",
        WebhookEvent,
        place=_place_of_webhook,
        tenant=lambda event: event.tenant,
    )
)


def payment_id_of(order_id: str, number: int) -> str:
    """The id of an order's payment: it names the order, so that a payment is found beside its order."""
    return f"pay_{order_id.removeprefix('ord_')}-{number}"


def payment_id_of_charge(reference: str) -> str:
    """The id of the payment that a provider knows by `reference`, if it is one of ours."""
    return reference.partition("=")[0]


def payment_key(tenant: str, payment_id: str) -> Key[Payment]:
    return PAYMENTS.key(tenant, *_place(payment_id))


def _place(payment_id: str) -> tuple[str, str]:
    order = payment_id.removeprefix("pay_").partition("-")[0]
    return (f"order#ord_{order}", f"payment#{payment_id}")
