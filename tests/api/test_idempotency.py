"""A change happens once, and its answer stays what it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Client, People
from tests.api.tables import dump
from tests.shop import Shop

CART = {"currency": "KES"}


def a_checkout(**body: Any) -> dict[str, Any]:
    return {
        "lines": [{"sku": "coffee", "quantity": 2}],
        "currency": "KES",
        "tenders": [{"type": "provider", "provider": "demo"}],
        "return_url": "https://shop.example/thanks",
    } | body


def test_the_same_request_again_gets_the_same_bytes(people: People, shop: Shop) -> None:
    client = people.customer()
    first = client.post("/v1/checkouts", a_checkout(), key="one")
    assert first.status == 201
    assert "idempotent-replayed" not in first.headers
    before = dump()
    again = people.customer().post("/v1/checkouts", a_checkout(), key="one")
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.body == first.body
    assert again.headers["location"] == first.headers["location"]
    assert dump() == before


def test_members_in_another_order_and_spaces_are_the_same_request(people: People, shop: Shop) -> None:
    client = people.admin
    path = "/v1/vendors/ven_x"
    first = client.put(path, raw='{"name":"X","country":"KE","commission_bps":5}', key="one")
    again = client.put(path, raw=' {"commission_bps": 5, "name": "X", "country": "KE"}', key="one")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body


def test_the_same_key_for_another_body_is_refused(people: People, shop: Shop) -> None:
    client = people.customer()
    client.post("/v1/carts", CART, key="one")
    before = dump()
    reply = client.post("/v1/carts", {"currency": "USD"}, key="one")
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")
    assert dump() == before


def test_the_same_key_for_another_operation_is_refused(people: People, shop: Shop) -> None:
    client = people.customer()
    cart = client.post("/v1/carts", CART, key="one").json()["id"]
    assert client.put(f"/v1/carts/{cart}/lines/coffee", {"quantity": 1}, key="one").code == "idempotency_key_reused"


def test_a_key_is_its_callers_own(people: People, shop: Shop) -> None:
    carts = [client.post("/v1/carts", CART, key="one").json()["id"] for client in (people.customer(), people.guest)]
    assert carts[0] != carts[1]


def test_a_refusal_leaves_no_trace_and_may_be_tried_again(people: People, shop: Shop) -> None:
    client = people.customer()
    before = dump()
    refused = client.post("/v1/checkouts", a_checkout(lines=[{"sku": "coffee", "quantity": 51}]), key="one")
    assert (refused.status, refused.code) == (409, "out_of_stock")
    assert refused.json()["available"] == 50
    assert dump() == before
    shop.stock(coffee=1)
    bought = client.post("/v1/checkouts", a_checkout(lines=[{"sku": "coffee", "quantity": 51}]), key="one")
    assert bought.status == 201


@pytest.mark.parametrize("key", [None, "", "x" * 256, "a b", "é", "tab\there", "\x7f", "a\n"], ids=repr)
def test_a_change_without_a_good_key_is_refused(key: str | None, people: People, shop: Shop) -> None:
    before = dump()
    reply = people.customer().post("/v1/carts", CART, headers={"idempotency-key": key})
    code = "idempotency_key_missing" if key is None else "idempotency_key_invalid"
    assert (reply.status, reply.code) == (400, code)
    assert dump() == before


@pytest.mark.parametrize("key", ["x", "~" * 255, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}", "a,b"], ids=repr)
def test_any_visible_characters_make_a_key(key: str, people: People, shop: Shop) -> None:
    client = people.customer()
    first = client.post("/v1/carts", CART, key=key)
    assert first.status == 201
    assert client.post("/v1/carts", CART, key=key).body == first.body


def test_a_question_needs_no_key(people: People, shop: Shop) -> None:
    assert people.admin.get("/v1/products/coffee").status == 200


@pytest.mark.parametrize("who", ["customer", "guest"])
def test_a_dry_run_answers_and_does_nothing(who: str, people: People, shop: Shop) -> None:
    client: Client = people.customer() if who == "customer" else people.guest
    before = dump()
    body = a_checkout(contact={"email": "amina@example.com"})
    reply = client.post("/v1/checkouts", body, key="one", query={"dry_run": "true"})
    assert reply.status == 200
    assert "location" not in reply.headers
    assert reply.json()["order"]["total"] == {"amount": 420_000, "currency": "KES"}
    assert dump() == before
    assert client.post("/v1/checkouts", body, key="one", query={"dry_run": "false"}).status == 201


def test_a_misspelt_dry_run_moves_nothing(people: People, shop: Shop) -> None:
    before = dump()
    for query in ({"dryrun": "true"}, {"dry_run": "yes"}, {"dry_run": "True"}, {"dry_run": ""}, {"dry-run": "true"}):
        reply = people.customer().post("/v1/checkouts", a_checkout(), query=query)
        assert (reply.status, reply.code) in ((400, "unknown_parameter"), (400, "invalid_request")), query
    assert dump() == before
