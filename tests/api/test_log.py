"""The audit log over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.log import read_record
from cauri.books.trail import trail_of

from tests.api.client import People
from tests.proof.state import items
from tests.shop import START, Shop


def listed(shop: Shop) -> None:
    """What the stream's consumer does a moment after each commit."""
    shop.database.write_rows("ledger", trail_of([read_record(item) for item in items()["log"]]))


def log(people: People, **query: Any) -> Any:
    return people.admin.get("/v1/log", query=query).json()


def test_the_log_says_who_changed_what_and_what_it_moved(people: People, shop: Shop) -> None:
    shop.programme()
    body = {"kind": "store_credit", "amount": {"amount": 1250, "currency": "KES"}, "source": "goodwill"}
    people.of("finance").post("/v1/wallets/cus_amina/credits", body)
    listed(shop)
    [entry] = log(people, resource="cus_amina")["items"]
    assert entry["command"] == "issue_credit"
    assert sorted(posting["amount"] for posting in entry["postings"]) == [-1250, 1250]
    assert entry in log(people, by=entry["caller"], limit=100)["items"]
    assert entry in log(people, day=entry["at"][:10], limit=100)["items"]
    assert entry in log(people, limit=100)["items"], "today's, when nothing else is said"


def test_the_log_comes_in_pages(people: People, shop: Shop) -> None:
    listed(shop)
    someone = log(people, resource="coffee")["items"][0]["caller"]
    seen, cursor = [], {}
    while True:
        page = log(people, by=someone, limit=2, **cursor)
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == log(people, by=someone, limit=100)["items"]
    assert len(seen) > 2


def credit_over_days(shop: Shop) -> None:
    """One at each noon from the 21st to the 25th, of 1, 2, … cents."""
    shop.clock.now = START.replace(hour=12, minute=0)
    for amount in range(1, 6):
        shop.clock.advance(days=1)
        shop.fund(amount)
    listed(shop)


def amounts(people: People, **query: Any) -> list[int]:
    """Of all credit that a list has, over pages of 2."""
    found, cursor = [], {}
    while True:
        page = log(people, limit=2, **query, **cursor)
        found += [entry["postings"][1]["amount"] for entry in page["items"] if entry["command"] == "issue_credit"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("which", [{}, {"resource": "cus_amina"}, {"by": "usr_admin"}])
def test_a_list_is_of_a_time(people: People, shop: Shop, which: dict[str, str]) -> None:
    credit_over_days(shop)
    noon = "2026-11-23T12:00:00Z"
    assert amounts(people, **which, start="2026-11-21T00:00:00Z", end="2026-11-26T00:00:00Z") == [5, 4, 3, 2, 1]
    assert amounts(people, **which, start=noon, end="2026-11-25T12:00:00Z") == [4, 3], "with its start, without its end"
    assert amounts(people, **which, start="2026-11-22T15:00:00+03:00", end=noon) == [2]
    assert amounts(people, **which, end="2026-11-22T00:00:00Z") == [1]
    assert amounts(people, **which, day="2026-11-24") == [4]
    assert amounts(people, **which, start=noon, end=noon) == []
    assert amounts(people, **which, day="2026-11-27") == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"resource": "coffee", "by": "usr_admin"}, 422, "several_log_lists"),
        ({"start": "2026-11-20T00:00:00Z", "day": "2026-11-20"}, 422, "several_log_lists"),
        ({"start": "2026-11-01T00:00:00Z", "end": "2026-12-20T00:00:00Z"}, 400, "invalid_request"),
        ({"start": "2026-11-01T00:00:00"}, 400, "invalid_request"),
        ({"day": "2026-02-30"}, 400, "invalid_request"),
        ({"day": "yesterday"}, 400, "invalid_request"),
        ({"resource": "a#b"}, 400, "invalid_request"),
        ({"who": "me"}, 400, "unknown_parameter"),
    ],
)
def test_a_list_that_is_not_there_is_refused(
    people: People, shop: Shop, query: dict[str, str], status: int, code: str
) -> None:
    reply = people.admin.get("/v1/log", query=query)
    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize("role", ["manager", "partner", "guest"])
def test_the_log_is_for_auditors(people: People, shop: Shop, role: str) -> None:
    assert people.of(role).get("/v1/log").status == 403
