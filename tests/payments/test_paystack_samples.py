"""A sample of each webhook of Paystack, in its real shape, through the function as Lambda would call it.

cauri invoke PaymentsWebhook events/payments/paystack_charge_success.json
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cauri.edge import secrets
from cauri.parties.commands import PutTenant
from cauri.payments.store import WEBHOOKS
from cauri.payments.webhooks import WebhookEvent

from tests.engines import Engine
from tests.handlers import loaded
from tests.proof import state
from tests.shop import Shop, database_of

SAMPLES = Path(__file__).parent.parent.parent / "events" / "payments"
TENANT = "ten_kiosk"
KEY = "sk_test_of_the_sample_events"
CHARGE = "pay_01K9ZK7QXN4V5T2M8R3C6B1D0F-1"
ABOUT = {
    "charge.success": CHARGE,
    "refund.pending": CHARGE,
    "refund.processing": CHARGE,
    "refund.processed": CHARGE,
    "refund.failed": CHARGE,
    "refund.needs-attention": CHARGE,
    "transfer.success": "stl_01k9zk7qxn4v5t2m8r3c6b1d0f-1",
    "transfer.failed": "stl_01k9zk7qxn4v5t2m8r3c6b1d0f-1",
    "transfer.reversed": "stl_01k9zk7qxn4v5t2m8r3c6b1d0f-1",
    "charge.dispute.create": CHARGE,
    "charge.dispute.remind": CHARGE,
    "charge.dispute.resolve": CHARGE,
}


def sample(kind: str) -> dict[str, Any]:
    name = kind.replace(".", "_").replace("-", "_")
    event: dict[str, Any] = json.loads((SAMPLES / f"paystack_{name}.json").read_text())
    return event


@pytest.fixture
def webhook(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    Shop(database_of(engine), tenant=TENANT).run(PutTenant("Kiosk"))
    monkeypatch.setattr(secrets, "secret_text", lambda _: lambda: json.dumps({TENANT: [KEY]}))
    with loaded(
        "functions.payments.webhook",
        PAYSTACK_KEYS="arn:aws:secretsmanager:us-east-1:123456789012:secret:PaystackKeys",
        PAYSTACK_URL="https://api.paystack.co",
        PAYSTACK_ADDRESSES="52.31.139.75,52.49.173.169,52.214.14.220",
    ) as function:
        yield function


def kept() -> list[WebhookEvent]:
    return [WEBHOOKS.from_item(item) for item in state.items()["platform"] if "#webhooks#" in item["pk"]["S"]]


def test_there_is_a_sample_of_every_event() -> None:
    assert {json.loads(sample(kind)["body"])["event"] for kind in ABOUT} == set(ABOUT)
    assert len(list(SAMPLES.glob("paystack_*.json"))) == len(ABOUT)


@pytest.mark.parametrize("kind", ABOUT)
def test_a_sample_is_believed_and_kept_once(kind: str, webhook: Any) -> None:
    for _ in range(2):
        assert webhook.handler(sample(kind), None)["statusCode"] == 200
    [event] = kept()
    assert (event.kind, event.reference, event.refusal) == (kind, ABOUT[kind], "")
    assert event.text == sample(kind)["body"]


@pytest.mark.parametrize("kind", ABOUT)
def test_a_sample_that_was_tampered_with_is_not_believed(kind: str, webhook: Any) -> None:
    """Forged, cut off, written anew, sent for another tenant or from another place: it is refused, and says nothing."""
    whole = sample(kind)
    body = whole["body"]
    spaced = json.dumps(json.loads(body))
    statuses = [
        webhook.handler(whole | {"body": changed}, None)["statusCode"]
        for changed in (body.replace("success", "succes5") + " ", body[:-1], spaced, "")
    ]
    assert statuses == [401] * 4
    whole["requestContext"]["http"]["sourceIp"] = "203.0.113.9"
    assert webhook.handler(whole, None)["statusCode"] == 403
    assert webhook.handler(sample(kind) | {"rawPath": "/paystack/ten_other"}, None)["statusCode"] == 404
    assert {event.kind for event in kept()} == {""}
