"""The states of an invoice, every pair of them, and how it is paid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from cauri.billing.model import (
    ISSUED,
    IllegalInvoiceChange,
    Invoice,
    InvoiceHasPayments,
    InvoiceLine,
    InvoiceNotOpen,
    InvoiceStatus,
    Rules,
)
from cauri.money import Money

AT = datetime(2026, 11, 20, tzinfo=UTC)
TEN = Money(1_000, "KES")
DRAFT = Invoice(
    "soko",
    "inv_1",
    "cus_1",
    "KES",
    (InvoiceLine("A", 1, TEN, TEN, Money(0, "KES"), "zero", 0),),
    InvoiceStatus.DRAFT,
    AT,
)
OPEN = DRAFT.issue("INV-2026", "INV-2026-000001", date(2026, 11, 20), date(2026, 12, 20))
INVOICES = {
    "draft": DRAFT,
    "open": OPEN,
    "partially_paid": OPEN.settle(400),
    "paid": OPEN.settle(1_000),
    "void": OPEN.void(),
    "deleted": OPEN.delete(AT),
}
LEGAL = {
    ("draft", "issue"): "open",
    ("draft", "delete"): "deleted",
    ("open", "pay"): "paid",
    ("partially_paid", "pay"): "paid",
    ("open", "void"): "void",
    ("open", "delete"): "deleted",
    ("deleted", "recover"): "open",
}
CHANGES: dict[str, Any] = {
    "issue": lambda one: one.issue("INV-2026", "INV-2026-000002", date(2026, 11, 20), date(2026, 12, 20)),
    "pay": lambda one: one.settle(one.open.amount),
    "void": lambda one: one.void(),
    "delete": lambda one: one.delete(AT),
    "recover": lambda one: one.recover(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("status", INVOICES)
def test_every_change_of_every_status(status: str, change: str) -> None:
    invoice = INVOICES[status]
    assert invoice.status == status
    if (status, change) == ("paid", "pay"):
        assert CHANGES[change](invoice) == invoice, "nothing is left to pay"
    elif (status, change) in LEGAL:
        assert CHANGES[change](invoice).status == LEGAL[status, change]
    elif status in {"partially_paid", "paid"} and change in {"void", "delete"}:
        with pytest.raises(InvoiceHasPayments):
            CHANGES[change](invoice)
    elif change == "pay":
        with pytest.raises(InvoiceNotOpen):
            CHANGES[change](invoice)
    else:
        with pytest.raises(IllegalInvoiceChange):
            CHANGES[change](invoice)


def test_a_payment_taken_back_reopens_the_invoice() -> None:
    assert OPEN.settle(1_000).settle(-600).status == InvoiceStatus.PARTIALLY_PAID
    assert OPEN.settle(1_000).settle(-1_000) == OPEN
    assert OPEN.settle(990).write_off(10).open.amount == 0


@pytest.mark.parametrize("amount", [1_001, -1])
def test_an_invoice_is_never_paid_more_than_it_is_nor_less_than_nothing(amount: int) -> None:
    with pytest.raises(ValueError, match="would be paid"):
        OPEN.settle(amount)


def test_an_invoice_of_nothing_is_paid_at_once() -> None:
    nothing = Invoice("soko", "inv_2", "cus_1", "KES", (), InvoiceStatus.DRAFT, AT)
    assert nothing.issue("INV-2026", None, date(2026, 11, 20), date(2026, 12, 20)).status == InvoiceStatus.PAID


def test_only_what_is_issued_is_open() -> None:
    assert {status for status, invoice in INVOICES.items() if invoice.open} == {"open", "partially_paid"}
    assert {status for status, invoice in INVOICES.items() if invoice.status in ISSUED} == {
        "open",
        "partially_paid",
        "paid",
    }


@pytest.mark.parametrize(
    ("said", "method"),
    [
        ("CASH", "cash"),
        ("gPay", "upi"),
        ("Bank  transfer", "bank_transfer"),
        ("bank-transfer", "bank_transfer"),
        ("M-Pesa", "online"),
    ],
)
def test_a_method_is_known_in_any_case_and_by_other_names(said: str, method: str) -> None:
    assert Rules("soko", aliases={"m pesa": "online"}).method(said) == method
