"""Invoice runs over HTTP: what may be asked, by whom, and how a run is followed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import People
from tests.billing.bulk import customers, play
from tests.shop import Shop

RUNS = "/v1/invoice-runs"
OCTOBER = {"period": "2026-10", "currency": "KES"}


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return shop.furnish()


def test_staff_bill_a_month_and_follow_it_to_its_end(people: People, shop: Shop) -> None:
    customers(shop, 30)
    begun = people.of("finance").post(RUNS, OCTOBER)
    assert begun.status == 202
    run = begun.json()
    assert begun.headers["location"] == f"{RUNS}/{run['id']}"
    assert (run["status"], run["since"], run["until"]) == ("running", "2026-10-01", "2026-10-31")
    play(shop, run["id"])
    seen = people.admin.get(f"{RUNS}/{run['id']}").json()
    assert seen["counts"] == {"all": 30, "waiting": 0, "made": 30, "skipped": 0, "failed": 0, "invoices": 30}
    assert [one["id"] for one in people.admin.get(RUNS).json()["items"]] == [run["id"]]
    outcomes = people.admin.get(f"{RUNS}/{run['id']}/outcomes").json()
    assert {one["result"] for one in outcomes["items"]} == {"made"}
    undone = people.admin.post(f"{RUNS}/deletions", {"of_run": run["id"]})
    assert undone.status == 202
    play(shop, undone.json()["id"])
    assert people.admin.get(f"{RUNS}/{undone.json()['id']}").json()["counts"]["made"] == 30


def test_outcomes_come_a_page_at_a_time(people: People, shop: Shop) -> None:
    named = [f"cus_{place:05d}" for place in range(260)]
    run_id = people.admin.post(RUNS, OCTOBER | {"customer_ids": named}).json()["id"]
    play(shop, run_id)
    path = f"{RUNS}/{run_id}/outcomes"
    first = people.admin.get(path).json()
    rest = people.admin.get(path, query={"cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in [*first["items"], *rest["items"]]] == named
    assert {one["code"] for one in first["items"]} == {"nothing_to_bill"}
    assert (len(first["items"]), rest["next_cursor"]) == (250, None)


def test_the_same_key_is_the_same_run_and_a_dry_run_none(people: People) -> None:
    assert people.admin.post(f"{RUNS}?dry_run=true", OCTOBER).status == 200
    assert people.admin.get(RUNS).json()["items"] == []
    first, again = (people.admin.post(RUNS, OCTOBER, key="once") for _ in range(2))
    assert first.body == again.body
    assert people.admin.post(RUNS, OCTOBER | {"currency": "USD"}, key="once").code == "idempotency_key_reused"


def test_runs_are_for_staff(people: People) -> None:
    for client in (people.customer(), people.vendor(), people.guest, people.of("partner")):
        assert client.post(RUNS, OCTOBER).code == "forbidden"
        assert client.get(RUNS).code == "forbidden"


def test_a_run_of_another_tenant_is_a_run_that_is_not_there(people: People, shop: Shop) -> None:
    elsewhere = People(people.issuer, "kiosk")
    run_id = people.admin.post(RUNS, OCTOBER).json()["id"]
    play(shop, run_id)
    for path in (f"{RUNS}/{run_id}", f"{RUNS}/{run_id}/outcomes"):
        assert elsewhere.admin.get(path).code == "unknown_run"
    assert elsewhere.admin.post(f"{RUNS}/deletions", {"of_run": run_id}).code == "unknown_run"
    assert people.admin.post(f"{RUNS}/deletions", {"of_run": run_id}).code == "run_not_undoable"


@pytest.mark.parametrize(
    "body",
    [
        {"period": "2026-13", "currency": "KES"},
        {"period": "2026-10"},
        {"period": "2026-10", "currency": "XXX"},
        {"period": "2026-10", "currency": "KES", "first": "2026-10-01", "last": "2026-10-31"},
        {"first": "2026-10-01", "currency": "KES"},
        {"currency": "KES"},
        {"period": "2026-10", "currency": "KES", "customer_ids": ["a#b"]},
        {"period": "2026-10", "currency": "KES", "customer_ids": ["c"] * 1001},
        {"period": "2026-10", "currency": "KES", "surprise": 1},
        {"period": "2026-10", "currency": "KES", "send": "yes"},
    ],
)
def test_a_run_that_makes_no_sense_is_refused(people: People, body: dict[str, Any]) -> None:
    assert people.admin.post(RUNS, body).code == "invalid_request"


def test_a_period_that_is_too_long_or_backwards_is_refused(people: People) -> None:
    for days in ({"first": "2026-10-31", "last": "2026-10-01"}, {"first": "2020-01-01", "last": "2026-01-01"}):
        assert people.admin.post(RUNS, {"currency": "KES", **days}).code == "period_backwards"


@pytest.mark.parametrize("body", [{}, {"invoice_ids": []}, {"invoice_ids": ["inv_1"], "of_run": "run_1"}])
def test_a_deletion_says_what_it_deletes(people: People, body: dict[str, Any]) -> None:
    assert people.admin.post(f"{RUNS}/deletions", body).code == "invalid_request"
