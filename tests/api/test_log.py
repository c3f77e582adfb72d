"""The audit log over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.books.log import read_record
from cauri.books.trail import write_trail

from tests.api.client import People
from tests.proof.state import items
from tests.shop import Shop


def listed(shop: Shop) -> None:
    """What the stream's consumer does a moment after each commit."""
    write_trail(shop.database, [read_record(item) for item in items()["log"]])


def log(people: People, **query: Any) -> Any:
    return people.admin.get("/v1/log", query=query).json()


def test_the_log_says_who_changed_what_and_what_it_moved(people: People, shop: Shop) -> None:
    people.of("finance").post("/v1/balances/cus_amina/deposits", {"amount": {"amount": 1250, "currency": "KES"}})
    listed(shop)
    [entry] = log(people, resource="cus_amina")["items"]
    assert entry["command"] == "deposit"
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


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"resource": "coffee", "day": "2026-11-20"}, 422, "several_log_lists"),
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
