"""The stock of one product as a command finds it, and how units come to it and leave it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cauri.books.work import Work
from cauri.inventory.model import Cell, CellChange, Product, Stock, StockCommitted, cells_for, stock_at, stock_of
from cauri.inventory.store import cell_keys
from cauri.money import split_units


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


def shelves_of(product: Product, work: Work) -> Shelves:
    """All cells of `product`, in one round trip."""
    keys = cell_keys(product)
    found = work.fetch(*keys)
    return Shelves(product, tuple(cell for key in keys if (cell := found[key])))
