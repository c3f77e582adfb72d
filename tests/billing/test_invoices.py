"""Invoices: what they bill, once; and how they are given up, deleted and recovered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from cauri.billing.commands import CancelBillable, PutBillingRules, PutTerms, RecordOpeningBalance
from cauri.billing.invoicing import DeleteInvoice, InvoicePeriod, IssueInvoice, RecoverInvoice, VoidInvoice
from cauri.billing.model import (
    ITEMS_MAX,
    AlreadyBilled,
    BilledTooMuch,
    IllegalInvoiceChange,
    InvoiceCurrencyMismatch,
    NothingToBill,
    OpeningBalanceSet,
    OverMethodLimit,
    PeriodBackwards,
    PeriodClosed,
    PeriodInvoiced,
    Priced,
    Rules,
    UnknownBillable,
    UnknownInvoice,
    UnknownMethod,
)
from cauri.billing.queries import account_for, billables_of, invoice_for, invoices_of
from cauri.billing.views import account_view
from cauri.money import Money
from cauri.parties.commands import PutTenant

from tests.proof.examples.billing import AMINA, biller, busy, delivery, invoiced, kes, october, one_off, sale
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.proof.state import items
from tests.shop import Shop

TODAY = date(2026, 11, 20)


def standing(shop: Shop, currency: str = "KES") -> Any:
    account = account_view(account_for(shop.database, shop.admin, AMINA))
    return next(stands for stands in account.standing if stands.currency == currency)


def status(shop: Shop, invoice_id: str) -> str:
    return invoice_for(shop.database, shop.admin, invoice_id, TODAY).status


def whole(shop: Shop) -> bool:
    return differences(picture(items(), shop.clock.now)) == []


def test_an_invoice_bills_what_was_delivered_and_sold_on_credit_and_nothing_twice(shop: Shop) -> None:
    busy(shop).run(sale(cash="Cash"))
    made = shop.run(october())
    assert [line["description"] for line in made["lines"]] == ["Water, 20 l", "Dispenser", "Water, 20 l"]
    assert made["net"]["amount"] == 15 * 15_050 + 80_000
    assert made["tax"]["amount"] == 28_896 + 7_224  # 16 % of the deliveries, each by itself; the dispenser has none
    assert (made["number"], made["due_on"]) == ("INV-2026-000001", "2026-12-20")
    stands = standing(shop)
    assert (stands.unbilled.amount, stands.invoiced.amount) == (0, made["total"]["amount"])
    assert stands.outstanding.amount == 500_000 + made["total"]["amount"]
    with pytest.raises(PeriodInvoiced):
        shop.run(october())
    assert whole(shop)


def test_overlapping_periods_share_no_item_and_a_deletion_reverts_exactly_its_own(shop: Shop) -> None:
    busy(shop)
    first = shop.run(InvoicePeriod(AMINA, date(2026, 10, 1), date(2026, 10, 10), "KES"))
    second = shop.run(InvoicePeriod(AMINA, date(2026, 10, 5), date(2026, 11, 10), "KES"))
    assert [len(first["lines"]), len(second["lines"])] == [2, 1]
    shop.run(DeleteInvoice(first["id"]))
    assert standing(shop).unbilled == first_total(first)
    assert status(shop, second["id"]) == "open"
    again = shop.run(InvoicePeriod(AMINA, date(2026, 10, 1), date(2026, 10, 10), "KES"))
    assert again["total"] == first["total"]
    assert again["number"] == "INV-2026-000003", "a deleted invoice keeps its number"
    with pytest.raises(AlreadyBilled):
        shop.run(RecoverInvoice(first["id"]))
    assert whole(shop)


def first_total(invoice: Any) -> Money:
    return Money(**invoice["total"])


def test_a_deleted_invoice_comes_back_as_it_was(shop: Shop) -> None:
    invoice = invoiced(shop)
    before = standing(shop)
    shop.run(DeleteInvoice(invoice))
    assert status(shop, invoice) == "deleted"
    assert shop.run(RecoverInvoice(invoice))["status"] == "open"
    assert standing(shop) == before
    with pytest.raises(PeriodInvoiced):
        shop.run(october())
    assert whole(shop)


def test_a_void_invoice_is_owed_no_more_and_its_items_stay_billed(shop: Shop) -> None:
    invoice = invoiced(shop)
    shop.run(VoidInvoice(invoice))
    assert standing(shop).outstanding == kes(500_000)
    with pytest.raises(PeriodInvoiced):
        shop.run(october())
    with pytest.raises(IllegalInvoiceChange):
        shop.run(IssueInvoice(invoice))
    assert whole(shop)


def test_a_period_with_more_items_than_an_invoice_holds_takes_several(shop: Shop) -> None:
    biller(shop)
    for _ in range(ITEMS_MAX + 3):
        shop.run(delivery(5, 1))
    made = [shop.run(october()) for _ in range(2)]
    assert [len(invoice["lines"]) for invoice in made] == [ITEMS_MAX, 3]
    with pytest.raises(PeriodInvoiced):
        shop.run(october())
    shop.run(DeleteInvoice(made[0]["id"]))
    assert len(shop.run(october())["lines"]) == ITEMS_MAX
    assert whole(shop)


def test_what_is_left_of_a_period_is_billed_though_its_first_invoice_was_gone_for_a_while(shop: Shop) -> None:
    biller(shop)
    for _ in range(ITEMS_MAX + 1):
        shop.run(delivery(5, 1))
    first = shop.run(october())["id"]
    shop.run(DeleteInvoice(first))
    shop.run(RecoverInvoice(first))
    assert len(shop.run(october())["lines"]) == 1
    with pytest.raises(PeriodInvoiced):
        shop.run(october())
    assert whole(shop)


def test_a_line_has_the_tax_of_its_day(shop: Shop) -> None:
    busy(shop).run(PutTenant("Soko", tax_rates={"standard": 1_800, "zero": 0}, demo=True))
    made = shop.run(october())
    assert {line["tax_bps"] for line in made["lines"]} == {1_600, 0}
    assert made["tax"]["amount"] == 28_896 + 7_224


def test_a_draft_is_owed_once_it_is_issued(shop: Shop) -> None:
    draft = biller(shop).run(one_off(draft=True))
    assert (draft["status"], draft["number"]) == ("draft", None)
    issued = shop.run(IssueInvoice(draft["id"]))
    assert (issued["status"], issued["number"], issued["open"]["amount"]) == ("open", "INV-2026-000001", 139_200)
    assert invoices_of(shop.database, shop.admin, AMINA, "open", after=None, limit=5).items[0].id == draft["id"]


def test_terms_say_when_an_invoice_is_due_and_time_makes_it_overdue(shop: Shop) -> None:
    biller(shop, terms_days=10).run(PutTerms(AMINA, 0))
    invoice = shop.run(one_off())
    assert invoice["due_on"] == "2026-11-20"
    assert not invoice["overdue"]
    assert invoice_for(shop.database, shop.admin, invoice["id"], TODAY + timedelta(days=1)).overdue


def test_prices_that_include_tax_are_split(shop: Shop) -> None:
    shop.furnish(prices_include_tax=True)
    item = shop.run(delivery(price=kes(116_00), quantity=1))
    assert (item["net"]["amount"], item["tax"]["amount"]) == (100_00, 16_00)


def test_what_is_cancelled_is_not_billed(shop: Shop) -> None:
    wrong = busy(shop).run(delivery(9))["id"]
    shop.run(CancelBillable(AMINA, wrong))
    assert len(shop.run(october())["lines"]) == 3
    with pytest.raises(AlreadyBilled):
        shop.run(CancelBillable(AMINA, wrong))
    listed = billables_of(shop.database, shop.customer(), AMINA, after=None, limit=2)
    assert [item.date.day for item in listed.items] == [19, 9]


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (RecordOpeningBalance(AMINA, kes(1)), OpeningBalanceSet),
        (delivery(quantity=10**9, price=kes(10**7)), BilledTooMuch),
        (sale(cash="bitcoin"), UnknownMethod),
        (sale(cash="gPay", price=Money(1_00_000_01, "INR")), OverMethodLimit),
        (
            one_off(draft=True).__class__(
                AMINA, (Priced("A", 1, kes(1), "zero"), Priced("B", 1, Money(1, "USD"), "zero"))
            ),
            InvoiceCurrencyMismatch,
        ),
        (InvoicePeriod(AMINA, date(2026, 10, 2), date(2026, 10, 1), "KES"), PeriodBackwards),
        (InvoicePeriod(AMINA, date(2026, 10, 1), date(2026, 10, 31), "USD"), NothingToBill),
        (InvoicePeriod("cus_other", date(2026, 10, 1), date(2026, 10, 31), "KES"), NothingToBill),
        (CancelBillable(AMINA, "dlv_20261005-none"), UnknownBillable),
        (CancelBillable(AMINA, "x"), UnknownBillable),
        (DeleteInvoice("inv_none"), UnknownInvoice),
        (PutBillingRules(Rules("", aliases={"mpesa": "mobile"})), UnknownMethod),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value.name,
)
def test_what_a_rule_refuses(shop: Shop, command: Any, refusal: Any) -> None:
    busy(shop)
    with pytest.raises(refusal):
        shop.run(command)
    assert whole(shop)


def test_nothing_is_dated_into_closed_books(shop: Shop) -> None:
    invoice = invoiced(shop)
    shop.run(PutBillingRules(Rules("", closed_until=TODAY)))
    for command in (delivery(5), one_off(), DeleteInvoice(invoice), VoidInvoice(invoice)):
        with pytest.raises(PeriodClosed):
            shop.run(command)
