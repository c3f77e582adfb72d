"""Explanations over HTTP: the records that made a figure, whose last running value is the figure."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.fold import Fold
from cauri.books.log import read_record
from cauri.books.trail import trail_of
from cauri.inventory.commands import AdjustStock, MoveStock
from cauri.inventory.movements import AdjustmentReason
from cauri.orders.model import CancelReason
from cauri.parties.commands import PutTenant

from tests.api.client import Client, People
from tests.proof.examples.worlds import confirmation, give_up, pay, saga
from tests.proof.state import items
from tests.shop import BY_CARD, Shop, from_wallet


def folded(shop: Shop) -> None:
    """What the stream's consumers do a moment after each commit."""
    records = [read_record(item) for item in items()["log"]]
    Fold(shop.database).fold(records)
    shop.database.write_rows("ledger", trail_of(records))


def explanation(client: Client, resource: str, limit: int = 50, **query: Any) -> tuple[Any, list[Any]]:
    """The figure, and every step to it, over however many pages."""
    path, cursor, steps = f"/v1/explain/{resource}", {}, []
    while True:
        reply = client.get(path, query={"limit": limit, **query, **cursor})
        assert reply.status == 200, reply.body
        page = reply.json()
        steps += page["steps"]
        if page["next_cursor"] is None:
            return page["value"], steps
        assert len(page["steps"]) == limit
        cursor = {"cursor": page["next_cursor"]}


def adds_up(value: int, steps: list[Any]) -> bool:
    running = 0
    for step in steps:
        running += step["change"]
        assert step["value"] == running
    return running == value


def order(shop: Shop, drawn: int) -> str:
    tenders = (from_wallet(drawn), BY_CARD)
    order_id: str = shop.checkout(cart_id=shop.cart(coffee=2), tenders=tenders)["order"]["id"]
    return order_id


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_wallet_is_what_was_put_into_it_less_what_was_spent(limit: int, people: People, shop: Shop) -> None:
    shop.fund(50_000)
    shop.clock.advance(seconds=1)
    shop.fund(20_000)
    shop.clock.advance(seconds=1)
    paid = order(shop, 30_000)
    pay(shop, paid)
    shop.run(confirmation(shop, paid), saga(shop), "confirm")
    order(shop, 1_000)  # held only: it is still the customer's
    shop.fund(7, currency="USD")
    folded(shop)
    for client in (people.customer(), people.admin):
        value, steps = explanation(client, "wallet/cus_amina/store_credit/KES", limit)
        assert [step["change"] for step in steps] == [50_000, 20_000, -30_000]
        assert adds_up(value, steps)
    assert value == sum(shop.worth()) == 40_000
    assert explanation(people.admin, "wallet/cus_amina/store_credit/USD")[0] == 7


def test_a_wallet_that_never_was_is_nothing(people: People, shop: Shop) -> None:
    assert explanation(people.customer(), "wallet/cus_amina/store_credit/KES") == (0, [])


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_an_account_is_the_sum_of_its_postings(limit: int, people: People, shop: Shop) -> None:
    for amount in (50_000, 20_000, 1):
        shop.fund(amount)
    folded(shop)
    value, steps = explanation(people.admin, "account/expense:loyalty", limit, asset="KES")
    assert adds_up(value, steps)
    assert value == 70_001


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_stock_figure_is_the_sum_of_its_movements(limit: int, people: People, shop: Shop) -> None:
    rules: dict[str, Any] = {"tax_rates": {"standard": 1600, "zero": 0}, "demo": True, "locations": ("main", "coast")}
    shop.run(PutTenant("Soko", **rules))
    shop.run(AdjustStock("coffee", -3, AdjustmentReason.DAMAGE, "main", ""))
    shop.run(MoveStock("coffee", 5, "main", "coast", ""))
    shop.checkout(cart_id=shop.cart(coffee=1))
    for client in (people.admin, people.vendor("ven_buna")):
        value, steps = explanation(client, "stock/coffee", limit)
        assert adds_up(value, steps)
    assert value == people.admin.get("/v1/stock/coffee").json()["on_hand"] == 47
    assert "adjustment damage" in [step["what"] for step in steps]


