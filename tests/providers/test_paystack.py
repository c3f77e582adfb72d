"""The Paystack adapter, over real HTTP, against a fake that answers what Paystack documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cauri.money import Money
from cauri.providers.http import Http
from cauri.providers.keys import KeysUnavailableError
from cauri.providers.paystack import Paystack, signature
from cauri.providers.paystack_api import PaystackApi
from cauri.providers.ports import (
    Authentic,
    Captured,
    Charge,
    Declined,
    Forged,
    KnownRefund,
    NotFound,
    Pending,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Refunded,
    RefundNeedsAttention,
    RefundPending,
    Session,
    Unknown,
    Unreadable,
)

from local.outside.paystack import FakePaystack
from tests.providers.outside import TROUBLES, Outside, outside, status

TENANT = "ten_kiosk"
KEY = "sk_test_kiosk"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PAYSTACK_IP = "52.31.139.75"
CHARGE = Charge(
    TENANT, "pay_01J7-1", Money(40_333, "KES"), "https://kiosk.example/thanks", {"order": "ORD-1"}, "amina@example.com"
)


@dataclass
class World:
    server: Outside
    fake: FakePaystack
    paystack: Paystack

    def paid(self, charge: Charge = CHARGE) -> Charge:
        opened = self.paystack.initialize(charge)
        assert isinstance(opened, Session), opened
        self.fake.end_charge(TENANT, wire(opened.reference), "success")
        return charge

    def refund(self, amount: int, reference: str = "rfd_1", **more: Any) -> RefundAnswer:
        return self.paystack.refund(refund_call(amount, reference, **more))

    def refund_ids(self) -> list[str]:
        return list(self.fake.account(TENANT, KEY).refunds)


def wire(reference: str) -> str:
    return reference.replace("_", ".")


def refund_call(amount: int, reference: str = "rfd_1", charge: str = CHARGE.reference) -> RefundCall:
    return RefundCall(TENANT, reference, charge, Money(amount, "KES"))


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
        api = PaystackApi(server.url.rstrip("/"), lambda tenant: [KEY] if tenant == TENANT else [], http)
        yield World(server, fake, Paystack(api, chance=lambda: "c0ffee"))


# -- Opening a payment


def test_a_charge_is_opened_paid_and_verified(world: World) -> None:
    opened = world.paystack.initialize(CHARGE)
    assert isinstance(opened, Session)
    assert opened.reference == CHARGE.reference
    assert opened.authorization_url.startswith(world.server.url)
    assert world.paystack.verify(TENANT, CHARGE.reference) == NotFound(), "nobody paid yet"

    charge = world.fake.end_charge(TENANT, "pay.01J7-1", "success")

    assert world.paystack.verify(TENANT, CHARGE.reference) == Captured(CHARGE.amount, str(charge["id"]), NOW)
    asked = world.server.calls[0].json()
    assert asked["callback_url"] == CHARGE.return_url
    assert (asked["email"], asked["amount"], asked["currency"]) == ("amina@example.com", "40333", "KES")


def test_a_charge_that_was_opened_before_is_opened_under_another_reference(world: World) -> None:
    world.paystack.initialize(CHARGE)
    again = world.paystack.initialize(CHARGE)
    assert isinstance(again, Session)
    assert again.reference == "pay_01J7-1=c0ffee"
    world.fake.end_charge(TENANT, "pay.01J7-1=c0ffee", "success")
    assert isinstance(world.paystack.verify(TENANT, again.reference), Captured)
    assert world.paystack.verify(TENANT, CHARGE.reference) == NotFound()


@pytest.mark.parametrize(
    ("charge", "reason"),
    [
        (replace(CHARGE, email=""), "email_required"),
        (replace(CHARGE, tenant="ten_other"), "not_enabled"),
        (replace(CHARGE, amount=Money(100, "JPY")), "unsupported_currency"),
        (replace(CHARGE, amount=Money(0, "KES")), "invalid_amount"),
    ],
    ids=str,
)
def test_what_paystack_does_not_open_is_declined(charge: Charge, reason: str, world: World) -> None:
    assert world.paystack.initialize(charge) == Declined(reason)


@pytest.mark.parametrize("reference", ["pay.1", "pay 1", "päy", "", "x" * 101])
def test_a_reference_that_paystack_could_not_carry_is_a_fault_of_ours(reference: str, world: World) -> None:
    with pytest.raises(ValueError, match="reference"):
        world.paystack.initialize(replace(CHARGE, reference=reference))
    assert world.server.calls == []


def test_paystack_counts_xof_in_hundredths_that_the_currency_lacks(world: World) -> None:
    charge = world.paid(replace(CHARGE, amount=Money(500, "XOF")))
    assert world.fake.account(TENANT, KEY).charges["pay.01J7-1"]["amount"] == 50_000
    verified = world.paystack.verify(TENANT, charge.reference)
    assert isinstance(verified, Captured)
    assert verified.amount == Money(500, "XOF")
    world.fake.account(TENANT, KEY).charges["pay.01J7-1"]["amount"] = 50_050
    assert isinstance(world.paystack.verify(TENANT, charge.reference), Unknown), "half a franc is nonsense"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("failed", Declined("Declined")),
        ("abandoned", NotFound()),
        ("ongoing", Pending()),
        ("pending", Pending()),
        ("processing", Pending()),
        ("queued", Pending()),
        ("reversed", Declined("The transaction was not completed")),
        ("whatever", Unknown("a charge that is 'whatever'")),
    ],
)
def test_each_status_of_a_charge_has_its_meaning(said: str, meant: Any, world: World) -> None:
    world.paystack.initialize(CHARGE)
    world.fake.end_charge(TENANT, "pay.01J7-1", said)
    assert world.paystack.verify(TENANT, CHARGE.reference) == meant


def test_a_charge_that_was_never_opened_is_not_found(world: World) -> None:
    assert world.paystack.verify(TENANT, "pay_none-1") == NotFound()


def test_the_answer_about_another_charge_is_no_answer(world: World) -> None:
    world.paid()
    world.fake.account(TENANT, KEY).charges["pay.01J7-1"]["reference"] = "pay.other"
    assert world.paystack.verify(TENANT, CHARGE.reference) == Unknown("the answer is about another reference")


# -- Trouble


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_while_a_charge_is_opened_is_unknown_and_it_can_be_opened_again(trouble: str, world: World) -> None:
    world.server.troubles = [TROUBLES[trouble]]
    assert isinstance(world.paystack.initialize(CHARGE), Unknown)
    assert isinstance(world.paystack.initialize(CHARGE), Session)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_while_a_charge_is_verified_is_unknown_or_asked_twice(trouble: str, world: World) -> None:
    world.paid()
    world.server.troubles = [TROUBLES[trouble]] * 2
    assert isinstance(world.paystack.verify(TENANT, CHARGE.reference), Unknown)
    world.server.troubles = []
    assert isinstance(world.paystack.verify(TENANT, CHARGE.reference), Captured)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_while_money_is_given_back_gives_it_back_once(trouble: str, world: World) -> None:
    """The third call of a refund is the one that asks for it."""
    world.paid()
    through: Any = lambda handler, effect: handler.answer(200, {}, effect().body)  # noqa: E731
    world.server.troubles = [through, through, TROUBLES[trouble]]
    assert isinstance(world.refund(1_000), Unknown)
    assert world.server.troubles == [], "the trouble was met"
    assert isinstance(world.refund(1_000), RefundPending)
    assert isinstance(world.refund(1_000), RefundPending)
    assert len(world.refund_ids()) == 1


def test_keys_that_can_not_be_had_are_unknown() -> None:
    def keys(_: str) -> list[str]:
        raise KeysUnavailableError("no secrets now")

    paystack = Paystack(PaystackApi("http://127.0.0.1:9", keys, Http()))
    assert paystack.verify(TENANT, "pay_1") == Unknown("no secrets now")


# -- Refunds


def test_a_refund_is_taken_on_and_ends_later(world: World) -> None:
    world.paid()
    pending = world.refund(1_000)
    (refund_id,) = world.refund_ids()
    assert pending == RefundPending(Money(1_000, "KES"), refund_id)
    world.fake.end_refund(TENANT, refund_id, "processing")
    assert world.refund(1_000) == pending
    world.fake.end_refund(TENANT, refund_id, "processed")
    done = Refunded(Money(1_000, "KES"), refund_id, NOW)
    assert world.refund(1_000) == done
    assert world.paystack.list_refunds(TENANT, CHARGE.reference) == (KnownRefund("rfd_1", done.amount, done),)


@pytest.mark.parametrize(
    ("ends", "meant"),
    [
        ("failed", Declined("refund_failed")),
        ("retrying", RefundPending(Money(1_000, "KES"), "…")),
        ("needs-attention", RefundNeedsAttention(Money(1_000, "KES"), "…", "the shopper's bank account is needed")),
        ("whatever", Unknown("a refund that is 'whatever'")),
    ],
)
def test_each_end_of_a_refund_has_its_meaning(ends: str, meant: Any, world: World) -> None:
    world.paid()
    world.refund(1_000)
    (refund_id,) = world.refund_ids()
    world.fake.end_refund(TENANT, refund_id, ends)
    if not isinstance(meant, Declined | Unknown):
        meant = replace(meant, provider_reference=refund_id)
    assert world.refund(1_000) == meant
    assert len(world.refund_ids()) == 1, "it was not asked for again"


def test_amounts_come_as_numbers_or_as_text(world: World) -> None:
    world.paid()
    world.refund(1_000)
    (refund_id,) = world.refund_ids()
    refunds = world.fake.account(TENANT, KEY).refunds
    for amount, fits in {"1000": True, "١٠٠٠": False, "10.00": False, "": False, 1000.5: False, True: False}.items():
        refunds[refund_id]["amount"] = amount
        assert isinstance(world.refund(1_000), RefundPending if fits else Unknown), amount


def test_refunds_of_one_charge_are_told_apart_by_our_reference(world: World) -> None:
    world.paid()
    world.refund(1_000, "rfd_1")
    world.refund(1_000, "rfd_2")
    listed = world.paystack.list_refunds(TENANT, CHARGE.reference)
    assert not isinstance(listed, Unknown)
    assert [each.reference for each in listed] == ["rfd_1", "rfd_2"]
    assert world.refund(999, "rfd_2") == Unknown("another refund has that reference")


def test_money_that_is_not_there_is_not_given_back(world: World) -> None:
    assert world.refund(1) == Declined("not_captured")
    world.paystack.initialize(CHARGE)
    assert world.refund(1) == Declined("transaction_not_paid")
    world.fake.end_charge(TENANT, "pay.01J7-1", "success")
    assert world.refund(40_334) == Declined("refund_amount_exceeded")
    assert world.paystack.list_refunds(TENANT, "pay_none-1") == ()


def test_a_list_that_can_not_be_read_whole_leads_to_no_refund(world: World) -> None:
    world.paid()
    world.refund(1_000, "rfd_1")
    (refund_id,) = world.refund_ids()
    del world.fake.account(TENANT, KEY).refunds[refund_id]["merchant_note"]
    world.fake.account(TENANT, KEY).refunds[refund_id]["currency"] = "points"
    assert isinstance(world.refund(1_000, "rfd_2"), Unknown)
    assert len(world.refund_ids()) == 1


# -- Webhooks


def signed(raw: bytes, key: str = KEY) -> dict[str, str]:
    return {"X-Paystack-Signature": signature(key, raw)}


def test_a_webhook_of_paystack_is_believed_and_read(world: World) -> None:
    world.paid()
    (webhook,) = world.server.told
    assert world.paystack.authenticate(TENANT, webhook.headers, webhook.raw, PAYSTACK_IP) == Authentic()
    event = world.paystack.read_event(webhook.raw)
    assert isinstance(event, ProviderEvent)
    assert (event.kind, event.reference) == ("charge.success", CHARGE.reference)


def test_while_secrets_are_rotated_both_are_believed(world: World) -> None:
    raw = b'{"event":"charge.success"}'
    both = Paystack(PaystackApi("", lambda _: ["sk_new", "sk_old"], Http()))
    for key, verdict in {"sk_new": Authentic(), "sk_old": Authentic(), "sk_older": Forged("bad_signature")}.items():
        assert both.authenticate(TENANT, signed(raw, key), raw, PAYSTACK_IP) == verdict
    assert world.paystack.authenticate("ten_other", signed(raw, ""), raw, PAYSTACK_IP) == Forged("bad_signature")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"event":"charge.success","data":{}}',
        json.dumps({"event": "charge.success"}).encode(),
        b'{"event":"charge.success"',
        b"",
        "café".encode(),
    ],
)
def test_bytes_that_were_not_signed_are_not_believed(raw: bytes, world: World) -> None:
    """Forged, written anew with other spaces, cut off, empty."""
    headers = signed(b'{"event":"charge.success"}')
    assert world.paystack.authenticate(TENANT, headers, raw, PAYSTACK_IP) == Forged("bad_signature")


@pytest.mark.parametrize("claimed", ["", "0" * 128, "é" * 128, signature(KEY, b"{}").upper(), "\x00"])
def test_a_signature_is_exact(claimed: str, world: World) -> None:
    verdict = world.paystack.authenticate(TENANT, {"x-paystack-signature": claimed}, b"{}", PAYSTACK_IP)
    assert verdict == Forged("bad_signature")


@pytest.mark.parametrize("source_ip", ["203.0.113.9", "", "52.31.139.75, 203.0.113.9", "127.0.0.1"])
def test_only_paystacks_addresses_speak_for_paystack(source_ip: str, world: World) -> None:
    headers = signed(b"{}") | {"x-forwarded-for": PAYSTACK_IP}
    assert world.paystack.authenticate(TENANT, headers, b"{}", source_ip) == Forged("unknown_ip")


@pytest.mark.parametrize(
    "raw", [b"[]", b"{}", b'{"event":1,"data":{}}', b'{"event":"charge.success","data":{}}', b"\xff"]
)
def test_what_is_no_event_is_unreadable(raw: bytes, world: World) -> None:
    assert isinstance(world.paystack.read_event(raw), Unreadable)


def test_the_same_news_in_other_words_are_the_same_news(world: World) -> None:
    world.paid()
    said = json.loads(world.server.told[0].raw)
    first = world.paystack.read_event(json.dumps(said).encode())
    said["data"]["gateway_response"] = "Approved"
    again = world.paystack.read_event(json.dumps(said, indent=2).encode())
    said["data"]["status"] = "reversed"
    other = world.paystack.read_event(json.dumps(said).encode())
    assert isinstance(first, ProviderEvent)
    assert isinstance(other, ProviderEvent)
    assert first == again
    assert first.dedupe_key != other.dedupe_key


def test_a_limit_of_paystacks_is_no_answer(world: World) -> None:
    world.server.troubles = [status(429)] * 2
    assert world.paystack.verify(TENANT, CHARGE.reference) == Unknown("status 429")
