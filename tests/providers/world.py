"""A shop, its demo provider over real HTTP, and time that moves when a test says so."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3
from cauri.clock import Instant
from cauri.money import Money
from cauri.providers.demo import DemoProvider
from cauri.providers.demo_link import Link
from cauri.providers.http import Http
from cauri.providers.ports import Captured, Charge, ProviderEvent, RefundCall

from functions.payments.demo_provider.desk import Desk
from functions.payments.demo_provider.errands import Courier
from tests.providers.servers import Handler, Received, Receiver

SECRET = "a secret of the tests"
TENANT = "ten_kiosk"
KES_12_50 = Money(1250, "KES")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@dataclass
class SetClock:
    now: Instant = NOW

    def __call__(self) -> Instant:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Sqs:
    """As much of SQS as a queue with delays is, on the test's clock. It refuses what SQS refuses."""

    clock: SetClock
    waiting: list[tuple[Instant, str]] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803
        assert 0 <= DelaySeconds <= 900
        assert len(MessageBody) <= 256 * 1024
        self.waiting.append((self.clock.now + timedelta(seconds=DelaySeconds), MessageBody))

    def take_due(self) -> list[str]:
        due = sorted(message for message in self.waiting if message[0] <= self.clock.now)
        self.waiting = [message for message in self.waiting if message[0] > self.clock.now]
        return [body for _, body in due]


@dataclass
class World:
    clock: SetClock
    sqs: Sqs
    desk: Desk
    handler: Handler
    shop: Receiver
    provider: DemoProvider
    references: Any = field(default_factory=lambda: itertools.count(1))
    browser: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    # -- The shopper ----------------------------------------------------------------------------------

    def charge(
        self, amount: Money = KES_12_50, reference: str = "", metadata: Mapping[str, str] | None = None
    ) -> Charge:
        reference = reference or f"pay_{next(self.references)}"
        return Charge(TENANT, reference, amount, "https://kiosk.example/orders/7?step=paid", metadata or {})

    def link(self, charge: Charge) -> Link:
        return self.desk.link(self.provider.initialize(charge).authorization_url.rpartition("/")[2])

    def page(self, charge: Charge) -> urllib3.BaseHTTPResponse:
        return self.browser.request("GET", self.provider.initialize(charge).authorization_url)

    def pay(self, charge: Charge, outcome: str = "", **numbers: int) -> dict[str, Any]:
        """The receipt; without an outcome, what the script of the charge says."""
        chosen = ({"outcome": outcome} if outcome else {}) | numbers
        answer = self.browser.request("POST", self.provider.initialize(charge).authorization_url, json=chosen)
        assert answer.status == 200, answer.data
        receipt: dict[str, Any] = answer.json()
        return receipt

    def paid(self, amount: Money = KES_12_50, metadata: Mapping[str, str] | None = None) -> Charge:
        charge = self.charge(amount, metadata=metadata)
        self.pay(charge, "succeed")
        assert isinstance(self.provider.verify(charge.tenant, charge.reference), Captured)
        return charge

    # -- The merchant ---------------------------------------------------------------------------------

    def refund_of(self, charge: Charge, amount: int, reference: str = "") -> RefundCall:
        reference = reference or f"ref_{next(self.references)}"
        return RefundCall(charge.tenant, reference, charge.reference, Money(amount, charge.amount.currency))

    def told(self) -> list[ProviderEvent]:
        """The webhooks so far, as the shop's adapter reads them."""
        events = [self.provider.read_event(one.raw) for one in self.shop.received]
        assert all(isinstance(event, ProviderEvent) for event in events), events
        return [event for event in events if isinstance(event, ProviderEvent)]

    def told_kinds(self) -> list[str]:
        return [event.kind for event in self.told()]

    def last(self) -> Received:
        return self.shop.received[-1]

    # -- The queue ------------------------------------------------------------------------------------

    def run_errands(self, seconds: int = 0) -> None:
        """What the queue's consumer does from now until `seconds` from now."""
        until = self.clock.now + timedelta(seconds=seconds)
        while True:
            for body in self.sqs.take_due():
                self.handler({"Records": [{"body": body}]}, None)
            due = [at for at, _ in self.sqs.waiting if at <= until]
            if not due:
                break
            self.clock.now = max(self.clock.now, min(due))
        self.clock.now = until


def short_http() -> Http:
    return Http(connect_seconds=0.3, read_seconds=0.4)


def courier(url: str) -> Courier:
    return Courier(url, SECRET, short_http())


def webhook_body(raw: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(raw)
    return body
