"""The repair of stock: every counter that is not what the records say is found, and made so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cauri.books.shelf import write_of
from cauri.books.work import Work
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.commands import PutProduct
from cauri.inventory.model import CellChange, Part, Product, UnknownSku, stock_of
from cauri.inventory.store import Returned
from cauri.orders import repairs
from cauri.orders.model import LineItem
from cauri.orders.repairs import RepairStock
from cauri.parties.model import MAIN

from tests.engines import Engine
from tests.proof import state
from tests.proof.examples.worlds import a_confirmed_order, a_paid_order, confirmation, pay, saga
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import Shop

SKU = "shirt-l"


def repair(shop: Shop, **more: Any) -> list[tuple[str, int, int, int]]:
    """Counter, recorded, found and corrected of every difference."""
    found = shop.run(RepairStock(SKU), **more)["differences"]
    return [(each["counter"], each["recorded"], each["found"], each["corrected"]) for each in found]


def settle(shop: Shop, order_id: str) -> None:
    claims, parts = Claims(shop.database, shop.tenant), shop.tree(order_id).parts
    assert claims.keep(parts) == claims.allocate(parts) == []


def break_(shop: Shop, cell: int = 0, **units: int) -> None:
    """What no command does."""
    shop.database.transact([write_of(CellChange(shop.tenant, SKU, MAIN, cell, **({"available": 0} | units)))])


def wrong(shop: Shop) -> list[str]:
    return differences(picture(state.items(), shop.clock.now))


@pytest.fixture
def sold(engine: Engine, shop: Shop) -> Shop:
    """50 shirts, of which two are allocated since long."""
    settle(shop, a_confirmed_order(shop))
    shop.clock.advance(hours=1)
    return shop


def test_stock_that_is_as_recorded_is_left_alone(sold: Shop) -> None:
    before = state.items()["commerce"]
    assert repair(sold) == []
    assert state.items()["commerce"] == before


@pytest.mark.parametrize("units", [7, -7, 1, -1])
def test_what_is_on_hand_becomes_the_sum_of_its_movements(sold: Shop, units: int) -> None:
    break_(sold, available=units)
    assert wrong(sold)
    assert repair(sold, dry_run=True) == [("on_hand", 50, 50 + units, -units)]
    assert wrong(sold), "a dry run only tells"
    assert repair(sold) == [("on_hand", 50, 50 + units, -units)]
    assert wrong(sold) == []
    assert repair(sold) == []


def test_what_is_allocated_becomes_what_orders_have(sold: Shop) -> None:
    [cell] = [cell for cell in sold.cells(SKU) if cell.allocated]
    break_(sold, cell.number, allocated=3, available=-3)
    assert repair(sold) == [("allocated", 2, 5, -3)]
    break_(sold, cell.number, allocated=-1, available=1)
    assert repair(sold) == [("allocated", 2, 1, 1)]
    assert wrong(sold) == []


def test_several_differences_are_told_and_mended_at_once(sold: Shop) -> None:
    [cell] = [cell for cell in sold.cells(SKU) if cell.allocated]
    break_(sold, cell.number, allocated=3)
    assert repair(sold) == [("allocated", 2, 5, -3), ("on_hand", 50, 53, -3)]
    assert wrong(sold) == []


def test_a_claim_that_was_never_settled_becomes_an_allocation(shop: Shop) -> None:
    a_confirmed_order(shop)
    assert repair(shop) == [("claim", 0, 2, -2)]
    assert stock_of(SKU, shop.cells(SKU)).allocated == 2
    assert wrong(shop) == []


def test_the_claims_of_an_order_that_is_under_way_are_left_to_it(shop: Shop) -> None:
    order = a_paid_order(shop)
    Claims(shop.database, shop.tenant).keep(shop.tree(order).parts)
    shop.clock.advance(hours=3)
    assert repair(shop) == []
    shop.run(confirmation(shop, order), saga(shop), "confirm")


def test_a_kept_claim_of_no_order_is_given_back_when_nobody_can_be_about_to_use_it(sold: Shop) -> None:
    claims, now = Claims(sold.database, sold.tenant), sold.clock.now
    parts = claims.take(Wanted(SKU, sold.product(SKU).cells, (MAIN,), 4, "nobody"), now, now)
    claims.keep(parts)
    assert repair(sold) == []
    sold.clock.advance(minutes=61)
    assert repair(sold) == [("claim", 0, 4, -4)]
    assert wrong(sold) == []


def test_what_was_allocated_a_moment_ago_is_not_judged(shop: Shop) -> None:
    """The list of orders may be behind."""
    order = a_confirmed_order(shop)
    settle(shop, order)
    [part] = [part for part in shop.tree(order).parts if part.sku == SKU]
    break_(shop, part.cell, allocated=1, available=-1)
    assert repair(shop) == []
    shop.clock.advance(minutes=21)
    assert repair(shop) == [("allocated", 2, 3, -1)]


def test_what_is_promised_is_not_taken_away_to_make_a_sum_right(shop: Shop) -> None:
    """More is promised than there is: as much as is available is corrected, and the rest is told."""
    shop.furnish().stock(shirt_l=20)
    shop.checkout(cart_id=shop.cart(shirt_l=18))
    shop.database.transact([write_of(replace(movement(shop), id="mov_lost", quantity=-10, version=0))])
    assert repair(shop) == [("on_hand", 10, 20, -2)]
    assert repair(shop) == [("on_hand", 10, 18, 0)]


def test_orders_of_a_vendor_that_sold_it_before_count(sold: Shop) -> None:
    sold.run(PutProduct(SKU, "ven_buna", "Shirt", {"KES": 1}))
    assert repair(sold) == []


# -- Orders that move while it reads


@pytest.fixture
def meanwhile(sold: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Once, after the cells are read and before the orders are."""

    def between(happens: Callable[[], object]) -> None:
        read, left = repairs._lines, [happens]

        def lines(product: Product, work: Work) -> dict[Part, LineItem]:
            if left:
                left.pop()()
            return read(product, work)

        monkeypatch.setattr(repairs, "_lines", lines)

    return between