@pytest.mark.parametrize("limit", [1, 50])
def test_an_order_is_where_its_records_brought_it(limit: int, people: People, shop: Shop) -> None:
    shop.fund(50_000)
    confirmed, cancelled, waiting = (order(shop, 10_000) for _ in range(3))
    shop.clock.advance(seconds=1)
    pay(shop, confirmed)
    shop.clock.advance(seconds=1)
    shop.run(confirmation(shop, confirmed), saga(shop), "confirm")
    give_up(shop, cancelled, CancelReason.UNPAID)
    folded(shop)
    for order_id, statuses in {
        confirmed: ["PENDING_PAYMENT", "PENDING_PAYMENT", "CONFIRMED"],
        cancelled: ["PENDING_PAYMENT", "CANCELLED"],
        waiting: ["PENDING_PAYMENT"],
    }.items():
        value, steps = explanation(people.customer(), f"order/{order_id}", limit)
        assert [step["value"] for step in steps] == statuses
        assert value == statuses[-1] == people.admin.get(f"/v1/orders/{order_id}").json()["status"]
        assert steps[0]["what"] == "checkout"
    listed = people.admin.get("/v1/log", query={"resource": confirmed}).json()["items"]
    assert [entry["log_id"] for entry in reversed(listed)] == [
        step["record"] for step in explanation(people.admin, f"order/{confirmed}")[1]
    ]


def test_what_is_not_yours_is_not_explained(people: People, shop: Shop) -> None:
    shop.fund(50_000)
    mine = order(shop, 1_000)
    elsewhere = People(people.issuer, "kiosk")
    for client, resource, code in (
        (people.customer("brian"), "wallet/cus_amina/store_credit/KES", "unknown_customer"),
        (people.customer("brian"), f"order/{mine}", "unknown_order"),
        (elsewhere.admin, f"order/{mine}", "unknown_order"),
        (people.vendor("ven_kazi"), "stock/coffee", "unknown_sku"),
        (elsewhere.admin, "stock/coffee", "unknown_sku"),
        (people.customer(), "stock/coffee", "forbidden"),
        (people.customer(), "account/expense:loyalty?asset=KES", "forbidden"),
        (elsewhere.admin, "account/expense:loyalty?asset=KES", "unknown_account"),
    ):
        assert client.get(f"/v1/explain/{resource}").code == code, resource
    assert explanation(elsewhere.admin, "wallet/cus_amina/store_credit/KES") == (0, [])


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("wallet/cus_amina/cash/KES", "invalid_request"),
        ("wallet/cus_amina/store_credit/kes", "invalid_request"),
        ("wallet/cus_amina/store_credit/KES?limit=0", "invalid_request"),
        ("wallet/cus_amina/store_credit/KES?asset=KES", "unknown_parameter"),
        ("wallet/cus_amina", "not_found"),
        ("account/expense:loyalty", "invalid_request"),
        ("account/CASH?asset=KES", "invalid_request"),
        ("order/ord_none", "unknown_order"),
        ("stock/none", "unknown_sku"),
        ("weather/nairobi", "not_found"),
    ],
)
def test_what_can_not_be_explained_is_refused(resource: str, code: str, people: People, shop: Shop) -> None:
    assert people.admin.get(f"/v1/explain/{resource}").code == code


def test_a_cursor_is_good_for_its_own_resource(people: People, shop: Shop) -> None:
    shop.fund(1)
    shop.fund(1)
    folded(shop)
    page = people.admin.get("/v1/explain/wallet/cus_amina/store_credit/KES", query={"limit": 1}).json()
    query = {"cursor": page["next_cursor"]}
    assert people.admin.get("/v1/explain/wallet/cus_amina/store_credit/KES", query=query).status == 200
    for other in ("wallet/cus_amina/store_credit/USD", "wallet/cus_brian/store_credit/KES", "stock/coffee"):
        assert people.admin.get(f"/v1/explain/{other}", query=query).code == "invalid_cursor"
