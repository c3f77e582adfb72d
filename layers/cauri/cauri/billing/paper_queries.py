"""What an invoice on paper is made of, and who may have it."""

from __future__ import annotations

from cauri.billing.model import Invoice, UnknownInvoice
from cauri.billing.sending import Tracking, tracking_key
from cauri.billing.sending_views import TrackingView, tracking_view
from cauri.billing.store import invoice_key
from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.parties.model import Party, Tenant
from cauri.parties.store import party_key, tenant_key
from cauri.values import dataclass


@dataclass(frozen=True)
class Paper:
    """An invoice, who bills, and whom: None, where nobody recorded that, or it was erased."""

    invoice: Invoice
    tenant: Tenant
    party: Party | None


def paper_for(database: Database, caller: Caller, invoice_id: str) -> Paper:
    """To staff, and to the customer whose it is. To all others there is none: UnknownInvoice."""
    paper = paper_behind(database, caller.tenant, invoice_id)
    if not caller.is_staff and caller.customer_id != paper.invoice.customer_id:
        raise UnknownInvoice(invoice_id)
    return paper


def paper_behind(database: Database, tenant: str, invoice_id: str) -> Paper:
    """Whoever asks. Raises UnknownInvoice."""
    invoice_at, tenant_at = invoice_key(tenant, invoice_id), tenant_key(tenant)
    found = database.fetch([invoice_at, tenant_at])
    invoice, issuer = found[invoice_at], found[tenant_at]
    if invoice is None or issuer is None:
        raise UnknownInvoice(invoice_id)
    party_at = party_key(tenant, invoice.customer_id)
    return Paper(invoice, issuer, database.fetch([party_at])[party_at])


def tracking_for(database: Database, tenant: str, invoice_id: str) -> TrackingView:
    """Raises UnknownInvoice."""
    invoice_at, tracking_at = invoice_key(tenant, invoice_id), tracking_key(tenant, invoice_id)
    found = database.fetch([invoice_at, tracking_at])
    if found[invoice_at] is None:
        raise UnknownInvoice(invoice_id)
    return tracking_view(found[tracking_at] or Tracking(tenant, invoice_id))
