"""The words of a message: every kind has its template, and what people wrote is only text."""

from __future__ import annotations

from typing import Final

import pytest
from cauri.notices.letters import Button, letter
from cauri.notices.model import Kind
from jinja2 import UndefinedError

WORDS: Final = {
    "name": "Amina <Otieno>",
    "number": "INV-2026-000042",
    "total": "KSh 1,450.00",
    "open": "KSh 450.00",
    "due": "30 December 2026",
    "since": "1 October 2026",
    "until": "31 October 2026",
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_words(kind: Kind) -> None:
    written = letter(kind, "Soko & Co", WORDS, Button("Pay", "https://soko.example/pay?a=1&b=2"))
    assert written.subject
    assert "\n" not in written.subject
    assert "Dear Amina <Otieno>," in written.text
    assert "Dear Amina &lt;Otieno&gt;," in written.html
    assert "Soko &amp; Co" in written.html
    assert 'href="https://soko.example/pay?a=1&amp;b=2"' in written.html
    assert "Pay: https://soko.example/pay?a=1&b=2" in written.text


def test_a_missing_word_is_a_fault_and_no_gap_in_a_letter() -> None:
    with pytest.raises(UndefinedError):
        letter(Kind.INVOICE_SENT, "Soko", {"name": "Amina"})


def test_without_anything_to_do_there_is_no_button() -> None:
    assert "<a " not in letter(Kind.CREDIT_NOTE, "Soko", WORDS).html
