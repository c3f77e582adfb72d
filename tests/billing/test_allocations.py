"""Payments are allocated, rolled back and changed; all of it adds up, whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from cauri.billing.allocating import AllocatePayment, ChangePayment, Mode, RollBackAllocations
from cauri.billing.commands import PutBillingRules, RecordOpeningBalance
from cauri.billing.crediting import ApplyCredit, TakeCreditOff, WriteOff
from cauri.billing.invoicing import CREDITS_MAX, CreateInvoice, DeleteInvoice, IssueInvoice, VoidInvoice
from cauri.billing.model import (
    InvoiceCurrencyMismatch,
    InvoiceHasPayments,
    InvoiceNotOpen,
    PeriodClosed,
    Priced,
    Rules,
    UnknownInvoice,
)
from cauri.billing.payments import (
    ALLOCATIONS_MAX,
    OPENING,
    TARGETS_MAX,
    AllocationExceedsTarget,
    AllocationsExceedPayment,
    AllocationsRequired,
    CreditApplied,
    InsufficientCredit,
    Meant,
    NothingToAllocate,
    OverWriteOffLimit,
    PaymentAllocated,
    Surplus,
    TargetNamedTwice,
    TooManyAllocations,
    TooManyTargets,
    UnknownAccountPayment,
    UnknownAllocation,
    UnknownCredit,
)
from cauri.billing.queries import account_for, invoice_for
from cauri.billing.receiving import CreditPayment, DeletePayment, ReceivePayment
from cauri.billing.store import payment_key
from cauri.billing.views import account_view
from cauri.errors import Refusal
from cauri.money import Money

from tests.engines import Engine
from tests.proof.examples.billing import (
    AMINA,
    allocated,
    biller,
    busy,
    kes,
    meant,
    october,
    one_off,
    overpaid,
    paid,
    paying,
    shop_total,
    stored_credit,
)
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.proof.state import items
from tests.shop import Shop

TODAY = date(2026, 11, 20)


def standing(shop: Shop) -> Any:
    [stands] = account_view(account_for(shop.database, shop.admin, AMINA)).standing
    return stands


def whole(shop: Shop) -> bool:
    return differences(picture(items(), shop.clock.now)) == []


def view(shop: Shop, invoice_id: str) -> Any:
    return invoice_for(shop.database, shop.admin, invoice_id, TODAY)


def test_the_opening_balance_is_settled_first_and_then_what_is_due_first(shop: Shop) -> None:
    biller(shop).run(RecordOpeningBalance(AMINA, kes(5_000)))
    later = shop.run(one_off(due_on=date(2027, 1, 1)))["id"]
    sooner = shop.run(one_off(due_on=date(2026, 12, 1)))["id"]
    payment = shop.run(paying(5_000 + 139_200 + 200))["id"]
    made = shop.run(AllocatePayment(payment))
    assert [one["invoice_id"] for one in made["allocations"]] == [None, sooner, later]
    assert [one["payment_type"] for one in made["allocations"]] == ["EXACT", "EXACT", "PARTIAL"]
    assert made["allocation_status"] == "fully_applied"
    assert [view(shop, one).status for one in (sooner, later)] == ["paid", "partially_paid"]
    assert standing(shop).net == kes(139_200 - 200)
    assert whole(shop)


def test_what_is_left_over_stays_unapplied(shop: Shop) -> None:
    payment, _ = allocated(shop, 2_000_000)
    with pytest.raises(NothingToAllocate):
        shop.run(AllocatePayment(payment))
    stands = standing(shop)
    assert stands.outstanding == kes(0)
    assert stands.unapplied.amount == -stands.net.amount > 0


def test_more_than_was_paid_is_refused_in_the_words_that_people_know(shop: Shop) -> None:
    biller(shop).run(RecordOpeningBalance(AMINA, Money(5_000_00, "INR")))
    payment = shop.run(ReceivePayment(AMINA, Money(800_00, "INR"), "cash"))["id"]
    with pytest.raises(AllocationsExceedPayment) as refused:
        shop.run(AllocatePayment(payment, (Meant(OPENING, Money(900_00, "INR")),)))
    assert str(refused.value) == "Total allocations ₹900.00 exceed payment amount ₹800.00"
    assert whole(shop)


def test_smart_allocates_what_is_open_and_the_rest_is_credit_of_that_invoice(shop: Shop) -> None:
    payment, invoice = paid(shop)
    total = shop_total(shop, invoice)
    with pytest.raises(AllocationExceedsTarget):
        shop.run(AllocatePayment(payment, meant(**{invoice: total + 2_000})))
    made = shop.run(AllocatePayment(payment, meant(**{invoice: total + 2_000}), Mode.SMART))
    [one] = made["allocations"]
    assert (one["payment_type"], one["amount"]["amount"], one["credited"]["amount"]) == ("OVERPAYMENT", total, 2_000)
    assert stored_credit(shop, one["credit_id"]).from_invoice == invoice
    assert standing(shop).credit == kes(2_000)
    assert whole(shop)


def test_smart_allocates_no_more_than_is_left(shop: Shop) -> None:
    payment, invoice = paid(shop, 30_000)
    made = shop.run(AllocatePayment(payment, meant(opening=20_000, **{invoice: 25_000}), Mode.SMART))
    assert [one["amount"]["amount"] for one in made["allocations"]] == [20_000, 10_000]
    assert made["allocation_status"] == "fully_applied"
    assert whole(shop)


def test_invoices_in_another_currency_do_not_hide_what_is_due(shop: Shop) -> None:
    biller(shop)
    repair = (Priced("Repair", 1, Money(100, "USD"), "zero"),)
    for _ in range(TARGETS_MAX):
        shop.run(CreateInvoice(AMINA, repair, due_on=date(2026, 12, 1)))
    last = shop.run(one_off(due_on=date(2027, 1, 1)))["id"]
    made = shop.run(AllocatePayment(shop.run(paying(5_000))["id"]))
    assert [one["invoice_id"] for one in made["allocations"]] == [last]
    assert whole(shop)


def test_credit_in_another_currency_does_not_hide_what_there_is(shop: Shop) -> None:
    biller(shop, apply_credit=True)
    for _ in range(CREDITS_MAX):
        dollars = shop.run(ReceivePayment(AMINA, Money(100, "USD"), "card"))["id"]
        shop.run(CreditPayment(dollars))
    shop.run(CreditPayment(shop.run(paying(5_000))["id"]))
    assert shop.run(one_off())["paid"] == {"amount": 5_000, "currency": "KES"}
    assert whole(shop)


def test_a_share_that_is_all_credit_is_rolled_back_when_its_invoice_is_gone(shop: Shop) -> None:
    first, invoice = paid(shop)
    shop.run(AllocatePayment(first, meant(**{invoice: shop_total(shop, invoice)})))
    second = shop.run(paying(7_000))["id"]
    shop.run(AllocatePayment(second, meant(**{invoice: 7_000}), Mode.SMART))
    shop.run(RollBackAllocations(first))
    shop.run(DeleteInvoice(invoice))
    assert shop.run(RollBackAllocations(second))["payment"]["unapplied"]["amount"] == 7_000
    assert whole(shop)


def test_a_payment_is_divided_into_so_many_shares_and_no_more(shop: Shop) -> None:
    payment, _ = allocated(shop)
    key = payment_key(shop.tenant, payment)
    made = shop.database.fetch([key])[key]
    assert made is not None
    with pytest.raises(TooManyAllocations):
        made.apply([replace(made.allocations[0], amount=0)] * (ALLOCATIONS_MAX - 1))


def test_or_the_rest_stays_unapplied(shop: Shop) -> None:
    payment, invoice = paid(shop)
    asked = meant(**{invoice: 1_000_000})
    made = shop.run(AllocatePayment(payment, asked, Mode.SMART, Surplus.UNAPPLIED))
    assert made["unapplied"]["amount"] == 1_000_000 - made["allocations"][0]["amount"]["amount"] > 0


def test_a_rollback_puts_every_target_back_and_says_which(shop: Shop) -> None:
    payment, invoice = paid(shop)
    before = standing(shop), view(shop, invoice).status
    shop.run(AllocatePayment(payment))
    report = shop.run(RollBackAllocations(payment))
    assert (report["invoices"], report["opening_balance"]) == ([invoice], True)
    assert report["amount"]["amount"] == before[0].outstanding.amount
    assert (standing(shop), view(shop, invoice).status) == before
    assert whole(shop)


def test_a_rollback_of_some_leaves_the_others(shop: Shop) -> None:
    payment, invoice = allocated(shop)
    key = payment_key(shop.tenant, payment)
    made = shop.database.fetch([key])[key]
    assert made is not None
    [first, second] = made.allocations
    report = shop.run(RollBackAllocations(payment, (second.id, second.id)))
    assert report["invoices"] == [invoice]
    assert [one["id"] for one in report["payment"]["allocations"]] == [first.id]
    assert whole(shop)


def test_a_credit_that_pays_an_invoice_keeps_its_payment_from_being_rolled_back(shop: Shop) -> None:
    credit, payment = overpaid(shop)
    invoice = shop.run(one_off())["id"]
    assert shop.run(ApplyCredit(invoice))["paid"]["amount"] == 2_000
    with pytest.raises(CreditApplied):
        shop.run(RollBackAllocations(payment))
    [application] = stored_credit(shop, credit).applied
    shop.run(TakeCreditOff(credit, application.id))
    shop.run(RollBackAllocations(payment))
    assert stored_credit(shop, credit).left == 0
    assert standing(shop).credit == kes(0)
    assert whole(shop)


def test_another_amount_takes_new_allocations_that_fit_it(shop: Shop) -> None:
    payment, invoice = allocated(shop)
    with pytest.raises(AllocationsExceedPayment):
        shop.run(ChangePayment(payment, kes(100), meant(**{invoice: 101})))
    changed = shop.run(ChangePayment(payment, kes(300_000), meant(**{invoice: 250_000})))
    assert (changed["amount"]["amount"], changed["unapplied"]["amount"]) == (300_000, 50_000)
    assert view(shop, invoice).paid == kes(250_000)
    assert standing(shop).opening_balance == kes(500_000)
    assert whole(shop)


def test_a_payment_is_deleted_when_nothing_of_it_is_allocated(shop: Shop) -> None:
    payment, _ = allocated(shop)
    with pytest.raises(PaymentAllocated):
        shop.run(DeletePayment(payment))
    shop.run(RollBackAllocations(payment))
    shop.run(DeletePayment(payment))
    with pytest.raises(UnknownAccountPayment):
        shop.run(AllocatePayment(payment))
    assert standing(shop).unapplied == kes(0)
    assert whole(shop)


def test_an_invoice_with_payments_is_neither_deleted_nor_void(shop: Shop) -> None:
    _, invoice = allocated(shop)
    for command in (DeleteInvoice(invoice), VoidInvoice(invoice)):
        with pytest.raises(InvoiceHasPayments):
            shop.run(command)


def test_the_last_of_an_invoice_is_written_off_within_the_limit(shop: Shop) -> None:
    payment, invoice = paid(shop, write_off_max={"KES": 100})
    shop.run(AllocatePayment(payment, meant(**{invoice: shop_total(shop, invoice) - 100})))
    shop.run(WriteOff(invoice, kes(60)))
    with pytest.raises(AllocationExceedsTarget):
        shop.run(WriteOff(invoice, kes(41)))
    assert shop.run(WriteOff(invoice))["status"] == "paid"
    assert whole(shop)


def test_a_new_invoice_is_paid_from_credit_where_the_tenant_wants_it(shop: Shop) -> None:
    overpaid(shop, apply_credit=True)
    invoice = shop.run(one_off())
    assert (invoice["paid"]["amount"], invoice["status"]) == (2_000, "partially_paid")
    assert standing(shop).credit == kes(0)
    assert whole(shop)


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (lambda p, i: AllocatePayment(p, meant(opening=1, inv_none=1)), UnknownInvoice),
        (lambda p, i: AllocatePayment(p, (Meant(i, kes(1)), Meant(i, kes(2)))), TargetNamedTwice),
        (lambda p, i: AllocatePayment(p, meant(**{f"inv_{n}": 1 for n in range(41)})), TooManyTargets),
        (lambda p, i: AllocatePayment(p, (Meant(i, Money(1, "USD")),)), InvoiceCurrencyMismatch),
        (lambda p, i: AllocatePayment(p, meant(opening=1), customer_id="cus_brian"), UnknownAccountPayment),
        (lambda p, i: AllocatePayment("pay_none"), UnknownAccountPayment),
        (lambda p, i: RollBackAllocations(p), NothingToAllocate),
        (lambda p, i: RollBackAllocations(p, ("alc_none",)), UnknownAllocation),
        (lambda p, i: ChangePayment(p, Money(5, "USD")), InvoiceCurrencyMismatch),
        (lambda p, i: CreditPayment(p, kes(10**9)), AllocationsExceedPayment),
        (lambda p, i: ApplyCredit(i, kes(1)), InsufficientCredit),
        (lambda p, i: TakeCreditOff("crd_none", "apl_none"), UnknownCredit),
        (lambda p, i: WriteOff(i, kes(1)), OverWriteOffLimit),
    ],
)
def test_what_a_rule_refuses(shop: Shop, ask: Any, refusal: Any) -> None:
    payment, invoice = paid(shop)
    with pytest.raises(refusal):
        shop.run(ask(payment, invoice))
    assert whole(shop)


def test_an_allocated_payment_says_to_what_when_it_changes(shop: Shop) -> None:
    payment, _ = allocated(shop)
    with pytest.raises(AllocationsRequired):
        shop.run(ChangePayment(payment, kes(300_000)))


def test_no_payment_settles_anothers_invoice_nor_one_that_is_not_owed(shop: Shop) -> None:
    payment, invoice = paid(shop)
    lines = one_off().lines
    brians = shop.run(CreateInvoice("cus_brian", lines))["id"]
    draft = shop.run(one_off(draft=True))["id"]
    shop.run(DeleteInvoice(invoice))
    for target, refusal in ((brians, UnknownInvoice), (draft, InvoiceNotOpen), (invoice, InvoiceNotOpen)):
        with pytest.raises(refusal):
            shop.run(AllocatePayment(payment, meant(**{target: 1})))
    shop.run(IssueInvoice(draft))
    shop.run(AllocatePayment(payment, meant(**{draft: 1})))
    assert whole(shop)


def test_forty_invoices_are_settled_in_two_round_trips(shop: Shop) -> None:
    biller(shop)
    invoices = [shop.run(one_off())["id"] for _ in range(TARGETS_MAX)]
    payment = shop.run(paying(10_000_000))["id"]
    meter = shop.database.meter
    before = meter.round_trips
    shop.run(AllocatePayment(payment, meant(**dict.fromkeys(invoices, 139_200)), customer_id=AMINA))
    assert meter.round_trips - before == 2
    assert {view(shop, invoice).status for invoice in invoices} == {"paid"}
    assert whole(shop)


@pytest.mark.engines
@pytest.mark.parametrize("at_once", [2, 50])
def test_however_many_allocate_at_once_nothing_is_allocated_twice(shop: Shop, engine: Engine, at_once: int) -> None:
    busy(shop)
    invoice = shop.run(october())["id"]
    total = shop_total(shop, invoice)
    payments = [shop.run(paying(300_000))["id"] for _ in range(5)]
    share = total // 10 + 1

    def allocate(number: int) -> str:
        asked = meant(opening=20_000, **{invoice: share})
        try:
            shop.books.run(AllocatePayment(payments[number % 5], asked), shop.admin, f"at-once-{number}")
        except Refusal as refused:
            return refused.code
        return "allocated"

    with ThreadPoolExecutor(at_once) as pool:
        ends = list(pool.map(allocate, range(at_once)))
    assert set(ends) <= {"allocated", "allocation_exceeds_target", "allocations_exceed_payment", "contended"}
    stands, open_on = standing(shop), shop_total(shop, invoice)
    won = ends.count("allocated")
    assert (stands.opening_balance.amount, open_on) == (500_000 - won * 20_000, total - won * share)
    assert stands.unapplied.amount == 5 * 300_000 - won * (20_000 + share)
    assert min(stands.opening_balance.amount, open_on, stands.unapplied.amount) >= 0


def test_nothing_is_settled_in_closed_books(shop: Shop) -> None:
    payment, invoice = paid(shop)
    shop.run(PutBillingRules(Rules("", closed_until=TODAY)))
    for command in (AllocatePayment(payment), CreditPayment(payment), ApplyCredit(invoice), WriteOff(invoice)):
        with pytest.raises(PeriodClosed):
            shop.run(command)


def test_a_cash_limit_holds(shop: Shop) -> None:
    biller(shop)
    shop.run(ReceivePayment(AMINA, Money(50_000_00, "INR"), "Cash"))
    with pytest.raises(Refusal, match=r"takes INR 50,000\.00 at most"):
        shop.run(ReceivePayment(AMINA, Money(50_000_01, "INR"), "CASH"))
