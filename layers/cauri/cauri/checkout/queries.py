"""Whose cart who may see; and how promotions stand."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.listing import Page, read_page
from cauri.checkout.carts import own
from cauri.checkout.promotions import Promotion, UnknownPromotion
from cauri.checkout.store import PROMOTIONS, cart_key, promotion_key
from cauri.checkout.uses import cell_keys, left
from cauri.checkout.views import CartView, PromotionStanding, cart_view, promotion_view
from cauri.clock import Instant


def cart_for(database: Database, caller: Caller, cart_id: str) -> CartView:
    """The cart, if it is the caller's: to others it does not exist, UnknownCart."""
    key = cart_key(caller.tenant, cart_id)
    return cart_view(own(database.fetch([key])[key], caller, cart_id))


def promotion_of(database: Database, tenant: str, code: str, now: Instant) -> PromotionStanding:
    """Raises UnknownPromotion."""
    key = promotion_key(tenant, code)
    promotion = database.fetch([key])[key]
    if promotion is None:
        raise UnknownPromotion(code)
    view = promotion_view(promotion)
    if promotion.uses_max is None:
        return PromotionStanding(view, None, None, None)
    keys = cell_keys(promotion)
    found = database.fetch(keys)
    cells = [cell for of_cell in keys if (cell := found[of_cell])]
    waiting = sum(c.quantity for cell in cells for c in cell.claims.values() if c.held and not c.is_over(now))
    free = left(cells, now)
    return PromotionStanding(view, sum(cell.on_hand for cell in cells) - waiting - free, waiting, free)


def promotions_of(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Promotion]:
    """All promotions, by code, also those that are over."""
    return read_page(database, PROMOTIONS, tenant, "promotions", after=after, limit=limit)
