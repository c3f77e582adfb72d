"""Tenants and vendors as people and programs see them."""

from __future__ import annotations

from cauri.parties.limits import Quota, Tier
from cauri.parties.model import Party, ShippingRate, Tenant, Vendor
from cauri.values import dataclass


@dataclass(frozen=True)
class TenantView:
    """Tax rates are basis points by tax class; shipping rates are minor units by currency.

    Orders are served from `locations` in their order; a reserved cart line keeps its units for a while; limits are
    requests per minute, all those in force.

    A refund of more than `refund_approval`, in minor units by currency, is approved by a second person.
    """

    id: str
    name: str
    tax_rates: dict[str, int]
    prices_include_tax: bool
    shipping: dict[str, ShippingRate]
    shipping_tax_class: str
    demo: bool
    locations: list[str]
    cart_reservation_minutes: int
    reservation_minutes: int | None
    limits: dict[Tier, Quota]
    version: int
    refund_approval: dict[str, int]


@dataclass(frozen=True)
class VendorView:
    id: str
    name: str
    country: str
    commission_bps: int
    disabled: bool


@dataclass(frozen=True)
class VendorPage:
    """Vendors by id. `next_cursor` leads to the next page, if there is one."""

    items: list[VendorView]
    next_cursor: str | None


@dataclass(frozen=True)
class CustomerView:
    id: str
    name: str
    email: str
    phone: str
    address: dict[str, str]
    version: int


@dataclass(frozen=True)
class CustomerPage:
    """Customers by id. `next_cursor` leads to the next page, if there is one."""

    items: list[CustomerView]
    next_cursor: str | None


@dataclass(frozen=True)
class CustomerChanged:
    """The answer of a command is kept for as long as the log is: it names no person."""

    id: str
    version: int


@dataclass(frozen=True)
class CustomerErasure:
    """`complete` is false where there is more to erase than one commit holds: send it again, under a new key."""

    id: str
    version: int
    complete: bool


def tenant_view(tenant: Tenant, version: int) -> TenantView:
    return TenantView(
        tenant.id,
        tenant.name,
        tenant.tax_rates,
        tenant.prices_include_tax,
        tenant.shipping,
        tenant.shipping_tax_class,
        tenant.demo,
        list(tenant.locations),
        tenant.cart_reservation_minutes,
        tenant.reservation_minutes,
        dict(tenant.quotas),
        version,
        tenant.refund_approval,
    )


def vendor_view(vendor: Vendor) -> VendorView:
    return VendorView(vendor.id, vendor.name, vendor.country, vendor.commission_bps, vendor.disabled)


def customer_view(party: Party) -> CustomerView:
    return CustomerView(party.id, party.name, party.email, party.phone, party.address, party.version)
