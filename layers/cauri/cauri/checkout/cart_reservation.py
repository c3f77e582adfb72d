"""Stock that waits for a cart: claimed when a line asks for it, changed with the line, and given back with it.

The claims are the cart's own until they are over, or until its checkout takes them over. What a new quantity needs
in addition is claimed before the commit, and expires if that never comes; what changes of claims that the cart has
already changes in the commit itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from cauri.books.work import Work
from cauri.checkout.model import CartLine
from cauri.checkout.reservation import available_of
from cauri.clock import Instant
from cauri.ids import digest
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.model import CellHolds, Claim, Hold, OutOfStock, Part, by_cell
from cauri.inventory.store import cell_key
from cauri.parties.model import Tenant
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class CartReservation:
    """The parts that a line has reserved, until when, and what becomes of the claims that it had before."""

    parts: tuple[Part, ...]
    until: Instant
    changes: list[CellHolds]


def reserve(line: CartLine, before: CartLine | None, tenant: Tenant, work: Work) -> CartReservation:
    """All units of `line`, until the tenant's time is over, beginning now. Raises OutOfStock."""
    until = (work.at + timedelta(minutes=tenant.cart_reservation_minutes)).replace(microsecond=0)
    known = _still_there(before, work)
    missing = line.quantity - sum(part.quantity for part in known)
    try:
        claimed = _claim(line, missing, tenant, until, work) if missing > 0 else []
    except OutOfStock as short:
        raise OutOfStock(line.sku, line.quantity, line.quantity - missing + short.available) from None
    holds = list(_shrunk(known, max(0, -missing), until))
    stay = [replace(hold.part, quantity=hold.stays) for hold in holds if hold.stays]
    return CartReservation((*stay, *claimed), until, by_cell(work.tenant, holds))


def given_back(before: CartLine | None, work: Work) -> list[CellHolds]:
    """What the line had reserved is available again, if it did not expire before."""
    return by_cell(work.tenant, [Hold(part, 0, work.at) for part in _still_there(before, work)])


def _still_there(line: CartLine | None, work: Work) -> list[Part]:
    """The parts of the line whose claims are there, and not over: what is over is anybody's."""
    if line is None or not line.reserved:
        return []
    keys = [cell_key(work.tenant, part.sku, part.location, part.cell) for part in line.reserved]
    found = work.fetch(*keys)
    parts = zip(line.reserved, keys, strict=True)
    return [part for part, key in parts if (cell := found[key]) and _lives(cell.claims.get(part.owner), work.at)]


def _lives(claim: Claim | None, now: Instant) -> bool:
    return claim is not None and not claim.is_over(now)


def _shrunk(parts: Sequence[Part], surplus: int, until: Instant) -> Iterator[Hold]:
    """Every part lives until then; those that came last give up what is too much."""
    for part in reversed(parts):
        stays = part.quantity - min(surplus, part.quantity)
        surplus -= part.quantity - stays
        yield Hold(part, stays, until)


def _claim(line: CartLine, missing: int, tenant: Tenant, until: Instant, work: Work) -> list[Part]:
    if work.dry_run:
        available = available_of(line.sku, tenant, work)
        if available < missing:
            raise OutOfStock(line.sku, missing, available)
        return []
    claims = Claims(work.database, work.tenant)
    owner = digest(work.request, line.sku, str(missing))[:24]
    made: list[Part] = []
    work.if_refused(lambda: claims.give_back(made))
    return claims.take(Wanted(line.sku, line.cells, tenant.locations, missing, owner), work.at, until, made)
