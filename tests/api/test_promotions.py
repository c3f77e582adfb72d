"""Promotions, over HTTP: put up by staff, taken off the price, refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.inventory.claims import Claims
from cauri.orders.commands import CancelOrder
from cauri.orders.model import CancelReason
from cauri.parties.commands import PutTenant

from tests.api.client import Client, People, Reply
from tests.api.tables import dump
from tests.api.test_checkout import BY_CARD, buy, kes
from tests.proof.examples.worlds import saga
from tests.shop import Shop


def put(people: People, code: str, **body: Any) -> Reply:
    whole: dict[str, Any] = {"title": "Less", "scope": "order"} | body
    return people.admin.put(f"/v1/promotions/{code}", whole)


def shirt(client: Client, *codes: str, **body: Any) -> Reply:
    return buy(client, ("shirt-l", 1), promotion_codes=list(codes), **body)


def give_up(shop: Shop, reply: Reply) -> None:
    order = reply.json()["order"]
    command = CancelOrder(order["id"], order["customer_id"], CancelReason.UNPAID)
    shop.run(command, saga(shop), f"cancel-{order['id']}")
    Claims(shop.database, shop.tenant).give_back(shop.tree(order["id"]).parts)


def test_a_promotion_is_put_read_listed_and_changed(people: People, shop: Shop) -> None:
    made = put(people, "Welcome10", percent_bps=1000, ends_at="2027-01-01T03:00:00+03:00")
    assert made.status == 200
    assert made.json() | {"code": "WELCOME10", "ends_at": "2027-01-01T00:00:00Z"} == made.json()
    assert people.admin.get("/v1/promotions/welcome10").json() == {
        "promotion": made.json(),
        "used": None,
        "waiting": None,
        "left": None,
    }
    put(people, "ANOTHER", amounts={"KES": 5_000})
    page = people.of("finance").get("/v1/promotions?limit=1").json()
    rest = people.of("finance").get("/v1/promotions", query={"cursor": page["next_cursor"]}).json()
    assert [one["code"] for one in page["items"] + rest["items"]] == ["ANOTHER", "WELCOME10"]
    assert put(people, "WELCOME10", percent_bps=500).json()["percent_bps"] == 500
    assert people.admin.get("/v1/promotions/none").code == "unknown_promotion"


def test_a_code_takes_off_and_the_order_shows_what(people: People, shop: Shop) -> None:
    put(people, "TEN", percent_bps=1000, title="Ten percent")
    placed = buy(people.customer(), ("shirt-l", 2), ("coffee", 1), promotion_codes=["ten", "TEN"]).json()["order"]
    assert (placed["gross"], placed["discount"]) == (kes(510_000), kes(51_000))
    assert placed["promotions"] == [{"code": "TEN", "title": "Ten percent", "discount": kes(51_000)}]
    assert placed["goods"] == kes(459_000)
    assert placed["tax"] == kes(43_200)  # 16 % of the shirts at 2,700.00
    [coffee, shirts] = [line for share in placed["vendor_orders"] for line in share["lines"]]
    assert shirts["gross"] == kes(300_000)
    assert shirts["discounts"] == [{"code": "TEN", "amount": kes(30_000), "funded_by": "vendor"}]
    assert coffee["discount"] == kes(21_000)
    assert placed["vendor_orders"][1]["commission"] == kes(27_000)
    seen = people.vendor().get(f"/v1/orders/{placed['id']}").json()
    assert seen["promotions"] == [{"code": "TEN", "title": "Ten percent", "discount": kes(30_000)}]


def test_what_was_given_is_frozen(people: People, shop: Shop) -> None:
    put(people, "TEN", percent_bps=1000)
    placed = shirt(people.customer(), "TEN").json()["order"]
    put(people, "TEN", percent_bps=5000, active=False)
    assert people.customer().get(f"/v1/orders/{placed['id']}").json() == placed


def test_an_automatic_one_needs_no_code_and_a_dry_run_shows_its_price(people: People, shop: Shop) -> None:
    put(people, "BLACK-FRIDAY", amounts={"KES": 20_000}, automatic=True, scope="line", vendors=["ven_kazi"])
    body = {"lines": [{"sku": "shirt-l", "quantity": 2}], "currency": "KES", "tenders": BY_CARD}
    before = dump()
    dry = people.customer().post("/v1/checkouts?dry_run=true", body | {"return_url": "https://shop.example"}).json()
    assert dry["order"]["discount"] == kes(40_000)
    assert dump() == before
    assert buy(people.customer(), ("shirt-l", 2)).json()["order"]["discount"] == kes(40_000)
    put(people, "BLACK-FRIDAY", amounts={"KES": 20_000}, automatic=True, active=False)
    assert buy(people.customer(), ("shirt-l", 2)).json()["order"]["discount"] == kes(0)


def test_what_is_free_is_paid_by_nothing(people: People, shop: Shop) -> None:
    put(people, "GIFT", percent_bps=10_000)
    placed = shirt(people.customer(), "GIFT").json()
    assert (placed["order"]["total"], placed["authorization_url"]) == (kes(0), None)


@pytest.mark.parametrize(
    ("promotion", "code", "status"),
    [
        ({"percent_bps": 1, "active": False}, "unknown_promotion", 404),
        ({"percent_bps": 1, "starts_at": "2999-01-01T00:00:00Z"}, "promotion_not_started", 422),
        ({"percent_bps": 1, "ends_at": "2001-01-01T00:00:00Z"}, "promotion_expired", 422),
        ({"percent_bps": 1, "skus": ["coffee"]}, "promotion_not_applicable", 422),
        ({"amounts": {"USD": 1}}, "promotion_not_in_currency", 422),
        ({"percent_bps": 1, "minimum_spend": {"KES": 150_001}}, "promotion_below_minimum", 422),
    ],
)
def test_a_code_that_can_not_be_used_says_why(
    people: People, shop: Shop, promotion: dict[str, Any], code: str, status: int
) -> None:
    put(people, "P", **promotion)
    before = dump()
    reply = shirt(people.customer(), "P")
    assert (reply.status, reply.code) == (status, code)
    assert dump() == before


def test_below_the_minimum_it_says_how_much_more_to_spend(people: People, shop: Shop) -> None:
    put(people, "P", percent_bps=1, minimum_spend={"KES": 200_000})
    said = shirt(people.customer(), "P").json()
    assert said["suggestion"] == "Spend KES 500.00 more to use P."
    assert (said["minimum"], said["missing"]) == (kes(200_000), kes(50_000))
    assert buy(people.customer(), ("shirt-l", 2), promotion_codes=["P"]).status == 201


def test_a_code_of_nobody_and_one_of_another_tenant_are_the_same(people: People, shop: Shop) -> None:
    stranger = Shop(shop.database, "duka")
    stranger.run(PutTenant("Duka"))
    other = People(people.issuer, "duka").admin
    assert other.put("/v1/promotions/TEN", {"title": "T", "scope": "order", "percent_bps": 1}).status == 200
    for code in ("NONE", "TEN"):
        reply = shirt(people.customer(), code)
        assert (reply.status, reply.code) == (404, "unknown_promotion")
    assert people.admin.get("/v1/promotions/TEN").status == 404
    assert people.admin.get("/v1/promotions").json()["items"] == []


@pytest.mark.parametrize("role", ["customer", "guest", "vendor", "finance"])
def test_only_managers_put_up_promotions(people: People, shop: Shop, role: str) -> None:
    caller = people.of(role, customer_id="cus_amina", vendor_id="ven_kazi")
    body = {"title": "T", "scope": "order", "percent_bps": 1}
    assert caller.put("/v1/promotions/TEN", body).status == 403


# -- Limits


def test_a_limit_is_for_all_and_an_order_that_is_not_paid_gives_its_use_back(people: People, shop: Shop) -> None:
    put(people, "TWO", percent_bps=1000, uses_max=2)
    first, second = (shirt(people.customer(name), "TWO") for name in ("amina", "brian"))
    assert (first.status, second.status) == (201, 201)
    refused = shirt(people.customer("chege"), "TWO")
    assert (refused.status, refused.code) == (409, "promotion_used_up")
    standing = people.admin.get("/v1/promotions/TWO").json()
    assert (standing["used"], standing["waiting"], standing["left"]) == (0, 2, 0)
    give_up(shop, first)
    give_up_again = people.admin.get("/v1/promotions/TWO").json()
    assert (give_up_again["waiting"], give_up_again["left"]) == (1, 1)
    assert shirt(people.customer("chege"), "TWO").status == 201
    assert shirt(people.customer("dalia"), "TWO").code == "promotion_used_up"


def test_a_limit_can_be_raised_and_lifted_and_not_lowered(people: People, shop: Shop) -> None:
    put(people, "P", percent_bps=1000, uses_max=1)
    assert shirt(people.customer(), "P").status == 201
    assert put(people, "P", percent_bps=1000, uses_max=3).status == 200
    assert people.admin.get("/v1/promotions/P").json()["left"] == 2
    lowered = put(people, "P", percent_bps=1000, uses_max=2)
    assert (lowered.status, lowered.code) == (409, "promotion_limit_fixed")
    assert put(people, "P", percent_bps=1000).json()["uses_max"] is None
    for _ in range(4):
        assert shirt(people.customer(), "P").status == 201


def test_a_customer_uses_it_so_often(people: People, shop: Shop) -> None:
    put(people, "ONCE", percent_bps=1000, uses_max_per_customer=1)
    first = shirt(people.customer(), "ONCE")
    assert first.status == 201
    again = shirt(people.customer(), "ONCE")
    assert (again.status, again.code) == (409, "promotion_used_by_customer")
    assert shirt(people.customer("brian"), "ONCE").status == 201
    give_up(shop, first)
    assert shirt(people.customer(), "ONCE").status == 201
    changed = put(people, "ONCE", percent_bps=1000, uses_max_per_customer=2)
    assert (changed.status, changed.code) == (409, "promotion_limit_fixed")


def test_a_guest_is_known_by_email_however_it_is_written(people: People, shop: Shop) -> None:
    put(people, "ONCE", percent_bps=1000, uses_max_per_customer=1)
    assert shirt(people.guest, "ONCE", contact={"email": "amina@example.com"}).status == 201
    again = shirt(people.guest, "ONCE", contact={"email": "Amina@Example.com"})
    assert again.code == "promotion_used_by_customer"
    assert shirt(people.guest, "ONCE", contact={"email": "brian@example.com"}).status == 201
    assert not [text for (table, *_), text in dump().items() if table != "platform" and "amina@" in text.lower()]


def test_what_a_guest_used_counts_for_the_customer_who_proves_the_address(people: People, shop: Shop) -> None:
    put(people, "ONCE", percent_bps=1000, uses_max_per_customer=1)
    put(people, "TWICE", percent_bps=1000, uses_max_per_customer=2)
    for code in ("ONCE", "TWICE"):
        assert shirt(people.guest, code, contact={"email": "amina@example.com"}).status == 201
    proven = {"email": "Amina@example.com", "email_verified": True}
    amina = people.of("customer", sub="usr_amina", customer_id="cus_amina", **proven)
    assert shirt(amina, "ONCE").code == "promotion_used_by_customer"
    assert amina.post("/v1/customers/cus_amina/link").status == 200
    assert shirt(amina, "ONCE").code == "promotion_used_by_customer"
    assert [shirt(amina, "TWICE").status for _ in range(2)] == [201, 409]
    assert shirt(people.customer("brian"), "ONCE").status == 201


def test_an_automatic_one_that_is_used_up_is_left_out(people: People, shop: Shop) -> None:
    put(people, "FIRST", percent_bps=1000, automatic=True, uses_max=1)
    assert buy(people.customer(), ("shirt-l", 1)).json()["order"]["discount"] == kes(15_000)
    assert buy(people.customer(), ("shirt-l", 1)).json()["order"]["discount"] == kes(0)
    assert shirt(people.customer(), "FIRST").code == "promotion_used_up"


def test_an_automatic_one_for_each_customer_once(people: People, shop: Shop) -> None:
    put(people, "HELLO", percent_bps=1000, automatic=True, uses_max=50, uses_max_per_customer=1)
    given = [buy(people.customer(), ("shirt-l", 1)).json()["order"]["discount"] for _ in range(2)]
    assert given == [kes(15_000), kes(0)]
    assert people.admin.get("/v1/promotions/HELLO").json()["left"] == 49


def test_a_tenant_has_so_many_automatic_ones(people: People, shop: Shop) -> None:
    for number in range(20):
        assert put(people, f"A{number}", percent_bps=1, automatic=True).status == 200
    reply = put(people, "A20", percent_bps=1, automatic=True)
    assert (reply.status, reply.code) == (422, "too_many_automatic_promotions")
    put(people, "A3", percent_bps=1)
    assert put(people, "A20", percent_bps=1, automatic=True).status == 200
