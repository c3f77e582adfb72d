"""The TilliPay adapter, over real HTTP, against a fake of what is assumed of TilliPay. The real one is unverified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cauri.money import Money
from cauri.providers.http import Http
from cauri.providers.payouts import Paid, PayoutCall, PayoutPending
from cauri.providers.ports import (
    Authentic,
    Captured,
    Charge,
    Declined,
    Forged,
    NotFound,
    Pending,
    ProviderEvent,
    RefundCall,
    Session,
    Unknown,
    Unreadable,
)
from cauri.providers.tillipay import Dialect, TilliPay, signature

from local.outside.tillipay import FakeTilliPay
from tests.providers.outside import TROUBLES, Outside, Trouble, outside

TENANT = "ten_kiosk"
KEY = "kiosk:client-secret:webhook-secret"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CHARGE = Charge(TENANT, "pay_01J7-1", Money(40_333, "KES"), "https://kiosk.example/thanks", {}, "amina@example.com")
PAYOUT = PayoutCall(TENANT, "stl_01J7-p1", "0123456789", Money(900_000, "KES"), "Settlement")


@dataclass
class World:
    server: Outside
    fake: FakeTilliPay
    tillipay: TilliPay
    now: float = 1000.0

    def through(self) -> Trouble:
        return lambda handler, effect: handler.answer((said := effect()).status, {}, said.body)


@pytest.fixture
def world() -> Iterator[World]:
    with outside() as server:
        fake = FakeTilliPay(
            server.url,
            lambda begins: (TENANT, "webhook-secret") if KEY.startswith(begins) else None,
            server.told.append,
            lambda: NOW.isoformat().replace("+00:00", "Z"),
        )
        server.party = fake
        world = World(server, fake, None)  # type: ignore[arg-type]
        http = Http(connect_seconds=0.5, read_seconds=1.5)
        world.tillipay = TilliPay(
            server.url, lambda tenant: [KEY] if tenant == TENANT else [], http, monotonic=lambda: world.now
        )
        yield world


def test_a_deposit_is_opened_paid_and_verified(world: World) -> None:
    opened = world.tillipay.initialize(CHARGE)
    assert isinstance(opened, Session)
    assert world.tillipay.initialize(CHARGE) == opened, "the same again"
    assert world.tillipay.verify(TENANT, CHARGE.reference) == NotFound(), "nobody paid yet"
    world.fake.end(TENANT, "deposits", CHARGE.reference, "completed")
    assert world.tillipay.verify(TENANT, CHARGE.reference) == Captured(CHARGE.amount, "2", NOW)
    assert world.tillipay.verify(TENANT, "pay_none-1") == NotFound()


def test_a_token_is_used_until_shortly_before_its_end_and_one_that_was_withdrawn_is_replaced(world: World) -> None:
    for _ in range(3):
        world.tillipay.verify(TENANT, CHARGE.reference)
    assert world.server.paths().count("POST /auth/token") == 1
    world.now += 571
    world.tillipay.verify(TENANT, CHARGE.reference)
    assert world.server.paths().count("POST /auth/token") == 2
    world.fake.tokens.clear()
    assert world.tillipay.verify(TENANT, CHARGE.reference) == Unknown("status 401")
    assert world.tillipay.verify(TENANT, CHARGE.reference) == NotFound()


@pytest.mark.parametrize(
    ("charge", "reason"),
    [
        (replace(CHARGE, tenant="ten_other"), "not_enabled"),
        (replace(CHARGE, amount=Money(1, "NGN")), "currency_not_supported"),
    ],
    ids=str,
)
def test_what_it_does_not_open_is_declined(charge: Charge, reason: str, world: World) -> None:
    assert world.tillipay.initialize(charge) == Declined(reason)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_unknown_and_makes_one_withdrawal(trouble: str, world: World) -> None:
    world.server.troubles = [world.through(), TROUBLES[trouble], TROUBLES[trouble]]
    assert isinstance(world.tillipay.pay_out(PAYOUT), Unknown)
    world.server.troubles = []
    assert world.tillipay.pay_out(PAYOUT) == world.tillipay.verify_payout(TENANT, PAYOUT.reference)
    assert len(world.fake.movements) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_over_a_token_is_unknown(trouble: str, world: World) -> None:
    world.server.troubles = [TROUBLES[trouble]] * 2
    assert isinstance(world.tillipay.verify(TENANT, CHARGE.reference), Unknown)


def test_a_withdrawal_is_taken_on_and_made(world: World) -> None:
    assert isinstance(world.tillipay.pay_out(PAYOUT), PayoutPending)
    world.fake.end(TENANT, "withdrawals", PAYOUT.reference, "completed")
    paid = world.tillipay.verify_payout(TENANT, PAYOUT.reference)
    assert isinstance(paid, Paid)
    assert (paid.amount, paid.at) == (PAYOUT.amount, NOW)
    assert world.tillipay.verify_payout(TENANT, "stl_none") == NotFound()


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("processing", Pending()),
        ("failed", Declined("failed")),
        ("expired", NotFound()),
        ("whatever", Unknown("a movement that is 'whatever'")),
    ],
)
def test_each_status_has_its_meaning(status: str, meant: Any, world: World) -> None:
    world.tillipay.initialize(CHARGE)
    world.fake.end(TENANT, "deposits", CHARGE.reference, status)
    assert world.tillipay.verify(TENANT, CHARGE.reference) == meant


def test_it_can_not_give_back(world: World) -> None:
    call = RefundCall(TENANT, "rfd_1", CHARGE.reference, CHARGE.amount)
    assert world.tillipay.refund(call) == Declined("refunds_are_made_by_hand")
    assert world.tillipay.list_refunds(TENANT, CHARGE.reference) == ()
    assert world.server.calls == []


def test_its_webhooks_are_believed_when_signed_and_read_as_others_are(world: World) -> None:
    world.tillipay.initialize(CHARGE)
    for status in ("processing", "failed", "completed"):
        world.fake.end(TENANT, "deposits", CHARGE.reference, status)
    kinds = []
    for webhook in world.server.told:
        assert world.tillipay.authenticate(TENANT, webhook.headers, webhook.raw, "203.0.113.9") == Authentic()
        assert world.tillipay.authenticate(TENANT, webhook.headers, webhook.raw + b" ", "") == Forged("bad_signature")
        assert world.tillipay.authenticate("ten_other", webhook.headers, webhook.raw, "") == Forged("bad_signature")
        event = world.tillipay.read_event(webhook.raw)
        assert isinstance(event, ProviderEvent)
        kinds.append((event.kind, event.reference))
    assert kinds == [(kind, CHARGE.reference) for kind in ("charge.pending", "charge.failed", "charge.success")]
    assert isinstance(world.tillipay.read_event(b"{}"), Unreadable)


def test_what_is_assumed_can_be_set_otherwise() -> None:
    dialect = Dialect(signature_header="x-sign", algorithm="sha512", addresses=frozenset({"192.0.2.1"}))
    rotating = ["id:secret:new", "id:secret:old"]
    tillipay = TilliPay("https://tillipay.example", lambda _: rotating, Http(), dialect)
    raw = json.dumps({"event": "withdrawal.completed", "data": {"reference": "stl_1", "status": "completed"}}).encode()
    for secret in ("new", "old"):
        headers = {"X-Sign": signature(secret, raw, "sha512")}
        assert tillipay.authenticate(TENANT, headers, raw, "192.0.2.1") == Authentic()
        assert tillipay.authenticate(TENANT, headers, raw, "192.0.2.2") == Forged("unknown_ip")
    event = tillipay.read_event(raw)
    assert isinstance(event, ProviderEvent)
    assert event.kind == "transfer.success"
