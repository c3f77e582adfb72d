"""What people and programs may know of a tenant and its vendors."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.listing import Page, read_partition, read_sharded
from cauri.parties.model import Party, UnknownCustomer, UnknownTenant, UnknownVendor, Vendor
from cauri.parties.store import CUSTOMER_SHARDS, PARTIES, VENDORS, party_key, tenant_key, vendor_key, vendors_partition
from cauri.parties.views import CustomerView, TenantView, VendorView, customer_view, tenant_view, vendor_view


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


def vendors_of(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Vendor]:
    """Every vendor, by id."""
    partition = vendors_partition(tenant)
    return read_partition(database, VENDORS, partition, after=after, limit=limit, newest_first=False)


def customer_for(database: Database, caller: Caller, customer_id: str) -> CustomerView:
    """Who a customer is: itself, or any to staff. To others, and once it is erased, there is none: UnknownCustomer."""
    key = party_key(caller.tenant, customer_id)
    party = database.fetch([key])[key]
    known = party is not None and party.customer_id == customer_id and not party.erased
    if party is None or not known or not (caller.is_staff or caller.customer_id == customer_id):
        raise UnknownCustomer(customer_id)
    return customer_view(party)


def customers_of(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Party]:
    """Every customer that has a record, by id."""
    return read_sharded(
        database, PARTIES, tenant, "customers", CUSTOMER_SHARDS, lambda it: it.id, after=after, limit=limit
    )
