"""Refunds over HTTP: what may be asked, by whom, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import People
from tests.proof.examples.refunds import a_sold_order
from tests.refunds.test_paying import run
from tests.shop import Shop


@pytest.fixture
def order(shop: Shop) -> str:
    return a_sold_order(shop, wallet=10_000)


def test_staff_refund_an_order_and_follow_it_to_its_end(people: People, shop: Shop, order: str) -> None:
    made = people.of("manager").post(f"/v1/orders/{order}/refunds", {"reason": "Changed her mind", "restock": True})
    assert made.status == 201
    refund = made.json()
    assert made.headers["location"] == f"/v1/refunds/{refund['id']}"
    assert refund["status"] == "approved"
    assert refund["credit_note"]["number"].startswith("CN-2026-")
    assert refund["credit_note"]["total"] == refund["amount"] == people.admin.get(f"/v1/orders/{order}").json()["total"]
    run(shop, refund["id"])
    seen = people.customer().get(f"/v1/refunds/{refund['id']}").json()
    assert seen["status"] == "succeeded"
    assert [part["status"] for part in seen["parts"]] == ["done", "done"]
    assert people.customer().get(f"/v1/orders/{order}").json()["status"] == "CANCELLED"
    assert [one["id"] for one in people.admin.get(f"/v1/orders/{order}/refunds").json()["items"]] == [refund["id"]]


def test_the_same_key_gives_the_same_refund_and_a_dry_run_none(people: People, order: str) -> None:
    body = {"reason": "Goodwill", "amount": {"amount": 500, "currency": "KES"}}
    path = f"/v1/orders/{order}/refunds"
    assert people.admin.post(f"{path}?dry_run=true", body).status == 200
    assert people.admin.get(path).json() == {"items": []}
    first, second = (people.admin.post(path, body, key="once") for _ in range(2))
    assert (first.body, second.headers["idempotent-replayed"]) == (second.body, "true")
    assert len(people.admin.get(path).json()["items"]) == 1


def test_a_second_person_approves_what_is_over_the_limit(people: People, shop: Shop, order: str) -> None:
    shop.furnish(refund_approval={"KES": 1_000})
    asked = people.admin.post(f"/v1/orders/{order}/refunds", {"reason": "Damaged"}).json()
    assert (asked["status"], asked["credit_note"]) == ("requested", None)
    waiting = people.admin.get("/v1/refunds", query={"status": "requested"}).json()["items"]
    assert [one["id"] for one in waiting] == [asked["id"]]
    path = f"/v1/refunds/{asked['id']}/approve"
    assert people.of("manager", sub="usr_m").post(path).code == "forbidden"
    assert people.admin.post(path).code == "approval_needs_another"
    assert people.of("finance", sub="usr_zawadi").post(path).json()["status"] == "approved"
    assert people.of("finance", sub="usr_zawadi").post(path).code == "illegal_refund_change"
    resolve = f"/v1/refunds/{asked['id']}/resolve"
    assert people.of("finance", sub="usr_zawadi").post(resolve, {"way": "again"}).code == "illegal_refund_change"


def test_a_request_is_rejected_with_a_reason(people: People, shop: Shop, order: str) -> None:
    shop.furnish(refund_approval={"KES": 0})
    asked = people.admin.post(f"/v1/orders/{order}/refunds", {"reason": "Damaged"}).json()
    rejected = people.of("finance", sub="usr_z").post(f"/v1/refunds/{asked['id']}/reject", {"reason": "It is whole"})
    assert rejected.json()["status"] == "rejected"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"reason": ""}, "invalid_request"),
        ({"reason": "x", "amount": {"amount": 0, "currency": "KES"}}, "invalid_request"),
        ({"reason": "x", "amount": {"amount": -5, "currency": "KES"}}, "invalid_request"),
        ({"reason": "x", "amount": {"amount": 5.5, "currency": "KES"}}, "invalid_request"),
        ({"reason": "x", "amount": {"amount": 5, "currency": "USD"}}, "currency_mismatch"),
        ({"reason": "x", "amount": {"amount": 10**15, "currency": "KES"}}, "refund_too_large"),
        ({"reason": "x", "amount": {"amount": 5, "currency": "KES"}, "restock": True}, "invalid_request"),
        ({"reason": "x", "amount": {"amount": 5, "currency": "KES"}, "lines": [{"line_id": "1", "quantity": 1}]},
         "invalid_request"),
        ({"reason": "x", "lines": [{"line_id": "1"}]}, "invalid_request"),
        ({"reason": "x", "lines": [{"line_id": "1", "quantity": 0}]}, "invalid_request"),
        ({"reason": "x", "lines": [{"line_id": "1", "quantity": 10**9}]}, "too_many_units"),
        ({"reason": "x", "lines": [{"line_id": "9", "quantity": 1}]}, "unknown_line"),
        ({"reason": "x", "lines": [{"line_id": "1", "amount": {"amount": 5, "currency": "KES"}, "restock": True}]},
         "invalid_request"),
        ({"reason": "x", "shipping": [{"vendor_order": "nobody"}]}, "unknown_line"),
        ({"reason": "x", "tenders": ["pay_nobody-1"]}, "unknown_line"),
        ({"reason": "x", "lines": [{"line_id": "1", "quantity": 1}] * 101}, "invalid_request"),
        ({"reason": "x", "refund": "all"}, "invalid_request"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_changes_nothing(people: People, order: str, body: Any, code: str) -> None:
    assert people.admin.post(f"/v1/orders/{order}/refunds", body).code == code
    assert people.admin.get(f"/v1/orders/{order}/refunds").json() == {"items": []}


def test_nobody_reaches_what_is_anothers(people: People, order: str) -> None:
    refund = people.admin.post(f"/v1/orders/{order}/refunds", {"reason": "Damaged"}).json()["id"]
    elsewhere = People(people.issuer, "kiosk")
    for path in (f"/v1/refunds/{refund}/approve", f"/v1/refunds/{refund}/reject", f"/v1/refunds/{refund}/resolve"):
        body = {"reason": "x"} if path.endswith("reject") else {"way": "again"} if path.endswith("resolve") else None
        assert elsewhere.admin.post(path, body).code == "unknown_refund"
    assert elsewhere.admin.get(f"/v1/refunds/{refund}").code == "unknown_refund"
    assert people.customer("juma").get(f"/v1/refunds/{refund}").code == "unknown_refund"
    assert people.customer("juma").get(f"/v1/orders/{order}/refunds").code == "unknown_order"
    assert elsewhere.admin.get(f"/v1/orders/{order}/refunds").code == "unknown_order"
    assert elsewhere.admin.get("/v1/refunds", query={"status": "approved"}).json()["items"] == []
    for client in (people.customer(), people.vendor(), people.guest):
        assert client.post(f"/v1/orders/{order}/refunds", {"reason": "x"}).code == "forbidden"
        assert client.get("/v1/refunds", query={"status": "approved"}).code == "forbidden"


def test_another_tenants_order_is_not_there(people: People, shop: Shop, order: str) -> None:
    elsewhere = People(people.issuer, "kiosk")
    assert elsewhere.admin.post(f"/v1/orders/{order}/refunds", {"reason": "x"}).code in (
        "unknown_tenant",
        "unknown_order",
    )
    elsewhere.admin.put("/v1/tenant", {"name": "Kiosk"})
    assert elsewhere.admin.post(f"/v1/orders/{order}/refunds", {"reason": "x"}).code == "unknown_order"
