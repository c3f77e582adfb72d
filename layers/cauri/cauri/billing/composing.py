"""The messages about invoices, as they are written when they go out. Imports what makes a PDF."""

from __future__ import annotations

from collections.abc import Mapping

from cauri.billing.model import Invoice, UnknownInvoice
from cauri.billing.papers import Links, invoice_document, invoice_words
from cauri.billing.store import invoice_key
from cauri.books.database import Database
from cauri.documents.pdf import pdf
from cauri.notices.letters import Button
from cauri.notices.model import Kind, Message
from cauri.notices.sending import Composed, Composer
from cauri.parties.model import Party, Tenant
from cauri.providers.email import Attachment
from cauri.values import dataclass

PDF = "application/pdf"


@dataclass(frozen=True)
class InvoiceComposer:
    links: Links

    def __call__(self, database: Database, tenant: Tenant, party: Party, message: Message) -> Composed:
        """As the invoice is now: what was paid since the message was queued is not asked for."""
        invoice = _load(database, message)
        link = self.links.to(tenant.id, invoice.id)
        document = invoice_document(invoice, tenant, party, link)
        paper = Attachment(f"{document.file_name}.pdf", PDF, pdf(document))
        return Composed(invoice_words(invoice), Button("See the invoice", link), (paper,))


def _load(database: Database, message: Message) -> Invoice:
    key = invoice_key(message.tenant, message.about)
    invoice = database.fetch([key])[key]
    if invoice is None:
        raise UnknownInvoice(message.about)
    return invoice


def composers(links: Links) -> Mapping[Kind, Composer]:
    of_invoices = InvoiceComposer(links)
    return dict.fromkeys((Kind.INVOICE_SENT, Kind.INVOICE_DUE, Kind.INVOICE_OVERDUE), of_invoices)
