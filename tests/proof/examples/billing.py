"""Billing: what customers owe, and invoices that are made, issued, given up, deleted and recovered."""

from __future__ import annotations

from datetime import date
from typing import Any

from cauri.billing.allocating import AllocatePayment, ChangePayment, Mode, RollBackAllocations
from cauri.billing.commands import (
    CancelBillable,
    PutBillingRules,
    PutTerms,
    RecordDelivery,
    RecordOpeningBalance,
    RecordSale,
)
from cauri.billing.crediting import ApplyCredit, TakeCreditOff, WriteOff
from cauri.billing.invoicing import (
    CreateInvoice,
    DeleteInvoice,
    InvoicePeriod,
    IssueInvoice,
    RecoverInvoice,
    VoidInvoice,
)
from cauri.billing.model import AnomalyKind, Priced, Rules, Standing
from cauri.billing.payments import OPENING, CustomerCredit, Meant, Surplus
from cauri.billing.receiving import CreditPayment, DeletePayment, ReceivePayment
from cauri.billing.store import credit_key, invoice_key
from cauri.billing.verifying import ReconcileAccount, RecordAnomaly
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


def paying(amount: int = 1_000_000, method: str = "gPay", **more: Any) -> ReceivePayment:
    return ReceivePayment(AMINA, kes(amount), method, **more)


def meant(**amounts: int) -> tuple[Meant, ...]:
    """How much for which target; ``opening=`` is for the opening balance."""
    return tuple(Meant(OPENING if target == "opening" else target, kes(amount)) for target, amount in amounts.items())


def paid(shop: Shop, amount: int = 1_000_000, **rules: Any) -> tuple[str, str]:
    """Amina's payment, and the invoice of her October, of 3,978.70 shillings, beside 5,000.00 from before."""
    invoice = invoiced(shop, **rules)
    payment: str = shop.run(paying(amount))["id"]
    return payment, invoice


def allocated(shop: Shop, amount: int = 1_000_000, **rules: Any) -> tuple[str, str]:
    payment, invoice = paid(shop, amount, **rules)
    shop.run(AllocatePayment(payment))
    return payment, invoice


def overpaid(shop: Shop, **rules: Any) -> tuple[str, str]:
    """Amina paid 20.00 too much on an invoice, which is credit of hers now: its id, and the payment."""
    payment, invoice = paid(shop, **rules)
    asked = meant(**{invoice: shop_total(shop, invoice) + 2_000})
    made = shop.run(AllocatePayment(payment, asked, Mode.SMART))
    return made["allocations"][0]["credit_id"], payment


def stored_credit(shop: Shop, credit_id: str) -> CustomerCredit:
    key = credit_key(shop.tenant, credit_id)
    credit = shop.database.fetch([key])[key]
    assert credit is not None
    return credit


def shop_total(shop: Shop, invoice_id: str) -> int:
    key = invoice_key(shop.tenant, invoice_id)
    invoice = shop.database.fetch([key])[key]
    assert invoice is not None
    return invoice.open.amount


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


@example(ReceivePayment, "by what people call it")
def _(shop: Shop) -> Act:
    return sent(paying(reference="7781"), busy(shop).admin)


@example(ReceivePayment, "refused, since nobody knows the method")
def _(shop: Shop) -> Act:
    return sent(paying(method="shells"), busy(shop).admin)


@example(AllocatePayment, "to whatever is due")
def _(shop: Shop) -> Act:
    payment, _ = paid(shop)
    return sent(AllocatePayment(payment), shop.admin)


@example(AllocatePayment, "to what is named, by somebody who knows whose it is")
def _(shop: Shop) -> Act:
    payment, invoice = paid(shop)
    return sent(AllocatePayment(payment, meant(opening=70_000, **{invoice: 9}), customer_id=AMINA), shop.admin)


@example(AllocatePayment, "with too much for an invoice, which becomes credit")
def _(shop: Shop) -> Act:
    payment, invoice = paid(shop)
    return sent(AllocatePayment(payment, meant(opening=500_001, **{invoice: 499_999}), Mode.SMART), shop.admin)


