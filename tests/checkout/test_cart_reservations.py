"""Stock that waits for a cart: reserved once however often it is asked for, and bought by nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cauri.checkout.carts import PutCartLine, RemoveCartLine
from cauri.checkout.model import RESERVED_PARTS_MAX, TooManyReserved
from cauri.inventory.claims import Claims
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.inventory.model import OutOfStock, stock_of
from cauri.inventory.sweep import sweep
from cauri.orders.commands import CancelOrder
from cauri.orders.model import CancelReason
from cauri.wallet.proposing import InsufficientBalance

from tests.engines import Engine
from tests.proof import state
from tests.proof.examples.worlds import saga
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import START, Shop, a_checkout, from_wallet

SKU = "shirt-l"


@pytest.fixture(autouse=True)
def everything_adds_up(engine: Engine, shop: Shop) -> Any:
    yield
    assert differences(picture(state.items(), shop.clock.now)) == []


@pytest.fixture
def cart(shop: Shop) -> str:
    """Empty, in a market with 50 shirts and 5 baskets."""
    return shop.furnish().stock(shirt_l=50, basket=5).cart()


def reserve(shop: Shop, cart: str, quantity: int, sku: str = SKU, **more: Any) -> Any:
    return shop.run(PutCartLine(cart, sku, quantity, reserve=True), shop.customer(), **more)


def put(shop: Shop, cart: str, quantity: int) -> None:
    shop.run(PutCartLine(cart, SKU, quantity), shop.customer())


def numbers(shop: Shop, sku: str = SKU) -> tuple[int, int]:
    """Available and reserved."""
    stock = stock_of(sku, shop.cells(sku))
    return stock.available, stock.reserved


def test_a_reserved_line_keeps_its_units_for_ten_minutes(shop: Shop, cart: str) -> None:
    [line] = reserve(shop, cart, 3)["lines"]
    assert line["reserved_until"] == "2026-11-20T09:40:00Z"
    assert numbers(shop) == (47, 3)
    with pytest.raises(OutOfStock):
        shop.checkout(shop.customer("brian"), cart_id=shop.cart(shop.customer("brian"), shirt_l=48))
    shop.clock.advance(seconds=599)
    assert sweep(shop.database, shop.tenant, shop.clock.now) == 0
    shop.clock.advance(seconds=1)
    assert sweep(shop.database, shop.tenant, shop.clock.now) == 3


def test_the_tenant_says_for_how_long(shop: Shop) -> None:
    cart = shop.furnish(cart_reservation_minutes=2).stock(shirt_l=5).cart()
    assert reserve(shop, cart, 1)["lines"][0]["reserved_until"] == "2026-11-20T09:32:00Z"


def test_a_line_is_not_reserved_unless_asked(shop: Shop, cart: str) -> None:
    put(shop, cart, 3)
    assert numbers(shop) == (50, 0)


def test_reserving_again_is_one_reservation_that_begins_anew(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 3)
    shop.clock.advance(minutes=9)
    assert reserve(shop, cart, 3)["lines"][0]["reserved_until"] == "2026-11-20T09:49:00Z"
    assert numbers(shop) == (47, 3)
    assert sweep(shop.database, shop.tenant, START + timedelta(minutes=18)) == 0


def test_the_reservation_follows_the_quantity(shop: Shop, cart: str) -> None:
    for quantity in (3, 5, 40, 50, 12, 1, 2):
        reserve(shop, cart, quantity)
        assert numbers(shop) == (50 - quantity, quantity)
        assert differences(picture(state.items(), shop.clock.now)) == []


def test_more_than_there_is_leaves_the_reservation_as_it_was(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 30)
    for dry_run in (False, True):
        with pytest.raises(OutOfStock) as refusal:
            reserve(shop, cart, 51, dry_run=dry_run)
        assert refusal.value.facts() == {"sku": SKU, "asked": 51, "available": 50}
    assert numbers(shop) == (20, 30)
    reserve(shop, cart, 50)


def test_a_dry_run_reserves_nothing(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 30, dry_run=True)
    assert numbers(shop) == (50, 0)


@pytest.mark.parametrize("change", ["removed", "not reserved any more"])
def test_what_is_not_wanted_any_more_is_given_back(shop: Shop, cart: str, change: str) -> None:
    reserve(shop, cart, 40)
    reserve(shop, cart, 45)
    if change == "removed":
        shop.run(RemoveCartLine(cart, SKU), shop.customer())
    else:
        put(shop, cart, 45)
    assert numbers(shop) == (50, 0)


def test_a_reservation_that_is_over_is_anybodys(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 5, "basket")
    shop.clock.advance(minutes=10)
    brian = shop.customer("brian")
    shop.checkout(brian, cart_id=shop.cart(brian, basket=5))
    with pytest.raises(OutOfStock):
        reserve(shop, cart, 1, "basket")
    with pytest.raises(OutOfStock):
        shop.checkout(cart_id=cart)
    shop.run(RemoveCartLine(cart, "basket"), shop.customer())
    assert numbers(shop, "basket") == (0, 5)


def test_a_reservation_that_is_over_can_be_made_again(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 5, "basket")
    shop.clock.advance(minutes=11)
    reserve(shop, cart, 4, "basket")
    sweep(shop.database, shop.tenant, shop.clock.now)
    assert numbers(shop, "basket") == (1, 4)


# -- Checkout


def test_a_checkout_takes_the_reservation_over(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 40)
    reserve(shop, cart, 42)
    reserve(shop, cart, 5, "basket")
    tree = shop.tree(shop.checkout(cart_id=cart)["order"]["id"])
    assert (numbers(shop), numbers(shop, "basket")) == ((8, 42), (0, 5))
    assert {line.sku: sum(part.quantity for part in line.stock) for line in tree.lines} == {SKU: 42, "basket": 5}
    shop.clock.advance(minutes=16)
    assert sweep(shop.database, shop.tenant, shop.clock.now) == 0, "it lives as long as any order's"


def test_the_last_units_are_bought_by_whom_they_wait_for(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 5, "basket")
    shop.clock.advance(minutes=9)
    assert shop.checkout(cart_id=cart)["order"]["status"] == "PENDING_PAYMENT"


def test_a_checkout_after_the_time_claims_what_is_there(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 5, "basket")
    shop.clock.advance(minutes=10)
    shop.checkout(cart_id=cart)
    sweep(shop.database, shop.tenant, shop.clock.now)
    assert numbers(shop, "basket") == (0, 5)


def test_a_refused_checkout_leaves_the_reservation_as_it_was(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 3)
    shop.fund(1_000)
    before = shop.cells(SKU)
    with pytest.raises(InsufficientBalance):
        shop.checkout(cart_id=cart, tenders=(from_wallet(),))
    shop.answer(a_checkout(cart_id=cart), shop.customer(), dry_run=True)
    assert shop.cells(SKU) == before


def test_an_order_that_is_given_up_gives_back_what_it_took_over(shop: Shop, cart: str) -> None:
    reserve(shop, cart, 42)
    order = shop.checkout(cart_id=cart)["order"]["id"]
    shop.run(CancelOrder(order, "cus_amina", CancelReason.UNPAID), saga(shop))
    assert Claims(shop.database, shop.tenant).give_back(shop.tree(order).parts) == []
    assert numbers(shop) == (50, 0)


def test_a_cart_reserves_no_more_than_its_checkout_can_take_over(shop: Shop, cart: str) -> None:
    for number in range(RESERVED_PARTS_MAX + 1):
        shop.run(PutProduct(f"p{number}", "ven_kazi", "P", {"KES": 100}))
        shop.run(ReceiveStock(f"p{number}", 1))
    for number in range(RESERVED_PARTS_MAX):
        reserve(shop, cart, 1, f"p{number}")
    with pytest.raises(TooManyReserved):
        reserve(shop, cart, 1, f"p{RESERVED_PARTS_MAX}")
    assert numbers(shop, f"p{RESERVED_PARTS_MAX}") == (1, 0)
    shop.run(PutCartLine(cart, f"p{RESERVED_PARTS_MAX}", 1), shop.customer())
    assert shop.checkout(cart_id=cart)["order"]["status"] == "PENDING_PAYMENT"
