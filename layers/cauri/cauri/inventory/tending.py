"""What stock needs now and then: claims that are over given back, hot cells divided, and low levels told.

It is seen where all cells are read anyhow, and done by commands, which look again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

from cauri.books.caller import Caller
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.errors import Refusal, Unsettled
from cauri.ids import digest
from cauri.inventory.levels import levelled
from cauri.inventory.model import CELL_CLAIMS_MAX, CELLS_MAX, Cell, Product, UnknownSku, stock_of
from cauri.inventory.shelves import Shelves, shelves_of
from cauri.inventory.store import product_key
from cauri.inventory.sweep import give_back_what_is_over, shelved
from cauri.values import dataclass

if TYPE_CHECKING:
    from cauri.books.commit import Books

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpreadStock(Command):
    """The available units of a location, evenly over so many cells: each is then written less often."""

    name: ClassVar = "spread_stock"
    sku: str
    location: str
    cells: int


@dataclass(frozen=True)
class NoteStockLevel(Command):
    """Tell whoever wants to know, if what is available has crossed what counts as low, and was not told yet."""

    name: ClassVar = "note_stock_level"
    sku: str


@decides(SpreadStock)
def spread_stock(command: SpreadStock, work: Work) -> Plan:
    shelves = _shelves(command.sku, work)
    number = min(CELLS_MAX, max(command.cells, len(shelves.at(command.location))))
    changes = shelves.spread(command.location, number)
    if not changes:
        return Plan(shelves.stock)
    after = shelves.changed(changes)
    told = Event(
        "stock.spread", command.sku, after.product.version + 1, {"location": command.location, "cells": number}
    )
    return Plan(after.stock).save(after.product, *changes).emit(told)


@decides(NoteStockLevel)
def note_stock_level(command: NoteStockLevel, work: Work) -> Plan:
    shelves = _shelves(command.sku, work)
    product, news = levelled(shelves)
    plan = Plan(shelves.stock)
    return plan.save(product).emit(*news) if news else plan


Also = Callable[["Books", Product, list[Cell]], None]


def tend(books: Books, tenant: str, also: Also | None = None) -> int:
    """All of it, for every product of the tenant, and what others `also` do where all cells are at hand.

    The units that came back. Safe beside anything. A product that fails keeps none of the others waiting: what failed
    is raised at the end, all of it, as an ExceptionGroup.
    """
    back = 0
    failed: list[Exception] = []
    for product, cells in shelved(books.database, tenant):
        try:
            back += _tend_one(books, product, cells, also)
        except (Refusal, Unsettled) as failure:
            logger.warning("could not tend %s of %s: %r", product.sku, tenant, failure)
            failed.append(failure)
    if failed:
        raise ExceptionGroup(f"products of {tenant} were not tended", failed)
    return back


def _tend_one(books: Books, product: Product, cells: list[Cell], also: Also | None) -> int:
    caller = Caller(product.tenant, "system:stock")
    back = give_back_what_is_over(books.database, product.tenant, cells, books.clock())
    for command in needed(product, cells):
        books.run(command, caller, f"{command.name}:{digest(repr(command))[:16]}:{books.clock():%Y%m%dT%H%M%S}")
    if also is not None:
        also(books, product, cells)
    return back


def needed(product: Product, cells: list[Cell]) -> Iterator[Command]:
    """The commands for what was seen. They look again, and change what they find: to send one too many is safe."""
    stock = stock_of(product.sku, cells)
    if product.is_low_with(stock.available) != product.is_low:
        yield NoteStockLevel(product.sku)
    for there in stock.locations:
        number = product.cells[there.location]
        if there.available and number < CELLS_MAX and _is_hot(cells, there.location):
            yield SpreadStock(product.sku, there.location, 2 * number)


def _is_hot(cells: list[Cell], location: str) -> bool:
    """A cell is half full of claims. They are of the last minutes: it is written often, and each write costs more."""
    return any(2 * len(cell.claims) >= CELL_CLAIMS_MAX for cell in cells if cell.location == location)


def _shelves(sku: str, work: Work) -> Shelves:
    key = product_key(work.tenant, sku)
    if (product := work.fetch(key)[key]) is None:
        raise UnknownSku(sku)
    return shelves_of(product, work)
