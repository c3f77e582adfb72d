"""Billing: what customers owe, and invoices that are made, issued, given up, deleted and recovered."""

from __future__ import annotations

from datetime import date
from typing import Any

from cauri.billing.commands import (
    CancelBillable,
    PutBillingRules,
    PutTerms,
    RecordDelivery,
    RecordOpeningBalance,
    RecordSale,
)
from cauri.billing.invoicing import (
    CreateInvoice,
    DeleteInvoice,
    InvoicePeriod,
    IssueInvoice,
    RecoverInvoice,
    VoidInvoice,
)
from cauri.billing.model import Priced, Rules
from cauri.money import Money

from tests.proof.examples.worlds import Act, example, market, sent
from tests.shop import Shop

AMINA = "cus_amina"
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def delivery(day: int = 5, quantity: int = 12, **more: Any) -> RecordDelivery:
    facts = {"price": kes(15_050), "tax_class": "standard"} | more
    return RecordDelivery(AMINA, "Water, 20 l", date(2026, 10, day), quantity, **facts)


def sale(day: int = 7, **more: Any) -> RecordSale:
    facts = {"price": kes(80_000), "tax_class": "zero"} | more
    return RecordSale(AMINA, "Dispenser", date(2026, 10, day), 1, **facts)


def biller(shop: Shop, **rules: Any) -> Shop:
    """A market that bills as it likes."""
    market(shop).run(PutBillingRules(Rules("", **rules)))
    return shop


def busy(shop: Shop, **rules: Any) -> Shop:
    """Amina owed something before, and had two deliveries and a credit sale in October."""
    biller(shop, **rules).run(RecordOpeningBalance(AMINA, kes(500_000)))
    for command in (delivery(5), delivery(19, 3), sale()):
        shop.run(command)
    return shop


def october(**more: Any) -> InvoicePeriod:
    return InvoicePeriod(AMINA, *OCTOBER, "KES", **more)


def one_off(**more: Any) -> CreateInvoice:
    return CreateInvoice(AMINA, (Priced("Repair", 1, kes(120_000), "standard"),), **more)


def invoiced(shop: Shop, **rules: Any) -> str:
    invoice: str = busy(shop, **rules).run(october())["id"]
    return invoice


@example(PutBillingRules, "the first")
def _(shop: Shop) -> Act:
    return sent(PutBillingRules(Rules("", series="SK", closed_until=date(2026, 9, 30))), market(shop).admin)


@example(PutBillingRules, "refused, since it is another version")
def _(shop: Shop) -> Act:
    return sent(PutBillingRules(Rules(""), expected_version=7), biller(shop).admin)


@example(PutTerms, "of a customer")
def _(shop: Shop) -> Act:
    return sent(PutTerms(AMINA, 14), busy(shop).admin)


@example(RecordOpeningBalance, "the first of a currency")
def _(shop: Shop) -> Act:
    return sent(RecordOpeningBalance(AMINA, Money(900, "USD")), busy(shop).admin)


@example(RecordOpeningBalance, "refused, since there is one")
def _(shop: Shop) -> Act:
    return sent(RecordOpeningBalance(AMINA, kes(7)), busy(shop).admin)


@example(RecordDelivery, "the first of a customer")
def _(shop: Shop) -> Act:
    return sent(delivery(), market(shop).admin)


@example(RecordDelivery, "refused, since its month is closed")
def _(shop: Shop) -> Act:
    return sent(delivery(), biller(shop, closed_until=date(2026, 10, 31)).admin)


@example(RecordSale, "on credit")
def _(shop: Shop) -> Act:
    return sent(sale(9), busy(shop).admin)


@example(RecordSale, "for cash")
def _(shop: Shop) -> Act:
    return sent(sale(cash="Cash"), busy(shop).admin)


@example(CancelBillable, "a delivery that never was")
def _(shop: Shop) -> Act:
    wrong = busy(shop).run(delivery(21))["id"]
    return sent(CancelBillable(AMINA, wrong), shop.admin)


@example(CancelBillable, "refused, since it is billed")
def _(shop: Shop) -> Act:
    billed = busy(shop).run(delivery(21))["id"]
    shop.run(october())
    return sent(CancelBillable(AMINA, billed), shop.admin)


@example(CreateInvoice, "issued at once")
def _(shop: Shop) -> Act:
    return sent(one_off(), busy(shop).admin)


@example(CreateInvoice, "a draft")
def _(shop: Shop) -> Act:
    return sent(one_off(draft=True), market(shop).admin)


@example(CreateInvoice, "in a series of the tenant's own")
def _(shop: Shop) -> Act:
    biller(shop, series="SK").run(one_off())
    return sent(one_off(), shop.admin)


@example(InvoicePeriod, "two deliveries and a sale")
def _(shop: Shop) -> Act:
    return sent(october(), busy(shop).admin)


@example(InvoicePeriod, "for the sequencer to number")
def _(shop: Shop) -> Act:
    return sent(october(numbered=False), busy(shop).admin)


@example(InvoicePeriod, "again, after it was deleted")
def _(shop: Shop) -> Act:
    shop.run(DeleteInvoice(invoiced(shop)))
    return sent(october(), shop.admin)


@example(InvoicePeriod, "refused, since it is billed")
def _(shop: Shop) -> Act:
    invoiced(shop)
    return sent(october(), shop.admin)


@example(InvoicePeriod, "refused, since nothing was delivered")
def _(shop: Shop) -> Act:
    return sent(october(), market(shop).admin)


@example(IssueInvoice, "a draft")
def _(shop: Shop) -> Act:
    draft = busy(shop).run(one_off(draft=True))["id"]
    return sent(IssueInvoice(draft), shop.admin)


@example(IssueInvoice, "refused, since it is issued")
def _(shop: Shop) -> Act:
    return sent(IssueInvoice(invoiced(shop)), shop.admin)


@example(VoidInvoice, "one that is owed")
def _(shop: Shop) -> Act:
    return sent(VoidInvoice(invoiced(shop)), shop.admin)


@example(DeleteInvoice, "with what it billed")
def _(shop: Shop) -> Act:
    return sent(DeleteInvoice(invoiced(shop)), shop.admin)


@example(DeleteInvoice, "a draft")
def _(shop: Shop) -> Act:
    draft = busy(shop).run(one_off(draft=True))["id"]
    return sent(DeleteInvoice(draft), shop.admin)


@example(DeleteInvoice, "refused, since it is void")
def _(shop: Shop) -> Act:
    invoice = invoiced(shop)
    shop.run(VoidInvoice(invoice))
    return sent(DeleteInvoice(invoice), shop.admin)


@example(RecoverInvoice, "with what it billed")
def _(shop: Shop) -> Act:
    invoice = invoiced(shop)
    shop.run(DeleteInvoice(invoice))
    return sent(RecoverInvoice(invoice), shop.admin)


@example(RecoverInvoice, "refused, since what it billed is billed again")
def _(shop: Shop) -> Act:
    invoice = invoiced(shop)
    shop.run(DeleteInvoice(invoice))
    shop.run(october())
    return sent(RecoverInvoice(invoice), shop.admin)
