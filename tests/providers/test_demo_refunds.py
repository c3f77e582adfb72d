"""Giving back: once per reference, and never more than was taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from cauri.money import Money
from cauri.providers.demo_wire import RefundAskShape
from cauri.providers.ports import Declined, KnownRefund, RefundCall, Refunded, Unknown

from functions.payments.demo_provider.desk import Desk, Refused
from tests.providers.world import NOW, World, webhook_body


def test_a_refund_is_made_and_told(world: World) -> None:
    charge = world.paid()
    refund = world.refund_of(charge, 400)
    world.run_errands()

    answer = world.provider.refund(refund)
    world.run_errands()

    assert isinstance(answer, Refunded)
    assert (answer.amount, answer.at) == (Money(400, "KES"), NOW)
    assert [(event.kind, event.reference) for event in world.told()][1:] == [("refund.processed", refund.reference)]
    assert webhook_body(world.last().raw)["data"]["charge_reference"] == charge.reference


def test_the_same_refund_again_is_the_same_answer_and_moves_nothing_more(world: World) -> None:
    charge = world.paid()
    refund = world.refund_of(charge, 1000)

    first = world.provider.refund(refund)
    world.clock.advance(86_400)
    again = world.provider.refund(refund)
    world.run_errands()

    assert again == first
    assert len({event.dedupe_key for event in world.told() if event.kind == "refund.processed"}) == 1
    assert isinstance(world.provider.refund(world.refund_of(charge, 250)), Refunded), "250 of 1,250 are left"


def test_refunds_add_up_to_what_was_captured_and_no_further(world: World) -> None:
    charge = world.paid()

    assert isinstance(world.provider.refund(world.refund_of(charge, 1249)), Refunded)
    assert world.provider.refund(world.refund_of(charge, 2)) == Declined("exceeds_captured")
    assert isinstance(world.provider.refund(world.refund_of(charge, 1)), Refunded)
    assert world.provider.refund(world.refund_of(charge, 1)) == Declined("exceeds_captured")


@pytest.mark.engines
def test_refunds_at_once_never_give_back_more_than_was_captured(world: World) -> None:
    charge = world.paid()

    def give_back(number: int) -> int:
        ask = RefundAskShape(
            reference=f"ref-{number}", charge_reference=charge.reference, amount=100, currency=charge.amount.currency
        )
        return _amount_given(world.desk, charge.tenant, ask)

    with ThreadPoolExecutor(16) as clerks:
        given = sum(clerks.map(give_back, range(32)))

    assert given == 1200, "twelve of a hundred, of 1,250"


@pytest.mark.engines
def test_one_refund_asked_for_many_times_at_once_is_made_once(world: World) -> None:
    charge = world.paid()
    ask = RefundAskShape(reference="ref_1", charge_reference=charge.reference, amount=100, currency="KES")

    with ThreadPoolExecutor(16) as clerks:
        answers = list(clerks.map(lambda _: _amount_given(world.desk, charge.tenant, ask), range(16)))

    assert answers == [100] * 16
    assert isinstance(world.provider.refund(world.refund_of(charge, 1150)), Refunded), "all the rest is there"


def _amount_given(desk: Desk, tenant: str, ask: RefundAskShape) -> int:
    """Asked until there is an answer, as the adapter's caller does."""
    while True:
        try:
            return desk.refund(tenant, ask, f"re-{ask.reference}").amount
        except Refused:
            return 0
        except ClientError as failed:
            if failed.response["Error"]["Code"] != "TransactionCanceledException":
                raise


@pytest.mark.parametrize("outcome", ["decline", "time_out", "succeed_late"])
def test_what_was_not_captured_is_not_given_back(world: World, outcome: str) -> None:
    charge = world.charge()
    world.pay(charge, outcome)

    assert world.provider.refund(world.refund_of(charge, 1)) == Declined("not_captured")


def test_a_charge_that_nobody_paid_is_not_given_back(world: World) -> None:
    assert world.provider.refund(world.refund_of(world.charge(), 1)) == Declined("not_captured")


def test_a_refund_in_another_currency_is_declined(world: World) -> None:
    charge = world.paid()
    refund = RefundCall(charge.tenant, "ref_usd", charge.reference, Money(100, "USD"))

    assert world.provider.refund(refund) == Declined("currency_mismatch")


def test_a_reference_that_was_used_for_another_refund_is_unknown_for_something_did_move(world: World) -> None:
    charge = world.paid()
    world.provider.refund(world.refund_of(charge, 100, reference="ref_1"))

    assert world.provider.refund(world.refund_of(charge, 200, reference="ref_1")) == Unknown("status 409")


def test_a_scripted_refund_is_declined_by_the_issuer(world: World) -> None:
    charge = world.paid(metadata={"demo_refund_outcome": "decline"})

    assert world.provider.refund(world.refund_of(charge, 100)) == Declined("refused_by_issuer")
    assert world.provider.refund(world.refund_of(world.paid(), 100, "ref-decline")) == Declined("refused_by_issuer")


def test_a_refund_can_happen_while_its_answer_is_lost_and_is_known_later(world: World) -> None:
    charge = world.paid()
    refund = world.refund_of(charge, 1000, reference="ref-unknown_then_known-2")

    answers = [world.provider.refund(refund) for _ in range(3)]

    assert answers[:2] == [Unknown("status 503")] * 2
    assert isinstance(answers[2], Refunded)
    assert world.provider.refund(world.refund_of(charge, 251)) == Declined("exceeds_captured"), "it moved once"


def test_another_tenant_can_give_nothing_back(world: World) -> None:
    charge = world.paid()
    refund = RefundCall("ten_other", "ref_1", charge.reference, Money(100, "KES"))

    assert world.provider.refund(refund) == Declined("not_captured")


def test_the_refunds_of_a_charge_are_listed(world: World) -> None:
    charge = world.paid()
    assert world.provider.list_refunds(charge.tenant, charge.reference) == ()
    first = world.provider.refund(world.refund_of(charge, 400, reference="ref_1"))
    second = world.provider.refund(world.refund_of(charge, 100, reference="ref_2"))
    assert isinstance(first, Refunded)
    assert isinstance(second, Refunded)

    assert world.provider.list_refunds(charge.tenant, charge.reference) == (
        KnownRefund("ref_1", Money(400, "KES"), first),
        KnownRefund("ref_2", Money(100, "KES"), second),
    )
    assert world.provider.list_refunds("ten_other", charge.reference) == ()
