"""The uses of promotions that a checkout makes.

A limited number of uses is kept as stock is: claimed before the commit, in cells that buyers do not share, kept when
the order is paid, given back when it is not, and over by itself after a crash. So a limit holds exactly, and a
promotion without one is no item that anybody writes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from cauri.books.database import Database
from cauri.books.listing import read_page
from cauri.books.shelf import Found, Key
from cauri.books.work import Work
from cauri.checkout.promotions import CLAIM_LOCATION, Promotion, PromotionUsedUp
from cauri.checkout.reservation import Reserved
from cauri.checkout.store import PROMOTIONS
from cauri.clock import Instant
from cauri.ids import digest
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.model import Cell, OutOfStock, Part, Place
from cauri.inventory.store import keys_of_cells
from cauri.orders.model import Use
from cauri.orders.uses import PromotionUsedByCustomer, uses_key
from cauri.values import dataclass

SWEPT_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Uses:
    """What one checkout would use: the promotions `offered`, of which `asked` were asked for by code."""

    offered: Sequence[Promotion]
    asked: frozenset[str]
    customer: str
    """Whose uses they are: a digest."""
    guest: str | None = None
    """The customer as a guest, where the token proves an address: what that one used counts as well."""

    @property
    def limited(self) -> list[Promotion]:
        return [promotion for promotion in self.offered if promotion.uses_max is not None]

    def keys(self, tenant: str) -> list[Key[frozenset[str]]]:
        """Where the uses of this customer are counted, where they are."""
        return [
            key
            for promotion in self.offered
            if promotion.uses_max_per_customer is not None
            for key in self._counted_at(tenant, promotion)
        ]

    def _counted_at(self, tenant: str, promotion: Promotion) -> list[Key[frozenset[str]]]:
        return [uses_key(tenant, promotion.code, who) for who in (self.customer, self.guest) if who is not None]

    def claims(self, until: Instant, work: Work) -> list[Callable[[], Reserved]]:
        """A call per limited promotion. If the command is refused, what they took is given back."""
        if work.dry_run:
            return [functools.partial(_look, promotion, work) for promotion in self.limited]
        made: list[Part] = []
        work.if_refused(lambda: Claims(work.database, work.tenant).give_back(made))
        return [functools.partial(_claim, promotion, made, until, work) for promotion in self.limited]

    def made(self, found: Found, claimed: Sequence[Reserved], work: Work) -> dict[str, Use]:
        """The uses that can be made, by code: an automatic promotion that is used up is not applied.

        Raises PromotionUsedUp, PromotionUsedByCustomer for one that was asked for.
        """
        parts = dict(zip((promotion.code for promotion in self.limited), claimed, strict=True))
        made: dict[str, Use] = {}
        for promotion in self.offered:
            if refusal := self._refusal(promotion, found, parts, work):
                if promotion.code in self.asked:
                    raise refusal
                continue
            made[promotion.code] = self._use(promotion, parts.get(promotion.code, []))
        return made

    def give_back_all_but(self, applied: Iterable[Use], claimed: Sequence[Reserved], work: Work) -> None:
        """Give back what was claimed for promotions that in the end take nothing off: mostly there is none."""
        used = {part for use in applied for part in use.claimed}
        parts = [part for each in claimed if not isinstance(each, OutOfStock) for part in each]
        Claims(work.database, work.tenant).give_back(part for part in parts if part not in used)

    def _refusal(
        self, promotion: Promotion, found: Found, parts: Mapping[str, Reserved], work: Work
    ) -> PromotionUsedUp | PromotionUsedByCustomer | None:
        most = promotion.uses_max_per_customer
        if most is not None and _count(found, self._counted_at(work.tenant, promotion)) >= most:
            return PromotionUsedByCustomer(promotion.code)
        return PromotionUsedUp(promotion.code) if isinstance(parts.get(promotion.code), OutOfStock) else None

    def _use(self, promotion: Promotion, parts: Reserved) -> Use:
        most = promotion.uses_max_per_customer
        claimed = () if isinstance(parts, OutOfStock) else tuple(parts)
        return Use(promotion.code, promotion.title, claimed, None if most is None else self.customer, most)


def _count(found: Found, keys: Iterable[Key[frozenset[str]]]) -> int:
    return sum(len(used) for key in keys if (used := found[key]))


def cell_keys(promotion: Promotion) -> list[Key[Cell]]:
    return keys_of_cells(promotion.tenant, promotion.code, [Place(CLAIM_LOCATION, promotion.cells)])


def _claim(promotion: Promotion, made: list[Part], until: Instant, work: Work) -> Reserved:
    owner = digest(work.request, "promotion", promotion.code)[:24]
    wanted = Wanted(promotion.code, promotion.cells_there, [CLAIM_LOCATION], 1, owner)
    try:
        return Claims(work.database, work.tenant).take(wanted, work.at, until, made)
    except OutOfStock as refusal:
        return refusal


def _look(promotion: Promotion, work: Work) -> Reserved:
    keys = cell_keys(promotion)
    found = work.fetch(*keys)
    return [] if left([cell for key in keys if (cell := found[key])], work.at) else OutOfStock(promotion.code, 1, 0)


def left(cells: Sequence[Cell], now: Instant) -> int:
    """How many uses can be claimed now."""
    over = sum(claim.quantity for cell in cells for claim in cell.claims.values() if claim.is_over(now))
    return over + sum(cell.available for cell in cells)


def sweep_uses(database: Database, tenant: str, now: Instant) -> int:
    """Give back every claim of a use that is over; how many came back. Safe beside anything."""
    back, after = 0, None
    while True:
        page = read_page(database, PROMOTIONS, tenant, "promotions", after=after, limit=SWEPT_AT_ONCE)
        keys = [key for promotion in page.items for key in cell_keys(promotion)]
        found = database.fetch(keys) if keys else Found({})
        claims = Claims(database, tenant)
        back += sum(claims.expire(cell, now) for key in keys if (cell := found[key]))
        if (after := page.position) is None:
            return back
