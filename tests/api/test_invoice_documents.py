"""Invoices as documents over HTTP: who may have one, who may send it, and what a link opens."""

from __future__ import annotations

import pytest
from cauri.billing.invoicing import CreateInvoice
from cauri.billing.model import Priced
from cauri.money import Money
from cauri.parties.commands import PutCustomer

from tests.api.client import Client, People
from tests.notices.messages import put_message
from tests.shop import Shop


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.furnish()
    shop.run(PutCustomer("cus_amina", "Amina", "amina@example.com"))
    return shop


@pytest.fixture
def bill(shop: Shop) -> str:
    lines = (Priced("Advice <b>", 1, Money(1_000, "KES"), "standard"),)
    invoice_id: str = shop.run(CreateInvoice("cus_amina", lines))["id"]
    return invoice_id


def link(text: str, about: str) -> str:
    """The path of the link to an invoice, as a page or a PDF has it."""
    start = text.index(f"/i/soko/{about}/")
    return text[start : start + len(f"/i/soko/{about}/") + 32]


def test_staff_send_an_invoice_and_find_it_in_the_log_of_messages(people: People, bill: str) -> None:
    sent = people.of("finance").post(f"/v1/invoices/{bill}/send")
    assert sent.status == 202
    message = sent.json()
    assert (message["kind"], message["about"], message["status"]) == ("invoice_sent", bill, "queued")
    assert sent.headers["location"] == f"/v1/messages/{message['id']}"
    assert people.admin.get(sent.headers["location"]).json() == message
    reminded = people.admin.post(f"/v1/invoices/{bill}/remind").json()
    listed = people.admin.get("/v1/messages", query={"about": bill}).json()["items"]
    assert [one["id"] for one in listed] == [reminded["id"], message["id"]]
    tracking = people.admin.get(f"/v1/invoices/{bill}/tracking").json()
    assert (tracking["sent"], tracking["reminded"], tracking["views"]) == (1, 1, 0)
    assert "amina@" not in str([sent.body, listed])


def test_an_invoice_can_be_downloaded_by_staff_and_by_its_customer(people: People, bill: str) -> None:
    for client in (people.admin, people.customer()):
        got = client.get(f"/v1/invoices/{bill}/pdf")
        assert (got.status, got.headers["content-type"]) == (200, "application/pdf")
        assert got.body.startswith(b"%PDF-")
        assert got.headers["content-disposition"] == 'attachment; filename="INV-2026-000001.pdf"'


def test_nobody_has_what_is_anothers(people: People, bill: str) -> None:
    elsewhere = People(people.issuer, "kiosk")
    assert people.customer("juma").get(f"/v1/invoices/{bill}/pdf").code == "unknown_invoice"
    assert elsewhere.admin.get(f"/v1/invoices/{bill}/pdf").code == "unknown_invoice"
    assert elsewhere.admin.get(f"/v1/invoices/{bill}/tracking").code == "unknown_invoice"
    assert elsewhere.admin.post(f"/v1/invoices/{bill}/send").code == "unknown_invoice"
    assert people.customer().post(f"/v1/invoices/{bill}/send").code == "forbidden"
    assert people.vendor().get(f"/v1/invoices/{bill}/pdf").code == "forbidden"


def test_a_message_is_its_tenants(people: People, shop: Shop) -> None:
    message = put_message(shop)
    elsewhere = People(people.issuer, "kiosk")
    assert elsewhere.admin.get(f"/v1/messages/{message.id}").code == "unknown_message"
    assert elsewhere.admin.get("/v1/messages", query={"about": "inv_1"}).json()["items"] == []
    assert people.customer().get(f"/v1/messages/{message.id}").code == "forbidden"
    assert people.admin.get("/v1/messages").code == "invalid_request"


def test_whoever_has_the_link_sees_the_invoice_and_that_is_noted(people: People, bill: str) -> None:
    pdf = people.admin.get(f"/v1/invoices/{bill}/pdf").body
    path = link(pdf.decode("latin-1"), bill)
    anybody = Client(None)
    page = anybody.get(path)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = page.body.decode()
    assert "Advice &lt;b&gt;" in text
    assert "KSh 11.60" in text
    assert "script" not in text
    paper = anybody.get(f"{path}/pdf")
    assert paper.body.startswith(b"%PDF-")
    assert people.admin.get(f"/v1/invoices/{bill}/tracking").json()["views"] == 1


@pytest.mark.parametrize("tail", ["", "/pdf"])
def test_a_link_that_was_made_up_opens_nothing(people: People, bill: str, tail: str) -> None:
    for path in (f"/i/soko/{bill}/{'0' * 32}", f"/i/duka/{bill}/{'0' * 32}", f"/i/soko/inv_nowhere/{'0' * 32}"):
        assert Client(None).get(f"{path}{tail}").code == "unknown_invoice"
    assert people.admin.get(f"/v1/invoices/{bill}/tracking").json()["views"] == 0


def test_who_has_no_address_is_told_so(people: People, shop: Shop) -> None:
    lines = (Priced("Advice", 1, Money(1_000, "KES"), "standard"),)
    nobody = shop.run(CreateInvoice("cus_nobody", lines))["id"]
    assert people.admin.post(f"/v1/invoices/{nobody}/send").code == "unknown_customer"
    draft = shop.run(CreateInvoice("cus_amina", lines, draft=True))["id"]
    assert people.admin.post(f"/v1/invoices/{draft}/send").code == "invoice_not_sendable"
