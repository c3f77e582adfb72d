"""Orders of accepted quotes: what suppliers agreed to deliver, and to which vessel."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.orders.model import is_imo_number
from cauri.parties.commands import PutTenant

from tests.api.client import People, Reply
from tests.api.tables import dump
from tests.api.test_checkout import BY_CARD, kes
from tests.api.test_linking import PROVEN, amina, link
from tests.shop import Shop

ROPE = {"name": "Mooring rope", "impa_code": "211263", "quantity": 2, "price": kes(4_500_000)}
COFFEE = {"sku": "coffee", "quantity": 3, "price": kes(180_000)}
SHIP = {
    "delivery_port": "KEMBA",
    "vessel_imo": "9074729",
    "vessel_name": "MV Amina",
    "requested_delivery_date": "2026-12-24",
}


def quoted(**body: Any) -> dict[str, Any]:
    return {
        "rfq_id": "rfq-17",
        "buyer_org_id": "org-meridian",
        "currency": "KES",
        "selections": [
            {"vendor_id": "ven_kazi", "lines": [ROPE], "lead_time_days": 5},
            {"vendor_id": "ven_buna", "lines": [COFFEE], "estimated_ready_date": "2026-12-01"},
        ],
        "tenders": BY_CARD,
        "delivery": SHIP,
        "return_url": "https://desk.example/orders",
    } | body


def order(people: People, **body: Any) -> Reply:
    return people.admin.post("/v1/orders/from-quote", quoted(**body))


def one(vendor: str, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"vendor_id": vendor, "lines": list(lines)}]


def test_a_quote_becomes_the_same_hierarchy(people: People, shop: Shop) -> None:
    reply = order(people)
    assert reply.status == 201
    placed = reply.json()["order"]
    assert reply.headers["location"] == f"/v1/orders/{placed['id']}"
    assert (placed["rfq_id"], placed["buyer_org_id"], placed["delivery"]) == ("rfq-17", "org-meridian", SHIP)
    assert placed["total"] == kes(10_440_000 + 540_000)  # rope and 16 %, coffee at the price agreed
    buna, kazi = placed["vendor_orders"]
    assert (kazi["vendor_id"], kazi["commission"], kazi["commission_bps"]) == ("ven_kazi", kes(900_000), 1000)
    assert buna["estimated_ready_date"] == "2026-12-01"
    assert kazi["estimated_ready_date"] > placed["created_at"][:10]
    [rope] = kazi["lines"]
    assert (rope["sku"], rope["impa_code"], rope["title"]) == (None, "211263", "Mooring rope")
    [coffee] = buna["lines"]
    assert (coffee["sku"], coffee["title"], coffee["price"]) == ("coffee", "Coffee, 1 kg", kes(180_000))
    assert sum(cell.reserved for cell in shop.cells("coffee")) == 3
    assert people.vendor().get(f"/v1/orders/{placed['id']}").json()["vendor_orders"] == [kazi]


def test_it_can_be_a_customer_s_and_paid_from_the_wallet(people: People, shop: Shop) -> None:
    shop.fund(600_000)
    selections = one("ven_buna", COFFEE)
    paid_by = [{"type": "wallet"}]
    placed = order(people, customer_id="cus_amina", tenders=paid_by, selections=selections).json()
    assert placed["authorization_url"] is None
    assert people.customer().get(f"/v1/orders/{placed['order']['id']}").json() == placed["order"]
    assert shop.worth() == (60_000, 540_000)
    refused = order(people, customer_id="cus_amina", tenders=paid_by, selections=selections)
    assert (refused.status, refused.code) == (422, "insufficient_balance")
    assert order(people, tenders=paid_by, selections=selections).code == "wallet_needs_customer"


def test_it_becomes_the_customer_s_who_proves_the_address(people: People, shop: Shop) -> None:
    contact = {"email": "Amina@example.com"}
    mine = order(people, contact=contact).json()["order"]["id"]
    for others in ({"contact": {"email": "brian@example.com"}}, {"contact": contact, "customer_id": "cus_brian"}, {}):
        assert order(people, **others).status == 201
    assert link(amina(people, **PROVEN)).json()["order_ids"] == [mine]
    assert amina(people).get(f"/v1/orders/{mine}").json()["customer_id"] == "cus_amina"


@pytest.mark.parametrize(
    ("selections", "status", "code"),
    [
        (one("ven_none", ROPE), 404, "unknown_vendor"),
        (one("ven_kazi", COFFEE), 404, "unknown_sku"),
        (one("ven_buna", COFFEE | {"sku": "none"}), 404, "unknown_sku"),
        (one("ven_buna", COFFEE, COFFEE), 422, "named_twice"),
        (one("ven_kazi", ROPE) * 2, 422, "named_twice"),
        ([{"vendor_id": f"v{n}", "lines": [ROPE] * 60} for n in range(2)], 422, "too_many_lines"),
        (one("ven_kazi", ROPE | {"price": {"amount": 5, "currency": "USD"}}), 422, "currency_mismatch"),
        (one("ven_kazi", ROPE | {"tax_class": "luxury"}), 422, "unknown_tax_class"),
        (one("ven_kazi", ROPE | {"quantity": 100_001}), 422, "quantity_too_large"),
        (one("ven_buna", COFFEE | {"quantity": 51}), 409, "out_of_stock"),
    ],
)
def test_what_can_not_be_sold_is_refused_and_nothing_is_left(
    people: People, shop: Shop, selections: Any, status: int, code: str
) -> None:
    before = dump()
    reply = order(people, selections=selections)
    assert (reply.status, reply.code) == (status, code)
    assert dump() == before


def test_suppliers_of_another_tenant_do_not_exist(people: People, shop: Shop) -> None:
    Shop(shop.database, "duka").run(PutTenant("Duka", demo=True))
    stranger = People(people.issuer, "duka").admin
    reply = stranger.post("/v1/orders/from-quote", quoted())
    assert (reply.status, reply.code) == (404, "unknown_vendor")


@pytest.mark.parametrize("role", ["customer", "guest", "vendor", "finance"])
def test_only_managers_say_what_things_cost(people: People, shop: Shop, role: str) -> None:
    caller = people.of(role, customer_id="cus_amina", vendor_id="ven_kazi")
    assert caller.post("/v1/orders/from-quote", quoted()).status == 403


def test_a_dry_run_shows_the_order_and_does_nothing(people: People, shop: Shop) -> None:
    before = dump()
    reply = people.admin.post("/v1/orders/from-quote?dry_run=true", quoted())
    assert reply.json()["order"]["total"] == kes(10_980_000)
    assert dump() == before


def test_sent_again_it_is_the_same_order(people: People, shop: Shop) -> None:
    first = people.admin.post("/v1/orders/from-quote", quoted(), key="rfq-17")
    again = people.admin.post("/v1/orders/from-quote", quoted(), key="rfq-17")
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert sum(cell.reserved for cell in shop.cells("coffee")) == 3


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("9074729", True),
        ("9176187", True),
        ("9074728", False),
        ("907472", False),
        ("90747290", False),
        ("٩074729", False),
    ],
)
def test_an_imo_number_checks_itself(number: str, right: bool) -> None:
    assert is_imo_number(number) == right
