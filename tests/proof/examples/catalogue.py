"""Tenants, vendors, products and stock."""

from __future__ import annotations

from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.parties.commands import PutTenant, PutVendor

from tests.proof.examples.worlds import Act, example, market, sent
from tests.shop import Shop


@example(PutTenant, "a new one")
def _(shop: Shop) -> Act:
    return sent(PutTenant("Soko", {"standard": 1600}, demo=True), shop.admin)


@example(PutTenant, "changed")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutTenant("Soko", {"standard": 800}), shop.admin)


@example(PutVendor, "a new one")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutVendor("ven_lamu", "Lamu Boats", "KE", 500), shop.admin)


@example(PutVendor, "changed")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutVendor("ven_kazi", "Kazi", "KE", 900), shop.admin)


@example(PutVendor, "refused, since there is no tenant")
def _(shop: Shop) -> Act:
    return sent(PutVendor("ven_kazi", "Kazi", "KE", 900), shop.admin)


@example(PutProduct, "a new one")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutProduct("dhow", "ven_kazi", "Dhow", {"KES": 90_000_000}), shop.admin)


@example(PutProduct, "changed, with stock in several cells")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutProduct("shirt-l", "ven_kazi", "Shirt, large", {"KES": 140_000}), shop.admin)


@example(ReceiveStock, "the first units")
def _(shop: Shop) -> Act:
    shop.furnish()
    return sent(ReceiveStock("coffee", 7), shop.admin)


@example(ReceiveStock, "more units, and more cells")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(ReceiveStock("shirt-l", 41, "found"), shop.admin)
