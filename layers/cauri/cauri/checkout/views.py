"""Carts and checkouts as people and programs see them."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.checkout.model import Cart
from cauri.clock import Instant
from cauri.money import Money
from cauri.orders.views import OrderView


@dataclass(frozen=True)
class CartLineView:
    """`price` is for one, as it was when the line was put: a checkout at another price is refused.

    Until `reserved_until` the units wait for this cart; null, if they were not to be reserved.
    """

    sku: str
    quantity: int
    vendor_id: str
    price: Money
    reserved_until: Instant | None


@dataclass(frozen=True)
class CartView:
    """`order_id` is the order that a completed cart became."""

    id: str
    status: str
    currency: str
    lines: list[CartLineView]
    created_at: Instant
    order_id: str | None


@dataclass(frozen=True)
class CheckoutView:
    """The order as it was placed, and where the shopper goes to pay; null, if nothing is left to pay."""

    order: OrderView
    authorization_url: str | None


def cart_view(cart: Cart) -> CartView:
    lines = [
        CartLineView(line.sku, line.quantity, line.vendor_id, Money(line.price, cart.currency), line.reserved_until)
        for line in cart.lines
    ]
    return CartView(cart.id, cart.status, cart.currency, lines, cart.created_at, cart.order_id)
