"""Invoice schedules over HTTP: what may be asked, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import People
from tests.shop import Shop

SCHEDULES = "/v1/invoice-schedules"
LINE = {"description": "Rent", "price": {"amount": 31_000, "currency": "KES"}}
RENT = {"customer_id": "cus_amina", "lines": [LINE], "starts_on": "2026-12-31", "timezone": "Africa/Nairobi"}


@pytest.fixture(autouse=True)
def shop(shop: Shop) -> Shop:
    return shop.furnish()


def test_staff_begin_pause_resume_and_end_a_schedule(people: People, shop: Shop) -> None:
    made = people.of("finance").post(SCHEDULES, RENT)
    assert made.status == 201
    path = made.headers["location"]
    assert people.admin.get(path).json() == made.json()
    assert (made.json()["status"], made.json()["next_on"]) == ("active", "2026-12-31")
    listed = [people.admin.get(SCHEDULES, query={"status": status}).json()["items"] for status in ("active", "paused")]
    assert [len(one) for one in listed] == [1, 0]
    assert people.admin.post(f"{path}/pause").json()["status"] == "paused"
    assert people.admin.post(f"{path}/resume").json()["next_on"] == "2026-12-31"
    assert people.admin.post(f"{path}/end").json()["status"] == "ended"
    assert people.admin.post(f"{path}/pause").code == "schedule_ended"


def test_schedules_are_for_staff_and_their_tenants(people: People) -> None:
    path = people.admin.post(SCHEDULES, RENT).headers["location"]
    elsewhere = People(people.issuer, "kiosk")
    assert elsewhere.admin.get(path).code == "unknown_schedule"
    assert elsewhere.admin.post(f"{path}/end").code == "unknown_schedule"
    assert elsewhere.admin.post(SCHEDULES, RENT).code == "unknown_tenant"
    for client in (people.customer(), people.vendor(), people.guest):
        assert client.post(SCHEDULES, RENT).code == "forbidden"
        assert client.get(SCHEDULES).code == "forbidden"


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Mars/Olympus"},
        {"starts_on": "2026-02-30"},
        {"starts_on": "1999-12-31"},
        {"ends_on": "2026-12-30"},
        {"anchored_on": "2026-12-30"},
        {"anchored_on": "2028-01-01"},
        {"every": 0},
        {"unit": "fortnight"},
        {"lines": []},
        {"lines": [LINE | {"quantity": 0}]},
        {"lines": [LINE | {"price": {"amount": -1, "currency": "KES"}}]},
        {"surprise": True},
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(people: People, wrong: dict[str, Any]) -> None:
    assert people.admin.post(SCHEDULES, RENT | wrong).code == "invalid_request"


def test_a_schedule_is_of_one_currency(people: People) -> None:
    other = LINE | {"price": {"amount": 1, "currency": "USD"}}
    assert people.admin.post(SCHEDULES, RENT | {"lines": [LINE, other]}).code == "invoice_currency_mismatch"
