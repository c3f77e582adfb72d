"""The dispatcher counts what it sends on, as the dashboard shows it."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cauri.books import log
from cauri.books.log import Record
from cauri.books.plan import Event
from cauri.ids import LogId

from tests.engines import REGION, TABLE_PREFIX

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def dispatch(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "STAGE": "test",
        "TABLE_PREFIX": TABLE_PREFIX,
        "AWS_REGION": REGION,
        "PAYMENTS_QUEUE_URL": "https://sqs.example/payments",
        "CHECKOUT_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:checkout",
        "RECONCILIATION_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:reconciliation",
        "REFUND_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:refund",
        "REDEMPTION_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:redemption",
        "INVOICE_RUN_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:invoice-run",
        "NOTICES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/notices",
        "NUMBERS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/numbers.fifo",
    }.items():
        monkeypatch.setenv(name, value)
    return importlib.import_module("functions.books.dispatch").handler


def inserted(number: int, *events: str) -> dict[str, Any]:
    news = tuple(Event(name, "res_1", 1) for name in events)
    record = Record("soko", LogId(f"{number:040d}"), "a_command", "usr", "192.0.2.1", AT, "hash", events=news)
    image = {name: value for name, value in log.put(record, b"{}").request["Item"].items() if name != "answer"}
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}}


def test_events_are_counted_by_name(dispatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    batch = {"Records": [inserted(1, "order.created", "vendor_order.created"), inserted(2, "order.created")]}
    assert dispatch(batch, None) == {"batchItemFailures": []}
    [line] = capsys.readouterr().out.splitlines()
    counted = json.loads(line)
    assert counted["order.created"] == [1, 1]
    assert counted["vendor_order.created"] == [1]
    [directive] = counted["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "cauri"
    assert directive["Dimensions"] == [["service"]]


def test_a_batch_without_events_is_no_trouble(dispatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch({"Records": []}, None) == {"batchItemFailures": []}
    assert json.loads(capsys.readouterr().out)["batches"] == [1]
