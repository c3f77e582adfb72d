"""Claims of stock: the one thing that is written outside a commit (DESIGN 3).

A claim is one conditional update of one cell, idempotent by its owner, and expires by itself. So buyers never
meet in a transaction, a time-out is never a guess, and a crash anywhere leaves only what a clock undoes.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cauri.books.database import ConditionFailed, Database
from cauri.books.shelf import Write
from cauri.clock import Instant
from cauri.inventory import store
from cauri.inventory.model import Cell, Claim, OutOfStock, Part, Place


@dataclass(frozen=True)
class Wanted:
    """Units of a SKU for one owner, from `places` in their order."""

    sku: str
    places: Sequence[Place]
    quantity: int
    owner: str


class Claims:
    def __init__(self, database: Database, tenant: str) -> None:
        self._database = database
        self._tenant = tenant

    def take(self, wanted: Wanted, now: Instant, expires: Instant) -> list[Part]:
        """Claim all of `wanted`, or give back all and raise OutOfStock.

        It comes from the first place that has all of it (from one cell, or else over several), since what comes from
        one place is sent once; if none has all, from the places in their order, as much as each has. Taking again
        for the same owner takes nothing more.
        """
        taken: list[Part] = []
        short: list[Cell] = []
        for place in wanted.places:
            here: list[Cell] = []
            for number in _from_a_cell_of_its_own(place, wanted.owner):
                self._take_from(place.location, number, wanted, now, expires, taken, here, whole=True)
            if sum(cell.available_at(now) for cell in here) >= _missing(wanted, taken):
                self._fill(wanted, here, now, expires, taken)
            short += here
        self._fill(wanted, short, now, expires, taken)
        if _missing(wanted, taken):
            for part in taken:  # one by one: this may run among other lines' claims, and waits for no thread of theirs
                self._try(store.give_back(self._tenant, part))
            available = sum(part.quantity for part in taken) + sum(cell.available for cell in short if not taken)
            raise OutOfStock(wanted.sku, wanted.quantity, available)
        return taken

    def _fill(self, wanted: Wanted, short: Sequence[Cell], now: Instant, expires: Instant, taken: list[Part]) -> None:
        """Add to `taken` as much as each of the cells has, until nothing is missing."""
        for cell in short:
            self._take_from(cell.location, cell.number, wanted, now, expires, taken, [], whole=False, seen=cell)

    def _take_from(
        self,
        location: str,
        number: int,
        wanted: Wanted,
        now: Instant,
        expires: Instant,
        taken: list[Part],
        short: list[Cell],
        *,
        whole: bool,
        seen: Cell | None = None,
    ) -> None:
        """Add to `taken` what the cell gives: all that is missing or nothing, or as much as it has."""
        while missing := _missing(wanted, taken):
            quantity = missing if whole else min(missing, self._after_expiry(seen, now) if seen else 0)
            if quantity <= 0:
                return
            part = Part(wanted.sku, location, number, wanted.owner, quantity)
            try:
                self._database.write(store.take(self._tenant, part, expires))
            except ConditionFailed as failed:
                seen = store.CELLS.from_item(failed.item) if failed.item else None
                if seen is None:
                    return
                if mine := seen.claims.get(wanted.owner):
                    part = replace(part, quantity=mine.quantity)
                    if not self._lives_until(expires, part, mine):
                        continue
                    taken.append(part)
                    return
                if whole:
                    short.append(seen)
                    return
            else:
                taken.append(part)
                return

    def _lives_until(self, expires: Instant, part: Part, mine: Claim) -> bool:
        """Let the claim of an earlier attempt live as long as a new one would; false if it went meanwhile."""
        if not mine.held or mine.expires >= int(expires.timestamp()):
            return True
        return self._try(store.extend(self._tenant, part, expires))

    def _after_expiry(self, cell: Cell, now: Instant) -> int:
        """What the cell has once the claims that are over have been given back."""
        return cell.available + self.expire(cell, now)

    def expire(self, cell: Cell, now: Instant) -> int:
        """Give back every claim of `cell` that is over; the units that came back."""
        back = 0
        for owner, claim in cell.claims.items():
            part = Part(cell.sku, cell.location, cell.number, owner, claim.quantity)
            if claim.is_over(now) and self._try(store.expire(self._tenant, part, claim)):
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
        tries = [functools.partial(self._try, write(self._tenant, part)) for part in parts]
        return [part for part, done in zip(parts, self._database.together(*tries), strict=True) if not done]

    def _try(self, write: Write) -> bool:
        try:
            self._database.write(write)
        except ConditionFailed:
            return False
        return True


def _missing(wanted: Wanted, taken: Iterable[Part]) -> int:
    return wanted.quantity - sum(part.quantity for part in taken)


def _from_a_cell_of_its_own(place: Place, owner: str) -> Sequence[int]:
    """All cells, beginning where this owner begins: owners spread, and one owner always looks in the same order."""
    first = zlib.crc32(owner.encode()) % place.cells
    return [*range(first, place.cells), *range(first)]
