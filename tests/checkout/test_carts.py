"""Carts: what is in them, whose they are, and that an order closes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from cauri.books.shelf import write_of
from cauri.checkout.carts import OpenCart, PutCartLine, RemoveCartLine
from cauri.checkout.commands import InlineLine
from cauri.checkout.model import (
    LINES_MAX,
    QUANTITY_MAX,
    VENDORS_MAX,
    Cart,
    CartCompleted,
    CartEmpty,
    CartLine,
    CartStatus,
    EmailRequired,
    QuantityTooLarge,
    TooManyLines,
    TooManyVendors,
    UnknownCart,
)
from cauri.checkout.opening import Contact
from cauri.checkout.tenders import TenderAsked
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.inventory.model import NoPriceInCurrency, UnknownSku
from cauri.inventory.store import product_key
from cauri.parties.commands import PutVendor
from cauri.parties.model import UnknownTenant, UnknownVendor
from cauri.payments.model import ProviderNotEnabled

from tests.proof.state import items
from tests.shop import START, TENANT, Shop, a_checkout

EMPTY = Cart(TENANT, "crt_1", "cus_1", "KES", (), START)


def a_line(sku: str, quantity: int = 1) -> CartLine:
    return CartLine(sku, quantity, "ven_1", {}, 100)


def test_putting_a_sku_again_changes_its_quantity_and_keeps_its_place() -> None:
    cart = EMPTY.put(a_line("a")).put(a_line("b")).put(a_line("a", 5))
    assert [(line.sku, line.quantity) for line in cart.lines] == [("a", 5), ("b", 1)]


def test_removing_what_is_not_there_changes_nothing() -> None:
    cart = EMPTY.put(a_line("a"))
    assert cart.remove("b") == cart
    assert cart.remove("a").lines == ()


def test_a_cart_holds_a_hundred_lines() -> None:
    cart = replace(EMPTY, lines=tuple(a_line(f"sku-{number}") for number in range(LINES_MAX)))
    assert cart.put(a_line("sku-7", 3))
    with pytest.raises(TooManyLines):
        cart.put(a_line("one-more"))


def test_a_completed_cart_is_closed_and_says_what_it_became() -> None:
    cart = EMPTY.put(a_line("a")).complete("ord_1")
    assert cart.status is CartStatus.COMPLETED
    changes: list[Callable[[], Cart]] = [
        lambda: cart.put(a_line("b")),
        lambda: cart.remove("a"),
        lambda: cart.complete("ord_2"),
    ]
    for change in changes:
        with pytest.raises(CartCompleted) as refusal:
            change()
        assert refusal.value.facts() == {"order_id": "ord_1"}


# -- Commands


def test_a_cart_is_filled_and_emptied(shop: Shop) -> None:
    cart = shop.furnish().cart(shirt_l=2, coffee=1)
    seen = shop.run(RemoveCartLine(cart, "coffee"), shop.customer())
    price = {"amount": 150_000, "currency": "KES"}
    assert seen["lines"] == [
        {"sku": "shirt-l", "quantity": 2, "vendor_id": "ven_kazi", "price": price, "reserved_until": None}
    ]


def test_to_others_a_cart_does_not_exist(shop: Shop) -> None:
    cart = shop.furnish().stock(coffee=9).cart(coffee=1)
    for command in (PutCartLine(cart, "coffee", 1), RemoveCartLine(cart, "coffee"), a_checkout(cart_id=cart)):
        with pytest.raises(UnknownCart):
            shop.answer(command, shop.customer("brian"))
    with pytest.raises(UnknownCart):
        shop.answer(RemoveCartLine("crt_nowhere", "coffee"), shop.customer())


def test_what_is_not_sold_is_not_put_in(shop: Shop) -> None:
    cart = shop.furnish().cart()
    with pytest.raises(UnknownSku):
        shop.answer(PutCartLine(cart, "unicorn", 1), shop.customer())
    with pytest.raises(QuantityTooLarge):
        shop.answer(PutCartLine(cart, "coffee", QUANTITY_MAX + 1), shop.customer())
    dollars = shop.run(OpenCart("USD"), shop.customer())["id"]
    with pytest.raises(NoPriceInCurrency):
        shop.answer(PutCartLine(dollars, "coffee", 1), shop.customer())


def test_without_a_tenant_there_are_no_carts(shop: Shop) -> None:
    with pytest.raises(UnknownTenant):
        shop.answer(OpenCart("KES"), shop.customer())
    with pytest.raises(UnknownTenant):
        shop.answer(a_checkout(lines=(InlineLine("coffee", 1),), currency="KES"), shop.customer())


# -- What a checkout is refused for, beside stock and money


def test_an_empty_cart_is_not_bought(shop: Shop) -> None:
    with pytest.raises(CartEmpty):
        shop.checkout(cart_id=shop.furnish().cart())


def test_a_guest_gives_an_email_address(shop: Shop) -> None:
    shop.furnish().stock(coffee=9)
    lines = (InlineLine("coffee", 1),)
    with pytest.raises(EmailRequired):
        shop.checkout(shop.guest(), lines=lines, currency="KES")
    placed = shop.checkout(shop.guest(), lines=lines, currency="KES", contact=Contact("kim@example.com"))
    assert placed["order"]["customer_id"] is None


def test_lines_of_one_sku_are_one_line(shop: Shop) -> None:
    shop.furnish().stock(coffee=9)
    lines = (InlineLine("coffee", 1), InlineLine("coffee", 2))
    [share] = shop.checkout(lines=lines, currency="KES")["order"]["vendor_orders"]
    assert [(line["sku"], line["quantity"]) for line in share["lines"]] == [("coffee", 3)]


def test_inline_lines_are_checked_like_those_of_a_cart(shop: Shop) -> None:
    shop.furnish()
    with pytest.raises(UnknownSku):
        shop.checkout(lines=(InlineLine("unicorn", 1),), currency="KES")
    with pytest.raises(QuantityTooLarge):
        shop.checkout(lines=(InlineLine("coffee", QUANTITY_MAX), InlineLine("coffee", 1)), currency="KES")


@pytest.mark.parametrize("provider", ["paystack", "demo"])
def test_a_provider_that_the_tenant_does_not_use(shop: Shop, provider: str) -> None:
    shop.furnish(demo=False).stock(coffee=9)
    with pytest.raises(ProviderNotEnabled):
        shop.checkout(cart_id=shop.cart(coffee=1), tenders=(TenderAsked("provider", provider=provider),))
    assert shop.cells("coffee")[0].claims == {}


def test_a_dry_run_tells_the_price_and_does_nothing(shop: Shop) -> None:
    cart = shop.furnish().stock(coffee=9).cart(coffee=2)
    would_be = shop.run(a_checkout(cart_id=cart), shop.customer(), dry_run=True)
    assert would_be["authorization_url"] is None
    assert shop.provider.charges == {}
    assert shop.cells("coffee")[0].claims == {}
    assert shop.checkout(cart_id=cart)["order"]["total"] == would_be["order"]["total"]


def test_a_vendor_that_is_gone_sells_nothing(shop: Shop) -> None:
    """No command removes a vendor; but a product names one, and what it names is looked up."""
    shop.furnish().stock(coffee=9)
    cart_id = shop.cart(coffee=1)
    key = product_key(shop.tenant, "coffee")
    product = shop.database.fetch([key])[key]
    assert product is not None
    shop.database.transact([write_of(replace(product, vendor_id="ven_gone"))])
    with pytest.raises(UnknownVendor):
        shop.checkout(cart_id=cart_id)
    assert shop.cells("coffee")[0].claims == {}


def test_a_product_that_changed_hands_is_sold_by_whoever_has_it_now(shop: Shop) -> None:
    shop.furnish().stock(basket=9)
    cart_id = shop.cart(basket=1)
    shop.run(PutProduct("basket", "ven_buna", "Basket", {"KES": 89_950}, weight_grams=900))
    [share] = shop.checkout(cart_id=cart_id)["order"]["vendor_orders"]
    assert (share["vendor_id"], share["commission_bps"]) == ("ven_buna", 1250)


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_old_cart_finds_stock_that_came_after_it(shop: Shop, dry_run: bool) -> None:
    """It remembers one cell; a receipt made forty of them."""
    shop.furnish().stock(basket=1)
    cart_id = shop.cart(basket=500)
    shop.stock(basket=1000)
    order = shop.run(a_checkout(cart_id=cart_id), shop.customer(), dry_run=dry_run)["order"]
    assert order["vendor_orders"][0]["lines"][0]["quantity"] == 500
    assert sum(cell.reserved for cell in shop.cells("basket")) == (0 if dry_run else 500)


def test_a_dry_run_writes_nothing_at_all(shop: Shop) -> None:
    shop.furnish().stock(coffee=9)
    cart_id = shop.cart(coffee=1)
    before = items()
    shop.run(a_checkout(cart_id=cart_id), shop.customer(), dry_run=True)
    assert items() == before


def test_an_order_has_so_many_vendors_and_no_more(shop: Shop) -> None:
    shop.furnish()
    for number in range(VENDORS_MAX + 1):
        shop.run(PutVendor(f"v{number}", f"Vendor {number}", "KE", 100))
        shop.run(PutProduct(f"p{number}", f"v{number}", "Thing", {"KES": 100}))
        shop.run(ReceiveStock(f"p{number}", 2))
    lines = tuple(InlineLine(f"p{number}", 1) for number in range(VENDORS_MAX + 1))
    with pytest.raises(TooManyVendors, match="at most 50 vendors"):
        shop.checkout(lines=lines, currency="KES")
    assert shop.cells("p0")[0].claims == {}
    order = shop.checkout(lines=lines[:-1], currency="KES", contact=Contact("kim@example.com"))["order"]
    assert len(order["vendor_orders"]) == VENDORS_MAX


def test_the_largest_order_fits_its_record(shop: Shop) -> None:
    """A hundred lines, with the longest titles there can be, which compress badly."""
    random = Random(1)
    shop.furnish()
    for number in range(LINES_MAX):
        title = "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(200))
        shop.run(PutProduct(f"p{number}", "ven_kazi", title, {"KES": 100}))
        shop.run(ReceiveStock(f"p{number}", 1))
    lines = tuple(InlineLine(f"p{number}", 1) for number in range(LINES_MAX))
    order = shop.checkout(lines=lines, currency="KES", key="large")["order"]
    assert shop.checkout(lines=lines, currency="KES", key="large")["order"] == order


def test_a_fault_of_ours_leaves_no_stock_claimed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.furnish().stock(coffee=9)
    monkeypatch.setattr(shop.provider, "initialize", lambda charge: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shop.checkout(lines=(InlineLine("coffee", 1),), currency="KES")
    assert shop.cells("coffee")[0].claims == {}


def test_the_same_request_in_another_order_of_members_is_the_same(shop: Shop) -> None:
    shop.furnish()
    first = shop.answer(PutProduct("cup", "ven_kazi", "Cup", {"KES": 5, "USD": 6}), key="cup")
    again = shop.answer(PutProduct("cup", "ven_kazi", "Cup", {"USD": 6, "KES": 5}), key="cup")
    assert again.replayed
    assert again.body == first.body
