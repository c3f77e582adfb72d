"""Backorders: lines that were sold before their units were there, served oldest first once units come."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from cauri.books.caller import Caller
from cauri.books.plan import Event, Plan
from cauri.books.shelf import write_of
from cauri.books.work import Command, Work, decides
from cauri.ids import digest
from cauri.inventory.claims import Claims
from cauri.inventory.levels import levelled
from cauri.inventory.model import BACKORDER, EARMARK, Cell, CellChange, Part, Product, UnknownSku
from cauri.inventory.shelves import shelves_of
from cauri.inventory.store import product_key
from cauri.orders.model import Backorder, LineItem, LineStatus, OrderTree
from cauri.orders.store import backorders_of, load_tree
from cauri.parties.store import tenant_key
from cauri.values import dataclass, field, replace

if TYPE_CHECKING:
    from cauri.books.commit import Books

LINES_MAX: Final = 12
CELLS_MAX: Final = 50
"""Of one commit, which writes an order, a vendor order and a row for every line, and the cells."""

At = tuple[str, int]
"""A cell: its location and number."""


@dataclass(frozen=True)
class AllocateBackorders(Command):
    """Give units that are there to the lines that have waited longest for this SKU."""

    name: ClassVar = "allocate_backorders"
    sku: str


@dataclass(frozen=True)
class Allocated:
    """`units` were allocated; `more` says that there may be more to do."""

    units: int
    more: bool


@dataclass
class _Serving:
    """The cells as they become, while lines are served from them."""

    before: Mapping[At, Cell]
    order: Sequence[At]
    """Where units come from, one after the other."""
    cells: dict[At, Cell] = field(default_factory=dict)
    units: int = 0

    def serve(self, line: LineItem) -> tuple[Part, ...]:
        """The line's stock with as many of the units it waits for as there are."""
        stock: dict[tuple[At, str], Part] = {}
        for part in line.stock:
            left = part.quantity if part.location != BACKORDER else self._rest_of(part, stock)
            _add(stock, replace(part, quantity=left))
        return tuple(sorted(stock.values(), key=lambda part: part.location == BACKORDER))

    def _rest_of(self, part: Part, stock: dict[tuple[At, str], Part]) -> int:
        left = part.quantity
        for at in self.order:
            taken = self._take(at, left)
            if taken:
                _add(stock, Part(part.sku, *at, part.owner, taken))
                left -= taken
        ahead = self._cell((BACKORDER, part.cell))
        served = part.quantity - left
        if served:
            self.cells[BACKORDER, part.cell] = replace(
                ahead, allocated=ahead.allocated - served, available=ahead.available + served
            )
        self.units += served
        return left

    def _take(self, at: At, most: int) -> int:
        """Units of one cell, first those that are earmarked."""
        cell = self._cell(at)
        if not most or (at not in self.cells and len(self.cells) >= CELLS_MAX):
            return 0
        marked = min(most, cell.claims[EARMARK].quantity if EARMARK in cell.claims else 0)
        free = min(most - marked, max(0, cell.available))
        if taken := marked + free:
            cell = _unmarked(cell, marked)
            self.cells[at] = replace(cell, available=cell.available - free, allocated=cell.allocated + taken)
        return taken

    def release(self) -> None:
        """Nobody waits any more: what was earmarked is anybody's."""
        for at in self.order:
            cell = self._cell(at)
            if EARMARK in cell.claims and len(self.cells) < CELLS_MAX:
                marked = cell.claims[EARMARK].quantity
                self.cells[at] = replace(_unmarked(cell, marked), available=cell.available + marked)

    def changes(self) -> list[CellChange]:
        return [_difference(self.before[at], cell) for at, cell in self.cells.items()]

    def _cell(self, at: At) -> Cell:
        return self.cells.get(at, self.before[at])


def _add(stock: dict[tuple[At, str], Part], part: Part) -> None:
    key = ((part.location, part.cell), part.owner)
    quantity = part.quantity + (stock[key].quantity if key in stock else 0)
    if quantity:
        stock[key] = replace(part, quantity=quantity)


def _unmarked(cell: Cell, units: int) -> Cell:
    """The cell with so many fewer units earmarked."""
    if not units:
        return cell
    claim = cell.claims[EARMARK]
    others = {owner: each for owner, each in cell.claims.items() if owner != EARMARK}
    left = claim.quantity - units
    return replace(cell, claims=others | ({EARMARK: replace(claim, quantity=left)} if left else {}))


