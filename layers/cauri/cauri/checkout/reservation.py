"""Stock for the lines of a checkout: claimed, or, in a dry run, only looked at."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cauri.books.work import Work
from cauri.clock import Instant
from cauri.ids import digest
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.model import OutOfStock, Part, Place, places_of, stock_of
from cauri.inventory.store import keys_of_cells

if TYPE_CHECKING:
    from cauri.checkout.model import CartLine
    from cauri.parties.model import Tenant

CLAIM_GRACE: Final = timedelta(minutes=5)
"""How much longer than the order its claims live, so that its saga and not the clock gives them back."""

Reserved = list[Part] | OutOfStock
"""What a line got, or the refusal as a value: other lines are being claimed at the same time."""


def reservations(lines: Sequence[CartLine], tenant: Tenant, work: Work) -> list[Callable[[], Reserved]]:
    """A call per line, in the order of the SKUs. If the command is refused, what they took is given back."""
    places = [places_of(line.cells, tenant.locations) for line in lines]
    if work.dry_run:
        return [functools.partial(_look, line, there, work) for line, there in zip(lines, places, strict=True)]
    claims = Claims(work.database, work.tenant)
    until = work.at + tenant.reservation(work.books.settings.reservation) + CLAIM_GRACE
    taken: list[Part] = []
    work.if_refused(lambda: claims.give_back(taken))
    return [functools.partial(_claim, claims, *each, taken, until, work) for each in zip(lines, places, strict=True)]


def _claim(
    claims: Claims, line: CartLine, places: Sequence[Place], taken: list[Part], until: Instant, work: Work
) -> Reserved:
    # The owner follows from the request, so that a retry does not claim again; and that another request under the
    # same key, which is refused at last, does not find these claims as its own and give them back. It follows from the
    # line, so that a cart that changed between two attempts does not take another line's claim for its own.
    owner = digest(work.request, line.sku, str(line.quantity))[:24]
    wanted = Wanted(line.sku, places, line.quantity, owner)
    try:
        parts = claims.take(wanted, work.at, until)
    except OutOfStock as refusal:
        return refusal
    taken += parts
    return parts


def _look(line: CartLine, places: Sequence[Place], work: Work) -> Reserved:
    keys = keys_of_cells(work.tenant, line.sku, places)
    found = work.fetch(*keys)
    available = stock_of(line.sku, [cell for key in keys if (cell := found[key])]).available
    return OutOfStock(line.sku, line.quantity, available) if available < line.quantity else []
