"""Invoices as documents: sent by email, downloaded as PDF, and seen by whoever has the link."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.billing.model import Invoice, UnknownInvoice
from cauri.billing.paper_queries import Paper, paper_behind, paper_for, tracking_for
from cauri.billing.papers import Links, day_shown
from cauri.billing.sending import (
    CustomerHasNoAddress,
    InvoiceNotSendable,
    RecordView,
    SendInvoice,
    SentTooOften,
)
from cauri.billing.sending_views import TrackingView
from cauri.books.caller import Caller
from cauri.documents.model import shown
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN
from cauri.edge.http import STAFF, Api, File
from cauri.notices.views import MessageView
from cauri.parties.limits import Tier
from cauri.parties.model import UnknownCustomer

InvoiceId = Annotated[str, Path(pattern=ID_PATTERN, examples=["inv_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]

HOLDERS: Final = STAFF | {"customer"}
REFUSALS: Final = [UnknownInvoice, InvoiceNotSendable, UnknownCustomer, CustomerHasNoAddress, SentTooOften]
PDF: Final = "application/pdf"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}

api = Api("Invoice documents")


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/send",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=MessageView,
    status=HTTPStatus.ACCEPTED,
    refusals=REFUSALS,
    location=lambda message: f"/v1/messages/{message['id']}",
)
def send_invoice(invoice_id: InvoiceId) -> SendInvoice:
    """Send an invoice to its customer by email

    With its PDF, and a link under which it can be seen. What becomes of the message is in its log.
    """
    return SendInvoice(invoice_id)


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/remind",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=MessageView,
    status=HTTPStatus.ACCEPTED,
    refusals=REFUSALS,
    location=lambda message: f"/v1/messages/{message['id']}",
)
def remind_of_invoice(invoice_id: InvoiceId) -> SendInvoice:
    """Remind a customer of an invoice that is owed

    In other words once it is overdue.
    """
    return SendInvoice(invoice_id, remind=True)


@api.read("/v1/invoices/<invoice_id>/tracking", roles=STAFF, answer=TrackingView, refusals=[UnknownInvoice])
def get_invoice_tracking(invoice_id: InvoiceId, caller: Caller) -> TrackingView:
    """Get how often an invoice was sent, reminded of, and seen"""
    return tracking_for(wiring.database(), caller.tenant, invoice_id)


@api.file("/v1/invoices/<invoice_id>/pdf", roles=HOLDERS, media_type=PDF, refusals=[UnknownInvoice])
def get_invoice_pdf(invoice_id: InvoiceId, caller: Caller) -> File:
    """Get an invoice as PDF"""
    return _pdf(paper_for(wiring.database(), caller, invoice_id))


@api.open("/i/<tenant>/<invoice_id>/<seal>", described=False)
def see_invoice(tenant: str, invoice_id: str, seal: str) -> Response[str]:
    """An invoice to whoever has its link, which a search engine has not"""
    _require_link(tenant, invoice_id, seal)
    paper = paper_behind(wiring.database(), tenant, invoice_id)
    now = wiring.clock()()
    # Whoever looks again within the minute has looked once.
    wiring.books().run(RecordView(invoice_id), Caller(tenant, "system:links"), f"view:{invoice_id}:{now:%Y%m%dT%H%M}")
    page = _page(paper.invoice, paper.tenant.name, f"{_links().to(tenant, invoice_id)}/pdf")
    return Response(HTTPStatus.OK, "text/html; charset=utf-8", page, headers={**HEADERS})


@api.open("/i/<tenant>/<invoice_id>/<seal>/pdf", described=False)
def see_invoice_pdf(tenant: str, invoice_id: str, seal: str) -> Response[bytes]:
    """Its PDF"""
    _require_link(tenant, invoice_id, seal)
    file = _pdf(paper_behind(wiring.database(), tenant, invoice_id))
    disposition = {"Content-Disposition": f'inline; filename="{file.name}"'}
    return Response(HTTPStatus.OK, PDF, file.data, headers={**HEADERS, **disposition})


def _links() -> Links:
    return Links(wiring.public_url(), wiring.edge_secret())


def _require_link(tenant: str, invoice_id: str, seal: str) -> None:
    """Raises UnknownInvoice."""
    if not _links().opens(seal, tenant, invoice_id):
        raise UnknownInvoice(invoice_id)


def _pdf(paper: Paper) -> File:
    from cauri.billing.papers import invoice_document
    from cauri.documents.pdf import pdf  # 0.4 s, for those who do want one

    link = _links().to(paper.tenant.id, paper.invoice.id)
    document = invoice_document(paper.invoice, paper.tenant, paper.party, link)
    return File(f"{document.file_name}.pdf", pdf(document))


def _page(invoice: Invoice, issuer: str, pdf: str) -> str:
    name = escape(f"Invoice {invoice.number or invoice.id}")
    rows = "".join(
        f"<tr><td>{escape(line.description)}<td class=figure>{line.quantity:,}"
        f"<td class=figure>{escape(shown(line.total))}"
        for line in invoice.lines
    )
    return PAGE.format(
        name=name,
        issuer=escape(issuer),
        status=escape(str(invoice.status).replace("_", " ")),
        due=escape(day_shown(invoice.due_on)),
        rows=rows,
        total=escape(shown(invoice.total)),
        open=escape(shown(invoice.open)),
        pdf=escape(pdf),
    )


PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
  body {{ margin: 0; padding: 1.5rem 1rem; background: #f5f7fa; color: #1d2433; font: 16px/1.5 system-ui, sans-serif }}
  main {{ max-width: 42rem; margin: 0 auto; background: #fff; border-top: 4px solid #0f766e; padding: 1.5rem 2rem }}
  h1 {{ font-size: 1.3rem; margin: 0 }}
  table {{ width: 100%; border-collapse: collapse; margin: 1.5rem 0 }}
  th, td {{ text-align: left; padding: .4rem .5rem; border-bottom: 1px solid #d9dee7; vertical-align: top }}
  .figure {{ text-align: right; font-variant-numeric: tabular-nums }}
  .quiet {{ color: #667085 }}
  a {{ color: #0f766e }}
</style>
</head>
<body><main>
<p class="quiet">{issuer}</p>
<h1>{name}</h1>
<p>{status}, due on {due}</p>
<table>
<thead><tr><th>Item<th class="figure">Quantity<th class="figure">Amount</thead>
<tbody>{rows}</tbody>
<tfoot><tr><th colspan="2">Total<td class="figure">{total}<tr><th colspan="2">Open<th class="figure">{open}</tfoot>
</table>
<p><a href="{pdf}">As PDF</a></p>
</main></body>
</html>
"""


handler = api.handler
