"""A busy shop whose books are right has no findings; and what a reconciliation says of it."""

from __future__ import annotations

import pytest
from cauri.orders.model import CancelReason
from cauri.reconciliation.invariants import INVARIANTS
from cauri.reconciliation.model import PARTS, Kind, Severity
from cauri.reconciliation.subjects import ASKED, ELSEWHERE
from cauri.refunds.commands import ReturnPayments

from tests.proof.examples.worlds import give_up, pay, release, saga
from tests.reconciliation.busy import Desk, pay_back
from tests.reconciliation.test_planted import order_of, the


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_is_found_where_everything_is_right(desk: Desk, kind: Kind) -> None:
    report = desk.reconcile(kind)
    assert desk.findings(report) == []
    assert (report.status, report.findings, tuple(report.done)) == ("completed", 0, PARTS[kind])
    assert report.checked["records"] > 20
    assert desk.paused == [], "nobody looks twice at what agrees"


def test_every_invariant_is_asked_by_somebody() -> None:
    """Whoever adds one says of what it is true by itself, or which check asks it of all together."""
    by_subject = {invariant for asked in ASKED.values() for invariant in asked}
    assert by_subject.isdisjoint(ELSEWHERE)
    assert by_subject | ELSEWHERE.keys() == set(INVARIANTS)


def test_the_figures_are_what_was_sold_and_what_paid_for_it(desk: Desk) -> None:
    """One order was sold, paid by card and from the balance; one was given up, and one waits."""
    [figures] = desk.reconcile().figures
    sold = desk.shop.tree(order_of(desk, "confirm_order")).order
    assert (figures.orders, figures.orders_count) == (sold.total, 1)
    assert (figures.payments, figures.payments_count) == (sold.total, 2)
    assert (figures.payment_variance.amount, figures.settlement_variance.amount) == (0, 0)


def test_an_order_that_was_paid_and_not_sold_is_listed(desk: Desk) -> None:
    order = order_of(desk, "checkout")
    pay(desk.shop, order)
    desk.fold()
    assert desk.found() == [], "somebody is just confirming it"
    desk.shop.clock.advance(minutes=2)
    report = desk.reconcile()
    finding = the(desk.findings(report), "payment_variance", order)
    assert finding.severity is Severity.NOTICE
    [figures] = report.figures
    assert figures.payment_variance.amount == finding.evidence["paid"]


def test_money_that_went_back_since_nothing_was_sold_is_no_variance(desk: Desk) -> None:
    """It only passed through."""
    order = order_of(desk, "checkout")
    pay(desk.shop, order)
    desk.shop.clock.advance(seconds=1)
    give_up(desk.shop, order, CancelReason.NOT_FULFILLABLE)
    [payment] = [one.id for one in desk.shop.tree(order).payments]
    refund = desk.shop.run(ReturnPayments(order, (payment,)), saga(desk.shop))["id"]
    pay_back(desk.shop, refund)
    release(desk.shop, order)
    desk.fold()
    desk.shop.clock.advance(minutes=2)
    report = desk.reconcile()
    assert desk.findings(report) == []
    [figures] = report.figures
    assert figures.payment_variance.amount == 0
