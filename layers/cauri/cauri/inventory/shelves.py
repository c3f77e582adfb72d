"""The stock of one product as a command finds it, and how units come to it and leave it."""

from __future__ import annotations

from collections.abc import Iterable

from cauri.books.work import Work
from cauri.inventory.model import (
    BACKORDER,
    BACKORDER_CELLS_MAX,
    EARMARK,
    Cell,
    CellChange,
    Claim,
    Product,
    Stock,
    StockCommitted,
    cells_for,
    stock_at,
    stock_of,
)
from cauri.inventory.store import cell_keys
from cauri.money import split_units
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class Shelves:
    """A product and the cells of its stock, by location. A cell that is not written yet is empty."""

    product: Product
    cells: tuple[Cell, ...]

    @property
    def stock(self) -> Stock:
        return stock_of(self.product.sku, self.cells)

    def at(self, location: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.location == location]

    def put(self, units: int, location: str) -> list[CellChange]:
        """Units that come to a location, spread over as many cells as that many units want."""
        there = self.at(location)
        number = max(len(there), cells_for(sum(cell.available for cell in there) + units))
        shares = enumerate(split_units(units, [1] * number))
        return [self._change(location, cell, share) for cell, share in shares if share or cell >= len(there)]

    def receive(self, units: int, location: str) -> list[CellChange]:
        """Like `put`; but units that orders wait for are earmarked for them, and nobody else can claim those."""
        waiting = sum(cell.allocated + _kept(cell) for cell in self.at(BACKORDER))
        earmarked = sum(_earmarked(cell) for cell in self.cells)
        left, changes = min(units, max(0, waiting - earmarked)), []
        for change in self.put(units, location):
            share = min(left, change.available)
            changes.append(self._earmark(change, share) if share else change)
            left -= share
        return changes

    def _earmark(self, change: CellChange, units: int) -> CellChange:
        cell = next((cell for cell in self.at(change.location) if cell.number == change.cell), None)
        known = {owner: claim for owner, claim in cell.claims.items() if owner == EARMARK} if cell else {}
        claim = Claim(units + sum(each.quantity for each in known.values()), expires=0, held=False)
        available = change.available - units
        return replace(change, available=available, ends=known, begins={EARMARK: claim}, is_new=cell is None)

    def sell_ahead(self, capacity: int) -> list[CellChange]:
        """So many more units, or fewer, may be sold that are not there: evenly over the cells for that."""
        there = self.at(BACKORDER)
        number = max(len(there), min(BACKORDER_CELLS_MAX, cells_for(max(0, capacity))))
        shares = split_units(sum(cell.available for cell in there) + capacity, [1] * number)
        known = {cell.number: cell.available for cell in there}
        changes = [self._change(BACKORDER, cell, share - known.get(cell, 0)) for cell, share in enumerate(shares)]
        return [change for change in changes if change.available or change.cell not in known]

    def draw(self, units: int, location: str) -> list[CellChange]:
        """Available units that leave a location, from its fullest cells. Raises StockCommitted."""
        left, changes = units, []
        for cell in sorted(self.at(location), key=lambda cell: -cell.available):
            if taken := max(0, min(left, cell.available)):
                changes.append(self._change(location, cell.number, -taken))
                left -= taken
        if left:
            there = stock_at(location, self.at(location))
            figures = there.available, there.reserved, there.allocated
            raise StockCommitted(self.product.sku, location, units, *figures)
        return changes

    def spread(self, location: str, number: int) -> list[CellChange]:
        """The available units of a location, evenly over so many cells."""
        there = {cell.number: cell.available for cell in self.at(location)}
        shares = split_units(sum(there.values()), [1] * number)
        changes = [self._change(location, cell, share - there.get(cell, 0)) for cell, share in enumerate(shares)]
        return [change for change in changes if change.available or change.cell not in there]

    def changed(self, changes: Iterable[CellChange]) -> Shelves:
        """As they are once `changes` took effect."""
        cells = {(cell.location, cell.number): cell for cell in self.cells}
        product = self.product
        for change in changes:
            place = (change.location, change.cell)
            empty = Cell(product.tenant, product.sku, *place)
            cells[place] = change.applied(cells.get(place, empty))
            product = product.with_cells(change.location, change.cell + 1)
        return Shelves(product, tuple(cells.values()))

    def _change(self, location: str, cell: int, units: int) -> CellChange:
        return CellChange(self.product.tenant, self.product.sku, location, cell, units)


def _kept(cell: Cell) -> int:
    return sum(claim.quantity for claim in cell.claims.values() if not claim.held)


def _earmarked(cell: Cell) -> int:
    return cell.claims[EARMARK].quantity if EARMARK in cell.claims else 0


def shelves_of(product: Product, work: Work) -> Shelves:
    """All cells of `product`, in one round trip."""
    keys = cell_keys(product)
    found = work.fetch(*keys)
    return Shelves(product, tuple(cell for key in keys if (cell := found[key])))
