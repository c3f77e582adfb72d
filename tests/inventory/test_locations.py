"""Several locations: what comes where, what leaves, what goes elsewhere, and from where orders are served."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cauri.books.commit import Caller
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.commands import AdjustStock, MoveStock, PutProduct, ReceiveStock
from cauri.inventory.model import BACKORDER, OutOfStock, SameLocation, StockCommitted, UnknownLocation, UnknownSku
from cauri.inventory.movements import AdjustmentReason
from cauri.inventory.queries import movements_of, stock_of

from tests.shop import START, Shop, a_checkout

SKU = "shirt-l"
SOON = START + timedelta(minutes=20)
PREFERRED = ("main", "mombasa", "kisumu")


@pytest.fixture
def two(shop: Shop) -> Shop:
    """30 shirts in the main store, and 50 in Mombasa."""
    return shop.furnish(locations=PREFERRED).stock(shirt_l=30).stock("mombasa", shirt_l=50)


def there(shop: Shop) -> dict[str, tuple[int, int, int]]:
    """Available, reserved and allocated, by location."""
    view = stock_of(shop.database, shop.admin, SKU)
    assert view.on_hand == view.available + view.reserved + view.allocated
    return {each.location: (each.available, each.reserved, each.allocated) for each in view.locations}


def claim(shop: Shop, quantity: int, owner: str = "own", locations: tuple[str, ...] = PREFERRED) -> dict[str, int]:
    """How many were claimed, by location."""
    wanted = Wanted(SKU, shop.product(SKU).cells, locations, quantity, owner)
    claimed: dict[str, int] = {}
    for part in Claims(shop.database, shop.tenant).take(wanted, START, SOON):
        claimed[part.location] = claimed.get(part.location, 0) + part.quantity
    return claimed


def test_units_are_where_they_came_to(two: Shop) -> None:
    assert there(two) == {"main": (30, 0, 0), "mombasa": (50, 0, 0)}


def test_an_order_is_served_from_the_first_location_that_has_all_of_it(two: Shop) -> None:
    assert claim(two, 25) == {"main": 25}, "over two cells, rather than from one elsewhere"
    assert claim(two, 6, "own_2") == {"mombasa": 6}, "and not in two parcels, while one place has it"
    assert claim(two, 5, "own_3") == {"main": 5}


def test_an_order_that_no_location_has_alone_is_served_from_several(two: Shop) -> None:
    assert claim(two, 70) == {"main": 30, "mombasa": 40}
    assert there(two) == {"main": (0, 30, 0), "mombasa": (10, 40, 0)}


def test_all_locations_together_are_all_there_is(two: Shop) -> None:
    with pytest.raises(OutOfStock) as refusal:
        claim(two, 81)
    assert refusal.value.available == 80
    assert there(two) == {"main": (30, 0, 0), "mombasa": (50, 0, 0)}


def test_the_tenant_says_which_location_comes_first_and_which_serve_at_all(two: Shop) -> None:
    assert claim(two, 5, "own_1", ("mombasa", "main")) == {"mombasa": 5}
    with pytest.raises(OutOfStock):
        claim(two, 31, "own_2", ("main",))


def test_a_checkout_takes_what_it_needs_from_wherever_it_is(two: Shop) -> None:
    order = two.checkout(cart_id=two.cart(shirt_l=70))["order"]["id"]
    assert {part.location for part in two.tree(order).parts} == {"main", "mombasa"}
    two.furnish(locations=("kisumu",))
    with pytest.raises(OutOfStock) as refusal:
        two.checkout(two.customer("brian"), cart_id=two.cart(two.customer("brian"), shirt_l=1))
    assert refusal.value.available == 0


def test_a_cart_finds_units_that_came_to_a_new_location_later(shop: Shop) -> None:
    cart = shop.furnish(locations=PREFERRED).stock(shirt_l=1).cart(shirt_l=3)
    shop.stock("kisumu", shirt_l=3)
    order = shop.checkout(cart_id=cart)["order"]["id"]
    assert [part.location for part in shop.tree(order).parts] == ["kisumu"]


def test_a_dry_run_looks_at_every_location(two: Shop) -> None:
    two.answer(a_checkout(cart_id=two.cart(shirt_l=80)), two.customer(), dry_run=True)
    with pytest.raises(OutOfStock) as refusal:
        two.answer(a_checkout(cart_id=two.cart(shirt_l=81)), two.customer(), dry_run=True)
    assert refusal.value.available == 80
    assert there(two) == {"main": (30, 0, 0), "mombasa": (50, 0, 0)}


# -- Adjustments


def test_an_adjustment_adds_or_takes_away(two: Shop) -> None:
    two.run(AdjustStock(SKU, 3, AdjustmentReason.FOUND))
    two.run(AdjustStock(SKU, -50, AdjustmentReason.DAMAGE, "mombasa", "the roof leaked"))
    assert there(two) == {"main": (33, 0, 0), "mombasa": (0, 0, 0)}


def test_what_is_promised_can_not_be_adjusted_away(two: Shop) -> None:
    claim(two, 25)
    with pytest.raises(StockCommitted) as refusal:
        two.run(AdjustStock(SKU, -6, AdjustmentReason.LOSS))
    assert refusal.value.facts() == {
        "sku": SKU,
        "location": "main",
        "asked": 6,
        "available": 5,
        "reserved": 25,
        "allocated": 0,
    }
    assert two.run(AdjustStock(SKU, -5, AdjustmentReason.LOSS))["available"] == 50


def test_the_first_units_may_be_found(shop: Shop) -> None:
    shop.furnish().run(AdjustStock(SKU, 2, AdjustmentReason.FOUND))
    assert there(shop) == {"main": (2, 0, 0)}


# -- Moves


def test_units_go_from_one_location_to_another(two: Shop) -> None:
    two.run(MoveStock(SKU, 30, "main", "kisumu"))
    two.run(MoveStock(SKU, 45, "mombasa", "kisumu"))
    assert there(two) == {"main": (0, 0, 0), "mombasa": (5, 0, 0), "kisumu": (75, 0, 0)}


def test_what_is_promised_stays_where_it_is(two: Shop) -> None:
    claim(two, 25)
    with pytest.raises(StockCommitted):
        two.run(MoveStock(SKU, 6, "main", "mombasa"))
    with pytest.raises(StockCommitted):
        two.run(MoveStock(SKU, 1, "kisumu", "main"))


def test_a_move_goes_somewhere_else_that_there_is(two: Shop) -> None:
    with pytest.raises(SameLocation):
        two.run(MoveStock(SKU, 1, "main", "main"))
    for here, to in (("main", "atlantis"), ("atlantis", "main")):
        with pytest.raises(UnknownLocation):
            two.run(MoveStock(SKU, 1, here, to))
    with pytest.raises(UnknownLocation):
        two.run(ReceiveStock(SKU, 1, location="atlantis"))
    with pytest.raises(UnknownLocation):
        two.run(AdjustStock(SKU, 1, AdjustmentReason.FOUND, "atlantis"))


# -- A location that the tenant gave up


def test_units_leave_a_location_that_the_tenant_gave_up(two: Shop) -> None:
    two.furnish(locations=("mombasa",))
    two.run(MoveStock(SKU, 20, "main", "mombasa"))
    two.run(AdjustStock(SKU, -10, AdjustmentReason.LOSS, "main"))
    assert there(two) == {"main": (0, 0, 0), "mombasa": (70, 0, 0)}


def test_no_units_come_to_a_location_that_the_tenant_gave_up(two: Shop) -> None:
    two.furnish(locations=("mombasa",))
    for command in (ReceiveStock(SKU, 1, location="main"), MoveStock(SKU, 1, "mombasa", "main")):
        with pytest.raises(UnknownLocation):
            two.run(command)


def test_what_is_sold_ahead_is_at_no_location(two: Shop) -> None:
    two.run(PutProduct(SKU, "ven_kazi", "Shirt", {"KES": 1}, backorder=True, backorder_limit=10))
    for command in (MoveStock(SKU, 1, BACKORDER, "main"), AdjustStock(SKU, -1, AdjustmentReason.LOSS, BACKORDER)):
        with pytest.raises(UnknownLocation):
            two.run(command)


# -- The record of it


def test_every_movement_is_recorded_with_its_reason_and_who_said_so(two: Shop) -> None:
    two.clock.advance(minutes=1)
    two.run(AdjustStock(SKU, -2, AdjustmentReason.THEFT, "mombasa", "the night of the storm"))
    two.clock.advance(minutes=1)
    two.run(MoveStock(SKU, 4, "mombasa", "main", "to even out"))
    page = movements_of(two.database, two.admin, SKU, after=None, limit=2)
    rest = movements_of(two.database, two.admin, SKU, after=page.position, limit=10)
    told = [(one.kind, one.location, one.quantity, one.reason, one.note, one.by) for one in page.items + rest.items]
    assert sorted(told[:2]) == [
        ("move", "main", 4, "", "to even out", "usr_admin"),
        ("move", "mombasa", -4, "", "to even out", "usr_admin"),
    ]
    assert told[2] == ("adjustment", "mombasa", -2, "theft", "the night of the storm", "usr_admin")
    assert sorted(told[3:]) == [
        ("receipt", "main", 30, "receipt", "", "usr_admin"),
        ("receipt", "mombasa", 50, "receipt", "", "usr_admin"),
    ]
    assert rest.position is None


def test_a_vendor_handles_its_own_stock_only(two: Shop) -> None:
    kazi, buna = (
        Caller(two.tenant, f"usr_{name}", frozenset({"vendor"}), vendor_id=f"ven_{name}") for name in ("kazi", "buna")
    )
    for command in (AdjustStock(SKU, 1, AdjustmentReason.FOUND), MoveStock(SKU, 1, "main", "mombasa")):
        with pytest.raises(UnknownSku):
            two.run(command, buna)
        two.run(command, kazi)
    with pytest.raises(UnknownSku):
        movements_of(two.database, buna, SKU, after=None, limit=10)
    assert len(movements_of(two.database, kazi, SKU, after=None, limit=10).items) == 5
