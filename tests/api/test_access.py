"""Who may come in, and that nobody else's things are there."""

from __future__ import annotations

import re
import time
from typing import Final

import jwt
import pytest
from cauri.edge import wiring
from cauri.edge.http import EVERYBODY, Operation

from local.openapi import apis
from tests.api.client import Client, People, Reply
from tests.api.issuer import Issuer, rsa_key
from tests.api.tables import dump
from tests.shop import Shop

PROTECTED: Final = [one for api in apis() for one in api.operations if one.roles]
BY_NAME: Final = {f"{one.method} {one.path}": one for one in PROTECTED}
IDS: Final = {"customer": {"customer_id": "cus_amina"}, "vendor": {"vendor_id": "ven_kazi"}}


def call(operation: Operation, client: Client) -> Reply:
    """With ids that are well formed, and no body: whoever is not let in is told so before anything else."""
    return client.send(operation.method, re.sub(r"<\w+>", "x1", operation.path))


def one_of(people: People, *roles: str) -> Client:
    claims = {name: value for role in roles for name, value in IDS.get(role, {}).items()}
    return people.of(*roles, **claims)


# -- Tokens


@pytest.mark.parametrize("name", BY_NAME)
def test_nobody_comes_in_without_a_token(name: str, people: People) -> None:
    reply = call(BY_NAME[name], Client(None))
    assert (reply.status, reply.code) == (401, "token_missing")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", BY_NAME)
def test_nobody_comes_in_with_a_token_that_says_it_needs_no_signature(name: str, people: People) -> None:
    claims = people.issuer.claims(tenant="soko", roles=sorted(EVERYBODY), customer_id="c", vendor_id="v")
    reply = call(BY_NAME[name], Client(jwt.encode(claims, None, algorithm="none", headers={"kid": "rsa-1"})))
    assert (reply.status, reply.code) == (401, "token_invalid")
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_an_expired_token_an_unsigned_one_and_a_strangers_are_told_apart_only_as_far_as_it_helps(
    people: People, issuer: Issuer
) -> None:
    expired = people.of("admin", exp=int(time.time()) - 60)
    assert (expired.get("/v1/tenant").status, expired.get("/v1/tenant").code) == (401, "token_expired")
    unsigned = Client((people.admin.token or "").rpartition(".")[0] + ".")
    assert unsigned.get("/v1/tenant").code == "token_invalid"
    stranger = Client(issuer.token(rsa_key("rsa-1"), tenant="soko", roles=["admin"]))
    assert stranger.get("/v1/tenant").code == "token_invalid"


def test_a_token_from_a_little_while_ago_is_let_in(people: People, shop: Shop) -> None:
    assert people.of("admin", exp=int(time.time()) - 3).get("/v1/tenant").status == 200


def test_an_issuer_that_does_not_answer_is_503_and_not_401(people: People, issuer: Issuer) -> None:
    """The key is new, and whether it is good nobody can tell."""
    issuer.status = 500
    wiring.verifier.cache_clear()
    try:
        reply = people.admin.get("/v1/tenant")
    finally:
        issuer.status = 200
        wiring.verifier.cache_clear()
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "1")


# -- Roles


@pytest.mark.parametrize("name", BY_NAME)
def test_a_caller_without_the_role_is_turned_away(name: str, people: People) -> None:
    operation = BY_NAME[name]
    outsiders = sorted(EVERYBODY - operation.roles)
    for role in outsiders:
        reply = call(operation, one_of(people, role))
        assert (role, reply.status, reply.code) == (role, 403, "forbidden")
    nobody = call(operation, people.of())
    assert (nobody.status, nobody.code) == (403, "forbidden")


@pytest.mark.parametrize("name", BY_NAME)
def test_every_role_that_is_named_comes_in(name: str, people: People, shop: Shop) -> None:
    operation = BY_NAME[name]
    for role in sorted(operation.roles):
        assert call(operation, one_of(people, role)).status not in (401, 403), role


