"""Where tenants, vendors and parties are kept: the platform table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, Write, shelve, writes
from cauri.parties.model import Party, Tenant, Vendor

TENANTS: Final = shelve(
    Shelf("platform", Tenant, place=lambda tenant: ("tenant", "settings"), tenant=lambda tenant: tenant.id)
)
VENDORS: Final = shelve(
    Shelf("platform", Vendor, place=lambda vendor: ("vendors", vendor.id), tenant=lambda vendor: vendor.tenant)
)
PARTIES: Final = shelve(
    Shelf("platform", Party, place=lambda party: (f"party#{party.id}", "party"), tenant=lambda party: party.tenant)
)


class TenantRow(Model):
    """A tenant's place in the list of tenants. It is the same whenever it is written."""

    class Meta:
        table_name = "platform"
        region = "us-east-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


@dataclass(frozen=True)
class ListTenant:
    """That there is this tenant."""

    id: str


@writes(ListTenant)
def list_tenant(listing: ListTenant) -> Write:
    return Write("Put", TenantRow("tenants", listing.id).get_save_kwargs_from_instance())


def tenant_ids(database: Database) -> list[str]:
    """All tenants: for schedules, which belong to none."""
    request = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "tenants"}}}
    return [item["sk"]["S"] for item in database.query_all("platform", request)]


def tenant_key(tenant: str) -> Key[Tenant]:
    return TENANTS.key(tenant, "tenant", "settings")


def vendor_key(tenant: str, vendor_id: str) -> Key[Vendor]:
    return VENDORS.key(tenant, "vendors", vendor_id)


def party_key(tenant: str, party_id: str) -> Key[Party]:
    return PARTIES.key(tenant, f"party#{party_id}", "party")
