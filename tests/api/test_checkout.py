"""Carts and checkouts, over HTTP."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from cauri.checkout.model import CartLine
from cauri.checkout.store import CARTS, cart_key
from cauri.parties.commands import PutTenant
from cauri.wallet.lots import Kind

from tests.api.client import Client, People, Reply
from tests.api.tables import dump
from tests.shop import Shop

BY_CARD = [{"type": "provider", "provider": "demo"}]
EMAIL = {"email": "amina@example.com"}


def kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


def buy(client: Client, *lines: tuple[str, int], **body: Any) -> Reply:
    whole = {
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        "currency": "KES",
        "tenders": BY_CARD,
        "return_url": "https://shop.example/thanks",
    }
    return client.post("/v1/checkouts", whole | body)


def buy_cart(client: Client, cart: str, **body: Any) -> Reply:
    whole = {"cart_id": cart, "tenders": BY_CARD, "return_url": "https://shop.example/thanks"}
    return client.post("/v1/checkouts", whole | body)


# -- Carts


def test_a_cart_is_opened_filled_emptied_and_read(people: People, shop: Shop) -> None:
    client = people.customer()
    opened = client.post("/v1/carts", {"currency": "KES"})
    cart = opened.json()["id"]
    assert (opened.status, opened.headers["location"]) == (201, f"/v1/carts/{cart}")
    client.put(f"/v1/carts/{cart}/lines/coffee", {"quantity": 2})
    client.put(f"/v1/carts/{cart}/lines/coffee", {"quantity": 3})
    filled = client.put(f"/v1/carts/{cart}/lines/basket", {"quantity": 1})
    assert filled.json()["lines"] == [
        {"sku": "coffee", "quantity": 3, "vendor_id": "ven_buna", "price": kes(210_000), "reserved_until": None},
        {"sku": "basket", "quantity": 1, "vendor_id": "ven_kazi", "price": kes(89_950), "reserved_until": None},
    ]
    left = client.delete(f"/v1/carts/{cart}/lines/coffee")
    assert [line["sku"] for line in left.json()["lines"]] == ["basket"]
    assert client.get(f"/v1/carts/{cart}").body == left.body


def test_a_cart_takes_what_is_sold_in_its_currency(people: People, shop: Shop) -> None:
    client = people.guest
    cart = client.post("/v1/carts", {"currency": "USD"}).json()["id"]
    assert client.put(f"/v1/carts/{cart}/lines/shirt-l", {"quantity": 1}).status == 200
    wrong = client.put(f"/v1/carts/{cart}/lines/coffee", {"quantity": 1})
    assert (wrong.status, wrong.code) == (422, "currency_mismatch")
    assert client.put(f"/v1/carts/{cart}/lines/none", {"quantity": 1}).code == "unknown_sku"
    huge = client.put(f"/v1/carts/{cart}/lines/shirt-l", {"quantity": 10**9})
    assert (huge.status, huge.code) == (422, "quantity_too_large")


def test_a_cart_has_a_hundred_lines_and_no_more(people: People, shop: Shop) -> None:
    cart_id = shop.cart()
    key = cart_key(shop.tenant, cart_id)
    cart = shop.database.fetch([key])[key]
    assert cart is not None
    lines = tuple(CartLine(f"sku-{number}", 1, "ven_kazi", {"main": 1}, 100) for number in range(100))
    shop.database.transact([CARTS.write(dataclasses.replace(cart, lines=lines))])
    reply = people.customer().put(f"/v1/carts/{cart_id}/lines/coffee", {"quantity": 1})
    assert (reply.status, reply.code) == (422, "too_many_lines")


def test_a_cart_that_is_bought_is_closed(people: People, shop: Shop) -> None:
    client, cart = people.customer(), shop.cart(coffee=1)
    bought = buy_cart(client, cart)
    assert bought.status == 201
    order = bought.json()["order"]["id"]
    for reply in (buy_cart(client, cart), client.put(f"/v1/carts/{cart}/lines/basket", {"quantity": 1})):
        assert (reply.status, reply.code, reply.json()["order_id"]) == (409, "cart_completed", order)
    assert client.get(f"/v1/carts/{cart}").json()["order_id"] == order


def test_there_is_nothing_to_buy_in_an_empty_cart(people: People, shop: Shop) -> None:
    reply = buy_cart(people.customer(), shop.cart())
    assert (reply.status, reply.code) == (422, "cart_empty")
    assert buy_cart(people.customer(), "crt_none").code == "unknown_cart"


# -- Checkouts


def test_a_checkout_answers_the_order_and_where_to_pay(people: People, shop: Shop) -> None:
    reply = buy(people.customer(), ("coffee", 2), ("shirt-l", 1), demo_outcome="succeed_late-30")
    placed = reply.json()
    order = placed["order"]
    assert reply.status == 201
    assert reply.headers["location"] == f"/v1/orders/{order['id']}"
    assert order["status"] == "PENDING_PAYMENT"
    assert order["total"] == kes(2 * 210_000 + 174_000)
    assert [share["vendor_id"] for share in order["vendor_orders"]] == ["ven_buna", "ven_kazi"]
    assert placed["authorization_url"].startswith("https://pay.soko.example/pay/")


def test_a_wallet_pays_its_part_and_a_card_the_rest(people: People, shop: Shop) -> None:
    shop.fund(100_000)
    shop.credit(500, Kind.POINTS)
    paid_by = [
        {"type": "wallet", "amount": kes(60_000)},
        {"type": "wallet", "amount": kes(2_000), "kinds": ["points", "reward"]},
        *BY_CARD,
    ]
    placed = buy(people.customer(), ("coffee", 1), tenders=paid_by).json()
    assert [(one["kind"], one["amount"]) for one in placed["order"]["payments"]] == [
        ("wallet", kes(60_000)),
        ("wallet", kes(2_000)),
        ("provider", kes(148_000)),
    ]
    assert placed["order"]["payments"][1]["drawn"] == [{"kind": "points", "units": 200, "pays": kes(2_000)}]
    points, credit = people.customer().get("/v1/wallets/cus_amina").json()["balances"]
    assert (points["available"]["amount"], points["held"]["amount"]) == (300, 200)
    assert (credit["available"], credit["held"]) == (kes(40_000), kes(60_000))


def test_nothing_is_left_to_pay_when_the_wallet_covers_it_all(people: People, shop: Shop) -> None:
    shop.fund(500_000)
    order = buy(people.customer(), ("coffee", 1), tenders=[{"type": "wallet"}]).json()
    assert order["authorization_url"] is None
    assert order["order"]["payment_method"] == "wallet"


def test_too_few_points_are_refused_with_what_is_missing(people: People, shop: Shop) -> None:
    shop.programme().credit(60, Kind.POINTS)
    before = dump()
    paid_by = [{"type": "wallet", "amount": kes(500), "kinds": ["points"]}, *BY_CARD]
    refused = buy(people.customer(), ("coffee", 1), tenders=paid_by)
    assert (refused.status, refused.code) == (422, "below_minimum_redemption")
    assert refused.json()["suggestion"] == "You have 60 points. Earn 40 more to redeem."
    assert dump() == before


def test_without_a_loyalty_programme_no_wallet_pays(people: People, shop: Shop) -> None:
    refused = buy(people.customer(), ("coffee", 1), tenders=[{"type": "wallet", "amount": kes(1)}, *BY_CARD])
    assert (refused.status, refused.code) == (422, "no_loyalty_programme")


def test_a_guest_buys_by_email_which_no_answer_shows(people: People, shop: Shop) -> None:
    reply = buy(people.guest, ("coffee", 1), contact=EMAIL | {"name": "Amina", "phone": "+254 20 123"})
    assert reply.status == 201
    assert reply.json()["order"]["customer_id"] is None
    assert b"amina@" not in reply.body


def test_lines_of_one_product_are_one_line(people: People, shop: Shop) -> None:
    order = buy(people.customer(), ("coffee", 1), ("coffee", 2)).json()["order"]
    assert [line["quantity"] for line in order["vendor_orders"][0]["lines"]] == [3]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"lines": [{"sku": "none", "quantity": 1}]}, 404, "unknown_sku"),
        ({"lines": [{"sku": "coffee", "quantity": 100_001}]}, 422, "quantity_too_large"),
        ({"lines": [{"sku": "coffee", "quantity": 10**9}]}, 422, "quantity_too_large"),
        ({"lines": [{"sku": "coffee", "quantity": 51}]}, 409, "out_of_stock"),
        ({"currency": "USD"}, 422, "currency_mismatch"),
        ({"currency": "JPY"}, 422, "currency_mismatch"),
        ({"tenders": []}, 422, "tenders_do_not_match"),
        ({"tenders": [{"type": "provider", "provider": "demo", "amount": kes(1)}]}, 422, "tenders_do_not_match"),
        ({"tenders": [{"type": "wallet", "amount": kes(10**15)}, *BY_CARD]}, 422, "tenders_do_not_match"),
        ({"tenders": [{"type": "wallet"}, *BY_CARD]}, 422, "tenders_do_not_match"),
        ({"tenders": [{"type": "wallet", "amount": kes(210_000)}]}, 422, "insufficient_balance"),
        (
            {"tenders": [{"type": "wallet", "amount": {"amount": 1, "currency": "USD"}}, *BY_CARD]},
            422,
            "currency_mismatch",
        ),
        ({"tenders": [*BY_CARD, *BY_CARD]}, 422, "tenders_do_not_match"),
        ({"tenders": [{"type": "provider", "provider": "paystack"}]}, 422, "provider_not_enabled"),
    ],
    ids=str,
)
def test_a_rule_says_no_and_nothing_moved(
    body: dict[str, Any], status: int, code: str, people: People, shop: Shop
) -> None:
    shop.fund(1_000)
    before = dump()
    reply = buy(people.customer(), ("coffee", 1), **body)
    assert (reply.status, reply.code) == (status, code)
    assert dump() == before


def test_a_guest_needs_an_email_and_has_no_wallet(people: People, shop: Shop) -> None:
    before = dump()
    assert buy(people.guest, ("coffee", 1)).code == "email_required"
    tenders = [{"type": "wallet", "amount": kes(1)}, *BY_CARD]
    assert buy(people.guest, ("coffee", 1), contact=EMAIL, tenders=tenders).code == "wallet_needs_customer"
    assert dump() == before


def test_an_order_of_more_than_one_command_carries_is_refused(people: People, shop: Shop) -> None:
    gold = {"vendor_id": "ven_kazi", "title": "Gold", "prices": {"KES": 10**15}}
    people.admin.put("/v1/products/gold", gold)
    people.admin.post("/v1/stock/gold/receipts", {"quantity": 5})
    before = dump()
    reply = buy(people.customer(), ("gold", 2))
    assert (reply.status, reply.code) == (422, "amount_too_large")
    assert dump() == before


def test_the_demo_provider_is_for_tenants_in_demo_mode(people: People, shop: Shop) -> None:
    shop.run(PutTenant("Soko", tax_rates={"standard": 1600, "zero": 0}, demo=False))
    assert buy(people.customer(), ("coffee", 1)).code == "provider_not_enabled"


def test_a_tenant_that_is_not_set_up_has_no_checkout(people: People, shop: Shop) -> None:
    kiosk = People(people.issuer, "kiosk").customer()
    assert kiosk.post("/v1/carts", {"currency": "KES"}).code == "unknown_tenant"
    assert buy(kiosk, ("coffee", 1)).code == "unknown_tenant"
