"""Where tenants, vendors and parties are kept: the platform table."""

from __future__ import annotations

from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, Write, shelve, writes
from cauri.ids import shard_of
from cauri.parties.model import Party, Tenant, Vendor
from cauri.values import dataclass

CUSTOMER_SHARDS: Final = 16

TENANTS: Final = shelve(
    Shelf("platform", Tenant, place=lambda tenant: ("tenant", "settings"), tenant=lambda tenant: tenant.id)
)
VENDORS: Final = shelve(
    Shelf("platform", Vendor, place=lambda vendor: ("vendors", vendor.id), tenant=lambda vendor: vendor.tenant)
)


def _listed(party: Party) -> tuple[str, str] | None:
    """A customer is among the customers, whom an order is for among their customer's; who is erased, nowhere."""
    if party.erased or party.customer_id is None:
        return None
    if party.customer_id == party.id:
        return f"customers#{shard_of(party.id, CUSTOMER_SHARDS):02d}", party.id
    return contacts_of(party.customer_id), party.id


PARTIES: Final = shelve(
    Shelf(
        "platform",
        Party,
        place=lambda party: (f"party#{party.id}", "party"),
        tenant=lambda party: party.tenant,
        listed=_listed,
    )
)


def contacts_of(customer_id: str) -> str:
    """The list of those whom a customer's orders are for."""
    return f"contacts_of#{customer_id}"


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


TENANTS_PER_PAGE: Final = 100


def tenants_page(database: Database, after: str) -> tuple[list[str], str | None]:
    """Some of the tenants, from behind `after`; and behind which the next page begins, if there is one."""
    request = {
        "KeyConditionExpression": "pk = :pk AND sk > :after",
        "ExpressionAttributeValues": {":pk": {"S": "tenants"}, ":after": {"S": after or "!"}},
        "Limit": TENANTS_PER_PAGE,
    }
    page = database.query("platform", request)
    found = [item["sk"]["S"] for item in page["Items"]]
    return found, found[-1] if "LastEvaluatedKey" in page else None


def tenant_key(tenant: str) -> Key[Tenant]:
    return TENANTS.key(tenant, "tenant", "settings")


def vendor_key(tenant: str, vendor_id: str) -> Key[Vendor]:
    return VENDORS.key(tenant, "vendors", vendor_id)


def vendors_partition(tenant: str) -> str:
    return f"{tenant}#vendors"


def party_key(tenant: str, party_id: str) -> Key[Party]:
    return PARTIES.key(tenant, f"party#{party_id}", "party")
