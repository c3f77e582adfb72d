"""Set up a tenant and its vendors."""

from __future__ import annotations

from typing import ClassVar, Final

from cauri.books.listing import read_page
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.parties.limits import Quota, Tier
from cauri.parties.model import (
    MAIN,
    STANDARD,
    CustomerErased,
    Party,
    ShippingRate,
    Tenant,
    UnknownCustomer,
    UnknownTenant,
    UnknownVendor,
    Vendor,
    VersionMismatch,
)
from cauri.parties.store import PARTIES, ListTenant, contacts_of, party_key, tenant_key, vendor_key
from cauri.parties.views import CustomerChanged, CustomerErasure, tenant_view, vendor_view
from cauri.values import dataclass, field, replace

ERASED_AT_ONCE_MAX: Final = 90
"""In one commit, which has at most 100 actions."""


@dataclass(frozen=True)
class PutTenant(Command):
    """The tenant's name and rules, all of them: what is left out takes its default."""

    name: ClassVar = "put_tenant"
    title: str
    tax_rates: dict[str, int] = field(default_factory=lambda: {STANDARD: 0})
    prices_include_tax: bool = False
    shipping: dict[str, ShippingRate] = field(default_factory=dict)
    shipping_tax_class: str = STANDARD
    demo: bool = False
    locations: tuple[str, ...] = (MAIN,)
    cart_reservation_minutes: int = 10
    reservation_minutes: int | None = None
    limits: dict[Tier, Quota] = field(default_factory=dict)
    expected_version: int | None = None
    """The version that the sender read; another one is refused. 0 is none yet."""
    refund_approval: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PutVendor(Command):
    """A vendor, new or changed. Orders that were placed keep the commission of their day."""

    name: ClassVar = "put_vendor"
    vendor_id: str
    title: str
    country: str
    commission_bps: int


@dataclass(frozen=True)
class SetVendorDisabled(Command):
    """Stop selling a vendor's products, or sell them again. Orders that were placed go on."""

    name: ClassVar = "set_vendor_disabled"
    vendor_id: str
    disabled: bool


@dataclass(frozen=True)
class PutCustomer(Command):
    """Who a customer is, whole. The record of it says that it changed, and not to what."""

    name: ClassVar = "put_customer"
    customer_id: str
    title: str
    email: str
    phone: str = ""
    address: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EraseCustomer(Command):
    """Forget who a customer is, and whom its orders were for. The books keep the ids."""

    name: ClassVar = "erase_customer"
    customer_id: str


@decides(PutTenant)
def put_tenant(command: PutTenant, work: Work) -> Plan:
    known = work.fetch(tenant_key(work.tenant))[tenant_key(work.tenant)]
    tenant = Tenant(
        work.tenant,
        command.title,
        command.tax_rates,
        command.prices_include_tax,
        command.shipping,
        command.shipping_tax_class,
        command.demo,
        command.locations,
        command.cart_reservation_minutes,
        command.reservation_minutes,
        command.limits,
        command.refund_approval,
        version=known.version if known else 0,
    )
    if command.expected_version is not None and command.expected_version != tenant.version:
        raise VersionMismatch(command.expected_version, tenant.version)
    tenant.tax_rate(tenant.shipping_tax_class)
    return (
        Plan(tenant_view(tenant, tenant.version + 1))
        .save(tenant, ListTenant(tenant.id))
        .emit(Event("tenant.updated", work.tenant, tenant.version + 1))
    )


@decides(PutVendor)
def put_vendor(command: PutVendor, work: Work) -> Plan:
    key = vendor_key(work.tenant, command.vendor_id)
    found = work.fetch(tenant_key(work.tenant), key)
    if found[tenant_key(work.tenant)] is None:
        raise UnknownTenant
    vendor = Vendor(work.tenant, command.vendor_id, command.title, command.country, command.commission_bps)
    if (known := found[key]) is not None:
        vendor = replace(vendor, disabled=known.disabled, version=known.version)
    return Plan(vendor_view(vendor)).save(vendor).emit(Event("vendor.updated", vendor.id, vendor.version + 1))


@decides(SetVendorDisabled)
def set_vendor_disabled(command: SetVendorDisabled, work: Work) -> Plan:
    key = vendor_key(work.tenant, command.vendor_id)
    known = work.fetch(key)[key]
    if known is None:
        raise UnknownVendor(command.vendor_id)
    vendor = replace(known, disabled=command.disabled)
    what = "vendor.disabled" if vendor.disabled else "vendor.enabled"
    return Plan(vendor_view(vendor)).save(vendor).emit(Event(what, vendor.id, vendor.version + 1))


@decides(PutCustomer)
def put_customer(command: PutCustomer, work: Work) -> Plan:
    known = _customer(command.customer_id, work)
    if known is not None and known.erased:
        raise CustomerErased(command.customer_id)
    version = known.version if known else 0
    customer = Party(
        work.tenant,
        command.customer_id,
        command.email,
        command.title,
        command.phone,
        command.address,
        customer_id=command.customer_id,
        version=version,
    )
    changed = Event("customer.updated", command.customer_id, version + 1)
    return Plan(CustomerChanged(command.customer_id, version + 1)).save(customer).emit(changed)


@decides(EraseCustomer)
def erase_customer(command: EraseCustomer, work: Work) -> Plan:
    known = _customer(command.customer_id, work)
    page = read_page(
        work.database, PARTIES, work.tenant, contacts_of(command.customer_id), after=None, limit=ERASED_AT_ONCE_MAX
    )
    if known is None and not page.items:
        raise UnknownCustomer(command.customer_id)
    customer = known or Party(work.tenant, command.customer_id, "", customer_id=command.customer_id)
    answer = CustomerErasure(command.customer_id, customer.version + 1, complete=page.position is None)
    return (
        Plan(answer)
        .save(customer.erase(), *(contact.erase() for contact in page.items))
        .emit(Event("customer.erased", command.customer_id, customer.version + 1))
    )


def _customer(customer_id: str, work: Work) -> Party | None:
    """The customer's own record, if there is one. To a customer there is no other: UnknownCustomer."""
    key = party_key(work.tenant, customer_id)
    party = work.fetch(key)[key]
    if not work.caller.is_staff and work.caller.customer_id != customer_id:
        raise UnknownCustomer(customer_id)
    if party is not None and party.customer_id != customer_id:
        raise UnknownCustomer(customer_id)  # whom an order is for: no customer
    return party
