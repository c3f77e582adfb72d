"""What waits for longer than it should is found, and a command goes on with it."""

from __future__ import annotations

from datetime import timedelta

from cauri.books.caller import Caller
from cauri.payments.commands import ReceiveWebhook
from cauri.reconciliation.commands import Reconcile
from cauri.reconciliation.looking import Letter
from cauri.reconciliation.model import Kind, Severity
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked

from tests.proof.examples.worlds import pay
from tests.reconciliation.busy import Desk
from tests.reconciliation.test_planted import order_of, record_of, the


def test_an_order_that_waits_past_its_time_is_resumed(desk: Desk) -> None:
    order = order_of(desk, "checkout")
    desk.shop.clock.advance(minutes=16)
    assert desk.found() == [], "the provider may still say what became of it"
    desk.shop.clock.advance(minutes=61)
    report = desk.reconcile()
    finding = the(desk.findings(report), "stuck_order", order)
    assert finding.severity is Severity.WARNING
    desk.repair(report, finding)
    [saga] = record_of(desk, "repair_finding").sagas
    assert (saga.machine, saga.input) == ("checkout", {"order_id": order})
    assert saga.name.startswith(f"{order}-")


def test_a_refund_that_does_not_move_is_continued(desk: Desk) -> None:
    order = order_of(desk, "confirm_order")
    refund: str = desk.shop.run(RequestRefund(order, Asked(), "Damaged"))["id"]
    desk.fold()
    assert desk.found(Kind.LIGHT) == []
    desk.shop.clock.advance(minutes=65)
    report = desk.reconcile(Kind.LIGHT)
    finding = the(desk.findings(report), "stuck_refund", refund)
    desk.repair(report, finding)
    [saga] = record_of(desk, "repair_finding").sagas
    assert (saga.machine, saga.input) == ("refund", {"refund_id": refund})


def test_a_reconciliation_that_did_not_end_is_resumed(desk: Desk) -> None:
    left: str = desk.shop.run(Reconcile(Kind.LIGHT))["id"]
    desk.fold()
    desk.shop.clock.advance(minutes=61)
    report = desk.reconcile(Kind.LIGHT)
    finding = the(desk.findings(report), "stuck_reconciliation", left)
    desk.repair(report, finding)
    [saga] = record_of(desk, "repair_finding").sagas
    assert (saga.machine, saga.input) == ("reconciliation", {"report_id": left})
    assert desk.go_on(left).status == "completed"


def test_dead_letters_are_told(desk: Desk) -> None:
    desk.drawer.letters.append(Letter("cauri-test-CheckoutDeadLetters", "m-1", "resume of CheckoutSteps", "ord_1"))
    finding = the(desk.found(Kind.LIGHT), "dead_letter", "ord_1")
    assert finding.severity is Severity.WARNING
    assert finding.evidence["replay"] == "cauri dlq replay cauri-test-CheckoutDeadLetters"
    assert finding.repair is None


def test_news_of_a_payment_that_nobody_followed_are_replayed(desk: Desk) -> None:
    order = order_of(desk, "checkout")
    [payment] = [one for one in desk.shop.tree(order).payments if one.provider == "demo"]
    sender = Caller(desk.shop.tenant, "webhook:demo")
    desk.shop.run(ReceiveWebhook("demo", "{}", "charge.success", payment.id), sender)
    desk.fold()
    heard = record_of(desk, "receive_webhook").log_id
    assert desk.found(Kind.LIGHT) == [], "it may be on its way"
    desk.shop.clock.advance(minutes=11)
    report = desk.reconcile(Kind.LIGHT)
    finding = the(desk.findings(report), "news_without_effect", payment.id)
    desk.repair(report, finding)
    [replay] = [one for one in record_of(desk, "repair_finding").events if one.name == "record.replayed"]
    assert replay.data["record"] == heard
    pay(desk.shop, order)  # as whoever hears the news again finds out
    desk.fold()
    assert [one.check for one in desk.found(Kind.LIGHT)] == []


def test_light_ones_go_on_where_the_last_left_off(desk: Desk) -> None:
    first = desk.reconcile(Kind.LIGHT)
    assert first.until - first.since == timedelta(hours=1)
    desk.shop.clock.advance(minutes=10)
    second = desk.reconcile(Kind.LIGHT)
    assert first.until - second.since == timedelta(minutes=1), "what was committed meanwhile may be dated before"
    assert second.checked["records"] < first.checked["records"]
