"""What people and programs may know of a tenant and its vendors."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.parties.model import UnknownTenant, UnknownVendor
from cauri.parties.store import tenant_key, vendor_key
from cauri.parties.views import TenantView, VendorView, tenant_view, vendor_view


def tenant_of(database: Database, tenant: str) -> TenantView:
    """Raises UnknownTenant."""
    key = tenant_key(tenant)
    known = database.fetch([key])[key]
    if known is None:
        raise UnknownTenant
    return tenant_view(known, known.version)


def vendor_for(database: Database, caller: Caller, vendor_id: str) -> VendorView:
    """A vendor, with its commission: itself, or any to staff. To others it does not exist: UnknownVendor."""
    key = vendor_key(caller.tenant, vendor_id)
    known = database.fetch([key])[key]
    if known is None or not (caller.is_staff or caller.vendor_id == vendor_id):
        raise UnknownVendor(vendor_id)
    return vendor_view(known)
