"""Tenants and vendors: set up, changed, and seen by whom they concern."""

from __future__ import annotations

import pytest
from cauri.books.caller import Caller
from cauri.parties.commands import PutTenant, PutVendor
from cauri.parties.model import UnknownTaxClass, UnknownTenant, UnknownVendor
from cauri.parties.queries import tenant_of, vendor_for
from cauri.parties.store import tenant_ids

from tests.shop import Shop


def test_a_tenant_is_put_whole_and_what_is_left_out_takes_its_default(shop: Shop) -> None:
    shop.run(PutTenant("Soko", {"standard": 1600}, prices_include_tax=True, demo=True))
    shop.run(PutTenant("Soko Ltd"))
    tenant = tenant_of(shop.database, shop.tenant)
    assert (tenant.name, tenant.tax_rates, tenant.prices_include_tax, tenant.demo) == (
        "Soko Ltd",
        {"standard": 0},
        False,
        False,
    )


def test_tenants_are_listed_once_each(shop: Shop) -> None:
    for tenant in ("soko", "duka", "soko"):
        Shop(shop.database, tenant=tenant).answer(PutTenant(tenant), key=f"{tenant}-{shop.keys}")
        shop.keys += 1
    assert tenant_ids(shop.database) == ["duka", "soko"]


def test_shipping_is_taxed_by_a_class_that_there_is(shop: Shop) -> None:
    with pytest.raises(UnknownTaxClass):
        shop.run(PutTenant("Soko", {"standard": 1600}, shipping_tax_class="freight"))


def test_a_vendor_needs_its_tenant(shop: Shop) -> None:
    with pytest.raises(UnknownTenant):
        shop.run(PutVendor("ven_kazi", "Kazi", "KE", 1000))
    with pytest.raises(UnknownTenant):
        tenant_of(shop.database, shop.tenant)


def test_a_vendor_sees_itself_and_staff_sees_all(shop: Shop) -> None:
    shop.furnish().run(PutVendor("ven_kazi", "Kazi", "KE", 900))
    kazi = Caller(shop.tenant, "usr_kazi", frozenset({"vendor"}), vendor_id="ven_kazi")
    for caller in (kazi, shop.admin):
        assert vendor_for(shop.database, caller, "ven_kazi").commission_bps == 900
    with pytest.raises(UnknownVendor):
        vendor_for(shop.database, kazi, "ven_buna")
    with pytest.raises(UnknownVendor):
        vendor_for(shop.database, shop.admin, "ven_nobody")
