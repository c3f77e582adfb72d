"""Everybody allocates at once, on both engines: nothing is allocated twice, and whatever else happens adds up."""

from __future__ import annotations

import pytest
from cauri.billing.allocating import AllocatePayment, ChangePayment, Mode, RollBackAllocations
from cauri.billing.crediting import ApplyCredit
from cauri.billing.invoicing import CreateInvoice, DeleteInvoice, InvoicePeriod, RecoverInvoice
from cauri.billing.model import AlreadyBilled, IllegalInvoiceChange, InvoiceHasPayments, InvoiceNotOpen, PeriodInvoiced
from cauri.billing.payments import (
    AllocationExceedsTarget,
    AllocationsExceedPayment,
    AllocationsRequired,
    CreditApplied,
    InsufficientCredit,
    NothingToAllocate,
    PaymentAllocated,
    UnknownAccountPayment,
)
from cauri.billing.receiving import CreditPayment, DeletePayment
from cauri.books.commit import Books, Contended

from local.engine.conflicts import Conflicts
from local.template import Template
from tests.engines import Engine
from tests.proof.crowd import Crowd
from tests.proof.examples.billing import AMINA, OCTOBER, busy, kes, meant, october, one_off, paying
from tests.proof.invariants import differences
from tests.proof.test_contention import picture_of, refusals, the_answers
from tests.shop import Shop

pytestmark = pytest.mark.engines

LOSERS = {
    AllocationExceedsTarget,
    AllocationsExceedPayment,
    AllocationsRequired,
    AlreadyBilled,
    Contended,
    CreditApplied,
    IllegalInvoiceChange,
    InsufficientCredit,
    InvoiceHasPayments,
    InvoiceNotOpen,
    NothingToAllocate,
    PaymentAllocated,
    PeriodInvoiced,
    UnknownAccountPayment,
}
"""What whoever comes too late may hear: each says what stands against it now."""


@pytest.mark.parametrize("people", [2, 50])
def test_a_payment_settles_what_it_can_and_not_one_unit_more(engine: Engine, shop: Shop, people: int) -> None:
    """Everybody means 60 % of one payment for the same invoice, of which 60 % is open: one of them wins."""
    invoice = busy(shop).run(one_off())["id"]
    payment = shop.run(paying(139_200))["id"]
    share = AllocatePayment(payment, meant(**{invoice: 83_520}), customer_id=AMINA)

    outcomes = Crowd(engine, shop).at_once(
        lambda books, turn: books.run(share, shop.admin, f"at-once-{turn}").body, people
    )

    assert len(the_answers(outcomes)) == 1
    assert set(refusals(outcomes)) <= {AllocationsExceedPayment, Contended}
    now = picture_of(engine, shop)
    assert [one.paid for one in now.invoices if one.id == invoice] == [83_520]
    assert [one.unapplied for one in now.account_payments] == [139_200 - 83_520]
    assert differences(now) == []


@pytest.mark.parametrize("people", [2, 50])
def test_an_opening_balance_is_paid_once_however_many_pay_it(engine: Engine, shop: Shop, people: int) -> None:
    busy(shop)
    payments = [shop.run(paying(400_000))["id"] for _ in range(people)]

    outcomes = Crowd(engine, shop).at_once(
        lambda books, turn: books.run(AllocatePayment(payments[turn]), shop.admin, f"at-once-{turn}").body, people
    )

    assert set(refusals(outcomes)) <= {NothingToAllocate, Contended}
    now = picture_of(engine, shop)
    assert [account.of("KES").opening for account in now.accounts] == [0]
    assert sum(one.allocated for one in now.account_payments) == 500_000
    assert differences(now) == []


def test_one_key_sent_fifty_times_at_once_allocates_once(engine: Engine, shop: Shop) -> None:
    busy(shop)
    payment = shop.run(paying(900_000))["id"]
    share = AllocatePayment(payment, meant(opening=10_000), customer_id=AMINA)

    outcomes = Crowd(engine, shop).at_once(lambda books, _: books.run(share, shop.admin, "the-key"), 50)

    answers = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert len(answers) == 50
    assert len({answer.body for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert [one.allocated for one in picture_of(engine, shop).account_payments] == [10_000]


def test_a_period_is_billed_once_however_many_bill_it(engine: Engine, shop: Shop) -> None:
    """Two periods overlap; each has its invoice, and no delivery is on both."""
    busy(shop)
    halves = [InvoicePeriod(AMINA, *OCTOBER, "KES"), InvoicePeriod(AMINA, OCTOBER[0].replace(day=6), OCTOBER[1], "KES")]

    outcomes = Crowd(engine, shop).at_once(
        lambda books, turn: books.run(halves[turn % 2], shop.admin, f"at-once-{turn}").body, 24
    )

    now = picture_of(engine, shop)
    assert 1 <= len(the_answers(outcomes)) == len(now.invoices) <= 2
    assert differences(now) == []


def test_whatever_staff_do_at_once_adds_up(engine: Engine, shop: Shop, template: Template) -> None:
    """AWS cancels whoever meets a transaction in flight; here both engines do."""
    conflicts = Conflicts(template.tables.values(), seconds_min=0.002)
    busy(shop)
    invoices = [shop.run(october())["id"], *(shop.run(one_off())["id"] for _ in range(3))]
    payments = [shop.run(paying(200_000 + number))["id"] for number in range(4)]
    shop.run(CreditPayment(payments[0], kes(50_000)))

    def act(books: Books, turn: int) -> bytes:
        invoice, payment = invoices[turn % 4], payments[turn // 9 % 4]
        commands = (
            AllocatePayment(payment),
            AllocatePayment(payment, meant(**{invoice: 90_000}), Mode.SMART),
            RollBackAllocations(payment),
            DeleteInvoice(invoice),
            RecoverInvoice(invoice),
            ApplyCredit(invoice, kes(7_000)),
            ChangePayment(payment, kes(150_000), meant(**{invoice: 20_000})),
            CreateInvoice(AMINA, one_off().lines),
            DeletePayment(payment),
        )
        return books.run(commands[turn % 9], shop.admin, f"at-once-{turn}").body

    outcomes = Crowd(engine, shop, conflicts).at_once(act, 72)

    assert conflicts.refused > 0
    assert len(the_answers(outcomes)) > 8
    assert set(refusals(outcomes)) <= LOSERS
    assert differences(picture_of(engine, shop)) == []
