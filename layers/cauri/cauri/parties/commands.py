"""Set up a tenant and its vendors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.parties.limits import Quota, Tier
from cauri.parties.model import MAIN, STANDARD, ShippingRate, Tenant, UnknownTenant, Vendor, VersionMismatch
from cauri.parties.store import ListTenant, tenant_key, vendor_key
from cauri.parties.views import tenant_view, vendor_view


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


@dataclass(frozen=True)
class PutVendor(Command):
    """A vendor, new or changed. Orders that were placed keep the commission of their day."""

    name: ClassVar = "put_vendor"
    vendor_id: str
    title: str
    country: str
    commission_bps: int


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
        vendor = replace(vendor, version=known.version)
    return Plan(vendor_view(vendor)).save(vendor).emit(Event("vendor.updated", vendor.id, vendor.version + 1))
