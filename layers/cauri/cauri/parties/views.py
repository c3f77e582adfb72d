"""Tenants and vendors as people and programs see them."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.parties.limits import Quota, Tier
from cauri.parties.model import ShippingRate, Tenant, Vendor


@dataclass(frozen=True)
class TenantView:
    """Tax rates are basis points by tax class; shipping rates are minor units by currency.

    Orders are served from `locations` in their order; a reserved cart line keeps its units for a while; limits are
    requests per minute, all those in force.
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


@dataclass(frozen=True)
class VendorView:
    id: str
    name: str
    country: str
    commission_bps: int


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
    )


def vendor_view(vendor: Vendor) -> VendorView:
    return VendorView(vendor.id, vendor.name, vendor.country, vendor.commission_bps)
