"""Orders over HTTP: whole to their customers and staff, a share to vendors."""

from __future__ import annotations

from typing import Any

from cauri.checkout.commands import InlineLine
from cauri.edge import wiring

from tests.api.client import Client, People
from tests.shop import Shop


def place(shop: Shop, customer: str = "amina", **units: int) -> Any:
    lines = tuple(InlineLine(sku.replace("_", "-"), quantity) for sku, quantity in units.items())
    placed = shop.checkout(shop.customer(customer), lines=lines, currency="KES")["order"]
    shop.clock.advance(seconds=1)
    return placed


def every(client: Client, **query: Any) -> list[Any]:
    found: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = client.get("/v1/orders", query={**query, **cursor}).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_a_customer_and_staff_see_the_whole_tree_in_one_query(people: People, shop: Shop) -> None:
    placed = place(shop, coffee=2, basket=1)
    meter = wiring.database().meter
    for client in (people.customer(), people.of("manager"), people.of("finance"), people.admin):
        before = meter.round_trips
        reply = client.get(f"/v1/orders/{placed['id']}")
        assert (reply.status, reply.json()) == (200, placed)
        assert meter.round_trips - before == 1


def test_a_vendor_sees_its_share_and_what_it_comes_to(people: People, shop: Shop) -> None:
    placed = place(shop, coffee=2, basket=1)
    share = people.vendor("ven_buna").get(f"/v1/orders/{placed['id']}").json()
    assert [one["vendor_id"] for one in share["vendor_orders"]] == ["ven_buna"]
    assert share["total"] == {"amount": 420_000, "currency": "KES"}
    assert share["payments"] == []


def test_an_order_is_not_there_for_those_who_have_no_part_in_it(people: People, shop: Shop) -> None:
    order = place(shop, coffee=1)["id"]
    for client in (people.customer("juma"), people.vendor("ven_kazi"), People(people.issuer, "kiosk").admin):
        assert client.get(f"/v1/orders/{order}").code == "unknown_order"


def test_a_customer_lists_its_orders_the_newest_first(people: People, shop: Shop) -> None:
    placed = [place(shop, coffee=1) for _ in range(5)]
    place(shop, "juma", coffee=1)
    listed = every(people.customer(), limit=2)
    assert [order["id"] for order in listed] == [order["id"] for order in reversed(placed)]
    assert listed[0] == {
        "id": placed[-1]["id"],
        "number": placed[-1]["number"],
        "status": "PENDING_PAYMENT",
        "payment_status": "pending",
        "total": placed[-1]["total"],
        "created_at": placed[-1]["created_at"],
    }


def test_a_vendor_lists_its_shares(people: People, shop: Shop) -> None:
    first, second = place(shop, coffee=1, basket=1), place(shop, "juma", coffee=2)
    listed = every(people.vendor("ven_buna"))
    assert [share["order_id"] for share in listed] == [second["id"], first["id"]]
    assert listed[0]["total"] == {"amount": 420_000, "currency": "KES"}
    assert [share["order_id"] for share in every(people.vendor("ven_kazi"))] == [first["id"]]


def test_staff_say_whose_orders_they_want(people: People, shop: Shop) -> None:
    order = place(shop, coffee=1)
    assert [one["id"] for one in every(people.admin, customer_id="cus_amina")] == [order["id"]]
    assert [one["order_id"] for one in every(people.admin, vendor_id="ven_buna")] == [order["id"]]
    assert every(people.admin, customer_id="cus_nobody") == []


def test_nobody_lists_what_is_anothers(people: People, shop: Shop) -> None:
    place(shop, coffee=1)
    theirs = people.customer("juma").get("/v1/orders", query={"customer_id": "cus_amina"})
    assert (theirs.status, theirs.code) == (404, "unknown_customer")
    at_vendor = people.customer().get("/v1/orders", query={"vendor_id": "ven_buna"})
    assert (at_vendor.status, at_vendor.code) == (404, "unknown_vendor")
    assert people.vendor("ven_kazi").get("/v1/orders", query={"vendor_id": "ven_buna"}).code == "unknown_vendor"
    assert people.vendor().get("/v1/orders", query={"customer_id": "cus_amina"}).code == "unknown_customer"
    assert every(People(people.issuer, "kiosk").admin, customer_id="cus_amina") == []


def test_to_name_oneself_is_allowed(people: People, shop: Shop) -> None:
    order = place(shop, coffee=1)
    assert [one["id"] for one in every(people.customer(), customer_id="cus_amina")] == [order["id"]]


def test_who_is_customer_and_vendor_says_which(people: People, shop: Shop) -> None:
    bought = place(shop, "kazi", coffee=1)
    sold = place(shop, basket=1)
    both = people.of("customer", "vendor", customer_id="cus_kazi", vendor_id="ven_kazi")
    assert [one["id"] for one in every(both)] == [bought["id"]]
    assert [one["order_id"] for one in every(both, vendor_id="ven_kazi")] == [sold["id"]]


def test_a_cursor_is_good_for_one_customers_list_only(people: People, shop: Shop) -> None:
    for _ in range(2):
        place(shop, coffee=1)
    cursor = people.customer().get("/v1/orders", query={"limit": 1}).json()["next_cursor"]
    for client, query in (
        (people.customer("juma"), {}),
        (people.vendor("ven_buna"), {}),
        (people.admin, {"customer_id": "cus_juma"}),
        (People(people.issuer, "kiosk").customer(), {}),
    ):
        assert client.get("/v1/orders", query={"cursor": cursor, **query}).code == "invalid_cursor"
    same = people.admin.get("/v1/orders", query={"cursor": cursor, "customer_id": "cus_amina"})
    assert len(same.json()["items"]) == 1
