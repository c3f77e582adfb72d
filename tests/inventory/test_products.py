"""Products and receipts: who may change what, and a catalogue that is read in pages."""

from __future__ import annotations

import pytest
from cauri.books.caller import Caller
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.inventory.model import SkuTaken, UnknownSku
from cauri.inventory.queries import catalogue, product_of, stock_of
from cauri.money import Money
from cauri.parties.model import UnknownTaxClass, UnknownTenant, UnknownVendor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import Engine
from tests.shop import Shop

KAZI, BUNA = (
    Caller("soko", f"usr_{name}", frozenset({"vendor"}), vendor_id=f"ven_{name}") for name in ("kazi", "buna")
)


def a_mat(vendor: str = "ven_kazi", **more: str) -> PutProduct:
    return PutProduct("mat", vendor, "Mat", {"KES": 50_000}, **more)  # type: ignore[arg-type]


def test_a_vendor_changes_its_own_products(shop: Shop) -> None:
    shop.furnish().run(a_mat(), KAZI)
    shop.run(PutProduct("mat", "ven_kazi", "A larger mat", {"KES": 60_000}), KAZI)
    assert product_of(shop.database, shop.tenant, "mat").title == "A larger mat"


def test_a_vendor_sells_as_nobody_else(shop: Shop) -> None:
    shop.furnish().run(a_mat(), KAZI)
    with pytest.raises(UnknownVendor):
        shop.run(a_mat(), BUNA)
    with pytest.raises(SkuTaken):
        shop.run(a_mat("ven_buna"), BUNA)
    with pytest.raises(UnknownSku):
        shop.run(ReceiveStock("mat", 5), BUNA)
    with pytest.raises(UnknownSku):
        stock_of(shop.database, BUNA, "mat")
    assert shop.run(ReceiveStock("mat", 5), KAZI)["available"] == 5
    assert stock_of(shop.database, KAZI, "mat").on_hand == 5


def test_what_a_product_names_must_be_there(shop: Shop) -> None:
    with pytest.raises(UnknownTenant):
        shop.run(a_mat())
    shop.furnish()
    with pytest.raises(UnknownVendor):
        shop.run(a_mat("ven_nobody"))
    with pytest.raises(UnknownTaxClass):
        shop.run(a_mat(tax_class="luxury"))
    with pytest.raises(UnknownSku):
        shop.run(ReceiveStock("mat", 5))


def test_a_change_of_price_leaves_stock_and_placed_orders_alone(shop: Shop) -> None:
    order_id = shop.furnish().stock(shirt_l=50).checkout(cart_id=shop.cart(shirt_l=1))["order"]["id"]
    shop.run(PutProduct("shirt-l", "ven_kazi", "Shirt", {"KES": 1}))
    assert shop.tree(order_id).lines[0].price == Money(150_000, "KES")
    stock = stock_of(shop.database, shop.admin, "shirt-l")
    assert (stock.on_hand, stock.reserved, len(stock.reservations)) == (50, 1, 1)


names = st.lists(st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True), unique=True, max_size=40)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(skus=names, limit=st.integers(1, 45))
def test_the_pages_of_a_catalogue_are_all_of_it_in_order(
    engine: Engine, shop: Shop, skus: list[str], limit: int
) -> None:
    engine.reset()
    shop.furnish()
    for sku in skus:
        shop.run(PutProduct(sku, "ven_kazi", sku, {"KES": 1}), key=f"put-{sku}")
    found: list[str] = []
    after: str | None = None
    while True:
        page = catalogue(shop.database, shop.tenant, after=after, limit=limit)
        assert len(page.items) <= limit
        found += [product.sku for product in page.items]
        if page.position is None:
            break
        assert len(page.items) == limit, "only the last page is short"
        after = page.position
    assert found == sorted({*skus, "shirt-l", "basket", "coffee"})
