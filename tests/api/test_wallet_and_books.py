"""Balances, and the ledger that says how they came about, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.fold import Fold
from cauri.books.log import read_record
from cauri.edge import wiring

from tests.api.client import People
from tests.api.tables import dump
from tests.proof.state import items
from tests.shop import Shop

STATEMENT = "/v1/ledger/accounts/{}/statement"


def kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


def fold(shop: Shop) -> None:
    """What the stream's consumer does a moment after each commit."""
    Fold(shop.database).fold([read_record(item) for item in items()["log"]])


# -- Balances


def test_a_deposit_is_there_at_once(people: People, shop: Shop) -> None:
    reply = people.of("finance").post("/v1/balances/cus_amina/deposits", {"amount": kes(1250)})
    assert reply.status == 201
    assert reply.json() == {"customer_id": "cus_amina", "amount": kes(1250), "balance": kes(1250)}
    for client in (people.customer(), people.of("manager"), people.admin):
        assert client.get("/v1/balances/cus_amina").json() == {
            "customer_id": "cus_amina",
            "balances": [{"available": kes(1250), "held": kes(0)}],
        }


def test_currencies_stay_apart(people: People, shop: Shop) -> None:
    for currency, amount in (("USD", 5), ("KES", 7), ("JPY", 9)):
        body = {"amount": {"amount": amount, "currency": currency}}
        assert people.admin.post("/v1/balances/cus_amina/deposits", body).status == 201
    balances = people.customer().get("/v1/balances/cus_amina").json()["balances"]
    assert [funds["available"] for funds in balances] == [
        {"amount": 9, "currency": "JPY"},
        {"amount": 7, "currency": "KES"},
        {"amount": 5, "currency": "USD"},
    ]


def test_reading_a_balance_takes_one_round_trip(people: People, shop: Shop) -> None:
    meter = wiring.database().meter
    before = meter.round_trips
    people.customer().get("/v1/balances/cus_amina")
    assert meter.round_trips - before == 1


def test_who_never_had_anything_has_nothing(people: People, shop: Shop) -> None:
    nothing = {"customer_id": "cus_new", "balances": []}
    assert people.admin.get("/v1/balances/cus_new").json() == nothing
    assert people.customer("new").get("/v1/balances/cus_new").json() == nothing


def test_another_customers_balance_is_not_there_whether_it_is_or_not(people: People, shop: Shop) -> None:
    shop.deposit(100)
    for customer_id in ("cus_amina", "cus_nobody"):
        reply = people.customer("juma").get(f"/v1/balances/{customer_id}")
        assert (reply.status, reply.code) == (404, "unknown_customer")
        assert reply.json()["detail"] == f"There is no customer {customer_id!r}."
    elsewhere = People(people.issuer, "kiosk").admin.get("/v1/balances/cus_amina")
    assert elsewhere.json()["balances"] == []


def test_a_deposit_for_a_tenant_that_is_not_set_up_goes_nowhere(people: People, shop: Shop) -> None:
    before = dump()
    kiosk = People(people.issuer, "kiosk").admin
    assert kiosk.post("/v1/balances/cus_amina/deposits", {"amount": kes(1)}).code == "unknown_tenant"
    assert dump() == before


# -- The ledger


def test_the_trial_balance_balances(people: People, shop: Shop) -> None:
    shop.deposit(1000)
    shop.deposit(500, shop.customer("juma"))
    shop.deposit(70, currency="USD")
    fold(shop)
    for client in (people.admin, people.of("finance")):
        said = client.get("/v1/ledger/trial-balance").json()
        assert said["balanced"] is True
        assert said["totals"] == [
            {"asset": "KES", "debit": 1500, "credit": 1500},
            {"asset": "USD", "debit": 70, "credit": 70},
        ]
        assert {"account": "cash:manual", "asset": "KES", "debit": 1500, "credit": 0} in said["accounts"]


def test_a_statement_runs_from_balance_to_balance(people: People, shop: Shop) -> None:
    for amount in (100, 20, 3):
        shop.deposit(amount)
        shop.clock.advance(minutes=1)
    fold(shop)
    said = people.admin.get(STATEMENT.format("prepaid:cus_amina"), query={"asset": "KES"}).json()
    assert [(line["kind"], line["amount"], line["balance"]) for line in said["lines"]] == [
        ("deposit", -100, -100),
        ("deposit", -20, -120),
        ("deposit", -3, -123),
    ]
    assert (said["opening_balance"], said["closing_balance"], said["next_cursor"]) == (0, -123, None)


def test_a_statement_turns_its_pages(people: People, shop: Shop) -> None:
    for amount in range(1, 8):
        shop.deposit(amount)
        shop.clock.advance(seconds=7)
    fold(shop)
    path, query, balances = STATEMENT.format("cash:manual"), {"asset": "KES", "limit": 3}, []
    cursor: dict[str, Any] = {}
    while True:
        page = people.admin.get(path, query={**query, **cursor}).json()
        assert page["opening_balance"] == (balances[-1] if balances else 0)
        balances += [line["balance"] for line in page["lines"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert balances == [1, 3, 6, 10, 15, 21, 28]


def test_a_statement_has_a_beginning_and_an_end(people: People, shop: Shop) -> None:
    for amount in (100, 20, 3):
        shop.deposit(amount)
        shop.clock.advance(hours=1)
    fold(shop)
    query = {"asset": "KES", "start": "2026-11-20T10:00:00Z", "end": "2026-11-20T14:00:00+03:00"}
    said = people.admin.get(STATEMENT.format("cash:manual"), query=query).json()
    assert (said["opening_balance"], [line["amount"] for line in said["lines"]]) == (100, [20])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_time_are_times_too(moment: str, people: People, shop: Shop) -> None:
    shop.deposit(100)
    fold(shop)
    for name in ("start", "end"):
        query = {"asset": "KES", name: moment}
        assert people.admin.get(STATEMENT.format("cash:manual"), query=query).status == 200


def test_an_account_that_never_was_is_not_there(people: People, shop: Shop) -> None:
    shop.deposit(100)
    fold(shop)
    for account, asset in (("cash:nowhere", "KES"), ("cash:manual", "USD")):
        reply = people.admin.get(STATEMENT.format(account), query={"asset": asset})
        assert (reply.status, reply.code) == (404, "unknown_account")
    kiosk = People(people.issuer, "kiosk").admin
    assert kiosk.get(STATEMENT.format("cash:manual"), query={"asset": "KES"}).code == "unknown_account"


def test_a_statements_cursor_is_good_for_that_statement_only(people: People, shop: Shop) -> None:
    for amount in (1, 2):
        shop.deposit(amount)
        shop.clock.advance(seconds=1)
    fold(shop)
    first = people.admin.get(STATEMENT.format("cash:manual"), query={"asset": "KES", "limit": 1}).json()
    query = {"asset": "KES", "cursor": first["next_cursor"]}
    assert people.admin.get(STATEMENT.format("prepaid:cus_amina"), query=query).code == "invalid_cursor"
    bounded = query | {"start": "2026-11-20T00:00:00Z"}
    assert people.admin.get(STATEMENT.format("cash:manual"), query=bounded).code == "invalid_cursor"
