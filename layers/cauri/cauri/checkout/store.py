"""Where carts are kept: the commerce table."""

from __future__ import annotations

from typing import Final

from cauri.books.shelf import Key, Shelf, shelve
from cauri.checkout.model import Cart

CARTS: Final = shelve(
    Shelf("commerce", Cart, place=lambda cart: (f"cart#{cart.id}", "cart"), tenant=lambda c: c.tenant)
)


def cart_key(tenant: str, cart_id: str) -> Key[Cart]:
    return CARTS.key(tenant, f"cart#{cart_id}", "cart")
