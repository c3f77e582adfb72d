"""Paystack's transfers, over real HTTP, against the fake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cauri.money import Money
from cauri.providers.http import Http
from cauri.providers.payouts import (
    BankAccount,
    Bounced,
    Paid,
    PayoutCall,
    PayoutNeedsAttention,
    PayoutPending,
    Recipient,
)
from cauri.providers.paystack_api import PaystackApi
from cauri.providers.paystack_payouts import PaystackPayouts
from cauri.providers.ports import Declined, NotFound, Unknown

from local.outside.paystack import FakePaystack
from tests.providers.outside import TROUBLES, Outside, outside

TENANT, KEY = "ten_kiosk", "sk_test_kiosk"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ACCOUNT = BankAccount("nuban", "Kazi Crafts", "0123456789", "058", "NGN")


@dataclass
class World:
    server: Outside
    fake: FakePaystack
    payouts: PaystackPayouts
    payout: PayoutCall


@pytest.fixture
def world() -> Iterator[World]:
    with outside() as server:
        fake = FakePaystack(
            server.url,
            lambda key: TENANT if key == KEY else None,
            server.told.append,
            lambda: NOW.isoformat().replace("+00:00", "Z"),
        )
        server.party = fake
        http = Http(connect_seconds=0.5, read_seconds=1.5)
        payouts = PaystackPayouts(PaystackApi(server.url.rstrip("/"), lambda _: [KEY], http))
        recipient = payouts.recipient(TENANT, ACCOUNT)
        assert isinstance(recipient, Recipient)
        payout = PayoutCall(TENANT, "stl_01j7zz0000-p1", recipient.code, Money(900_000, "NGN"), "Settlement")
        yield World(server, fake, payouts, payout)


def test_an_account_has_one_recipient(world: World) -> None:
    again = world.payouts.recipient(TENANT, ACCOUNT)
    assert again == Recipient(world.payout.recipient)
    assert world.payouts.recipient(TENANT, replace(ACCOUNT, number="1")) != again
    assert world.payouts.recipient(TENANT, replace(ACCOUNT, number="")) == Declined("missing_params")


def test_a_payout_is_taken_on_and_made(world: World) -> None:
    assert isinstance(world.payouts.pay_out(world.payout), PayoutPending)
    world.fake.end_transfer(TENANT, world.payout.reference, "success")
    paid = world.payouts.verify_payout(TENANT, world.payout.reference)
    assert isinstance(paid, Paid)
    assert (paid.amount, paid.at) == (world.payout.amount, NOW)


def test_a_reference_that_is_used_again_means_verify(world: World) -> None:
    world.payouts.pay_out(world.payout)
    world.fake.end_transfer(TENANT, world.payout.reference, "success")
    assert isinstance(world.payouts.pay_out(world.payout), Paid)
    assert len(world.fake.account(TENANT, KEY).transfers) == 1
    other = replace(world.payout, amount=Money(1, "NGN"))
    assert world.payouts.pay_out(other) == Unknown("there is another payout of that reference")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_pays_once(trouble: str, world: World) -> None:
    world.server.troubles = [TROUBLES[trouble]] * 2
    assert isinstance(world.payouts.pay_out(world.payout), Unknown)
    world.server.troubles = []
    assert isinstance(world.payouts.pay_out(world.payout), PayoutPending)
    assert len(world.fake.account(TENANT, KEY).transfers) == 1


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("failed", Declined("transfer_failed")),
        ("blocked", Declined("transfer_blocked")),
        ("reversed", Bounced("…")),
        ("otp", PayoutNeedsAttention("…", "a one-time password is needed")),
        ("queued", PayoutPending("…")),
        ("whatever", Unknown("a transfer that is 'whatever'")),
    ],
)
def test_each_status_has_its_meaning(status: str, meant: Any, world: World) -> None:
    world.payouts.pay_out(world.payout)
    world.fake.end_transfer(TENANT, world.payout.reference, status)
    if hasattr(meant, "provider_reference"):
        code = world.fake.account(TENANT, KEY).transfers[world.payout.reference]["transfer_code"]
        meant = replace(meant, provider_reference=code)
    assert world.payouts.verify_payout(TENANT, world.payout.reference) == meant


@pytest.mark.parametrize("reference", ["short", "STL_01J7ZZ0000-P1", "stl 01j7zz0000 p1", "x" * 51, "é" * 20])
def test_a_reference_that_paystack_could_not_carry_is_a_fault_of_ours(reference: str, world: World) -> None:
    with pytest.raises(ValueError, match="reference"):
        world.payouts.pay_out(replace(world.payout, reference=reference))


def test_nobody_can_be_paid_who_is_no_recipient(world: World) -> None:
    assert world.payouts.pay_out(replace(world.payout, recipient="RCP_none")) == Declined("invalid_transfer_recipient")
    assert world.payouts.verify_payout(TENANT, world.payout.reference) == NotFound()
