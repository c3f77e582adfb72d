"""Guests' orders, and the customer who proves the address they were placed by."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.shelf import write_of
from cauri.orders import linking
from cauri.parties.commands import PutTenant
from cauri.parties.model import Party
from cauri.parties.store import party_key

from tests.api.client import Client, People, Reply
from tests.api.tables import dump
from tests.api.test_checkout import buy
from tests.shop import Shop

PROVEN: dict[str, Any] = {"email": "amina@example.com", "email_verified": True}


def amina(people: People, **claims: Any) -> Client:
    return people.of("customer", sub="usr_amina", customer_id="cus_amina", **claims)


def link(client: Client, customer: str = "cus_amina", **more: Any) -> Reply:
    return client.post(f"/v1/customers/{customer}/link", **more)


def as_guest(people: People, email: str = "amina@example.com") -> str:
    order: str = buy(people.guest, ("coffee", 1), contact={"email": email}).json()["order"]["id"]
    return order


def test_the_orders_of_the_proven_address_become_the_customer_s(people: People, shop: Shop) -> None:
    mine, shouted = as_guest(people), as_guest(people, "AMINA@example.com")
    others = as_guest(people, "brian@example.com")
    signed_in = buy(people.customer("brian"), ("coffee", 1), contact={"email": "amina@example.com"}).json()
    client = amina(people, **PROVEN)
    assert client.get(f"/v1/orders/{mine}").status == 404
    linked = link(client)
    assert (linked.status, linked.json()) == (
        200,
        {"customer_id": "cus_amina", "order_ids": [mine, shouted], "more": False},
    )
    assert client.get(f"/v1/orders/{mine}").json()["customer_id"] == "cus_amina"
    assert {order["id"] for order in client.get("/v1/orders").json()["items"]} == {mine, shouted}
    for order in (others, signed_in["order"]["id"]):
        assert client.get(f"/v1/orders/{order}").status == 404
    assert link(client).json()["order_ids"] == []


def contact_of(shop: Shop, order_id: str) -> Party:
    party_id = shop.tree(order_id).order.party_id
    assert party_id is not None
    key = party_key(shop.tenant, party_id)
    party = shop.database.fetch([key])[key]
    assert party is not None
    return party


def test_whom_a_linked_order_was_for_is_forgotten_with_the_customer(people: People, shop: Shop) -> None:
    mine, others = as_guest(people), as_guest(people, "brian@example.com")
    client = amina(people, **PROVEN)
    link(client)
    assert (contact_of(shop, mine).customer_id, contact_of(shop, others).customer_id) == ("cus_amina", None)
    assert client.delete("/v1/customers/cus_amina").json()["complete"] is True
    forgotten = contact_of(shop, mine)
    assert (forgotten.email, forgotten.erased) == ("", True)
    assert contact_of(shop, others).email == "brian@example.com"


def test_an_order_whose_contact_is_gone_is_linked_all_the_same(people: People, shop: Shop) -> None:
    mine = as_guest(people)
    party = contact_of(shop, mine)
    shop.database.write(write_of(party.erase()))
    assert link(amina(people, **PROVEN)).json()["order_ids"] == [mine]
    assert contact_of(shop, mine).customer_id is None


def test_as_many_as_are_linked_at_once_fit_into_a_commit(people: People, shop: Shop) -> None:
    orders = {as_guest(people) for _ in range(linking.LINKED_AT_ONCE_MAX + 1)}
    linked = link(amina(people, **PROVEN)).json()
    assert (len(linked["order_ids"]), linked["more"]) == (linking.LINKED_AT_ONCE_MAX, True)
    assert set(linked["order_ids"]) < orders


def test_an_order_is_linked_once(people: People, shop: Shop) -> None:
    order = as_guest(people)
    assert link(amina(people, **PROVEN)).json()["order_ids"] == [order]
    brian = people.of("customer", sub="usr_brian", customer_id="cus_brian", **PROVEN)
    assert link(brian, "cus_brian").json()["order_ids"] == []
    assert brian.get(f"/v1/orders/{order}").status == 404


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "amina@example.com"},
        {"email": "amina@example.com", "email_verified": False},
        {"email": "amina@example.com", "email_verified": "true"},
        {"email": "amina@example.com", "email_verified": 1},
        {"email_verified": True},
        {"email": "", "email_verified": True},
        {"email": ["amina@example.com"], "email_verified": True},
        {"email": "amina@\N{KELVIN SIGN}enya.example", "email_verified": True},  # in lower case it is another's
    ],
)
def test_what_the_issuer_does_not_say_is_not_proven(people: People, shop: Shop, claims: dict[str, Any]) -> None:
    as_guest(people)
    as_guest(people, "amina@kenya.example")
    before = dump()
    reply = link(amina(people, **claims))
    assert (reply.status, reply.code) == (403, "email_not_proven")
    assert amina(people, **claims).get("/v1/orders").status == 200  # the token is good for everything else
    assert dump() == before


def test_nobody_links_for_another(people: People, shop: Shop) -> None:
    as_guest(people)
    reply = link(amina(people, **PROVEN), "cus_brian")
    assert (reply.status, reply.code) == (404, "unknown_customer")
    for role in ("admin", "guest", "vendor"):
        caller = people.of(role, customer_id="cus_amina", vendor_id="ven_kazi", **PROVEN)
        assert link(caller).status == 403


def test_another_tenant_s_guest_is_somebody_else(people: People, shop: Shop) -> None:
    as_guest(people)
    Shop(shop.database, "duka").run(PutTenant("Duka"))
    stranger = People(people.issuer, "duka").of("customer", sub="usr_amina", customer_id="cus_amina", **PROVEN)
    assert link(stranger).json()["order_ids"] == []


def test_many_are_linked_in_several_calls(people: People, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "LINKED_AT_ONCE_MAX", 2)
    orders = {as_guest(people) for _ in range(5)}
    client = amina(people, **PROVEN)
    calls = [link(client).json() for _ in range(3)]
    assert [(len(call["order_ids"]), call["more"]) for call in calls] == [(2, True), (2, True), (1, False)]
    assert {order for call in calls for order in call["order_ids"]} == orders


def test_a_call_sent_again_gets_its_answer_again(people: People, shop: Shop) -> None:
    as_guest(people)
    client = amina(people, **PROVEN)
    first = link(client, key="link")
    as_guest(people)
    again = link(client, key="link")
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")


def test_a_dry_run_links_nothing(people: People, shop: Shop) -> None:
    order = as_guest(people)
    before = dump()
    reply = amina(people, **PROVEN).post("/v1/customers/cus_amina/link?dry_run=true")
    assert reply.json()["order_ids"] == [order]
    assert dump() == before


def test_an_address_is_in_the_party_s_record_and_nowhere_else(people: People, shop: Shop) -> None:
    as_guest(people)
    link(amina(people, **PROVEN))
    places = [place for place, text in dump().items() if "amina@example.com" in text.lower()]
    assert [(table, key.partition("#")[2][:6]) for table, key, _ in places] == [("platform", "party#")]
