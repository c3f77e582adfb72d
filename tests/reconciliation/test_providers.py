"""Our payments and refunds against the providers' lists: one to one, one to many, many to one, and missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cauri.money import Money
from cauri.payments.doubting import DOUBTED
from cauri.payments.model import Payment
from cauri.providers.ports import Captured, KnownRefund, NotFound, Refunded
from cauri.providers.statements import KnownCharge, KnownSettlement
from cauri.reconciliation.matching import Item, Outcome, match
from cauri.reconciliation.model import Severity

from tests.reconciliation.busy import Desk, charge_of
from tests.reconciliation.test_planted import order_of, record_of, the


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def items(*named: tuple[str, int]) -> list[Item]:
    return [Item(name, f"{name}-{number}", kes(amount)) for number, (name, amount) in enumerate(named)]


@pytest.mark.parametrize(
    ("ours", "theirs", "shape", "outcome"),
    [
        ([("a", 5)], [("a", 5)], "1:1", Outcome.MATCHED),
        ([("a", 5)], [("a", 6)], "1:1", Outcome.AMOUNTS_DIFFER),
        ([("a", 5)], [("a", 2), ("a", 3)], "1:2", Outcome.MATCHED),
        ([("a", 5)], [("a", 5), ("a", 5)], "1:2", Outcome.AMOUNTS_DIFFER),
        ([("a", 2), ("a", 3)], [("a", 5)], "2:1", Outcome.MATCHED),
        ([("a", 2), ("a", 2)], [("a", 5)], "2:1", Outcome.AMOUNTS_DIFFER),
        ([("a", 5)], [], "1:0", Outcome.MISSING_THERE),
        ([], [("a", 5)], "0:1", Outcome.MISSING_HERE),
    ],
)
def test_what_has_one_name_is_one_group(
    ours: list[tuple[str, int]], theirs: list[tuple[str, int]], shape: str, outcome: Outcome
) -> None:
    [one] = match(items(*ours), items(*theirs))
    assert (one.shape, one.outcome) == (shape, outcome)


def test_amounts_of_two_currencies_are_no_sum() -> None:
    dollars = [Item("a", "a-1", Money(5, "USD"))]
    [one] = match(items(("a", 5)), dollars)
    assert one.outcome is Outcome.AMOUNTS_DIFFER


# -- The lists


def paid(desk: Desk) -> Payment:
    """The payment of the order that was paid by card."""
    [payment] = [one for one in desk.shop.tree(order_of(desk, "confirm_order")).payments if one.provider == "demo"]
    return payment


def waiting(desk: Desk) -> Payment:
    [payment] = [one for one in desk.shop.tree(order_of(desk, "checkout")).payments if one.provider == "demo"]
    return payment


def test_every_charge_and_refund_is_looked_at(desk: Desk) -> None:
    report = desk.reconcile()
    assert (report.checked["charges"], report.checked["payments"], report.checked["refunded_payments"]) == (1, 1, 1)


def test_money_that_the_provider_took_and_nobody_here_heard_of(desk: Desk) -> None:
    payment = waiting(desk)
    desk.shop.provider.pay(payment.id)
    report = desk.reconcile()
    finding = the(desk.findings(report), "payment_missing_here", payment.id)
    assert "0:1" in finding.says
    assert finding.evidence["status"] == "pending"
    desk.repair(report, finding)
    [question] = [one for one in record_of(desk, "repair_finding").events if one.name == DOUBTED]
    assert (question.data["reference"], question.data["kind"]) == (payment.id, "charge.doubted")


def test_money_for_no_payment_of_ours(desk: Desk) -> None:
    stray = KnownCharge("pay_nobody-1", "txn-stray", "success", kes(100), None, desk.shop.clock.now)
    desk.lists.more.append(stray)
    finding = the(desk.found(), "payment_missing_here", "pay_nobody-1")
    assert finding.repair is None, "people find out whose it is"


def test_a_payment_that_the_provider_does_not_know(desk: Desk) -> None:
    payment = paid(desk)
    desk.shop.provider.truth[payment.id] = NotFound()
    finding = the(desk.found(), "payment_missing_at_provider", payment.id)
    assert "1:0" in finding.says


def test_a_charge_of_an_hour_before_is_asked_about_by_its_name(desk: Desk) -> None:
    payment = paid(desk)
    took = desk.shop.provider.truth[payment.id]
    assert isinstance(took, Captured)
    desk.shop.provider.truth[payment.id] = replace(took, at=took.at.replace(day=took.at.day - 1))
    assert desk.found() == []


def test_an_amount_that_differs(desk: Desk) -> None:
    payment = paid(desk)
    desk.shop.provider.pay(payment.id, payment.amount + kes(1))
    finding = the(desk.found(), "payment_amounts_differ", payment.id)
    assert [one["amount"] - payment.amount.amount for one in finding.evidence["theirs"]] == [1]


def test_a_charge_that_was_opened_twice_and_paid_twice(desk: Desk) -> None:
    """One payment of ours is two charges of theirs."""
    payment = paid(desk)
    took = desk.shop.provider.truth[payment.id]
    assert isinstance(took, Captured)
    desk.lists.more.append(replace(charge_of(f"{payment.id}=again", took), provider_reference="txn-again"))
    finding = the(desk.found(), "payment_amounts_differ", payment.id)
    assert "1:2" in finding.says


def test_a_refund_that_the_provider_does_not_know(desk: Desk) -> None:
    payment = paid(desk)
    desk.shop.provider.known[payment.id] = {}
    finding = the(desk.found(), "refund_missing_at_provider", payment.id)
    assert "1:0" in finding.says


def test_a_refund_that_was_made_past_us(desk: Desk) -> None:
    payment = paid(desk)
    past = KnownRefund("", kes(700), Refunded(kes(700), "re_past", desk.shop.clock.now))
    desk.shop.provider.known[payment.id]["past"] = past
    finding = the(desk.found(), "refund_missing_here", payment.id)
    assert "made past us" in finding.says


def settlement(desk: Desk, gross: Money, fees: Money, net: Money) -> KnownSettlement:
    return KnownSettlement("stl_1", "success", gross, fees, net, desk.shop.clock.now)


def test_a_settlement_is_many_payments_less_fees(desk: Desk) -> None:
    payment = paid(desk)
    took = desk.shop.provider.truth[payment.id]
    assert isinstance(took, Captured)
    charges = [charge_of(payment.id, took)]
    right = settlement(desk, payment.amount, kes(100), payment.amount - kes(100))
    desk.lists.settled["stl_1"] = (right, charges)
    assert desk.found() == []
    wrong = replace(right, net=payment.amount - kes(101))
    desk.lists.settled["stl_1"] = (wrong, charges)
    the(desk.found(), "settlement_differs", "stl_1")
    more = settlement(desk, payment.amount + kes(50), kes(0), payment.amount + kes(50))
    stray = KnownCharge("pay_nobody-1", "txn-stray", "success", kes(50), None, desk.shop.clock.now)
    desk.lists.settled["stl_1"] = (more, [*charges, stray])
    finding = the(desk.found(), "settlement_differs", "stl_1")
    assert finding.evidence["not_ours"] == ["pay_nobody-1"]


def test_a_provider_that_does_not_tell_is_a_warning(desk: Desk) -> None:
    desk.lists.silent = "timed out"
    finding = the(desk.found(), "provider_list_unreadable", "demo")
    assert finding.severity is Severity.WARNING
    desk.lists.silent = "not_enabled"
    assert desk.found() == [], "the tenant does not use it"
