"""What stock needs now and then: cells that grow with demand, low levels that are told, claims that are over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cauri.books.commit import Contended
from cauri.books.log import read_record
from cauri.checkout.commands import InlineLine
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.commands import PutProduct
from cauri.inventory.model import CELL_CLAIMS_MAX, UnknownSku, stock_of
from cauri.inventory.tending import NoteStockLevel, SpreadStock, tend
from cauri.parties.model import MAIN

from tests.engines import Engine
from tests.handlers import loaded
from tests.proof import state
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import START, Shop

SKU = "shirt-l"
SOON = START + timedelta(minutes=20)


@pytest.fixture(autouse=True)
def everything_adds_up(engine: Engine, shop: Shop) -> Any:
    yield
    assert differences(picture(state.items(), shop.clock.now)) == []


def claim(shop: Shop, owner: str, quantity: int = 1) -> list[int]:
    """In which cells."""
    wanted = Wanted(SKU, shop.product(SKU).cells, (MAIN,), quantity, owner)
    return [part.cell for part in Claims(shop.database, shop.tenant).take(wanted, START, SOON)]


def told(shop: Shop) -> list[str]:
    records = sorted((read_record(item) for item in state.items()["log"]), key=lambda record: record.at)
    return [event.name for record in records for event in record.events if event.name.startswith("stock.")]


# -- Cells


@pytest.fixture
def one_full_cell(shop: Shop) -> Shop:
    """60 shirts in the one cell that there is, each with a claim of its own."""
    shop.furnish()
    for round_ in range(3):
        shop.stock(shirt_l=20)
        for number in range(20):
            assert claim(shop, f"own_{round_}_{number}") == [0]
    return shop


def test_a_full_cell_is_not_a_refusal(one_full_cell: Shop) -> None:
    [cell] = one_full_cell.cells(SKU)
    assert len(cell.claims) == 60 > CELL_CLAIMS_MAX


def test_a_full_cell_is_left_to_whom_no_other_serves(one_full_cell: Shop) -> None:
    one_full_cell.stock(shirt_l=40)
    assert [cell.available for cell in one_full_cell.cells(SKU)] == [20, 20]
    assert [claim(one_full_cell, f"late_{number}") for number in range(20)] == [[1]] * 20
    assert [claim(one_full_cell, f"later_{number}") for number in range(20)] == [[0]] * 20


def test_cells_that_many_claim_in_become_more(one_full_cell: Shop) -> None:
    one_full_cell.stock(shirt_l=10)
    before = stock_of(SKU, one_full_cell.cells(SKU))
    tend(one_full_cell.books, one_full_cell.tenant)
    tend(one_full_cell.books, one_full_cell.tenant)
    assert [cell.available for cell in one_full_cell.cells(SKU)] == [3, 3, 2, 2]
    assert stock_of(SKU, one_full_cell.cells(SKU)) == before


def test_a_cell_with_nothing_to_share_stays_alone(one_full_cell: Shop) -> None:
    tend(one_full_cell.books, one_full_cell.tenant)
    assert len(one_full_cell.cells(SKU)) == 1


def test_units_are_spread_evenly_and_none_is_lost(shop: Shop) -> None:
    shop.furnish().stock(shirt_l=50)
    claim(shop, "own", 16)
    shop.run(SpreadStock(SKU, MAIN, 8))
    available = [cell.available for cell in shop.cells(SKU)]
    assert (len(available), sum(available), max(available) - min(available)) == (8, 34, 1)
    shop.run(SpreadStock(SKU, MAIN, 3))
    assert len(shop.cells(SKU)) == 8, "cells are never taken away"


def test_what_is_not_sold_is_not_spread(shop: Shop) -> None:
    shop.furnish()
    for command in (SpreadStock("unicorn", MAIN, 2), NoteStockLevel("unicorn")):
        with pytest.raises(UnknownSku):
            shop.run(command)


# -- What fails


@pytest.fixture
def unlucky(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Three products that are low, of which the first one's level can't be noted."""
    shop.furnish()
    for sku in ("coffee", "basket", "shirt-l"):
        shop.run(PutProduct(sku, "ven_kazi", "P", {"KES": 1}, low_stock=3))
    run, failures = shop.books.run, [Contended()]

    def fails_once(*arguments: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return run(*arguments, **more)

    monkeypatch.setattr(shop.books, "run", fails_once)
    return shop


def test_a_product_that_fails_keeps_no_other_waiting(unlucky: Shop) -> None:
    with pytest.raises(ExceptionGroup) as failed:
        tend(unlucky.books, unlucky.tenant)
    assert [type(each) for each in failed.value.exceptions] == [Contended]
    assert told(unlucky) == ["stock.low", "stock.low"]
    tend(unlucky.books, unlucky.tenant)
    assert told(unlucky) == ["stock.low"] * 3


def test_a_tenant_that_fails_keeps_no_other_waiting(unlucky: Shop) -> None:
    with loaded("functions.inventory.sweep") as function:
        back, failed = function.sweep_all(unlucky.books, [unlucky.tenant, "duka"])
    assert list(back) == [unlucky.tenant, "duka"]
    assert len(failed) == 1


def test_the_sweep_begins_with_another_tenant_each_time(shop: Shop) -> None:
    with loaded("functions.inventory.sweep") as function:
        first = []
        for _ in range(3):
            back, _failed = function.sweep_all(shop.books, ["a", "b", "c"])
            first.append(next(iter(back)))
            shop.clock.advance(minutes=5)
    assert sorted(first) == ["a", "b", "c"]


# -- Levels


@pytest.fixture
def watched(shop: Shop) -> Shop:
    """Nine bags of coffee, of which somebody hears when three are left."""
    shop.furnish()
    shop.run(PutProduct("coffee", "ven_buna", "Coffee", {"KES": 210_000}, "zero", low_stock=3))
    return shop.stock(coffee=9)


def sell(shop: Shop, quantity: int) -> None:
    shop.clock.advance(minutes=1)
    shop.checkout(lines=(InlineLine("coffee", quantity),), currency="KES")


def test_a_level_that_sales_cross_is_told_once(watched: Shop) -> None:
    for quantity in (5, 1, 1, 1):
        sell(watched, quantity)
        tend(watched.books, watched.tenant)
        tend(watched.books, watched.tenant)
    assert told(watched) == ["stock.received", "stock.low"]


def test_a_level_that_is_crossed_again_is_told_again(watched: Shop) -> None:
    sell(watched, 6)
    tend(watched.books, watched.tenant)
    watched.clock.advance(minutes=25)
    assert tend(watched.books, watched.tenant) == 6, "nobody paid"
    tend(watched.books, watched.tenant)
    sell(watched, 7)
    tend(watched.books, watched.tenant)
    assert told(watched) == ["stock.received", "stock.low", "stock.replenished", "stock.low"]


def test_a_product_that_nobody_watches_is_never_low(shop: Shop) -> None:
    shop.furnish().stock(coffee=1)
    tend(shop.books, shop.tenant)
    shop.run(NoteStockLevel("coffee"))
    assert told(shop) == ["stock.received"]
