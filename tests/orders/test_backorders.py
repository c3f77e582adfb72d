"""Backorders: sold although not there, up to a limit, and served oldest first once units come."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.checkout.commands import InlineLine
from cauri.inventory.claims import Claims
from cauri.inventory.commands import AdjustStock, PutProduct
from cauri.inventory.model import OutOfStock, UnknownSku
from cauri.inventory.movements import AdjustmentReason
from cauri.inventory.queries import stock_of
from cauri.inventory.sweep import sweep
from cauri.inventory.tending import tend
from cauri.orders.backorders import AllocateBackorders, serve_backorders
from cauri.orders.commands import CancelOrder
from cauri.orders.model import CancelReason
from cauri.orders.repairs import RepairStock

from tests.engines import Engine
from tests.proof import state
from tests.proof.examples.worlds import confirmation, pay, saga, step
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import Shop, a_checkout

SKU = "coffee"


@pytest.fixture(autouse=True)
def everything_adds_up(engine: Engine, shop: Shop) -> Any:
    yield
    assert differences(picture(state.items(), shop.clock.now)) == []


def sell_ahead(shop: Shop, limit: int | None = None, *, backorder: bool = True) -> None:
    prices = {"KES": 210_000}
    shop.run(PutProduct(SKU, "ven_buna", "Coffee", prices, "zero", backorder=backorder, backorder_limit=limit))


@pytest.fixture
def roaster(shop: Shop) -> Shop:
    """Two bags are there, and as many as anybody wants can be roasted."""
    shop.furnish().stock(coffee=2)
    sell_ahead(shop)
    return shop


def order(shop: Shop, quantity: int, name: str = "amina") -> str:
    shop.clock.advance(seconds=1)
    placed = shop.checkout(shop.customer(name), lines=(InlineLine(SKU, quantity),), currency="KES")
    order_id: str = placed["order"]["id"]
    return order_id


def bought(shop: Shop, quantity: int, name: str = "amina") -> str:
    """An order that is paid, confirmed, and settled."""
    order_id = order(shop, quantity, name)
    pay(shop, order_id)
    assert Claims(shop.database, shop.tenant).keep(shop.tree(order_id).parts) == []
    shop.run(confirmation(shop, order_id), saga(shop), f"confirm-{order_id}")
    settle(shop, order_id)
    return order_id


def settle(shop: Shop, order_id: str) -> None:
    step(shop, "settle_stock", order_id)(shop.books)


def receive(shop: Shop, units: int) -> None:
    shop.clock.advance(minutes=5)
    shop.stock(coffee=units)


def serve(shop: Shop) -> None:
    shop.clock.advance(seconds=1)
    tend(shop.books, shop.tenant, serve_backorders)


def numbers(shop: Shop) -> tuple[int, int, int, int]:
    """Available, reserved, allocated, backordered."""
    view = stock_of(shop.database, shop.admin, SKU)
    return view.available, view.reserved, view.allocated, view.backordered


def status(shop: Shop, order_id: str) -> str:
    [line] = shop.tree(order_id).lines
    return line.status


def test_what_is_not_there_is_sold_after_what_is(roaster: Shop) -> None:
    assert status(roaster, bought(roaster, 5)) == "BACKORDERED"
    assert numbers(roaster) == (0, 0, 2, 3)
    assert status(roaster, bought(roaster, 100, "brian")) == "BACKORDERED"
    assert numbers(roaster) == (0, 0, 2, 103)


def test_what_is_there_is_not_sold_ahead(roaster: Shop) -> None:
    assert status(roaster, bought(roaster, 2)) == "ALLOCATED"
    assert numbers(roaster) == (0, 0, 2, 0)


def test_no_more_is_sold_ahead_than_the_limit(shop: Shop) -> None:
    shop.furnish().stock(coffee=2)
    sell_ahead(shop, 50)
    with pytest.raises(OutOfStock) as refusal:
        order(shop, 53)
    assert refusal.value.available == 52
    with pytest.raises(OutOfStock) as refusal:
        shop.answer(a_checkout(lines=(InlineLine(SKU, 53),), currency="KES"), shop.customer(), dry_run=True)
    assert refusal.value.available == 52
    order(shop, 52)
    with pytest.raises(OutOfStock):
        order(shop, 1, "brian")


@pytest.mark.parametrize("limit, more", [(10, 0), (30, 0), (31, 1), (50, 20)])
def test_the_limit_may_change_under_what_is_sold(shop: Shop, limit: int, more: int) -> None:
    shop.furnish()
    sell_ahead(shop, 50)
    bought(shop, 30)
    sell_ahead(shop, limit)
    with pytest.raises(OutOfStock) as refusal:
        order(shop, more + 1, "brian")
    assert refusal.value.available == more
    if more:
        order(shop, more, "brian")


def test_what_is_not_sold_ahead_any_more_is_out_of_stock(shop: Shop) -> None:
    shop.furnish()
    sell_ahead(shop, 50)
    bought(shop, 30)
    sell_ahead(shop)
    order(shop, 1_000, "brian")
    sell_ahead(shop, backorder=False)
    with pytest.raises(OutOfStock):
        order(shop, 1, "carol")


def test_what_is_promised_beyond_the_limit_is_no_number_of_units(shop: Shop) -> None:
    """More is sold than may be, and there are two bags: that is two, and not two less what is owed."""
    shop.furnish()
    sell_ahead(shop, 10)
    bought(shop, 4)
    sell_ahead(shop, backorder=False)
    command = a_checkout(lines=(InlineLine(SKU, 3),), currency="KES")
    for there, suggestion in ((0, None), (2, "Take 2 or fewer.")):
        if there:
            shop.run(AdjustStock(SKU, there, AdjustmentReason.FOUND))
        for dry_run in (True, False):
            with pytest.raises(OutOfStock) as refusal:
                shop.answer(command, shop.customer(), dry_run=dry_run)
            assert (refusal.value.available, refusal.value.suggestion()) == (there, suggestion)


def test_a_cart_from_before_does_not_buy_ahead_of_what_is_not_sold_so_any_more(roaster: Shop) -> None:
    cart = roaster.cart(coffee=3)
    sell_ahead(roaster, backorder=False)
    with pytest.raises(OutOfStock):
        roaster.checkout(cart_id=cart)


def test_an_order_that_is_given_up_leaves_no_trace(roaster: Shop) -> None:
    before = roaster.cells(SKU)
    given_up = order(roaster, 5)
    roaster.run(CancelOrder(given_up, "cus_amina", CancelReason.UNPAID), saga(roaster))
    Claims(roaster.database, roaster.tenant).give_back(roaster.tree(given_up).parts)
    assert roaster.cells(SKU) == before
    order(roaster, 5)
    roaster.clock.advance(minutes=21)
    assert sweep(roaster.database, roaster.tenant, roaster.clock.now) == 5
    assert roaster.cells(SKU) == before


# -- Units come


def test_who_has_waited_longest_is_served_first(roaster: Shop) -> None:
    first, second, third = bought(roaster, 5), bought(roaster, 4, "brian"), bought(roaster, 1, "carol")
    receive(roaster, 6)
    serve(roaster)
    assert [status(roaster, each) for each in (first, second, third)] == ["ALLOCATED", "BACKORDERED", "BACKORDERED"]
    assert numbers(roaster) == (0, 0, 8, 2), "three of the six were left for the second"
    receive(roaster, 10)
    serve(roaster)
    assert [status(roaster, each) for each in (second, third)] == ["ALLOCATED", "ALLOCATED"]
    assert numbers(roaster) == (8, 0, 10, 0)
    assert sum(part.quantity for part in roaster.tree(second).parts) == 4


def test_units_that_somebody_waits_for_are_not_for_sale_when_they_come(roaster: Shop) -> None:
    """Not even before they are allocated."""
    sell_ahead(roaster, 10)
    waits = bought(roaster, 12)
    sell_ahead(roaster, backorder=False)
    receive(roaster, 11)
    assert numbers(roaster) == (1, 10, 2, 10)
    with pytest.raises(OutOfStock):
        order(roaster, 2, "brian")
    serve(roaster)
    assert (status(roaster, waits), numbers(roaster)) == ("ALLOCATED", (1, 0, 12, 0))


def test_receipts_one_after_the_other_earmark_no_more_than_is_waited_for(roaster: Shop) -> None:
    bought(roaster, 7)
    for units in (3, 3, 30):
        receive(roaster, units)
    assert numbers(roaster) == (31, 5, 2, 5)
    serve(roaster)
    assert numbers(roaster) == (31, 0, 7, 0)


def test_a_great_many_are_served_in_as_many_commits_as_it_takes(roaster: Shop) -> None:
    waiting = [bought(roaster, 3, f"buyer-{number}") for number in range(15)]
    receive(roaster, 100)
    serve(roaster)
    assert {status(roaster, each) for each in waiting} == {"ALLOCATED"}
    assert numbers(roaster) == (57, 0, 45, 0)


def test_what_was_served_is_served_once(roaster: Shop) -> None:
    """Also if its settlement comes again."""
    waits = bought(roaster, 5)
    receive(roaster, 10)
    serve(roaster)
    before = roaster.tree(waits)
    settle(roaster, waits)
    serve(roaster)
    roaster.run(AllocateBackorders(SKU))
    assert roaster.tree(waits) == before
    assert numbers(roaster) == (7, 0, 5, 0)


def test_the_repair_knows_what_was_sold_ahead(roaster: Shop) -> None:
    bought(roaster, 5)
    receive(roaster, 1)
    roaster.clock.advance(hours=3)
    assert roaster.run(RepairStock(SKU))["differences"] == []
    serve(roaster)
    roaster.clock.advance(hours=3)
    assert roaster.run(RepairStock(SKU))["differences"] == []


def test_what_is_not_sold_has_no_backorders(shop: Shop) -> None:
    with pytest.raises(UnknownSku):
        shop.furnish().run(AllocateBackorders("unicorn"))
