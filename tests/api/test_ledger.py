"""The ledger over HTTP: the trial balance, and statements."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.fold import Fold
from cauri.books.log import read_record

from tests.api.client import People
from tests.proof.state import items
from tests.shop import Shop

STATEMENT = "/v1/ledger/accounts/{}/statement"


def kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


def fold(shop: Shop) -> None:
    """What the stream's consumer does a moment after each commit."""
    Fold(shop.database).fold([read_record(item) for item in items()["log"]])


def test_the_trial_balance_balances(people: People, shop: Shop) -> None:
    shop.fund(1000)
    shop.fund(500, shop.customer("juma"))
    shop.fund(70, currency="USD")
    fold(shop)
    for client in (people.admin, people.of("finance")):
        said = client.get("/v1/ledger/trial-balance").json()
        assert said["balanced"] is True
        assert said["totals"] == [
            {"asset": "KES", "debit": 1500, "credit": 1500},
            {"asset": "USD", "debit": 70, "credit": 70},
        ]
        assert {"account": "expense:loyalty", "asset": "KES", "debit": 1500, "credit": 0} in said["accounts"]


def test_a_statement_runs_from_balance_to_balance(people: People, shop: Shop) -> None:
    for amount in (100, 20, 3):
        shop.fund(amount)
        shop.clock.advance(minutes=1)
    fold(shop)
    said = people.admin.get(STATEMENT.format("wallet:store_credit:cus_amina"), query={"asset": "KES"}).json()
    assert [(line["kind"], line["amount"], line["balance"]) for line in said["lines"]] == [
        ("issued", -100, -100),
        ("issued", -20, -120),
        ("issued", -3, -123),
    ]
    assert (said["opening_balance"], said["closing_balance"], said["next_cursor"]) == (0, -123, None)


def test_a_statement_turns_its_pages(people: People, shop: Shop) -> None:
    for amount in range(1, 8):
        shop.fund(amount)
        shop.clock.advance(seconds=7)
    fold(shop)
    path, query, balances = STATEMENT.format("expense:loyalty"), {"asset": "KES", "limit": 3}, []
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
        shop.fund(amount)
        shop.clock.advance(hours=1)
    fold(shop)
    query = {"asset": "KES", "start": "2026-11-20T10:00:00Z", "end": "2026-11-20T14:00:00+03:00"}
    said = people.admin.get(STATEMENT.format("expense:loyalty"), query=query).json()
    assert (said["opening_balance"], [line["amount"] for line in said["lines"]]) == (100, [20])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_time_are_times_too(moment: str, people: People, shop: Shop) -> None:
    shop.fund(100)
    fold(shop)
    for name in ("start", "end"):
        query = {"asset": "KES", name: moment}
        assert people.admin.get(STATEMENT.format("expense:loyalty"), query=query).status == 200


def test_an_account_that_never_was_is_not_there(people: People, shop: Shop) -> None:
    shop.fund(100)
    fold(shop)
    for account, asset in (("cash:nowhere", "KES"), ("expense:loyalty", "USD")):
        reply = people.admin.get(STATEMENT.format(account), query={"asset": asset})
        assert (reply.status, reply.code) == (404, "unknown_account")
    kiosk = People(people.issuer, "kiosk").admin
    assert kiosk.get(STATEMENT.format("expense:loyalty"), query={"asset": "KES"}).code == "unknown_account"


def test_a_statements_cursor_is_good_for_that_statement_only(people: People, shop: Shop) -> None:
    for amount in (1, 2):
        shop.fund(amount)
        shop.clock.advance(seconds=1)
    fold(shop)
    first = people.admin.get(STATEMENT.format("expense:loyalty"), query={"asset": "KES", "limit": 1}).json()
    query = {"asset": "KES", "cursor": first["next_cursor"]}
    assert people.admin.get(STATEMENT.format("wallet:store_credit:cus_amina"), query=query).code == "invalid_cursor"
    bounded = query | {"start": "2026-11-20T00:00:00Z"}
    assert people.admin.get(STATEMENT.format("expense:loyalty"), query=bounded).code == "invalid_cursor"
