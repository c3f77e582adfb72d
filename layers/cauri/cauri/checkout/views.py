"""Carts and checkouts as people and programs see them."""

from __future__ import annotations

from cauri.checkout.model import Cart
from cauri.checkout.promotions import Promotion
from cauri.clock import Instant
from cauri.money import Money
from cauri.orders.views import OrderView
from cauri.values import dataclass


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
class PromotionView:
    """Less money for some goods. Rates are basis points; amounts and minimum spends are minor units by currency."""

    code: str
    title: str
    scope: str
    percent_bps: int
    amounts: dict[str, int]
    skus: list[str]
    vendors: list[str]
    automatic: bool
    active: bool
    starts_at: Instant | None
    ends_at: Instant | None
    minimum_spend: dict[str, int]
    uses_max: int | None
    uses_max_per_customer: int | None
    funded_by: str


@dataclass(frozen=True)
class PromotionStanding:
    """A promotion, and of a limited one how many uses are of paid orders, wait for payment, and are left."""

    promotion: PromotionView
    used: int | None
    waiting: int | None
    left: int | None


@dataclass(frozen=True)
class PromotionPage:
    """A page of promotions, by code. `next_cursor` leads to the next one, if there is one."""

    items: list[PromotionView]
    next_cursor: str | None


@dataclass(frozen=True)
class ToPay:
    """One payment that the shopper has to make, and where."""

    payment_id: str
    provider: str
    amount: Money
    authorization_url: str | None
    """None where people take the money."""


@dataclass(frozen=True)
class CheckoutView:
    """The order as it was placed, and where the shopper goes to pay; null, if nothing is left to pay.

    `to_pay` has all payments that are to be made. `authorization_url` is the first one's.
    """

    order: OrderView
    authorization_url: str | None
    to_pay: list[ToPay]


def cart_view(cart: Cart) -> CartView:
    lines = [
        CartLineView(line.sku, line.quantity, line.vendor_id, Money(line.price, cart.currency), line.reserved_until)
        for line in cart.lines
    ]
    return CartView(cart.id, cart.status, cart.currency, lines, cart.created_at, cart.order_id)


def promotion_view(promotion: Promotion) -> PromotionView:
    return PromotionView(
        promotion.code,
        promotion.title,
        promotion.scope,
        promotion.percent_bps,
        promotion.amounts,
        list(promotion.skus),
        list(promotion.vendors),
        promotion.automatic,
        promotion.active,
        promotion.starts_at,
        promotion.ends_at,
        promotion.minimum_spend,
        promotion.uses_max,
        promotion.uses_max_per_customer,
        promotion.funded_by,
    )
