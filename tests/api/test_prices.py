"""Nobody pays a price that nobody was shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import People
from tests.api.test_checkout import buy, buy_cart, kes
from tests.shop import Shop


@pytest.fixture
def dearer(people: People, shop: Shop) -> str:
    """A cart of coffee and two baskets, which became dearer afterwards."""
    cart = shop.cart(basket=2, coffee=1)
    _price(people, 95_000)
    return cart


def _price(people: People, amount: int) -> None:
    basket = {"vendor_id": "ven_kazi", "title": "Basket", "prices": {"KES": amount}, "weight_grams": 900}
    assert people.of("manager", sub="usr_pricing").put("/v1/products/basket", basket).status == 200


def a_line(**more: Any) -> list[dict[str, Any]]:
    return [{"sku": "basket", "quantity": 1} | more]


def test_a_price_that_changed_is_told_and_nothing_is_claimed(people: People, shop: Shop, dearer: str) -> None:
    reply = buy_cart(people.customer(), dearer)
    assert (reply.status, reply.code) == (409, "price_changed")
    assert reply.json()["lines"] == [{"sku": "basket", "old_price": kes(89_950), "new_price": kes(95_000)}]
    assert [cell.claims for sku in ("basket", "coffee") for cell in shop.cells(sku) if cell.claims] == []
    cart = people.customer().get(f"/v1/carts/{dearer}").json()
    assert (cart["status"], cart["lines"][0]["price"]) == ("open", kes(89_950))


def test_the_shopper_accepts_the_new_price(people: People, dearer: str) -> None:
    reply = buy_cart(people.customer(), dearer, accepted_prices={"basket": kes(95_000)})
    assert reply.status == 201
    lines = [line for share in reply.json()["order"]["vendor_orders"] for line in share["lines"]]
    assert {line["sku"]: line["price"] for line in lines} == {"basket": kes(95_000), "coffee": kes(210_000)}


def test_a_price_that_changed_again_is_told_again(people: People, dearer: str) -> None:
    _price(people, 80_000)
    reply = buy_cart(people.customer(), dearer, accepted_prices={"basket": kes(95_000)})
    assert reply.json()["lines"] == [{"sku": "basket", "old_price": kes(95_000), "new_price": kes(80_000)}]


def test_a_price_that_came_back_is_the_one_that_was_seen(people: People, dearer: str) -> None:
    _price(people, 89_950)
    assert buy_cart(people.customer(), dearer).status == 201


def test_a_line_that_is_put_again_shows_the_price_of_now(people: People, dearer: str) -> None:
    put = people.customer().put(f"/v1/carts/{dearer}/lines/basket", {"quantity": 2})
    assert put.json()["lines"][0]["price"] == kes(95_000)
    assert buy_cart(people.customer(), dearer).status == 201


def test_a_cheaper_price_is_told_as_well(people: People, shop: Shop) -> None:
    cart = shop.cart(basket=1)
    _price(people, 100)
    assert buy_cart(people.customer(), cart).code == "price_changed"


def test_a_dry_run_tells_it(people: People, dearer: str) -> None:
    body = {"cart_id": dearer, "tenders": [], "return_url": "https://shop.example/thanks"}
    reply = people.customer().post("/v1/checkouts?dry_run=true", body)
    assert (reply.status, reply.code) == (409, "price_changed")


def test_an_inline_line_may_say_what_it_expects(people: People, shop: Shop) -> None:
    client = people.customer()
    wrong = buy(client, lines=a_line(expected_price=kes(89_000)))
    assert (wrong.status, wrong.code) == (409, "price_changed")
    assert wrong.json()["lines"] == [{"sku": "basket", "old_price": kes(89_000), "new_price": kes(89_950)}]
    assert buy(client, lines=a_line(expected_price=kes(89_950))).status == 201
    both = a_line(expected_price=kes(89_950)) + a_line(expected_price=kes(1))
    assert buy(client, lines=both).code == "price_changed"


def test_prices_are_in_the_currency_of_the_order(people: People, dearer: str) -> None:
    dollars = {"amount": 95_000, "currency": "USD"}
    assert buy_cart(people.customer(), dearer, accepted_prices={"basket": dollars}).code == "currency_mismatch"
    assert buy(people.customer(), lines=a_line(expected_price=dollars)).code == "currency_mismatch"