def _difference(before: Cell, after: Cell) -> CellChange:
    was, now = before.claims.get(EARMARK), after.claims.get(EARMARK)
    changed = was != now
    return CellChange(
        after.tenant,
        after.sku,
        after.location,
        after.number,
        after.available - before.available,
        after.allocated - before.allocated,
        ends={EARMARK: was} if changed and was else {},
        begins={EARMARK: now} if changed and now else {},
    )


@decides(AllocateBackorders)
def allocate_backorders(command: AllocateBackorders, work: Work) -> Plan:
    key, of_tenant = product_key(work.tenant, command.sku), tenant_key(work.tenant)
    found = work.fetch(key, of_tenant)
    product, tenant = found[key], found[of_tenant]
    if product is None or tenant is None:
        raise UnknownSku(command.sku)
    shelves = shelves_of(product, work)
    waiting = backorders_of(work.database, work.tenant, command.sku, limit=LINES_MAX + 1)
    cells = {(cell.location, cell.number): cell for cell in shelves.cells}
    locations = [*tenant.locations, *(set(product.cells) - {*tenant.locations, BACKORDER})]
    serving = _Serving(cells, [at for location in locations for at in cells if at[0] == location])
    trees, over = _serve(serving, waiting[:LINES_MAX], work)
    if not waiting and not any(cell.location == BACKORDER and cell.is_owed for cell in shelves.cells):
        serving.release()
    changes = serving.changes()
    answer = Allocated(serving.units, more=len(waiting) > LINES_MAX and len(over) == LINES_MAX)
    if not changes and not over:
        return Plan(answer)
    product, news = levelled(shelves.changed(changes))
    told = Event("stock.backorders_allocated", command.sku, product.version + 1, {"quantity": serving.units})
    plan = Plan(answer).save(product, *changes, *over).emit(told, *news)
    for tree, sold in trees:
        plan.save(tree.order, *(share for share in tree.vendor_orders if share.id in sold))
        facts = {"number": tree.order.number, "sku": command.sku}
        plan.emit(Event("order.backorder_allocated", tree.order.id, tree.order.version + 1, facts))
    return plan


def _serve(
    serving: _Serving, waiting: Sequence[Backorder], work: Work
) -> tuple[list[tuple[OrderTree, set[str]]], list[Backorder]]:
    """The orders as they become, each with the vendor orders that change, and the rows that are done with."""
    ids = list(dict.fromkeys(each.order_id for each in waiting))
    reads: list[Any] = [functools.partial(load_tree, work.database, work.tenant, order_id) for order_id in ids]
    trees: dict[str, OrderTree | None] = dict(zip(ids, work.database.together(*reads), strict=True))
    changed: dict[str, set[str]] = {}
    over: list[Backorder] = []
    for each in waiting:
        tree = trees[each.order_id]
        line = next((line for line in tree.lines if line.id == each.line_id), None) if tree else None
        if tree is None or line is None or line.status is not LineStatus.BACKORDERED:
            over.append(replace(each, is_over=True))  # it was cancelled, or served, before the row of it came
            continue
        stock = serving.serve(line)
        if stock == line.stock:
            break
        trees[each.order_id] = tree.restock(line.id, stock, work.at)
        sold = {share.id for share in tree.vendor_orders if line in share.lines}
        changed.setdefault(each.order_id, set()).update(sold)
        if any(part.location == BACKORDER for part in stock):
            break  # nothing is left for those behind it
        over.append(replace(each, is_over=True))
    return [(after, changed[order_id]) for order_id, after in trees.items() if after and order_id in changed], over


def remember_backorders(claims: Claims, tree: OrderTree) -> None:
    """Write down which lines of a confirmed order wait. Safe twice: a row that is there stays as it is."""
    order = tree.order
    for line in tree.lines:
        if line.status is LineStatus.BACKORDERED and order.confirmed_at is not None:
            claims.writes(write_of(Backorder(order.tenant, line.sku, order.confirmed_at, order.id, line.id)))


def serve_backorders(books: Books, product: Product, cells: Sequence[Cell]) -> None:
    """Allocate until there are no more units, or nobody waits."""
    waits = any(cell.location == BACKORDER and cell.allocated for cell in cells)
    there = any(cell.location != BACKORDER and cell.available > 0 for cell in cells)
    if not any(EARMARK in cell.claims for cell in cells) and not (waits and there):
        return
    caller = Caller(product.tenant, "system:stock")
    for turn in _turns(product, books):
        if not books.run(AllocateBackorders(product.sku), caller, turn).body.endswith(b'"more":true}'):
            return


def _turns(product: Product, books: Books) -> Iterator[str]:
    seen = digest(product.sku, str(product.version), f"{books.clock():%Y%m%dT%H%M%S}")[:24]
    turn = 0
    while True:
        turn += 1
        yield f"allocate_backorders:{seen}:{turn}"
