"""A sample of each webhook of TilliPay and of the demo provider, through the function as Lambda would call it.

cauri invoke PaymentsWebhook events/payments/tillipay_deposit_completed.json
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cauri.edge import secrets
from cauri.parties.commands import PutTenant
from cauri.payments.store import WEBHOOKS

from tests.engines import Engine
from tests.handlers import loaded
from tests.proof import state
from tests.shop import Shop, database_of

SAMPLES: Final = Path(__file__).parent.parent.parent / "events" / "payments"
TENANT: Final = "ten_kiosk"
KEYS: Final = {TENANT: ["a client:its secret:whsec_of_the_sample_events"]}
CHARGE: Final = "pay_01K9ZK7QXN4V5T2M8R3C6B1D0F"
PAYOUT: Final = "stl_01k9zk7qxn4v5t2m8r3c6b1d0f-1"
HEARD: Final = {
    "tillipay_deposit_completed": ("charge.success", f"{CHARGE}-1"),
    "tillipay_deposit_failed": ("charge.failed", f"{CHARGE}-1"),
    "tillipay_withdrawal_completed": ("transfer.success", PAYOUT),
    "tillipay_withdrawal_failed": ("transfer.failed", PAYOUT),
    "demo_charge_success": ("charge.success", CHARGE),
    "demo_charge_failed": ("charge.failed", CHARGE),
    "demo_charge_pending": ("charge.pending", CHARGE),
    "demo_refund_processed": ("refund.processed", "rfd_01K9ZK7QXN4V5T2M8R3C6B1D0F-1-1"),
}
"""What each says, in our words, and about what."""


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return event


@pytest.fixture
def webhook(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    Shop(database_of(engine), tenant=TENANT).run(PutTenant("Kiosk", demo=True))
    monkeypatch.setattr(secrets, "secret_text", lambda _: lambda: json.dumps(KEYS))
    with loaded(
        "functions.payments.webhook",
        TILLIPAY_KEYS="arn:aws:secretsmanager:us-east-1:123456789012:secret:TilliPayKeys",
        TILLIPAY_URL="https://tillipay.example",
        DEMO_PROVIDER_SECRET="the secret of the sample events",
    ) as function:
        yield function


@pytest.mark.parametrize("name", HEARD)
def test_a_sample_is_believed_and_kept_once(name: str, webhook: Any) -> None:
    for _ in range(2):
        assert webhook.handler(sample(name), None)["statusCode"] == 200
    items = [item for item in state.items()["platform"] if "#webhooks#" in item["pk"]["S"]]
    [event] = [WEBHOOKS.from_item(item) for item in items]
    assert (event.kind, event.reference, event.refusal) == (*HEARD[name], "")
    assert event.text == sample(name)["body"]


@pytest.mark.parametrize("name", HEARD)
def test_a_sample_that_was_tampered_with_is_not_believed(name: str, webhook: Any) -> None:
    whole, body = sample(name), sample(name)["body"]
    spaced = json.dumps(json.loads(body), separators=(" , ", ": "))
    for changed in (body.replace("4835000", "4835001"), body[:-1], spaced, ""):
        assert webhook.handler(whole | {"body": changed}, None)["statusCode"] == 401
