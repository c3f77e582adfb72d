"""What is on a document: words and figures as they are read, in the order in which they are set."""

from __future__ import annotations

from typing import Final

from cauri.money import Money, exponent
from cauri.values import dataclass

SYMBOLS: Final = {
    "EUR": "€",
    "GBP": "£",
    "GHS": "GH₵",
    "INR": "₹",
    "KES": "KSh ",
    "NGN": "₦",
    "PHP": "₱",
    "TZS": "TSh ",
    "UGX": "USh ",
    "USD": "US$",
    "VND": "₫",
    "ZAR": "R ",
}
"""How people write a currency before its amount, where that tells it from every other; the rest go by their code."""


def shown(amount: Money) -> str:
    """As people of its currency write it: ``KSh 1,250.00``, ``₹1,00,000.00``, ``XOF 5,000``."""
    digits = exponent(amount.currency)
    whole, part = divmod(abs(amount.amount), 10**digits)
    grouped = _in_lakhs(whole) if amount.currency == "INR" else f"{whole:,}"
    sign = "-" if amount.amount < 0 else ""
    symbol = SYMBOLS.get(amount.currency, f"{amount.currency} ")
    return f"{sign}{symbol}{grouped}" + (f".{part:0{digits}d}" if digits else "")


def _in_lakhs(whole: int) -> str:
    """Three digits, and then two by two: 1,00,000."""
    head, tail = divmod(whole, 1000)
    if not head:
        return str(tail)
    pairs: list[str] = []
    while head >= 100:
        head, pair = divmod(head, 100)
        pairs.insert(0, f"{pair:02d}")
    return ",".join([str(head), *pairs, f"{tail:03d}"])


@dataclass(frozen=True)
class Fact:
    """A label and what stands beside it."""

    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True)
class Column:
    """`share` of the width, compared with the other columns'. Figures stand `right`."""

    title: str
    share: int
    right: bool = False


@dataclass(frozen=True)
class Row:
    """A cell for every column; `note` stands below the first, in small."""

    cells: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Payment:
    """Where a document is paid: the address, also as a QR code, and what it asks for."""

    url: str
    invitation: str


@dataclass(frozen=True)
class Document:
    """`title` and `number` name it; `file_name` is what it is saved under, without an ending."""

    title: str
    number: str
    file_name: str
    issuer: tuple[str, ...]
    recipient: tuple[str, ...]
    facts: tuple[Fact, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: tuple[Fact, ...]
    payment: Payment | None = None
    note: str = ""
    stamp: str = ""
    """What nobody may overlook: ``PAID``, ``VOID``, ``DRAFT``."""
