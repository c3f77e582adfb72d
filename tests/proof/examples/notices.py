"""Messages that went out."""

from __future__ import annotations

from cauri.billing.invoicing import CreateInvoice
from cauri.billing.model import Priced
from cauri.billing.sending import RecordView, SendInvoice
from cauri.money import Money
from cauri.notices.commands import RecordMessage, by_carrier
from cauri.parties.commands import PutCustomer

from tests.notices.messages import put_message
from tests.proof.examples.worlds import Act, example, sent
from tests.shop import Shop


@example(RecordMessage, "the carrier took it")
def _(shop: Shop) -> Act:
    message = put_message(shop.furnish())
    return sent(RecordMessage(message.id, "ses", "0100-1"), by_carrier(shop.tenant))


@example(RecordMessage, "the carrier will not take it")
def _(shop: Shop) -> Act:
    message = put_message(shop.furnish())
    return sent(RecordMessage(message.id, problem="MessageRejected"), by_carrier(shop.tenant))


def an_invoice(shop: Shop) -> str:
    shop.furnish()
    shop.run(PutCustomer("cus_amina", "Amina Otieno", "amina@example.com"))
    lines = (Priced("Advice", 1, Money(1_000, "KES"), "standard"),)
    invoice_id: str = shop.run(CreateInvoice("cus_amina", lines))["id"]
    return invoice_id


@example(SendInvoice, "to its customer")
def _(shop: Shop) -> Act:
    return sent(SendInvoice(an_invoice(shop)), shop.admin)


@example(SendInvoice, "once more, as a reminder")
def _(shop: Shop) -> Act:
    invoice_id = an_invoice(shop)
    shop.run(SendInvoice(invoice_id))
    return sent(SendInvoice(invoice_id, remind=True), shop.admin)


@example(RecordView, "by whoever has the link")
def _(shop: Shop) -> Act:
    return sent(RecordView(an_invoice(shop)), shop.admin)
