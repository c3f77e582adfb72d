"""Invoices go out, are reminded of, and are seen; and what is on their paper."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pytest
from cauri.billing.composing import composers
from cauri.billing.invoicing import CreateInvoice, DeleteInvoice
from cauri.billing.model import Priced, UnknownInvoice
from cauri.billing.numbering import number
from cauri.billing.papers import Links, invoice_document, rate_shown
from cauri.billing.sending import (
    SENDS_MAX,
    CustomerHasNoAddress,
    InvoiceNotSendable,
    RecordView,
    SendInvoice,
    SentTooOften,
    tracking_key,
)
from cauri.books.shelf import write_of
from cauri.money import Money
from cauri.notices.sending import Sender
from cauri.parties.commands import EraseCustomer, PutCustomer
from cauri.parties.model import UnknownCustomer
from cauri.parties.store import tenant_key
from cauri.providers.email import Email
from pypdf import PdfReader

from tests.billing.bulk import customers, invoice, made_by, number_all, play, start
from tests.shop import Shop

LINKS = Links("https://soko.example", "secret")
LINES = (
    Priced("Advice", 2, Money(50_000, "KES"), "standard"),
    Priced("Books", 1, Money(10_000, "KES"), "zero"),
)


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.furnish()
    shop.run(
        PutCustomer("cus_amina", "Amina Otieno", "amina@example.com", address={"city": "Nairobi", "country": "KE"})
    )
    return shop


@dataclass
class Carrier:
    name: str = "pigeon"
    taken: list[Email] = field(default_factory=list)

    def send(self, email: Email) -> str:
        self.taken.append(email)
        return f"pigeon-{len(self.taken)}"


def billed(shop: Shop, customer_id: str = "cus_amina") -> str:
    invoice_id: str = shop.run(CreateInvoice(customer_id, LINES))["id"]
    return invoice_id


def paper(email: Email) -> str:
    [attachment] = email.attachments
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(attachment.data)).pages)


def send_out(shop: Shop, message_id: str) -> Email:
    carrier = Carrier()
    Sender(shop.books, carrier, composers(LINKS)).send(shop.tenant, message_id)
    [email] = carrier.taken
    return email


def test_an_invoice_goes_to_its_customer_with_its_paper_and_its_link(shop: Shop) -> None:
    invoice_id = billed(shop)
    email = send_out(shop, shop.run(SendInvoice(invoice_id))["id"])
    assert (email.to, email.subject) == ("amina@example.com", "Invoice INV-2026-000001 from Soko")
    assert "KSh 1,260.00" in email.text
    assert LINKS.to(shop.tenant, invoice_id) in email.text
    text = paper(email)
    for said in ("INV-2026-000001", "Amina Otieno", "Nairobi", "Tax 16 %", "KSh 160.00", "Tax 0 %", "KSh 1,260.00"):
        assert said in text


def test_a_reminder_says_when_it_was_due_and_what_is_left(shop: Shop) -> None:
    invoice_id = billed(shop)
    shop.database.transact([write_of(invoice(shop, invoice_id).settle(26_000))])
    due = send_out(shop, shop.run(SendInvoice(invoice_id, remind=True))["id"])
    assert due.subject == "Invoice INV-2026-000001 is due on 20 December 2026"
    shop.clock.advance(days=40)
    late = send_out(shop, shop.run(SendInvoice(invoice_id, remind=True))["id"])
    assert late.subject == "Invoice INV-2026-000001 was due on 20 December 2026"
    assert "KSh 1,000.00" in late.text
    assert "-KSh 260.00" in paper(late)


def test_what_was_sent_reminded_of_and_seen_is_counted(shop: Shop) -> None:
    invoice_id = billed(shop)
    shop.run(SendInvoice(invoice_id))
    shop.run(SendInvoice(invoice_id, remind=True))
    for _ in range(2):
        shop.run(RecordView(invoice_id))
    key = tracking_key(shop.tenant, invoice_id)
    tracking = shop.database.fetch([key])[key]
    assert tracking is not None
    assert (tracking.sent, tracking.reminded, tracking.views) == (1, 1, 2)
    assert tracking.first_viewed_at == shop.clock.now


def test_what_is_no_claim_or_has_no_number_is_not_sent(shop: Shop) -> None:
    draft = shop.run(CreateInvoice("cus_amina", LINES, draft=True))["id"]
    deleted = billed(shop)
    shop.run(DeleteInvoice(deleted))
    customers(shop, 1)
    run_id = start(shop)
    play(shop, run_id)
    [unnumbered] = made_by(shop, run_id)
    for invoice_id in (draft, deleted, unnumbered):
        with pytest.raises(InvoiceNotSendable):
            shop.run(SendInvoice(invoice_id))
    with pytest.raises(UnknownInvoice):
        shop.run(SendInvoice("inv_nowhere"))
    with pytest.raises(UnknownInvoice):
        shop.run(RecordView("inv_nowhere"))


def test_what_is_paid_is_sent_and_not_reminded_of(shop: Shop) -> None:
    invoice_id = billed(shop)
    paid = invoice(shop, invoice_id)
    shop.database.transact([write_of(paid.settle(paid.total.amount))])
    with pytest.raises(InvoiceNotSendable):
        shop.run(SendInvoice(invoice_id, remind=True))
    text = paper(send_out(shop, shop.run(SendInvoice(invoice_id))["id"]))
    assert "PAID" in text
    assert "see it online" not in text


def test_who_is_not_known_or_has_no_address_is_not_written_to(shop: Shop) -> None:
    with pytest.raises(UnknownCustomer):
        shop.run(SendInvoice(billed(shop, "cus_nobody")))
    shop.run(PutCustomer("cus_gone", "Gone", "gone@example.com"))
    invoice_id = billed(shop, "cus_gone")
    shop.run(EraseCustomer("cus_gone"))
    with pytest.raises(CustomerHasNoAddress):
        shop.run(SendInvoice(invoice_id))


def test_nobody_is_sent_the_same_without_end(shop: Shop) -> None:
    invoice_id = billed(shop)
    for _ in range(SENDS_MAX):
        shop.run(SendInvoice(invoice_id))
    with pytest.raises(SentTooOften):
        shop.run(SendInvoice(invoice_id, remind=True))


def test_a_run_that_sends_puts_a_message_beside_each_number(shop: Shop) -> None:
    made = []
    for customer_id in customers(shop, 3):
        shop.run(PutCustomer(customer_id, "Somebody", f"{customer_id}@example.com"))
    run_id = start(shop, send=True)
    play(shop, run_id)
    made = made_by(shop, run_id)
    shop.run(DeleteInvoice(made[0]))
    number(shop.books, [{"tenant": shop.tenant, "data": {"invoices": made, "send": True}}])
    number_all(shop, made)
    keys = [tracking_key(shop.tenant, one) for one in made]
    found = shop.database.fetch(keys)
    assert [one.sent if (one := found[key]) else 0 for key in keys] == [0, 1, 1]


def test_a_link_opens_its_own_invoice_and_no_other() -> None:
    seal = LINKS.seal("soko", "inv_1")
    assert LINKS.opens(seal, "soko", "inv_1")
    assert not LINKS.opens(seal, "soko", "inv_2")
    assert not LINKS.opens(seal, "duka", "inv_1")
    assert not LINKS.opens("ä", "soko", "inv_1")
    assert not Links("https://soko.example", "another").opens(seal, "soko", "inv_1")


def test_an_invoice_to_somebody_who_was_forgotten_names_the_id(shop: Shop) -> None:
    invoice_id = billed(shop)
    tenant = shop.database.fetch([tenant_key(shop.tenant)])[tenant_key(shop.tenant)]
    assert tenant is not None
    document = invoice_document(invoice(shop, invoice_id), tenant, None, "https://soko.example/i/x")
    assert document.recipient == ("cus_amina",)


@pytest.mark.parametrize("bps, text", [(1600, "16 %"), (750, "7.5 %"), (0, "0 %"), (825, "8.25 %"), (10_000, "100 %")])
def test_a_rate_is_written_without_needless_digits(bps: int, text: str) -> None:
    assert rate_shown(bps) == text
