"""Whose cart who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.checkout.carts import own
from cauri.checkout.store import cart_key
from cauri.checkout.views import CartView, cart_view


def cart_for(database: Database, caller: Caller, cart_id: str) -> CartView:
    """The cart, if it is the caller's: to others it does not exist, UnknownCart."""
    key = cart_key(caller.tenant, cart_id)
    return cart_view(own(database.fetch([key])[key], caller, cart_id))