def test_who_is_turned_away_changes_nothing(people: People, shop: Shop) -> None:
    before = dump()
    client = people.customer()
    assert client.put("/v1/vendors/ven_new", {"name": "New", "country": "KE", "commission_bps": 1}).status == 403
    credit = {"kind": "store_credit", "amount": {"amount": 1, "currency": "KES"}, "source": "goodwill"}
    assert client.post("/v1/wallets/cus_amina/credits", credit).status == 403
    assert people.guest.put("/v1/products/coffee", {}).status == 403
    assert dump() == before


# -- What belongs to others is not there


def without_its_name(reply: Reply) -> bytes:
    """The answer, but for the name of the request."""
    return re.sub(rb'"request_id":"[^"]*"', b"", reply.body)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/coffee",
        "/v1/stock/coffee",
        "/v1/vendors/ven_kazi",
        "/v1/orders/{order}",
        "/v1/carts/{cart}",
        "/v1/tenant",
    ],
)
def test_another_tenants_things_answer_as_what_does_not_exist(path: str, people: People, shop: Shop) -> None:
    cart = shop.cart(coffee=1)
    order = shop.checkout(cart_id=shop.cart(coffee=1))["order"]["id"]
    asked = path.format(cart=cart, order=order)
    roles = ("customer",) if "carts" in path else ("admin",)
    theirs = one_of(People(people.issuer, "kiosk"), *roles).get(asked)
    nowhere = one_of(People(people.issuer, "nowhere"), *roles).get(asked)
    assert (theirs.status, nowhere.status) == (404, 404)
    assert without_its_name(theirs) == without_its_name(nowhere)


def test_another_customers_cart_and_order_answer_as_what_does_not_exist(people: People, shop: Shop) -> None:
    cart = shop.cart(coffee=1)
    order = shop.checkout(cart_id=shop.cart(coffee=1))["order"]["id"]
    nobody = People(people.issuer, "nowhere").customer("juma")
    for path in (f"/v1/carts/{cart}", f"/v1/orders/{order}"):
        theirs, nowhere = people.customer("juma").get(path), nobody.get(path)
        assert (theirs.status, nowhere.status) == (404, 404)
        assert without_its_name(theirs) == without_its_name(nowhere)


def test_changing_another_customers_cart_is_changing_nothing(people: People, shop: Shop) -> None:
    cart = shop.cart(coffee=1)
    before = dump()
    for client in (people.customer("juma"), people.guest, People(people.issuer, "kiosk").customer()):
        assert client.put(f"/v1/carts/{cart}/lines/basket", {"quantity": 1}).code == "unknown_cart"
        assert client.delete(f"/v1/carts/{cart}/lines/coffee").code == "unknown_cart"
    assert dump() == before


def test_another_vendors_stock_and_terms_are_not_there(people: People, shop: Shop) -> None:
    buna = people.vendor("ven_buna")
    assert buna.get("/v1/stock/shirt-l").code == "unknown_sku"
    assert buna.get("/v1/vendors/ven_kazi").code == "unknown_vendor"
    assert buna.post("/v1/stock/shirt-l/receipts", {"quantity": 1}).code == "unknown_sku"
    assert buna.get("/v1/stock/coffee").status == 200
    assert buna.get("/v1/vendors/ven_buna").status == 200


def test_a_tenant_is_chosen_by_the_token_and_by_nothing_else(people: People, shop: Shop) -> None:
    kiosk = People(people.issuer, "kiosk").admin
    before = dump()
    assert kiosk.put("/v1/tenant", {"name": "Kiosk", "tenant": "soko"}).code == "invalid_request"
    assert kiosk.put("/v1/tenant", {"name": "Kiosk"}, query={"tenant": "soko"}).code == "unknown_parameter"
    assert dump() == before
    assert kiosk.put("/v1/tenant", {"name": "Kiosk"}, headers={"x-tenant": "soko"}).json()["id"] == "kiosk"
    assert people.admin.get("/v1/tenant").json()["name"] == "Soko"