@example(AllocatePayment, "with too much for an invoice, which stays")
def _(shop: Shop) -> Act:
    payment, invoice = paid(shop)
    smart = AllocatePayment(payment, meant(**{invoice: 900_000}), Mode.SMART, Surplus.UNAPPLIED)
    return sent(smart, shop.admin)


@example(AllocatePayment, "refused, since it is more than was paid")
def _(shop: Shop) -> Act:
    payment, _ = paid(shop, 800)
    return sent(AllocatePayment(payment, meant(opening=900)), shop.admin)


@example(RollBackAllocations, "all")
def _(shop: Shop) -> Act:
    payment, _ = allocated(shop)
    return sent(RollBackAllocations(payment), shop.admin)


@example(RollBackAllocations, "with the credit of what was too much")
def _(shop: Shop) -> Act:
    _, payment = overpaid(shop)
    return sent(RollBackAllocations(payment), shop.admin)


@example(RollBackAllocations, "refused, since nothing is allocated")
def _(shop: Shop) -> Act:
    payment, _ = paid(shop)
    return sent(RollBackAllocations(payment), shop.admin)


@example(ChangePayment, "with new allocations")
def _(shop: Shop) -> Act:
    payment, invoice = allocated(shop)
    return sent(ChangePayment(payment, kes(300_000), meant(**{invoice: 250_000})), shop.admin)


@example(ChangePayment, "refused, since it is allocated and nobody says to what now")
def _(shop: Shop) -> Act:
    payment, _ = allocated(shop)
    return sent(ChangePayment(payment, kes(300_000)), shop.admin)


@example(DeletePayment, "of which nothing is allocated")
def _(shop: Shop) -> Act:
    payment, _ = paid(shop)
    return sent(DeletePayment(payment), shop.admin)


@example(DeletePayment, "refused, since it is allocated")
def _(shop: Shop) -> Act:
    payment, _ = allocated(shop)
    return sent(DeletePayment(payment), shop.admin)


@example(CreditPayment, "what is left")
def _(shop: Shop) -> Act:
    payment, _ = allocated(shop)
    return sent(CreditPayment(payment), shop.admin)


@example(ApplyCredit, "to a new invoice")
def _(shop: Shop) -> Act:
    overpaid(shop)
    return sent(ApplyCredit(shop.run(one_off())["id"]), shop.admin)


@example(ApplyCredit, "refused, since there is not so much")
def _(shop: Shop) -> Act:
    overpaid(shop)
    return sent(ApplyCredit(shop.run(one_off())["id"], kes(2_001)), shop.admin)


@example(TakeCreditOff, "an invoice")
def _(shop: Shop) -> Act:
    credit, _ = overpaid(shop)
    shop.run(ApplyCredit(shop.run(one_off())["id"], kes(500)))
    [application] = stored_credit(shop, credit).applied
    return sent(TakeCreditOff(credit, application.id), shop.admin)


@example(TakeCreditOff, "refused, since it is off")
def _(shop: Shop) -> Act:
    credit, _ = overpaid(shop)
    return sent(TakeCreditOff(credit, "apl_none"), shop.admin)


@example(WriteOff, "the last of an invoice")
def _(shop: Shop) -> Act:
    payment, invoice = paid(shop, write_off_max={"KES": 100})
    shop.run(AllocatePayment(payment, meant(**{invoice: shop_total(shop, invoice) - 99})))
    return sent(WriteOff(invoice), shop.admin)


@example(WriteOff, "refused, since it is more than the tenant allows")
def _(shop: Shop) -> Act:
    return sent(WriteOff(invoiced(shop, write_off_max={"KES": 100})), shop.admin)


@example(RecordAnomaly, "of an account that does not agree")
def _(shop: Shop) -> Act:
    seen = RecordAnomaly(AMINA, "KES", AnomalyKind.MISMATCH, Standing(invoiced=7), Standing())
    return sent(seen, busy(shop).admin)


@example(ReconcileAccount, "of which nothing is wrong")
def _(shop: Shop) -> Act:
    overpaid(shop)
    return sent(ReconcileAccount(AMINA), shop.admin)
