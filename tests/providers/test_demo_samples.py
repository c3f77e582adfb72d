"""The sample events of the demo provider, replayed on the function as Lambda would build it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cauri.providers.demo import DemoProvider
from cauri.providers.ports import Authentic, ProviderEvent

from tests.engines import TABLE_PREFIX, Engine, client
from tests.providers.servers import Receiver
from tests.providers.world import SetClock

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "events" / "payments"
SAMPLE_SECRET = "the secret of the sample events"
REFERENCE = "pay_01K9ZK7QXN4V5T2M8R3C6B1D0F"

Invoke = Callable[[str], dict[str, Any]]


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return event


@pytest.fixture
def queue_url(engine: Engine) -> Iterator[str]:
    """A real queue of moto's, which answers while its DynamoDB does."""
    assert engine.name == "moto"
    sqs = client("sqs", None)
    url = sqs.create_queue(QueueName="demo-provider")["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def function(queue_url: str, shop: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`demo_provider` at the top of its folder, which is how Lambda imports it, with its environment."""
    monkeypatch.setenv("DEMO_PROVIDER_SECRET", SAMPLE_SECRET)
    monkeypatch.setenv("DEMO_PROVIDER_QUEUE_URL", queue_url)
    monkeypatch.setenv("TABLE_PREFIX", TABLE_PREFIX)
    monkeypatch.setenv("WEBHOOK_URL", shop.url)
    monkeypatch.syspath_prepend(str(ROOT / "functions" / "payments"))
    yield importlib.import_module("demo_provider")
    for name in [name for name in sys.modules if name.partition(".")[0] == "demo_provider"]:
        del sys.modules[name]


@pytest.fixture
def invoke(function: ModuleType) -> Invoke:
    def replay(name: str) -> dict[str, Any]:
        answer: dict[str, Any] = function.handler(sample(name), None)
        return answer

    return replay


def test_a_day_at_the_demo_provider(invoke: Invoke, function: ModuleType, queue_url: str, shop: Receiver) -> None:
    assert "Kiosk ya Amina" in invoke("demo_pay_page")["body"]
    assert json.loads(invoke("demo_verify")["body"])["status"] == "pending"

    paid = invoke("demo_pay")
    assert (paid["statusCode"], json.loads(paid["body"])["status"]) == (200, "success")

    [message] = client("sqs", None).receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
    function.handler({"Records": [{"body": message["Body"]}]}, None)
    [webhook] = shop.received
    assert webhook.path == "/demo/ten_kiosk"

    verified = json.loads(invoke("demo_verify")["body"])
    assert (verified["status"], verified["amount"], verified["currency"]) == ("success", 4835000, "KES")
    assert verified == json.loads(webhook.raw)["data"]

    refunded = invoke("demo_refund")
    assert (refunded["statusCode"], json.loads(refunded["body"])["amount"]) == (200, 1000000)
    assert invoke("demo_refund")["body"] == refunded["body"]


def test_a_form_is_answered_with_the_way_back_to_the_page(invoke: Invoke) -> None:
    answer = invoke("demo_pay_form")

    assert answer["statusCode"] == 303
    assert answer["headers"]["location"] == sample("demo_pay_form")["rawPath"]
    assert json.loads(invoke("demo_verify")["body"])["status"] == "processing"


def test_an_errand_alone_captures_the_charge_and_tells_the_shop(invoke: Invoke, shop: Receiver) -> None:
    assert invoke("demo_errand") is None

    assert json.loads(invoke("demo_verify")["body"])["status"] == "success"
    assert len(shop.received) == 1


def test_the_sample_webhook_is_authentic_and_readable() -> None:
    event = sample("demo_charge_success")
    provider = DemoProvider("https://demo.example/", SAMPLE_SECRET, SetClock())
    raw = event["body"].encode()

    assert provider.authenticate("ten_kiosk", event["headers"], raw, "203.0.113.9") == Authentic()
    read = provider.read_event(raw)
    assert isinstance(read, ProviderEvent)
    assert (read.kind, read.reference) == ("charge.success", REFERENCE)
