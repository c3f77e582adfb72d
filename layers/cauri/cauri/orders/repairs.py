"""Repair the counters of a product's stock from the records: its movements, and the orders that it was sold in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final

from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.inventory.model import BACKORDER, EARMARK, Cell, CellChange, Claim, Part, Product, Stock, UnknownSku
from cauri.inventory.shelves import shelves_of
from cauri.inventory.store import moved_units, product_key
from cauri.orders.model import LineItem, LineStatus
from cauri.orders.queries import orders_at
from cauri.orders.store import vendor_order_key
from cauri.values import dataclass, field, replace

CHANGES_MAX: Final = 90
"""Cells in one repair, which is one transaction. Another repair finds what is left."""
PAGE: Final = 100
SOLD: Final = (LineStatus.ALLOCATED, LineStatus.BACKORDERED)
ABANDONED_AFTER: Final = timedelta(hours=1)
"""So long after a claim would have expired, nobody is about to use it."""


@dataclass(frozen=True)
class RepairStock(Command):
    """Make the counters of a SKU say what the records say."""

    name: ClassVar = "repair_stock"
    sku: str


@dataclass(frozen=True)
class StockDifference:
    """Where the counters of stock and the records disagree. `corrected` is by how many units the counter changed.

    `counter` is on_hand (against the movements), allocated (against the lines of orders), or claim: units that wait
    for good for an order that has them already, or that is not there.
    """

    counter: str
    location: str
    cell: int | None
    recorded: int
    found: int
    corrected: int


@dataclass(frozen=True)
class StockRepair:
    """Every difference that was found, and the stock once what could be corrected is."""

    sku: str
    differences: list[StockDifference]
    stock: Stock


@dataclass
class _Repair:
    """One location: what its cells have, and what is to become of them."""

    cells: Sequence[Cell]
    lines: dict[Part, LineItem]
    """Whose every part is, of the lines that have any of this SKU."""
    now: Instant
    available: Counter[int] = field(default_factory=Counter)
    allocated: Counter[int] = field(default_factory=Counter)
    ends: dict[int, dict[str, Claim]] = field(default_factory=dict)

    def changes(self) -> list[CellChange]:
        changed = [cell for cell in self.cells if any(each.get(cell.number) for each in self._by_number)]
        return [
            CellChange(
                cell.tenant,
                cell.sku,
                cell.location,
                cell.number,
                self.available[cell.number],
                self.allocated[cell.number],
                self.ends.get(cell.number, {}),
                was=cell,
            )
            for cell in changed
        ]

    @property
    def _by_number(self) -> tuple[Mapping[int, object], ...]:
        return self.available, self.allocated, self.ends

    def claims(self) -> Iterator[StockDifference]:
        """Claims of orders whose units are to be allocated, and kept ones of no order, which nobody would end."""
        for cell in self.cells:
            for owner, claim in cell.claims.items():
                part = Part(cell.sku, cell.location, cell.number, owner, claim.quantity)
                line = self.lines.get(part)
                is_allocated = line is not None and line.status in SOLD
                waits = line is not None and line.status is LineStatus.PENDING
                if waits or owner == EARMARK or not (is_allocated or self._is_abandoned(claim)):
                    continue
                self.ends.setdefault(cell.number, {})[owner] = claim
                (self.allocated if is_allocated else self.available)[cell.number] += claim.quantity
                yield StockDifference("claim", cell.location, cell.number, 0, claim.quantity, -claim.quantity)

    def allocations(self) -> Iterator[StockDifference]:
        """A cell in which units were allocated a moment ago is left alone: the list of orders may not have that yet."""
        recorded: Counter[int] = Counter()
        for part, line in self.lines.items():
            if line.status in SOLD:
                recorded[part.cell] += part.quantity
        for cell in self.cells:
            found = cell.allocated + self.allocated[cell.number]
            if found == recorded[cell.number] or cell.settled > self.now.timestamp():
                continue
            change = min(recorded[cell.number] - found, max(0, self._free(cell)))
            self.allocated[cell.number] += change
            self.available[cell.number] -= change
            yield StockDifference("allocated", cell.location, cell.number, recorded[cell.number], found, change)

    def on_hand(self, location: str, recorded: int) -> Iterator[StockDifference]:
        found = sum(cell.on_hand for cell in self.cells)
        if found == recorded:
            return
        left = recorded - found
        for cell in sorted(self.cells, key=lambda cell: -self._free(cell)):
            change = max(left, -max(0, self._free(cell)))
            self.available[cell.number] += change
            left -= change
        yield StockDifference("on_hand", location, None, recorded, found, recorded - found - left)

    def _free(self, cell: Cell) -> int:
        return cell.available + self.available[cell.number]

    def _is_abandoned(self, claim: Claim) -> bool:
        return not claim.held and claim.expires + ABANDONED_AFTER.total_seconds() < self.now.timestamp()


@decides(RepairStock)
def repair_stock(command: RepairStock, work: Work) -> Plan:
    """What is read fits together: a claim never changes what is on hand, and a movement saves the product, which
    refuses this commit. So does an order that came to a cell, or left it, after that was read."""
    product = work.database.look_up(product_key(work.tenant, command.sku))
    if product is None:
        raise UnknownSku(command.sku)
    shelves = shelves_of(product, work)
    lines = _lines(product, work)
    moved = moved_units(work.database, work.tenant, command.sku)
    moved[BACKORDER] = product.backorder_capacity
    differences: list[StockDifference] = []
    changes: list[CellChange] = []
    for location in sorted({*product.cells, *moved} - ({BACKORDER} - {*product.cells})):
        parts = {part: line for part, line in lines.items() if part.location == location}
        repair = _Repair(shelves.at(location), parts, work.at)
        found = [*repair.claims(), *repair.allocations(), *repair.on_hand(location, moved[location])]
        if len(changes) + len(repair.changes()) > CHANGES_MAX:
            found = [replace(difference, corrected=0) for difference in found]
        else:
            changes += repair.changes()
        differences += found
    answer = StockRepair(command.sku, differences, shelves.changed(changes).stock)
    if not changes:
        return Plan(answer)
    facts = {"differences": [vars(difference) for difference in differences]}
    return Plan(answer).save(product, *changes).emit(Event("stock.repaired", command.sku, product.version + 1, facts))


def _lines(product: Product, work: Work) -> dict[Part, LineItem]:
    """Whose every part of the SKU is. Orders are found in the lists of who has sold it, and then read themselves."""
    found: dict[Part, LineItem] = {}
    for vendor_id in product.sellers:
        after: str | None = None
        while True:
            page = orders_at(work.database, work.tenant, vendor_id, after=after, limit=PAGE)
            sold = [each for each in page.items if any(line.sku == product.sku for line in each.lines)]
            keys = [vendor_order_key(work.tenant, each.order_id, each.id) for each in sold]
            read = work.fetch(*keys)
            shares = [share for key in keys if (share := read[key])]
            found |= {part: line for share in shares for line in share.lines for part in _parts(line, product.sku)}
            if (after := page.position) is None:
                break
    return found


def _parts(line: LineItem, sku: str) -> Sequence[Part]:
    return line.stock if line.sku == sku and line.status is not LineStatus.CANCELLED else ()
