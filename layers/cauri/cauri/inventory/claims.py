"""Claims of stock: the one thing that is written outside a commit (DESIGN 3).

A claim is one conditional update of one cell, idempotent by its owner, and expires by itself. So buyers never
meet in a transaction, a time-out is never a guess, and a crash anywhere leaves only what a clock undoes.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cauri.books.database import ConditionFailed, Database
from cauri.books.shelf import Key, Wire, Write
from cauri.clock import Instant
from cauri.inventory import store
from cauri.inventory.model import BACKORDER, Cell, Claim, OutOfStock, Part, Place, places_of
from cauri.inventory.store import keys_of_cells, product_key
from cauri.values import dataclass, field, replace


@dataclass(frozen=True)
class Wanted:
    """Units of a SKU for one owner. `cells` is what the SKU had, by location, when somebody last looked.

    They come from the tenant's `locations`, in their order.
    """

    sku: str
    cells: Mapping[str, int]
    locations: Sequence[str]
    quantity: int
    owner: str

    @property
    def places(self) -> tuple[Place, ...]:
        """Where they may come from; last, and only what is missing then, from what is not there yet."""
        return (*self.locations_first, *places_of(self.cells, (BACKORDER,)))

    @property
    def locations_first(self) -> tuple[Place, ...]:
        return places_of(self.cells, self.locations)


class Claims:
    def __init__(self, database: Database, tenant: str) -> None:
        self._database = database
        self._tenant = tenant

    def take(self, wanted: Wanted, now: Instant, expires: Instant, made: list[Part] | None = None) -> list[Part]:
        """Claim all of `wanted`, or give back all and raise OutOfStock.

        It comes from the first place that has all of it (from one cell, or else over several), since what comes from
        one place is sent once; if none has all, from the places in their order, as much as each has. Taking again
        for the same owner takes nothing more.

        `made` gets the parts that are claimed here, each as soon as it is, and only they are given back: the others
        were found, and a twin under the same key may need them. Without it there is no twin, and all are given back.
        """
        try:
            return self._attempt(wanted, now, expires, made)
        except OutOfStock:
            anew = self._seen_anew(wanted, now)
            if anew is None:
                raise
            return self._attempt(anew, now, expires, made)

    def _attempt(self, wanted: Wanted, now: Instant, expires: Instant, made: list[Part] | None) -> list[Part]:
        taking = _Taking(self, self._database, self._tenant, wanted, now, expires)
        try:
            taking.run()
            if taking.missing:
                raise self._given_back(taking, all_of_it=made is None)
        finally:  # also if a call gets no answer
            if made is not None:
                made += taking.made
        # In one order, whichever cell was met first: a retry that finds some of them claimed gives the same answer.
        places = [*wanted.locations, BACKORDER]
        return sorted(taking.taken, key=lambda part: (places.index(part.location), part.cell))

    def _given_back(self, taking: _Taking, *, all_of_it: bool) -> OutOfStock:
        refusal = OutOfStock(taking.wanted.sku, taking.wanted.quantity, sum(part.quantity for part in taking.taken))
        mine = taking.taken if all_of_it else taking.made
        while mine:  # one by one: this may run among other lines' claims, and waits for no thread
            self.writes(store.give_back(self._tenant, mine[0]))
            mine.pop(0)
        return refusal

    def _seen_anew(self, wanted: Wanted, now: Instant) -> Wanted | None:
        """Nobody is refused units that only went from one cell to another meanwhile, or that have come to a new one."""
        key = product_key(self._tenant, wanted.sku)
        cells: list[Key[Any]] = list(keys_of_cells(self._tenant, wanted.sku, wanted.places))
        found = self._database.fetch([key, *cells])
        product = found[key]
        if product is not None and product.cells != wanted.cells:
            return replace(wanted, cells=product.cells)
        available = sum(cell.available_at(now) for each in cells if (cell := found[each]))
        return wanted if available >= wanted.quantity else None

    def expire(self, cell: Cell, now: Instant) -> int:
        """Give back every claim of `cell` that is over; the units that came back."""
        back = 0
        for owner, claim in cell.claims.items():
            part = Part(cell.sku, cell.location, cell.number, owner, claim.quantity)
            if claim.is_over(now) and self.writes(store.expire(self._tenant, part, claim)):
                back += claim.quantity
        return back

    def keep(self, parts: Iterable[Part]) -> list[Part]:
        """Make the claims of a paid order lasting; the parts whose claim is gone."""
        return self._all(store.keep, parts)

    def extend(self, parts: Iterable[Part], expires: Instant) -> list[Part]:
        """Let claims live until `expires`; the parts whose claim is gone."""
        return self._all(lambda tenant, part: store.extend(tenant, part, expires), parts)

    def give_back(self, parts: Iterable[Part]) -> list[Part]:
        """End the claims; the parts that had none (any more)."""
        return self._all(store.give_back, parts)

    def allocate(self, parts: Iterable[Part]) -> list[Part]:
        """Turn the kept claims of a confirmed order into allocations; the parts that had none (any more)."""
        return self._all(store.allocate, parts)

    def _all(self, write: Callable[[str, Part], Write], parts: Iterable[Part]) -> list[Part]:
        parts = list(parts)
        if not parts:
            return []
        tries = [functools.partial(self.writes, write(self._tenant, part)) for part in parts]
        return [part for part, done in zip(parts, self._database.together(*tries), strict=True) if not done]

    def writes(self, write: Write) -> bool:
        """False, if its condition does not hold."""
        try:
            self._database.write(write)
        except ConditionFailed:
            return False
        return True


At = tuple[str, int]
"""A cell: its location and number."""


@dataclass
class _Taking:
    """One attempt to claim what is wanted: what it has so far, and the cells that had too little, as last seen."""

    claims: Claims
    database: Database
    tenant: str
    wanted: Wanted
    now: Instant
    expires: Instant
    made: list[Part] = field(default_factory=list)
    taken: list[Part] = field(default_factory=list)
    seen: dict[At, Cell] = field(default_factory=dict)
    looked: bool = False

    @property
    def missing(self) -> int:
        return self.wanted.quantity - sum(part.quantity for part in self.taken)

    def run(self) -> None:
        self._from(self.wanted.locations_first)
        self._from(places_of(self.wanted.cells, (BACKORDER,)))

    def _from(self, places: Sequence[Place]) -> None:
        for place in places:
            here = _from_a_cell_of_its_own(place, self.wanted.owner)
            for at in here:
                if self.missing and not self._has(at):
                    self._claim(at, self.missing, in_a_full_cell=False)
            if sum(self.seen[at].available_at(self.now) for at in here if at in self.seen) >= self.missing:
                self._fill(here)
        self._fill([at for place in places for at in _from_a_cell_of_its_own(place, self.wanted.owner)])

    def _fill(self, cells: Iterable[At]) -> None:
        """Claim as much as each of the cells has, until nothing is missing. A cell gives once."""
        for at in cells:
            while self.missing and at in self.seen and not self._has(at):
                cell = self.seen[at]
                quantity = min(self.missing, cell.available + self.claims.expire(cell, self.now))
                if quantity <= 0:
                    break
                self._claim(at, quantity, in_a_full_cell=True)

    def _claim(self, at: At, quantity: int, *, in_a_full_cell: bool) -> None:
        part = Part(self.wanted.sku, *at, self.wanted.owner, quantity)
        try:
            self.database.write(store.take(self.tenant, part, self.expires, in_a_full_cell=in_a_full_cell))
        except ConditionFailed as failed:
            self._meet(at, failed.item)
        else:
            self.taken.append(part)
            self.made.append(part)

    def _meet(self, at: At, item: Wire | None) -> None:
        """Remember the cell as it is. If it has a claim of an earlier attempt, so may others: all are looked at."""
        if item is None:
            self.seen.pop(at, None)
            return
        cell = self.seen[at] = store.CELLS.from_item(item)
        if self._finds_its_own(cell) and self.missing and not self.looked:
            self.looked = True
            keys = keys_of_cells(self.tenant, self.wanted.sku, self.wanted.places)
            found = self.database.fetch(keys)
            for key in keys:
                if (other := found[key]) and not self._has((other.location, other.number)):
                    self._finds_its_own(other)

    def _finds_its_own(self, cell: Cell) -> bool:
        mine = cell.claims.get(self.wanted.owner)
        if mine is None:
            return False
        part = Part(cell.sku, cell.location, cell.number, self.wanted.owner, mine.quantity)
        if lives := self._lives_on(part, mine):
            self.taken.append(part)
        return lives

    def _lives_on(self, part: Part, mine: Claim) -> bool:
        """Let the claim of an earlier attempt live as long as a new one would; false if it went meanwhile."""
        if not mine.held or mine.expires >= int(self.expires.timestamp()):
            return True
        return self.claims.writes(store.extend(self.tenant, part, self.expires))

    def _has(self, at: At) -> bool:
        return any((part.location, part.cell) == at for part in self.taken)


def _from_a_cell_of_its_own(place: Place, owner: str) -> list[At]:
    """All cells, beginning where this owner begins: owners spread, and one owner always looks in the same order."""
    first = zlib.crc32(owner.encode()) % place.cells
    return [(place.location, number) for number in [*range(first, place.cells), *range(first)]]
