"""The catalogue and the stock, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.log import Record, read_record
from cauri.books.shelf import write_of
from cauri.checkout.commands import InlineLine
from cauri.edge import wiring
from cauri.inventory.commands import PutProduct
from cauri.inventory.model import CellChange, catalogue_shard

from tests.api.client import Client, People
from tests.proof import state
from tests.shop import Shop

BASKET = {
    "vendor_id": "ven_kazi",
    "title": "Kiondo",
    "prices": {"KES": 320_000, "USD": 3_400},
    "tax_class": "zero",
    "weight_grams": 700,
    "dimensions_mm": [300, 300, 350],
    "variant_of": "kiondo",
    "options": {"size": "M", "colour": "Bläck ☕"},
    "low_stock": 5,
    "backorder": True,
    "backorder_limit": 30,
}


def test_a_product_reads_as_it_was_put(people: People, shop: Shop) -> None:
    put = people.admin.put("/v1/products/kiondo-m", BASKET)
    assert put.status == 200
    assert put.json() == {"sku": "kiondo-m", **BASKET}
    for client in (people.guest, people.customer(), people.vendor("ven_buna"), people.of("partner")):
        assert client.get("/v1/products/kiondo-m").json() == put.json()


def test_what_is_left_out_takes_its_default(people: People, shop: Shop) -> None:
    put = people.admin.put("/v1/products/kiondo-m", BASKET)
    assert put.status == 200
    lean = {"vendor_id": "ven_kazi", "title": "Kiondo", "prices": {"KES": 1}}
    assert people.admin.put("/v1/products/kiondo-m", lean).json() == {
        "sku": "kiondo-m",
        **lean,
        "tax_class": "standard",
        "weight_grams": None,
        "dimensions_mm": None,
        "variant_of": None,
        "options": {},
        "low_stock": None,
        "backorder": False,
        "backorder_limit": None,
    }


def test_null_is_what_is_left_out(people: People, shop: Shop) -> None:
    body = {"vendor_id": "ven_kazi", "title": "K", "prices": {"KES": 1}, "weight_grams": None, "variant_of": None}
    assert people.admin.put("/v1/products/kiondo-m", body).status == 200


def test_reading_a_product_takes_one_round_trip(people: People, shop: Shop) -> None:
    meter = wiring.database().meter
    before = meter.round_trips
    people.guest.get("/v1/products/coffee")
    assert meter.round_trips - before == 1


def test_a_product_needs_its_vendor_and_its_tax_class(people: People, shop: Shop) -> None:
    assert people.admin.put("/v1/products/x", BASKET | {"vendor_id": "ven_none"}).code == "unknown_vendor"
    assert people.admin.put("/v1/products/x", BASKET | {"tax_class": "luxury"}).code == "unknown_tax_class"
    assert people.admin.get("/v1/products/x").code == "unknown_sku"


def test_a_tenant_that_is_not_set_up_sells_nothing(people: People, shop: Shop) -> None:
    reply = People(people.issuer, "kiosk").admin.put("/v1/products/x", BASKET)
    assert (reply.status, reply.code) == (404, "unknown_tenant")
    assert "PUT /v1/tenant" in reply.json()["suggestion"]


def test_a_vendor_puts_its_own_products_and_nobody_elses(people: People, shop: Shop) -> None:
    kazi, buna = people.vendor("ven_kazi"), people.vendor("ven_buna")
    assert kazi.put("/v1/products/kiondo-m", BASKET).status == 200
    assert buna.put("/v1/products/kiondo-l", BASKET).code == "unknown_vendor"
    taken = buna.put("/v1/products/kiondo-m", BASKET | {"vendor_id": "ven_buna", "tax_class": "standard"})
    assert (taken.status, taken.code) == (409, "sku_taken")
    assert kazi.put("/v1/products/kiondo-m", BASKET | {"vendor_id": "ven_buna"}).code == "unknown_vendor"
    assert people.guest.get("/v1/products/kiondo-m").json()["vendor_id"] == "ven_kazi"


# -- The catalogue


def pages(client: Client, **query: Any) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = {}
    while True:
        page = client.get("/v1/products", query={**query, **cursor}).json()
        found.append([product["sku"] for product in page["items"]])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_a_catalogue_of_one_page_has_no_next(people: People, shop: Shop) -> None:
    assert pages(people.guest) == [["basket", "coffee", "shirt-l"]]
    assert pages(people.guest, limit=3) == [["basket", "coffee", "shirt-l"]]


@pytest.mark.parametrize("limit", [1, 7, 16, 40, 100])
def test_pages_of_any_size_have_every_product_once_and_in_order(limit: int, people: People, shop: Shop) -> None:
    skus = sorted([f"p{number:03d}" for number in range(60)] + ["basket", "coffee", "shirt-l"])
    for sku in skus[:-1]:
        if sku.startswith("p"):
            shop.run(PutProduct(sku, "ven_kazi", sku, {"KES": 1}))
    found = pages(people.guest, limit=limit)
    assert [sku for page in found for sku in page] == skus
    assert all(len(page) == limit for page in found[:-1])


def test_products_that_gather_in_one_shard_are_all_found(people: People, shop: Shop) -> None:
    together = [sku for sku in (f"q{number}" for number in range(2000)) if catalogue_shard(sku) == 5][:40]
    for sku in together:
        shop.run(PutProduct(sku, "ven_kazi", sku, {"KES": 1}))
    found = pages(people.guest, limit=30)
    assert [sku for page in found for sku in page] == sorted([*together, "basket", "coffee", "shirt-l"])


def test_a_page_of_an_even_catalogue_takes_one_round_trip(people: People, shop: Shop) -> None:
    meter = wiring.database().meter
    before = meter.round_trips
    people.guest.get("/v1/products")
    assert meter.round_trips - before == 1


def test_a_cursor_is_its_tenants_own(people: People, shop: Shop) -> None:
    cursor = people.guest.get("/v1/products", query={"limit": 1}).json()["next_cursor"]
    reply = People(people.issuer, "kiosk").guest.get("/v1/products", query={"cursor": cursor})
    assert (reply.status, reply.code) == (400, "invalid_cursor")


def test_another_tenants_catalogue_is_empty(people: People, shop: Shop) -> None:
    assert People(people.issuer, "kiosk").guest.get("/v1/products").json() == {"items": [], "next_cursor": None}


# -- Stock


def test_what_arrives_is_available(people: People, shop: Shop) -> None:
    reply = people.vendor("ven_buna").post("/v1/stock/coffee/receipts", {"quantity": 25, "reason": "harvest"})
    assert reply.status == 201
    there = {"on_hand": 75, "available": 75, "reserved": 0, "allocated": 0}
    assert reply.json() == {"sku": "coffee", **there, "backordered": 0, "locations": [{"location": "main", **there}]}
    assert people.admin.get("/v1/stock/coffee").json() == {**reply.json(), "reservations": []}


def test_stock_says_what_is_reserved_and_by_whom(people: People, shop: Shop) -> None:
    shop.checkout(lines=(InlineLine("coffee", 3),), currency="KES")
    stock = people.admin.get("/v1/stock/coffee").json()
    assert (stock["on_hand"], stock["available"], stock["reserved"]) == (50, 47, 3)
    (reservation,) = stock["reservations"]
    assert reservation["quantity"] == 3
    assert reservation["expires_at"].endswith("Z")


def test_a_product_without_stock_has_none(people: People, shop: Shop) -> None:
    people.admin.put("/v1/products/kiondo-m", BASKET)
    assert people.admin.get("/v1/stock/kiondo-m").json()["on_hand"] == 0


def test_stock_of_what_is_not_sold_is_not_there(people: People, shop: Shop) -> None:
    assert people.admin.get("/v1/stock/none").code == "unknown_sku"
    assert people.admin.post("/v1/stock/none/receipts", {"quantity": 1}).code == "unknown_sku"


# -- Locations


def test_stock_is_kept_adjusted_and_moved_at_the_tenants_locations(people: People, shop: Shop) -> None:
    shop.furnish(locations=("main", "mombasa"))
    buna = people.vendor("ven_buna")
    assert buna.post("/v1/stock/coffee/receipts", {"quantity": 25, "location": "mombasa"}).json()["on_hand"] == 75
    lost = {"quantity": -3, "reason": "damage", "location": "mombasa", "note": "wet"}
    assert buna.post("/v1/stock/coffee/adjustments", lost).status == 201
    moved = buna.post(
        "/v1/stock/coffee/moves", {"quantity": 20, "from_location": "mombasa", "to_location": "main"}
    ).json()
    assert {each["location"]: each["available"] for each in moved["locations"]} == {"main": 70, "mombasa": 2}
    assert {**moved, "reservations": []} == buna.get("/v1/stock/coffee").json()


def test_what_stands_against_a_change_of_stock(people: People, shop: Shop) -> None:
    shop.furnish(locations=("main", "mombasa"))
    shop.checkout(lines=(InlineLine("coffee", 45),), currency="KES")
    more = people.admin.post("/v1/stock/coffee/adjustments", {"quantity": -6, "reason": "loss"})
    assert (more.status, more.code) == (409, "stock_committed")
    assert (more.json()["available"], more.json()["reserved"], more.json()["allocated"]) == (5, 45, 0)
    nowhere = people.admin.post("/v1/stock/coffee/receipts", {"quantity": 1, "location": "atlantis"})
    assert (nowhere.status, nowhere.code) == (422, "unknown_location")
    assert "main, mombasa" in nowhere.json()["suggestion"]
    here = {"quantity": 1, "from_location": "main", "to_location": "main"}
    assert people.admin.post("/v1/stock/coffee/moves", here).code == "same_location"


def test_the_movements_of_a_product_are_read_in_pages(people: People, shop: Shop) -> None:
    for turn in range(1, 5):
        shop.clock.advance(minutes=1)
        people.admin.post("/v1/stock/coffee/adjustments", {"quantity": turn, "reason": "count"})
    first = people.admin.get("/v1/stock/coffee/movements", query={"limit": 3}).json()
    rest = people.admin.get("/v1/stock/coffee/movements", query={"cursor": first["next_cursor"]}).json()
    assert rest["next_cursor"] is None
    told = [(each["kind"], each["quantity"], each["reason"]) for each in first["items"] + rest["items"]]
    assert sorted(told) == [*(("adjustment", turn, "count") for turn in range(1, 5)), ("receipt", 50, "receipt")]


def test_others_stock_is_neither_changed_nor_seen(people: People, shop: Shop) -> None:
    there = {"quantity": 1, "from_location": "main", "to_location": "main"}
    for client in (people.vendor("ven_kazi"), People(people.issuer, "kiosk").admin):
        assert client.post("/v1/stock/coffee/adjustments", {"quantity": 1, "reason": "count"}).code == "unknown_sku"
        assert client.post("/v1/stock/coffee/moves", {**there, "to_location": "x"}).code == "unknown_sku"
        assert client.get("/v1/stock/coffee/movements").code == "unknown_sku"


# -- Low stock


def test_low_stock_is_told_once_per_crossing(people: People, shop: Shop) -> None:
    few = BASKET | {"low_stock": 5}
    people.admin.put("/v1/products/kiondo-m", few)
    for quantity in (20, -14, -1, -1, 2, -3, 1):
        people.admin.post("/v1/stock/kiondo-m/adjustments", {"quantity": quantity, "reason": "count"})
    told = [event.name for record in records(shop) for event in record.events if event.resource == "kiondo-m"]
    levels = [name for name in told if name in ("stock.low", "stock.replenished")]
    assert sorted(levels) == ["stock.low", "stock.low", "stock.replenished"]


def records(shop: Shop) -> list[Record]:
    return [read_record(item) for item in state.items()["log"]]


# -- Repair


def test_stock_is_repaired_from_its_records(people: People, shop: Shop) -> None:
    shop.database.transact([write_of(CellChange(shop.tenant, "coffee", "main", 0, 4))])
    difference = {"counter": "on_hand", "location": "main", "cell": None, "recorded": 50, "found": 54, "corrected": -4}
    manager = people.of("manager")
    told = manager.post("/v1/stock/coffee/repair", query={"dry_run": "true"})
    assert (told.status, told.json()["differences"]) == (200, [difference])
    assert people.admin.get("/v1/stock/coffee").json()["on_hand"] == 54
    mended = manager.post("/v1/stock/coffee/repair").json()
    assert (mended["differences"], mended["stock"]["on_hand"]) == ([difference], 50)
    assert manager.post("/v1/stock/coffee/repair").json()["differences"] == []
    [record] = [one for one in records(shop) if one.command == "repair_stock" and one.events]
    assert record.events[0].data["differences"] == [difference]
    assert manager.post("/v1/stock/unicorn/repair").code == "unknown_sku"
    assert People(people.issuer, "kiosk").admin.post("/v1/stock/coffee/repair").code == "unknown_sku"
