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


def a_reserved_line(shop: Shop, quantity: int) -> str:
    cart: str = market(shop).cart()
    shop.run(PutCartLine(cart, "shirt-l", quantity, reserve=True), shop.customer())
    return cart


@example(PutCartLine, "reserved")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(market(shop).cart(), "shirt-l", 30, reserve=True), shop.customer())


@example(PutCartLine, "reserved, and more of it")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(a_reserved_line(shop, 20), "shirt-l", 40, reserve=True), shop.customer())


@example(PutCartLine, "reserved, and less of it")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(a_reserved_line(shop, 40), "shirt-l", 3, reserve=True), shop.customer())


@example(PutCartLine, "not reserved any more")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(a_reserved_line(shop, 40), "shirt-l", 40), shop.customer())


@example(PutCartLine, "refused, since there is not so much to reserve")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(a_reserved_line(shop, 40), "shirt-l", 51, reserve=True), shop.customer())


@example(RemoveCartLine, "a reserved one")
def _(shop: Shop) -> Act:
    return sent(RemoveCartLine(a_reserved_line(shop, 40), "shirt-l"), shop.customer())


@example(RemoveCartLine, "one of two")
def _(shop: Shop) -> Act:
    return sent(RemoveCartLine(market(shop).cart(shirt_l=1, coffee=1), "shirt-l"), shop.customer())
