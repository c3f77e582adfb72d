"""Invoices on paper, and in messages: the words and figures, for whoever sets them. Imports no library that does."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import Final

from cauri.billing.model import Invoice, InvoiceLine, InvoiceStatus
from cauri.documents.model import Column, Document, Fact, Payment, Row, shown
from cauri.money import Money, total
from cauri.parties.model import Party, Tenant
from cauri.values import dataclass

STAMPS: Final = {
    InvoiceStatus.DRAFT: "DRAFT",
    InvoiceStatus.PAID: "PAID",
    InvoiceStatus.VOID: "VOID",
    InvoiceStatus.DELETED: "VOID",
}
COLUMNS: Final = (
    Column("Item", 9),
    Column("Quantity", 2, right=True),
    Column("Price", 3, right=True),
    Column("Tax", 2, right=True),
    Column("Amount", 3, right=True),
)


@dataclass(frozen=True)
class Links:
    """The address under which whoever has it sees an invoice, and no other."""

    public_url: str
    secret: str

    def to(self, tenant: str, invoice_id: str) -> str:
        return f"{self.public_url}/i/{tenant}/{invoice_id}/{self.seal(tenant, invoice_id)}"

    def seal(self, tenant: str, invoice_id: str) -> str:
        text = f"invoice\x00{tenant}\x00{invoice_id}".encode()
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()[:32]

    def opens(self, seal: str, tenant: str, invoice_id: str) -> bool:
        return hmac.compare_digest(seal.encode(), self.seal(tenant, invoice_id).encode())


def invoice_document(invoice: Invoice, tenant: Tenant, party: Party | None, link: str) -> Document:
    """An invoice as it stands: what is paid of it, too."""
    number = invoice.number or ""
    return Document(
        title="Invoice",
        number=number,
        file_name=number or invoice.id,
        issuer=(tenant.name,),
        recipient=_recipient(invoice, party),
        facts=_facts(invoice),
        columns=COLUMNS,
        rows=tuple(_row(line) for line in invoice.lines),
        totals=_totals(invoice),
        payment=Payment(link, f"{shown(invoice.open)} is open: see it online") if invoice.open else None,
        note=invoice.note,
        stamp=STAMPS.get(invoice.status, ""),
    )


def _recipient(invoice: Invoice, party: Party | None) -> tuple[str, ...]:
    """Who it is for, as far as that is known: a person may have been forgotten, or never been recorded."""
    if party is None or not (party.name or party.email):
        return (invoice.customer_id,)
    address = party.address
    place = " ".join(filter(None, (address.get("postcode"), address.get("city"))))
    lines = (address.get("line1"), address.get("line2"), place, address.get("region"), address.get("country"))
    return (party.name or party.email, *(line for line in (*lines, party.email if party.name else "") if line))


def _facts(invoice: Invoice) -> tuple[Fact, ...]:
    facts = [Fact("Issued", day_shown(invoice.issued_on)), Fact("Due", day_shown(invoice.due_on), strong=True)]
    if invoice.period:
        first, last = (date.fromisoformat(day) for day in invoice.period.split(".."))
        facts.append(Fact("Period", f"{day_shown(first)} – {day_shown(last)}"))
    return tuple(facts)


def _row(line: InvoiceLine) -> Row:
    note = f"Reference {line.billable_id}" if line.billable_id else ""
    cells = (line.description, f"{line.quantity:,}", shown(line.price), rate_shown(line.tax_bps), shown(line.total))
    return Row(cells, note)


def _totals(invoice: Invoice) -> tuple[Fact, ...]:
    facts = [Fact("Net", shown(invoice.net))]
    for rate in sorted({line.tax_bps for line in invoice.lines}):
        tax = total((line.tax for line in invoice.lines if line.tax_bps == rate), invoice.currency)
        facts.append(Fact(f"Tax {rate_shown(rate)}", shown(tax)))
    facts.append(Fact("Total", shown(invoice.total), strong=not _is_owed_in_part(invoice)))
    if _is_owed_in_part(invoice):
        facts += _settled("Paid", invoice.paid, invoice) + _settled("Written off", invoice.written_off, invoice)
        facts.append(Fact("Open", shown(invoice.open), strong=True))
    return tuple(facts)


def _is_owed_in_part(invoice: Invoice) -> bool:
    return bool(invoice.paid or invoice.written_off)


def _settled(label: str, units: int, invoice: Invoice) -> list[Fact]:
    return [Fact(label, shown(-Money(units, invoice.currency)))] if units else []


def rate_shown(bps: int) -> str:
    """``16 %``, ``7.5 %``."""
    whole, part = divmod(bps, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"


def day_shown(day: date | None) -> str:
    """``30 November 2026``."""
    return f"{day.day} {day:%B %Y}" if day else "–"


def invoice_words(invoice: Invoice) -> dict[str, str]:
    """What letters about an invoice say."""
    return {
        "number": invoice.number or invoice.id,
        "total": shown(invoice.total),
        "open": shown(invoice.open),
        "due": day_shown(invoice.due_on),
    }
