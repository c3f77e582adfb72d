"""Claims of stock: units for one owner, in one cell or several, that end by being given back, kept, or too old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cauri.clock import Instant
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.commands import ReceiveStock
from cauri.inventory.model import CELL_UNITS, CELLS_MAX, Claim, OutOfStock, Part, cells_for, stock_of
from cauri.inventory.sweep import sweep
from cauri.parties.model import MAIN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.engines import Engine
from tests.proof import state
from tests.shop import START, Shop

SOON = START + timedelta(minutes=20)
SKU = "shirt-l"


@pytest.fixture
def claims(shop: Shop) -> Claims:
    """Of a shop with 50 shirts, in three cells of 17, 17 and 16."""
    shop.furnish().stock(shirt_l=50)
    return Claims(shop.database, shop.tenant)


def wanted(quantity: int, owner: str = "own_1", cells: int = 3) -> Wanted:
    return Wanted(SKU, {MAIN: cells}, (MAIN,), quantity, owner)


def numbers(shop: Shop) -> tuple[int, int, int]:
    """Available, reserved, allocated."""
    stock = stock_of(SKU, shop.cells(SKU))
    assert stock.on_hand == stock.available + stock.reserved + stock.allocated
    return stock.available, stock.reserved, stock.allocated


def test_a_claim_is_in_one_cell_if_one_has_the_units(shop: Shop, claims: Claims) -> None:
    [part] = claims.take(wanted(16), START, SOON)
    assert part.quantity == 16
    assert numbers(shop) == (34, 16, 0)
    cell = shop.cells(SKU)[part.cell]
    assert cell.claims == {"own_1": Claim(16, int(SOON.timestamp()), held=True)}


def test_a_claim_spans_cells_if_no_one_has_the_units(shop: Shop, claims: Claims) -> None:
    parts = claims.take(wanted(40), START, SOON)
    assert sum(part.quantity for part in parts) == 40
    assert len({part.cell for part in parts}) == 3
    assert numbers(shop) == (10, 40, 0)


def test_all_there_is_can_be_claimed_and_not_one_more(shop: Shop, claims: Claims) -> None:
    with pytest.raises(OutOfStock) as refusal:
        claims.take(wanted(51), START, SOON)
    assert refusal.value.facts() == {"sku": SKU, "asked": 51, "available": 50}
    assert numbers(shop) == (50, 0, 0)
    assert sum(part.quantity for part in claims.take(wanted(50), START, SOON)) == 50
    with pytest.raises(OutOfStock) as refusal:
        claims.take(wanted(1, "own_2"), START, SOON)
    assert refusal.value.facts()["available"] == 0
    assert refusal.value.suggestion() is None


def test_claiming_again_for_the_same_owner_claims_nothing_more(shop: Shop, claims: Claims) -> None:
    for quantity, owner in ((3, "own_1"), (40, "own_2")):
        parts = claims.take(wanted(quantity, owner), START, SOON)
        assert sorted(claims.take(wanted(quantity, owner), START, SOON), key=str) == sorted(parts, key=str)
    assert numbers(shop) == (7, 43, 0)


def test_claiming_again_makes_the_claim_live_as_long_as_a_new_one(shop: Shop, claims: Claims) -> None:
    later = SOON + timedelta(minutes=15)
    for moment, expires in ((START, SOON), (START + timedelta(minutes=19), later), (START, SOON)):
        [part] = claims.take(wanted(3), moment, expires)
    assert shop.cells(SKU)[part.cell].claims["own_1"].expires == later.timestamp(), "and it is never shortened"


def test_a_kept_claim_is_found_again_and_stays_kept(shop: Shop, claims: Claims) -> None:
    parts = claims.take(wanted(3), START, SOON)
    assert claims.keep(parts) == []
    assert claims.take(wanted(3), SOON, SOON + timedelta(hours=1)) == parts
    assert shop.cells(SKU)[parts[0].cell].claims["own_1"].held is False


def test_a_product_without_stock_has_no_cell(shop: Shop) -> None:
    shop.furnish()
    with pytest.raises(OutOfStock):
        Claims(shop.database, shop.tenant).take(wanted(1, cells=1), START, SOON)


# -- Endings


def test_giving_back_twice_gives_back_once(shop: Shop, claims: Claims) -> None:
    parts = claims.take(wanted(40), START, SOON)
    assert claims.give_back(parts) == []
    assert claims.give_back(parts) == parts
    assert numbers(shop) == (50, 0, 0)
    assert claims.give_back([]) == []


def test_allocating_twice_allocates_once(shop: Shop, claims: Claims) -> None:
    parts = claims.take(wanted(40), START, SOON)
    assert claims.keep(parts) == []
    assert claims.allocate(parts) == []
    assert claims.allocate(parts) == parts
    assert numbers(shop) == (10, 0, 40)


def test_a_claim_that_is_over_is_for_the_next_buyer(shop: Shop, claims: Claims) -> None:
    claims.take(wanted(50), START, SOON)
    with pytest.raises(OutOfStock):
        claims.take(wanted(1, "own_2"), SOON - timedelta(seconds=1), SOON)
    assert sum(part.quantity for part in claims.take(wanted(45, "own_2"), SOON, SOON + timedelta(hours=1))) == 45
    assert numbers(shop)[1] >= 45


def test_a_claim_that_was_kept_or_extended_is_not_over(shop: Shop, claims: Claims) -> None:
    kept = claims.take(wanted(20, "own_1"), START, SOON)
    extended = claims.take(wanted(30, "own_2"), START, SOON)
    claims.keep(kept)
    claims.extend(extended, SOON + timedelta(minutes=1))
    with pytest.raises(OutOfStock):
        claims.take(wanted(1, "own_3"), SOON, SOON)
    assert sweep(shop.database, shop.tenant, SOON) == 0
    assert sweep(shop.database, shop.tenant, SOON + timedelta(minutes=1)) == 30
    assert claims.extend(extended, SOON) == extended, "they are gone"


def test_an_expiry_takes_only_the_claim_that_it_saw(shop: Shop, claims: Claims) -> None:
    """It was extended, or kept, between the look and the write."""
    [part] = claims.take(wanted(3), START, SOON)
    seen = shop.cells(SKU)[part.cell]
    claims.extend([part], SOON + timedelta(minutes=10))
    assert claims.expire(seen, SOON) == 0
    seen = shop.cells(SKU)[part.cell]
    claims.keep([part])
    assert claims.expire(seen, SOON + timedelta(hours=1)) == 0
    assert numbers(shop) == (47, 3, 0)


def test_another_owners_or_another_quantity_is_not_ended(shop: Shop, claims: Claims) -> None:
    [part] = claims.take(wanted(3), START, SOON)
    for wrong in (Part(SKU, MAIN, part.cell, "own_2", 3), Part(SKU, MAIN, part.cell, "own_1", 2)):
        assert claims.give_back([wrong]) == claims.keep([wrong]) == claims.allocate([wrong]) == [wrong]
    assert numbers(shop) == (47, 3, 0)


def test_a_sweep_gives_back_what_is_over_in_every_product(shop: Shop, claims: Claims) -> None:
    shop.stock(coffee=9, basket=5)
    claims.take(wanted(40), START, SOON)
    claims.take(Wanted("coffee", {MAIN: 1}, (MAIN,), 2, "own_1"), START, SOON)
    claims.take(Wanted("basket", {MAIN: 1}, (MAIN,), 2, "own_1"), START, SOON + timedelta(seconds=1))
    assert sweep(shop.database, shop.tenant, SOON) == 42
    assert sweep(shop.database, shop.tenant, SOON) == 0


# -- Cells


@given(st.integers(0, 10_000))
def test_a_sku_has_a_cell_for_every_twenty_units(units: int) -> None:
    cells = cells_for(units)
    assert 1 <= cells <= CELLS_MAX
    assert cells == CELLS_MAX or cells * CELL_UNITS >= units > (cells - 1) * CELL_UNITS or units == 0


def test_receipts_fill_more_and_more_cells(shop: Shop) -> None:
    shop.furnish()
    for quantity, cells in ((7, 1), (30, 2), (5, 3), (100, 8)):
        shop.run(ReceiveStock(SKU, quantity))
        assert len(shop.cells(SKU)) == cells
    assert numbers(shop) == (142, 0, 0)


# -- Anything, in any order


class Shelves(RuleBasedStateMachine):
    """Two cells, three owners, a clock; against a dictionary of who has how many until when."""

    shop: Shop
    start: state.Snapshot

    def __init__(self) -> None:
        super().__init__()
        self.start.restore()
        self.claims = Claims(self.shop.database, self.shop.tenant)
        self.now: Instant = START
        self.parts: dict[str, list[Part]] = {}
        self.until: dict[str, Instant | None] = {}
        self.allocated = 0

    def free(self) -> int:
        living = [sum(p.quantity for p in parts) for owner, parts in self.parts.items() if not self.is_over(owner)]
        return 30 - self.allocated - sum(living)

    def is_over(self, owner: str) -> bool:
        until = self.until[owner]
        return until is not None and until <= self.now

    @rule(owner=st.sampled_from("abc"), quantity=st.integers(1, 31), minutes=st.integers(1, 30))
    def take(self, owner: str, quantity: int, minutes: int) -> None:
        if owner in self.parts:
            return  # the same owner never asks for another quantity
        asked = Wanted(SKU, {MAIN: 2}, (MAIN,), quantity, owner)
        expires = self.now + timedelta(minutes=minutes)
        if quantity <= self.free():
            self.parts[owner], self.until[owner] = self.claims.take(asked, self.now, expires), expires
            assert sum(part.quantity for part in self.parts[owner]) == quantity
            self.forget_what_is_gone()
        else:
            with pytest.raises(OutOfStock) as refusal:
                self.claims.take(asked, self.now, expires)
            assert refusal.value.available == self.free()
            self.forget_what_is_over()

    @precondition(lambda self: self.parts)
    @rule(data=st.data(), what=st.sampled_from(["give_back", "keep", "allocate", "take again"]))
    def end_or_keep(self, data: st.DataObject, what: str) -> None:
        owner = data.draw(st.sampled_from(sorted(self.parts)))
        if self.is_over(owner):
            return  # whether it is still there depends on who came by
        parts = self.parts[owner]
        match what:
            case "keep":
                assert self.claims.keep(parts) == []
                self.until[owner] = None
            case "take again":
                again = Wanted(SKU, {MAIN: 2}, (MAIN,), sum(part.quantity for part in parts), owner)
                taken = self.claims.take(again, self.now, self.now + timedelta(minutes=1))
                assert sorted(taken, key=str) == sorted(parts, key=str)
                if (until := self.until[owner]) is not None:
                    self.until[owner] = max(until, self.now + timedelta(minutes=1))
            case "allocate":
                if self.until[owner] is not None:
                    assert self.claims.allocate(parts) == parts, "what is only held is nobody's for good"
                    assert self.claims.keep(parts) == []
                assert self.claims.allocate(parts) == []
                self.allocated += sum(part.quantity for part in parts)
                self.forget(owner)
            case _:
                assert self.claims.give_back(parts) == []
                self.forget(owner)

    @rule(minutes=st.integers(1, 25))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        sweep(self.shop.database, self.shop.tenant, self.now)
        self.forget_what_is_over()

    @invariant()
    def every_unit_is_somewhere(self) -> None:
        available, reserved, allocated = numbers(self.shop)
        assert available + reserved + allocated == 30
        assert allocated == self.allocated
        assert available <= self.free()

    def forget(self, owner: str) -> None:
        del self.parts[owner], self.until[owner]

    def forget_what_is_over(self) -> None:
        for owner in [owner for owner in self.parts if self.is_over(owner)]:
            self.forget(owner)

    def forget_what_is_gone(self) -> None:
        """A claim that was over may have made room for another one."""
        there = {owner for cell in self.shop.cells(SKU) for owner in cell.claims}
        for owner in [owner for owner in self.parts if self.is_over(owner) and owner not in there]:
            self.forget(owner)


def test_any_sequence_of_claims_keeps_every_unit_in_its_place(engine: Engine, shop: Shop) -> None:
    shop.furnish().stock(shirt_l=30)
    Shelves.shop, Shelves.start = shop, state.snapshot()
    run_state_machine_as_test(
        Shelves,
        settings=settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[*HealthCheck]),
    )
