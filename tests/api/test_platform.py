"""Tenants, vendors, the API's own pages, and what happens when something of ours breaks."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest
from cauri.edge import wiring

from tests.api.client import Client, People
from tests.shop import Shop

RULES = {
    "name": "Kiosk",
    "tax_rates": {"standard": 1600, "zero": 0},
    "prices_include_tax": True,
    "shipping": {"KES": {"base": 250, "per_kg": 100}},
    "shipping_tax_class": "zero",
    "demo": True,
    "locations": ["nairobi", "mombasa"],
    "cart_reservation_minutes": 20,
    "reservation_minutes": 30,
    "refund_approval": {"KES": 500_000},
}
LIMITS = {
    "reads": {"per_caller": 60, "per_ip": 300},
    "writes": {"per_caller": 60, "per_ip": 300},
    "money_writes": {"per_caller": 10, "per_ip": 50},
    "staff_issuance": {"per_caller": 30, "per_ip": None},
}
CAREFREE = {"per_caller": 1000, "per_ip": 300}
NOBODY = Client(None)


# -- Tenants and vendors


def test_a_tenant_reads_as_it_was_put(people: People, shop: Shop) -> None:
    kiosk = People(people.issuer, "kiosk")
    assert kiosk.admin.get("/v1/tenant").code == "unknown_tenant"
    put = kiosk.admin.put("/v1/tenant", RULES | {"limits": {"reads": {"per_caller": 1000}}, "expected_version": 0})
    assert put.json() == {"id": "kiosk", "version": 1, **RULES, "limits": LIMITS | {"reads": CAREFREE}}
    for role in ("admin", "manager", "finance"):
        assert kiosk.of(role).get("/v1/tenant").body == put.body


def test_a_tenant_is_changed_by_who_knows_it(people: People, shop: Shop) -> None:
    version = people.admin.get("/v1/tenant").json()["version"]
    change = RULES | {"expected_version": version}
    assert people.admin.put("/v1/tenant", change, key="mine").json()["version"] == version + 1
    late = people.admin.put("/v1/tenant", change | {"name": "Another"})
    assert (late.status, late.code) == (409, "version_mismatch")
    assert late.json()["version"] == version + 1
    assert people.admin.put("/v1/tenant", change, key="mine").headers["idempotent-replayed"] == "true"
    assert people.admin.get("/v1/tenant").json()["name"] == "Kiosk"


def test_an_order_is_reserved_for_as_long_as_the_tenant_says(people: People, shop: Shop) -> None:
    people.admin.put("/v1/tenant", RULES | {"locations": ["main"]})
    lines = {"lines": [{"sku": "coffee", "quantity": 1}], "currency": "KES", "return_url": "https://soko.example/"}
    bought = people.customer().post("/v1/checkouts", lines | {"tenders": [{"type": "provider", "provider": "demo"}]})
    order = bought.json()["order"]
    created, expires = (datetime.fromisoformat(order[name]) for name in ("created_at", "expires_at"))
    assert expires - created == timedelta(minutes=30)


def test_the_shippings_tax_class_is_one_of_the_tenants(people: People, shop: Shop) -> None:
    reply = people.admin.put("/v1/tenant", RULES | {"shipping_tax_class": "luxury"})
    assert (reply.status, reply.code) == (422, "unknown_tax_class")


def test_a_vendor_reads_as_it_was_put(people: People, shop: Shop) -> None:
    body = {"name": "Mlima Coffee", "country": "KE", "commission_bps": 1250}
    put = people.of("manager").put("/v1/vendors/ven_mlima", body)
    assert put.json() == {"id": "ven_mlima", **body, "disabled": False}
    assert people.of("finance").get("/v1/vendors/ven_mlima").body == put.body
    assert people.vendor("ven_mlima").get("/v1/vendors/ven_mlima").body == put.body


def test_a_vendor_needs_a_tenant(people: People, shop: Shop) -> None:
    body = {"name": "Mlima Coffee", "country": "KE", "commission_bps": 1250}
    assert People(people.issuer, "kiosk").admin.put("/v1/vendors/ven_mlima", body).code == "unknown_tenant"


# -- Pages


@pytest.mark.parametrize(
    ("path", "media_type", "content"),
    [
        ("/health", "application/json", b'{"status":"ok"}'),
        ("/openapi.json", "application/json", b'"openapi": "3.1.0"'),
        ("/docs", "text/html", b"<title>cauri: the API</title>"),
        ("/docs/errors", "text/html", b'<h3 id="out_of_stock">'),
        ("/docs/page.css", "text/css", b"font"),
        ("/docs/docs.js", "text/javascript", b"SwaggerUIBundle("),
        ("/docs/swagger-ui.css", "text/css", b".swagger-ui"),
        ("/docs/swagger-ui.js", "text/javascript", b"SwaggerUIBundle"),
    ],
)
def test_anybody_may_read_a_page(path: str, media_type: str, content: bytes, people: People) -> None:
    for headers in ({}, {"accept-encoding": "gzip, br"}):
        reply = NOBODY.send("GET", path, headers=headers)
        assert reply.status == 200
        assert reply.headers["content-type"].startswith(media_type)
        assert content in reply.body


def test_a_page_needs_nothing_from_elsewhere(people: People) -> None:
    for path in ("/docs", "/docs/errors", "/docs/page.css", "/docs/docs.js"):
        reply = NOBODY.send("GET", path)
        loaded = re.findall(rb'(?:src|url|@import)[=:(]?\s*["\']?(https?:|//)', reply.body)
        assert loaded == [], path
        assert "default-src 'self'" in reply.headers["content-security-policy"]


def test_head_is_get_without_the_body(people: People, shop: Shop) -> None:
    for client, path in ((NOBODY, "/health"), (people.admin, "/v1/tenant")):
        got, head = client.get(path), client.send("HEAD", path)
        assert (head.status, head.headers.keys(), head.body) == (got.status, got.headers.keys(), b"")
        assert head.headers["content-type"] == got.headers["content-type"]


def test_options_says_what_an_address_answers_to(people: People) -> None:
    reply = NOBODY.send("OPTIONS", "/v1/carts/x/lines/y")
    assert (reply.status, reply.headers["allow"]) == (204, "DELETE, PUT")
    assert NOBODY.send("OPTIONS", "/v1/nothing").status == 404


# -- Trouble


class Secret(Exception):  # noqa: N818
    """What nobody outside may read."""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, people: People, shop: Shop) -> Any:
    """A database whose every call raises what the test says."""

    def breaks(trouble: Exception) -> None:
        def send(operation: str, request: Any) -> Any:
            raise trouble

        monkeypatch.setattr(wiring.database(), "send", send)

    return breaks


def test_what_nobody_expected_is_logged_and_says_nothing(
    broken: Any, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    broken(Secret("password of the table"))
    with caplog.at_level(logging.ERROR):
        reply = people.admin.get("/v1/tenant")
    assert (reply.status, reply.code) == (500, "internal_error")
    assert b"password" not in reply.body
    assert b"Secret" not in reply.body
    (record,) = caplog.records
    assert reply.json()["request_id"] in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], Secret)


def test_a_database_that_does_not_answer_is_503_with_a_time_to_come_back(broken: Any, people: People) -> None:
    broken(botocore.exceptions.ReadTimeoutError(endpoint_url="https://10.0.0.7"))
    reply = people.admin.get("/v1/tenant")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "1")
    assert b"10.0.0.7" not in reply.body


def test_no_answer_is_kept_by_anybody_in_between(people: People, shop: Shop) -> None:
    for reply in (people.admin.get("/v1/tenant"), people.admin.get("/v1/none"), NOBODY.get("/v1/tenant")):
        assert reply.headers["cache-control"] == "no-store"
