"""Carts."""

from __future__ import annotations

from cauri.checkout.carts import OpenCart, PutCartLine, RemoveCartLine

from tests.proof.examples.worlds import Act, example, market, sent
from tests.shop import Shop


@example(OpenCart, "a customer's")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(OpenCart("KES"), shop.customer())


@example(PutCartLine, "another quantity")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(market(shop).cart(shirt_l=1, coffee=1), "shirt-l", 3), shop.customer())


@example(PutCartLine, "refused, since the cart is another's")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(market(shop).cart(shirt_l=1), "shirt-l", 3), shop.customer("brian"))


@example(RemoveCartLine, "one of two")
def _(shop: Shop) -> Act:
    return sent(RemoveCartLine(market(shop).cart(shirt_l=1, coffee=1), "shirt-l"), shop.customer())
