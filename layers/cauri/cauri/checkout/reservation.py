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
from cauri.inventory.model import BACKORDER, CellHolds, Hold, OutOfStock, Part, by_cell, places_of
from cauri.inventory.store import keys_of_cells, product_key

if TYPE_CHECKING:
    from cauri.checkout.model import CartLine
    from cauri.parties.model import Tenant

CLAIM_GRACE: Final = timedelta(minutes=5)
"""How much longer than the order its claims live, so that its saga and not the clock gives them back."""

Reserved = list[Part] | OutOfStock
"""What a line got, or the refusal as a value: other lines are being claimed at the same time."""


def reservations(lines: Sequence[CartLine], tenant: Tenant, work: Work) -> list[Callable[[], Reserved]]:
    """A call per line, in the order of the SKUs. If the command is refused, what they took is given back.

    A line whose cart has reserved its units needs none: `taken_over` makes them the order's, in its commit.
    """
    claims = Claims(work.database, work.tenant)
    made: list[Part] = []
    work.if_refused(lambda: claims.give_back(made))
    return [_reservation(claims, line, tenant, made, work) for line in lines]


def taken_over(lines: Sequence[CartLine], tenant: Tenant, work: Work) -> list[CellHolds]:
    """The claims of the cart live on as the order's. Before its commit they were the cart's: no one else had them."""
    expires = _until(tenant, work)
    reserved = [part for line in lines if line.has_reserved(work.at) for part in line.reserved]
    return by_cell(work.tenant, [Hold(part, part.quantity, expires) for part in reserved])


def _until(tenant: Tenant, work: Work) -> Instant:
    return work.at + tenant.reservation(work.books.settings.reservation) + CLAIM_GRACE


def _reservation(
    claims: Claims, line: CartLine, tenant: Tenant, made: list[Part], work: Work
) -> Callable[[], Reserved]:
    if line.has_reserved(work.at):
        return lambda: list(line.reserved)
    if work.dry_run:
        return functools.partial(_look, line, tenant, work)
    return functools.partial(_claim, claims, line, tenant, made, work)


def _claim(claims: Claims, line: CartLine, tenant: Tenant, made: list[Part], work: Work) -> Reserved:
    # The owner follows from the request, so that a retry does not claim again; and that another request under the
    # same key, which is refused at last, does not find these claims as its own and give them back. It follows from the
    # line, so that a cart that changed between two attempts does not take another line's claim for its own.
    owner = digest(work.request, line.sku, str(line.quantity))[:24]
    wanted = Wanted(line.sku, line.cells, tenant.locations, line.quantity, owner)
    try:
        return claims.take(wanted, work.at, _until(tenant, work), made)
    except OutOfStock as refusal:
        return refusal


def _look(line: CartLine, tenant: Tenant, work: Work) -> Reserved:
    available = available_of(line.sku, tenant, work)
    return OutOfStock(line.sku, line.quantity, available) if available < line.quantity else []


def available_of(sku: str, tenant: Tenant, work: Work) -> int:
    """How many somebody could claim now."""
    product = product_key(work.tenant, sku)
    if (known := work.fetch(product)[product]) is None:
        return 0
    keys = keys_of_cells(work.tenant, sku, places_of(known.cells, [*tenant.locations, BACKORDER]))
    found = work.fetch(*keys)
    return sum(cell.available_at(work.at) for key in keys if (cell := found[key]))
