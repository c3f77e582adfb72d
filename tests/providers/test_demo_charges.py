"""What a shopper does at the demo provider, and what the shop comes to know of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NoReturn

import pytest
from cauri.money import Money
from cauri.providers.demo import DemoProvider
from cauri.providers.ports import (
    Authentic,
    Captured,
    Charge,
    Declined,
    NotFound,
    Pending,
    Unknown,
    Verification,
)

from functions.payments.demo_provider.errands import RETRY_SECONDS, UndeliveredError
from functions.payments.demo_provider.script import Outcome, Play
from functions.payments.demo_provider.table import Table
from tests.providers.world import NOW, World, webhook_body


def verify(world: World, charge: Charge) -> Verification:
    return world.provider.verify(charge.tenant, charge.reference)


# -- Before anything is paid ----------------------------------------------------------------------------


def test_initialising_a_charge_moves_nothing_and_tells_nobody(world: World) -> None:
    charge = world.charge()

    session = world.provider.initialize(charge)

    assert session.reference == charge.reference
    assert verify(world, charge) == NotFound()
    assert world.sqs.waiting == []


def test_a_shopper_who_looks_at_the_page_is_waited_for_until_forgotten(world: World) -> None:
    charge = world.charge()

    world.page(charge)
    assert verify(world, charge) == Pending()

    world.clock.advance(601)
    assert verify(world, charge) == NotFound()

    world.page(charge)
    assert verify(world, charge) == Pending()


def test_looking_at_the_page_of_a_paid_charge_changes_nothing(world: World) -> None:
    charge = world.paid()
    before = verify(world, charge)

    world.clock.advance(60)
    world.page(charge)

    assert verify(world, charge) == before


# -- The outcomes ---------------------------------------------------------------------------------------


def test_a_success_is_captured_and_told_once(world: World) -> None:
    charge = world.charge(Money(7300, "JPY"))

    receipt = world.pay(charge, "succeed")
    world.run_errands(seconds=3600)

    assert receipt == {
        "reference": charge.reference,
        "status": "success",
        "amount": 7300,
        "currency": "JPY",
        "return_url": charge.return_url,
    }
    captured = verify(world, charge)
    assert captured == Captured(Money(7300, "JPY"), captured.provider_reference, NOW)  # type: ignore[union-attr]
    assert world.told_kinds() == ["charge.success"]


def test_a_webhook_is_posted_to_the_tenants_address_and_signed_with_its_key(world: World) -> None:
    charge = world.paid()
    world.run_errands()

    got = world.last()

    assert got.path == f"/demo/{charge.tenant}"
    assert world.provider.authenticate(charge.tenant, got.headers, got.raw, "203.0.113.9") == Authentic()
    body = webhook_body(got.raw)
    assert body["event"] == "charge.success"
    assert body["data"]["reference"] == charge.reference
    assert (body["data"]["amount"], body["data"]["currency"], body["data"]["status"]) == (1250, "KES", "success")
    assert body["data"]["paid_at"] == "2026-11-20T09:30:00Z"


def test_a_decline_is_declined_and_the_shopper_may_try_again(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "decline")
    world.run_errands()
    assert verify(world, charge) == Declined("card_declined")

    world.pay(charge, "succeed")
    world.run_errands()
    assert isinstance(verify(world, charge), Captured)
    assert world.told_kinds() == ["charge.failed", "charge.success"]


def test_a_shopper_who_leaves_is_not_found_and_nothing_is_ever_told(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "time_out")
    world.run_errands(seconds=3600)

    assert verify(world, charge) == NotFound()
    assert world.told() == []


@pytest.mark.parametrize("seconds", [1, 900, 2500])
def test_a_late_success_is_pending_until_its_time_and_told_then(world: World, seconds: int) -> None:
    charge = world.charge()

    world.pay(charge, "succeed_late", after_seconds=seconds)
    world.run_errands(seconds=seconds - 1)
    assert verify(world, charge) == Pending()
    assert world.told() == []

    world.run_errands(seconds=1)
    captured = verify(world, charge)
    assert isinstance(captured, Captured)
    assert captured.at == NOW + timedelta(seconds=seconds)
    assert world.told_kinds() == ["charge.success"]


def test_while_the_bank_decides_another_attempt_changes_nothing(world: World) -> None:
    charge = world.charge()
    world.pay(charge, "succeed_late", after_seconds=30)

    assert world.pay(charge, "decline")["status"] == "processing"
    world.run_errands(seconds=29)
    assert verify(world, charge) == Pending()

    world.run_errands(seconds=1)
    assert isinstance(verify(world, charge), Captured)
    assert world.told_kinds() == ["charge.success"]


def test_a_duplicated_success_comes_three_times_with_one_dedupe_key(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "duplicate")
    world.run_errands()
    assert len(world.told()) == 2, "two at the same moment"
    world.run_errands(seconds=2)

    assert world.told_kinds() == ["charge.success"] * 3
    assert len({event.dedupe_key for event in world.told()}) == 1
    assert isinstance(verify(world, charge), Captured)


def test_out_of_order_news_of_a_failure_comes_after_the_success_and_the_truth_stays(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "out_of_order")
    world.run_errands(seconds=5)

    assert world.told_kinds() == ["charge.success", "charge.failed", "charge.pending"]
    assert [webhook_body(got.raw)["data"]["status"] for got in world.shop.received] == ["success", "failed", "pending"]
    assert "paid_at" not in webhook_body(world.last().raw)["data"], "old news does not know that it was paid"
    assert len({event.dedupe_key for event in world.told()}) == 3
    assert isinstance(verify(world, charge), Captured)


def test_an_outage_leaves_the_first_questions_unanswered_and_then_tells_the_truth(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "unknown_then_known", asks=3)

    answers = [verify(world, charge) for _ in range(4)]
    assert answers[:3] == [Unknown("status 503")] * 3
    assert isinstance(answers[3], Captured)


def test_an_outage_can_last_a_time_instead(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "unknown_then_known", asks=0, silent_seconds=40)

    world.clock.advance(39)
    assert verify(world, charge) == Unknown("status 503")
    world.clock.advance(1)
    assert isinstance(verify(world, charge), Captured)


def test_a_lost_webhook_is_known_only_to_those_who_ask(world: World) -> None:
    charge = world.charge()

    world.pay(charge, "webhook_lost")
    world.run_errands(seconds=3600)

    assert world.told() == []
    assert isinstance(verify(world, charge), Captured)


@pytest.mark.parametrize(
    ("reference", "metadata", "answer"),
    [
        ("pay_1-decline", {}, Declined("card_declined")),
        ("time_out", {}, NotFound()),
        ("pay_1", {"demo_outcome": "succeed_late-60"}, Pending()),
        ("pay_1-decline", {"demo_outcome": "unknown_then_known-1"}, Unknown("status 503")),
        ("pay_declined", {"demo_outcome": "of no such name"}, None),
    ],
)
def test_the_reference_or_the_metadata_can_script_the_outcome(
    world: World, reference: str, metadata: dict[str, str], answer: Verification | None
) -> None:
    charge = world.charge(reference=reference, metadata=metadata)

    world.pay(charge)

    assert verify(world, charge) == answer or (answer is None and isinstance(verify(world, charge), Captured))


def test_the_choice_on_the_page_wins_over_the_script(world: World) -> None:
    charge = world.charge(metadata={"demo_outcome": "decline"})

    world.pay(charge, "succeed")

    assert isinstance(verify(world, charge), Captured)


# -- Once, and for nobody else --------------------------------------------------------------------------


@pytest.mark.engines
def test_however_often_and_at_once_it_is_paid_it_is_captured_once(world: World) -> None:
    charge = world.charge()
    link = world.link(charge)
    plays = [Play(outcome=outcome) for outcome in (Outcome.SUCCEED, Outcome.DUPLICATE, Outcome.WEBHOOK_LOST)] * 4

    with ThreadPoolExecutor(len(plays)) as shoppers:
        receipts = list(shoppers.map(lambda n: world.desk.play(link, plays[n], f"attempt-{n}"), range(len(plays))))
    captured = verify(world, charge)
    world.run_errands(seconds=60)

    assert isinstance(captured, Captured)
    assert {(receipt.status, receipt.id) for receipt in receipts} == {("success", captured.provider_reference)}
    assert captured == verify(world, charge)
    told = {webhook_body(got.raw)["data"]["id"] for got in world.shop.received}
    assert told <= {captured.provider_reference}, "an attempt that took no effect is no news"


def test_a_reference_of_another_tenant_is_not_found(world: World) -> None:
    charge = world.paid()

    assert world.provider.verify("ten_other", charge.reference) == NotFound()


def test_a_merchant_with_a_wrong_secret_learns_nothing(world: World) -> None:
    charge = world.paid()
    url = world.provider.initialize(charge).authorization_url.partition("pay/")[0]

    stranger = DemoProvider(url, "another secret", world.clock)

    assert stranger.verify(charge.tenant, charge.reference) == Unknown("status 401")


# -- Trouble on the way ---------------------------------------------------------------------------------


class _Killed(Exception):  # noqa: N818
    """The function died here."""


def _die(*_: object) -> NoReturn:
    raise _Killed


def test_a_provider_that_is_killed_between_its_queue_and_its_books_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = world.charge()

    with monkeypatch.context() as patch:
        patch.setattr(Table, "change", _die)
        with pytest.raises(_Killed):
            world.desk.play(world.link(charge), Play(outcome=Outcome.SUCCEED), attempt="killed")
    assert verify(world, charge) == NotFound()

    world.run_errands()

    assert isinstance(verify(world, charge), Captured)
    assert world.told_kinds() == ["charge.success"]


def test_an_errand_that_comes_twice_captures_once_and_says_the_same(world: World) -> None:
    charge = world.charge()
    world.pay(charge, "succeed_late", after_seconds=10)
    [(_, body)] = world.sqs.waiting

    world.clock.advance(10)
    world.handler({"Records": [{"body": body}]}, None)
    captured = verify(world, charge)
    world.clock.advance(10)
    world.handler({"Records": [{"body": body}]}, None)

    assert verify(world, charge) == captured
    assert len({got.raw for got in world.shop.received}) == 1


def test_the_errand_of_an_older_attempt_does_not_undo_a_newer_one(world: World) -> None:
    charge = world.charge()
    world.pay(charge, "decline")
    world.pay(charge, "time_out")

    world.run_errands()

    assert verify(world, charge) == NotFound()
    assert world.told_kinds() == ["charge.failed"], "it did happen, and is told"


def test_a_webhook_is_tried_again_until_it_is_accepted(world: World) -> None:
    world.shop.statuses = [500, 429, 302]
    charge = world.charge()
    world.pay(charge, "succeed")

    world.run_errands(seconds=RETRY_SECONDS[0] + RETRY_SECONDS[1])
    assert len(world.shop.received) == 3
    world.run_errands(seconds=RETRY_SECONDS[2])
    assert len(world.shop.received) == 4
    world.run_errands(seconds=3600)

    assert len(world.shop.received) == 4
    assert len({got.raw for got in world.shop.received}) == 1, "byte for byte"


def test_a_webhook_that_nobody_ever_accepts_ends_as_a_dead_letter(world: World) -> None:
    world.shop.statuses = [503] * (len(RETRY_SECONDS) + 1)
    world.pay(world.charge(), "succeed")

    with pytest.raises(UndeliveredError):
        world.run_errands(seconds=sum(RETRY_SECONDS))

    assert len(world.shop.received) == len(RETRY_SECONDS) + 1


def test_a_provider_whose_table_fails_is_unknown_and_has_declined_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = world.paid()

    monkeypatch.setattr(Table, "get", _die)

    assert verify(world, charge) == Unknown("status 502")
