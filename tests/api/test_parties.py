"""Customers' records, and the list of vendors, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.parties.commands import PutCustomer, PutVendor

from tests.api.client import Client, People
from tests.api.test_checkout import buy
from tests.proof.state import items
from tests.shop import Shop

AMINA = {
    "name": "Amina Odhiambo",
    "email": "amina.odhiambo@example.com",
    "phone": "+254 20 7654321",
    "address": {
        "line1": "Moi Avenue 1",
        "line2": "",
        "city": "Nairobi",
        "region": "",
        "postcode": "00100",
        "country": "KE",
    },
}
SECRETS = ("Odhiambo", "amina.odhiambo", "7654321", "Moi Avenue")


def pages(client: Client, path: str, limit: int) -> list[Any]:
    found, query = [], {"limit": limit}
    while True:
        page = client.get(path, query=query).json()
        found += page["items"]
        assert len(page["items"]) <= limit
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def kept() -> str:
    return str(items())


@pytest.mark.parametrize("role", ["customer", "manager", "admin", "finance"])
def test_a_customers_record_reads_as_it_was_put(role: str, people: People, shop: Shop) -> None:
    client = people.customer() if role == "customer" else people.of(role)
    put = client.put("/v1/customers/cus_amina", AMINA)
    assert put.json() == {"id": "cus_amina", "version": 1}
    assert client.get("/v1/customers/cus_amina").json() == {"id": "cus_amina", "version": 1, **AMINA}
    less = client.put("/v1/customers/cus_amina", {"email": "a@example.com"}).json()
    assert less["version"] == 2
    read = client.get("/v1/customers/cus_amina").json()
    assert (read["name"], read["email"], read["phone"], read["address"]) == ("", "a@example.com", "", {})


def test_the_log_knows_no_person(people: People, shop: Shop) -> None:
    people.customer().put("/v1/customers/cus_amina", AMINA)
    log = str(items()["log"])
    assert "put_customer" in log
    assert not [secret for secret in SECRETS if secret in log]
    bodies = [people.customer().put("/v1/customers/cus_amina", AMINA, key="again").body for _ in range(2)]
    assert not [secret for secret in SECRETS if secret.encode() in bodies[1]]


def test_who_is_erased_is_gone_and_the_books_are_not(people: People, shop: Shop) -> None:
    amina = people.customer()
    amina.put("/v1/customers/cus_amina", AMINA)
    contact = {"email": AMINA["email"], "name": AMINA["name"], "address": AMINA["address"]}
    order = buy(amina, ("coffee", 1), contact=contact).json()["order"]["id"]
    others = buy(people.customer("brian"), ("coffee", 1), contact={"email": "brian@example.com"})
    assert others.status == 201
    assert all(secret in kept() for secret in SECRETS)
    before = people.admin.get(f"/v1/orders/{order}").body
    erased = amina.delete("/v1/customers/cus_amina")
    assert (erased.status, erased.json()) == (200, {"id": "cus_amina", "version": 2, "complete": True})
    assert not [secret for secret in SECRETS if secret in kept()]
    assert "brian@example.com" in kept()
    assert people.admin.get(f"/v1/orders/{order}").body == before
    assert people.admin.get("/v1/customers/cus_amina").code == "unknown_customer"
    assert amina.put("/v1/customers/cus_amina", AMINA).code == "customer_erased"
    assert pages(people.admin, "/v1/customers", 100) == []


def test_an_erasure_of_many_contacts_says_that_there_are_more(
    people: People, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cauri.parties.commands.ERASED_AT_ONCE_MAX", 2)
    amina = people.customer()
    for _ in range(5):
        buy(amina, ("coffee", 1), contact={"email": AMINA["email"]})
    completes = [people.admin.delete("/v1/customers/cus_amina").json()["complete"] for _ in range(3)]
    assert completes == [False, False, True]
    assert str(AMINA["email"]) not in kept()


def test_a_customer_has_no_other(people: People, shop: Shop) -> None:
    people.customer().put("/v1/customers/cus_amina", AMINA)
    others = (people.customer("brian"), People(people.issuer, "kiosk").admin)
    for client in others:
        assert client.get("/v1/customers/cus_amina").code == "unknown_customer"
        assert client.delete("/v1/customers/cus_amina").code == "unknown_customer"
    assert others[0].put("/v1/customers/cus_amina", AMINA).code == "unknown_customer"
    for client in (people.vendor(), people.guest):
        assert client.get("/v1/customers/cus_amina").code == "forbidden"
    for client in (people.customer(), people.vendor(), people.guest):
        assert client.get("/v1/customers").code == "forbidden"
        assert client.get("/v1/vendors").code == "forbidden"
    assert people.of("manager").delete("/v1/customers/cus_amina").code == "forbidden"
    assert people.admin.get("/v1/customers/cus_amina").json()["version"] == 1


def test_whom_an_order_is_for_is_no_customer(people: People, shop: Shop) -> None:
    buy(people.customer(), ("coffee", 1), contact={"email": "gift@example.com"})
    [party] = [item["pk"]["S"].partition("#party#")[2] for item in items()["platform"] if "#party#" in item["pk"]["S"]]
    assert people.admin.get(f"/v1/customers/{party}").code == "unknown_customer"
    assert people.admin.put(f"/v1/customers/{party}", AMINA).code == "unknown_customer"
    assert pages(people.admin, "/v1/customers", 100) == []


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_customers_and_vendors_are_listed_by_id(limit: int, people: People, shop: Shop) -> None:
    for number in range(23):
        shop.run(PutCustomer(f"cus_{number:02d}", "", f"{number}@example.com"))
        shop.run(PutVendor(f"ven_{number:02d}", "One of many", "KE", 100))
    customers = [one["id"] for one in pages(people.admin, "/v1/customers", limit)]
    assert customers == [f"cus_{number:02d}" for number in range(23)]
    vendors = [one["id"] for one in pages(people.of("finance"), "/v1/vendors", limit)]
    assert vendors == sorted([f"ven_{number:02d}" for number in range(23)] + ["ven_buna", "ven_kazi"])
    assert pages(People(people.issuer, "kiosk").admin, "/v1/vendors", limit) == []


def test_a_cursor_of_one_list_is_no_cursor_of_another(people: People, shop: Shop) -> None:
    cursor = people.admin.get("/v1/vendors?limit=1").json()["next_cursor"]
    assert people.admin.get("/v1/customers", query={"cursor": cursor}).code == "invalid_cursor"
    assert People(people.issuer, "kiosk").admin.get("/v1/vendors", query={"cursor": cursor}).code == "invalid_cursor"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": None}, "/email"),
        ({"email": "nobody"}, "/email"),
        ({"phone": "call me"}, "/phone"),
        ({"name": "a\nb"}, "/name"),
        ({"address": {"city": "Nairobi"}}, "/address/line1"),
        ({"address": {"line1": "x", "country": "Kenya"}}, "/address/country"),
        ({"iban": "KE1"}, "/iban"),
    ],
)
def test_a_record_that_is_not_as_it_should_be_is_refused(
    change: dict[str, Any], pointer: str, people: People, shop: Shop
) -> None:
    reply = people.admin.put("/v1/customers/cus_amina", AMINA | change)
    assert reply.code == "invalid_request"
    assert pointer in [fault["pointer"] for fault in reply.json()["errors"]]


def test_what_a_disabled_vendor_sells_is_not_bought(people: People, shop: Shop) -> None:
    manager = people.of("manager")
    assert manager.post("/v1/vendors/ven_buna/disable").json()["disabled"] is True
    reply = buy(people.customer(), ("coffee", 1), ("basket", 1))
    assert (reply.status, reply.code, reply.json()["vendor_id"]) == (409, "vendor_disabled", "ven_buna")
    assert shop.cells("coffee")[0].claims == {}
    assert buy(people.customer(), ("basket", 1)).status == 201
    manager.put("/v1/vendors/ven_buna", {"name": "Buna", "country": "ET", "commission_bps": 1250})
    assert people.admin.get("/v1/vendors/ven_buna").json()["disabled"] is True, "changing it is not enabling it"
    assert manager.post("/v1/vendors/ven_buna/enable").json()["disabled"] is False
    assert buy(people.customer(), ("coffee", 1)).status == 201


def test_to_disable_a_vendor_takes_one_and_the_right_to(people: People, shop: Shop) -> None:
    assert people.admin.post("/v1/vendors/ven_none/disable").code == "unknown_vendor"
    assert People(people.issuer, "kiosk").admin.post("/v1/vendors/ven_buna/disable").code == "unknown_vendor"
    assert people.vendor("ven_buna").post("/v1/vendors/ven_buna/enable").code == "forbidden"
    assert people.admin.post("/v1/vendors/ven_buna/disable?dry_run=true").json()["disabled"] is True
    assert people.admin.get("/v1/vendors/ven_buna").json()["disabled"] is False
