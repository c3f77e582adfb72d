"""Documents on paper: what stands on them, and that the same document is the same file."""

from __future__ import annotations

import io
from typing import Final

import pytest
from cauri.documents.model import Column, Document, Fact, Payment, Row, shown
from cauri.documents.pdf import pdf
from cauri.money import Money
from cauri.values import replace
from pypdf import PdfReader

INVOICE: Final = Document(
    title="Invoice",
    number="INV-2026-000042",
    file_name="INV-2026-000042",
    issuer=("Soko & Söhne <Ltd>",),
    recipient=("Café Amina", "amina@example.com"),
    facts=(Fact("Issued", "30 November 2026"), Fact("Due", "30 December 2026", strong=True)),
    columns=(Column("Item", 6), Column("Quantity", 2, right=True), Column("Amount", 3, right=True)),
    rows=(Row(("Coffee", "2", "KSh 1,250.00"), note="Delivered 3 October 2026"),),
    totals=(Fact("VAT 16 %", "KSh 200.00"), Fact("Amount due", "KSh 1,450.00", strong=True)),
    payment=Payment("https://soko.example/pay/inv_1?s=abc&t=1", "Pay KSh 1,450.00 online"),
)


def text_of(document: Document) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf(document))).pages)


@pytest.mark.parametrize(
    "amount, currency, text",
    [
        (125_000, "KES", "KSh 1,250.00"),
        (-45, "KES", "-KSh 0.45"),
        (10_000_000, "INR", "₹1,00,000.00"),
        (123_456_789_00, "INR", "₹12,34,56,789.00"),
        (99_900, "INR", "₹999.00"),
        (5_000, "XOF", "XOF 5,000"),
        (1_234_567, "KWD", "KWD 1,234.567"),
        (0, "EUR", "€0.00"),
    ],
)
def test_an_amount_is_written_as_people_of_its_currency_write_it(amount: int, currency: str, text: str) -> None:
    assert shown(Money(amount, currency)) == text


def test_an_invoice_says_who_what_when_and_how_much() -> None:
    text = text_of(INVOICE)
    for said in ("INV-2026-000042", "Soko & Söhne <Ltd>", "Café Amina", "Delivered 3 October 2026", "KSh 1,450.00"):
        assert said in text
    assert "https://soko.example/pay/inv_1?s=abc&t=1" in text
    assert "1 / 1" in text


def test_the_pay_link_can_be_clicked() -> None:
    [page] = PdfReader(io.BytesIO(pdf(INVOICE))).pages
    assert [one.get_object()["/A"]["/URI"] for one in page["/Annots"]] == ["https://soko.example/pay/inv_1?s=abc&t=1"]


def test_the_same_document_is_the_same_file() -> None:
    assert pdf(INVOICE) == pdf(INVOICE)
    assert pdf(INVOICE) != pdf(replace(INVOICE, number="INV-2026-000043"))


def test_a_long_invoice_goes_on_over_the_page_under_the_same_head() -> None:
    pages = PdfReader(io.BytesIO(pdf(replace(INVOICE, rows=INVOICE.rows * 100)))).pages
    assert len(pages) > 2
    assert all("Quantity" in page.extract_text() for page in pages[:-1])
    assert f"{len(pages)} / {len(pages)}" in pages[-1].extract_text()


def test_words_that_are_too_long_and_signs_that_mean_something_are_only_text() -> None:
    rows = (Row(("<b>x</b>&amp;" + "W" * 300, "1", "₹1.00"), note="y" * 500),)
    text = text_of(replace(INVOICE, rows=rows, recipient=("<font color=red>Z</font>",), note="&lt;"))
    assert "<b>x</b>&amp;" in text
    assert "<font color=red>Z</font>" in text


def test_a_document_without_lines_or_payment_is_one_too() -> None:
    assert "Nothing" in text_of(replace(INVOICE, rows=(), payment=None, number="", stamp="DRAFT"))


@pytest.mark.parametrize("sign", "₹₦₵₱₫€£éñŞЖΩ–…")
def test_the_fonts_have_the_signs_of_the_markets(sign: str) -> None:
    assert sign in text_of(replace(INVOICE, note=f"sign {sign}"))
