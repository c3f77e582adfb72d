"""Circuit breakers: one for each provider and tenant, shared by all instances. Source: SPEC 4."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cauri.errors import UnavailableError
from cauri.money import Money
from cauri.payments.circuits import FAILURES_MAX, LOOK_SECONDS, OPEN_SECONDS, PROBE_SECONDS, SharedCircuit
from cauri.providers.guarded import NOT_ASKED, Guarded
from cauri.providers.ports import Charge, NotFound, RefundCall, Unknown

from tests.provider import ScriptedProvider
from tests.shop import SetClock, Shop

TENANT = "soko"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 20, 9, 30, tzinfo=UTC))


def circuit(shop: Shop, clock: SetClock) -> SharedCircuit:
    return SharedCircuit(shop.database, "paystack", clock)


def fail(one: SharedCircuit, times: int = FAILURES_MAX, tenant: str = TENANT) -> None:
    for _ in range(times):
        assert one.lets_pass(tenant)
        one.note(tenant, answered=False)


def test_it_opens_when_all_instances_together_have_failed_often_enough(shop: Shop, clock: SetClock) -> None:
    one, other = circuit(shop, clock), circuit(shop, clock)
    fail(one, FAILURES_MAX - 1)
    fail(other, 1)
    assert not other.lets_pass(TENANT)
    clock.advance(seconds=LOOK_SECONDS)
    assert not one.lets_pass(TENANT), "it has looked again"
    assert one.lets_pass("another")


def test_failures_of_another_minute_do_not_count(shop: Shop, clock: SetClock) -> None:
    one = circuit(shop, clock)
    fail(one, FAILURES_MAX - 1)
    clock.advance(minutes=1)
    fail(one, FAILURES_MAX - 1)
    assert one.lets_pass(TENANT)


def test_after_a_while_one_question_is_let_through_and_its_answer_decides(shop: Shop, clock: SetClock) -> None:
    one, other = circuit(shop, clock), circuit(shop, clock)
    fail(one)
    clock.advance(seconds=OPEN_SECONDS)
    assert one.lets_pass(TENANT)
    assert not other.lets_pass(TENANT), "the other's question is under way"
    one.note(TENANT, answered=False)
    clock.advance(seconds=OPEN_SECONDS - 1)
    assert not one.lets_pass(TENANT)
    clock.advance(seconds=1)
    assert other.lets_pass(TENANT)
    other.note(TENANT, answered=True)
    clock.advance(seconds=LOOK_SECONDS)
    assert one.lets_pass(TENANT)
    fail(one, FAILURES_MAX - 1)
    assert one.lets_pass(TENANT), "it counts from the beginning"


def test_a_question_that_never_came_back_does_not_keep_it_open(shop: Shop, clock: SetClock) -> None:
    one, other = circuit(shop, clock), circuit(shop, clock)
    fail(one)
    clock.advance(seconds=OPEN_SECONDS)
    assert one.lets_pass(TENANT)
    clock.advance(seconds=PROBE_SECONDS)
    assert other.lets_pass(TENANT)


def test_while_it_is_closed_it_costs_one_read_in_ten_seconds(shop: Shop, clock: SetClock) -> None:
    one = circuit(shop, clock)
    before = shop.database.meter.calls
    for _ in range(100):
        assert one.lets_pass(TENANT)
        one.note(TENANT, answered=True)
    assert shop.database.meter.calls - before == 1


def test_a_circuit_that_can_not_be_had_lets_everything_pass(
    shop: Shop, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise UnavailableError("down")

    monkeypatch.setattr(shop.database, "send", down)
    fail(circuit(shop, clock), 3 * FAILURES_MAX)


def test_a_provider_behind_an_open_circuit_is_not_asked(shop: Shop, clock: SetClock) -> None:
    provider = ScriptedProvider("paystack")
    guarded = Guarded(provider, circuit(shop, clock))
    assert guarded.verify(TENANT, "pay_1") == NotFound()
    provider.truth["pay_1"] = Unknown("a timeout")
    for _ in range(FAILURES_MAX):
        assert guarded.verify(TENANT, "pay_1") == Unknown("a timeout")

    money = Money(100, "KES")
    assert guarded.verify(TENANT, "pay_1") == NOT_ASKED
    assert guarded.initialize(Charge(TENANT, "pay_2", money, "https://soko.example")) == NOT_ASKED
    assert guarded.refund(RefundCall(TENANT, "rfd_1", "pay_1", money)) == NOT_ASKED
    assert guarded.list_refunds(TENANT, "pay_1") == NOT_ASKED
    assert (provider.charges, provider.refunds) == ({}, {})

    clock.now += timedelta(seconds=OPEN_SECONDS)
    provider.truth["pay_1"] = NotFound()
    assert guarded.verify(TENANT, "pay_1") == NotFound()
    assert guarded.list_refunds(TENANT, "pay_1") == ()