def test_an_order_that_is_allocated_meanwhile_is_not_allocated_twice(
    sold: Shop, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    meanwhile(lambda: another_order(sold))
    assert repair(sold) == []
    assert stock_of(SKU, sold.cells(SKU)).allocated == 4
    assert wrong(sold) == []


def test_units_that_come_back_meanwhile_do_not_come_back_twice(
    sold: Shop, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    orders = [another_order(sold) for _ in range(4)]
    sold.clock.advance(hours=1)
    cells = [part.cell for order in orders for part in sold.tree(order).parts]
    shared = max(cells, key=cells.count)
    assert cells.count(shared) > 1, "there are four orders in three cells"
    meanwhile(lambda: restock(sold, orders[cells.index(shared)]))
    assert repair(sold) == []
    stock = stock_of(SKU, sold.cells(SKU))
    assert (stock.on_hand, stock.allocated) == (50, 8)
    assert repair(sold) == []


def another_order(shop: Shop) -> str:
    """Two more shirts, allocated; nothing but orders moved."""
    order: str = shop.checkout(cart_id=shop.cart(shirt_l=2))["order"]["id"]
    pay(shop, order)
    shop.run(confirmation(shop, order), saga(shop))
    settle(shop, order)
    return order


def restock(shop: Shop, order_id: str) -> None:
    """What the commit of a refund's restocking writes."""
    tree = shop.tree(order_id)
    [line] = [line for line in tree.lines if line.sku == SKU]
    after = tree.restock(line.id, (), shop.clock.now)
    returned = [Returned(shop.tenant, (part,)) for part in line.stock]
    shop.database.transact([write_of(each) for each in (after.order, *after.vendor_orders, *returned)])


def test_what_is_not_sold_is_not_repaired(shop: Shop) -> None:
    with pytest.raises(UnknownSku):
        shop.furnish().run(RepairStock("unicorn"))


def movement(shop: Shop) -> Any:
    return picture(state.items(), shop.clock.now).movements[0]
