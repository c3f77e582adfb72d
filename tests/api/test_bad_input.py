"""Bad input: a clear problem document, never a 5xx, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from cauri.edge.admission import BODY_BYTES_MAX
from cauri.money import MINOR_UNITS_MAX

from tests.api.client import People, Reply, event_of, handler_of, reply_of
from tests.api.tables import dump
from tests.shop import Shop

MANY = 10**400


@pytest.fixture(autouse=True)
def nothing_changes(shop: Shop) -> Iterator[None]:
    before = dump()
    assert before
    yield
    assert dump() == before


@dataclass(frozen=True)
class Bad:
    """One bad body for an operation, and where the problem document points."""

    method: str
    path: str
    body: dict[str, Any]
    pointer: str
    roles: tuple[str, ...] = ("admin",)
    claims: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path.rpartition('/')[2]}{self.pointer}: {json.dumps(self.body)[:60]}"


THERE = {"from_location": "main", "to_location": "mombasa"}


def checkout(pointer: str, **body: Any) -> Bad:
    whole = {
        "lines": [{"sku": "coffee", "quantity": 1}],
        "currency": "KES",
        "tenders": [{"type": "provider", "provider": "demo"}],
        "return_url": "https://shop.example/thanks",
    }
    members = {name: value for name, value in (whole | body).items() if value is not ...}
    return Bad("POST", "/v1/checkouts", members, pointer, ("customer",), {"customer_id": "cus_amina"})


def tender(pointer: str, **members: Any) -> Bad:
    return checkout(f"/tenders/0{pointer}", tenders=[{"type": "wallet"} | members])


def line(pointer: str, **members: Any) -> Bad:
    return checkout(f"/lines/0{pointer}", lines=[{"sku": "coffee", "quantity": 1} | members])


CREDIT = {"kind": "store_credit", "amount": {"amount": 100, "currency": "KES"}, "source": "goodwill"}


def credit(pointer: str, **members: Any) -> Bad:
    body = {name: value for name, value in (CREDIT | members).items() if value is not ...}
    return Bad("POST", "/v1/wallets/cus_amina/credits", body, pointer)


def redemption(pointer: str, **members: Any) -> Bad:
    body = {"amount": {"amount": 100, "currency": "KES"}} | members
    return Bad("POST", "/v1/wallets/cus_amina/redemptions", body, pointer)


def programme(pointer: str, **members: Any) -> Bad:
    return Bad("PUT", "/v1/loyalty-programme", {"reporting_currency": "KES"} | members, pointer)


def rate(pointer: str, **members: Any) -> Bad:
    whole = {"rate": "1.5", "date": "2026-11-20", "source": "bank"} | members
    return programme(f"/rates/USD{pointer}", rates={"USD": whole})


def product(pointer: str, **members: Any) -> Bad:
    whole = {"vendor_id": "ven_kazi", "title": "Basket", "prices": {"KES": 100}} | members
    return Bad("PUT", "/v1/products/basket", whole, pointer)


def tenant(pointer: str, **members: Any) -> Bad:
    return Bad("PUT", "/v1/tenant", {"name": "Soko"} | members, pointer)


def vendor(pointer: str, **members: Any) -> Bad:
    return Bad("PUT", "/v1/vendors/ven_kazi", {"name": "K", "country": "KE", "commission_bps": 1} | members, pointer)


def promotion(pointer: str, **members: Any) -> Bad:
    whole = {"title": "Ten", "scope": "order", "percent_bps": 1000} | members
    return Bad("PUT", "/v1/promotions/TEN", {n: v for n, v in whole.items() if v is not ...}, pointer)


_ROPE: dict[str, Any] = {"name": "Rope", "quantity": 1, "price": {"amount": 5, "currency": "KES"}}


def from_quote(pointer: str, **members: Any) -> Bad:
    whole = {
        "rfq_id": "rfq-1",
        "currency": "KES",
        "selections": [{"vendor_id": "ven_kazi", "lines": [_ROPE]}],
        "tenders": [{"type": "provider", "provider": "demo"}],
        "return_url": "https://desk.example",
    }
    return Bad("POST", "/v1/orders/from-quote", _given(whole | members), pointer)


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ...}


def selection(pointer: str, **members: Any) -> Bad:
    return from_quote(f"/selections/0{pointer}", selections=[{"vendor_id": "ven_kazi", "lines": [_ROPE]} | members])


def quoted_line(pointer: str, **members: Any) -> Bad:
    return selection(f"/lines/0{pointer}", lines=[_given(_ROPE | members)])


def vessel(pointer: str, **members: Any) -> Bad:
    ship = {"delivery_port": "KEMBA", "vessel_imo": "9074729", "vessel_name": "MV Amina"}
    return from_quote(f"/delivery{pointer}", delivery=_given(ship | members))


def contact(pointer: str, **members: Any) -> Bad:
    return checkout(f"/contact{pointer}", contact={"email": "amina@example.com"} | members)


AMOUNTS = [0, -1, 1.5, 1.0, 1e3, "100", True, None, [], {}, MINOR_UNITS_MAX + 1, MANY, -MANY]
TEXTS = ["a\x00b", "a\nb", "a\x1bb", "a\x7fb", "a\x85b", "\ud800", "x" * 201, 7, True, ["a"]]
IDS = ["", "a#b", "a/b", "a b", "é", "a\x00", "x" * 65, "a\n", 1, None]
QUANTITIES = [0, -1, 1.0, "1", True, None, 10**9 + 1, MANY]

BAD = [
    *(
        credit("/amount/currency", amount={"amount": 1, "currency": code})
        for code in ("kes", "KE", "XXX", "XAU", "ZZZ", "", 404, None, "KES ", "₭ES")
    ),
    *(credit("/amount/amount", amount={"amount": amount, "currency": "KES"}) for amount in AMOUNTS),
    credit("/amount/currency", amount={"amount": 1, "currency": "PTS"}),
    credit("", amount=...),
    credit("", points=5),
    credit("", kind="points"),
    *(credit("/points", kind="points", amount=..., points=points) for points in (*AMOUNTS[:7], MANY)),
    *(credit("/kind", kind=kind) for kind in ("cash", "", 1, None)),
    *(credit("/source", source=text) for text in [*TEXTS, "", None]),
    *(
        credit("/expires_at", expires_at=moment)
        for moment in (
            "tomorrow",
            "2027-01-31",
            "2027-01-31T00:00:00",
            "1800000000",
            1_800_000_000,
            "2027-02-30T00:00:00Z",
        )
    ),
    credit("/expires", expires="2027-01-31T00:00:00Z"),
    *(redemption("/amount/amount", amount={"amount": amount, "currency": "KES"}) for amount in AMOUNTS),
    *(redemption("/tax/amount", tax={"amount": amount, "currency": "KES"}) for amount in AMOUNTS[1:]),
    redemption("/kinds", kinds=[]),
    redemption("/kinds", kinds=["points", "points"]),
    redemption("/kinds/1", kinds=["points", "cash"]),
    *(redemption("/hold_minutes", hold_minutes=minutes) for minutes in (0, -1, 1.5, "5", True, MANY)),
    *(redemption("/reference", reference=text) for text in TEXTS),
    *(programme("/reporting_currency", reporting_currency=code) for code in ("PTS", "kes", "XXX", None)),
    programme("/order", order=["points", "points"]),
    programme("/per_1000_points/PTS", per_1000_points={"PTS": 1}),
    programme("/per_1000_points/KES", per_1000_points={"KES": 0}),
    *(programme("/grace_days", grace_days=days) for days in (-1, 1.5, MANY)),
    programme("/estimate", estimate="guess"),
    programme("/estimate_bps", estimate_bps=10_001),
    *(rate("/rate", rate=text) for text in ("0", "0.000", "-1", "1e3", "1.", ".5", "1,5", 1.5, 1, None, "9" * 50)),
    *(rate("/date", date=text) for text in ("2026-02-30", "today", "20261120", 20261120)),
    credit("/amount/amount", amount={"currency": "KES"}),
    credit("/amount/currency", amount={"amount": 1}),
    credit("/amount/exponent", amount={"amount": 1, "currency": "KES", "exponent": 2}),
    *(line("/quantity", quantity=quantity) for quantity in QUANTITIES),
    *(line("/sku", sku=sku) for sku in IDS),
    *(line("/expected_price/amount", expected_price={"amount": a, "currency": "KES"}) for a in AMOUNTS[1:]),
    line("/expected_price", expected_price=5),
    checkout("", accepted_prices={"coffee": {"amount": 1, "currency": "KES"}}),
    checkout("/accepted_prices/a#b", accepted_prices={"a#b": {"amount": 1, "currency": "KES"}}),
    checkout("/accepted_prices/coffee", accepted_prices={"coffee": 5}),
    *(from_quote("/rfq_id", rfq_id=rfq) for rfq in IDS),
    from_quote("/selections", selections=[]),
    from_quote("/selections", selections=...),
    from_quote("/customer_id", customer_id="a#b"),
    from_quote("/price", price=1),
    *(quoted_line("/quantity", quantity=quantity) for quantity in QUANTITIES),
    *(quoted_line("/price/amount", price={"amount": amount, "currency": "KES"}) for amount in AMOUNTS[1:]),
    *(quoted_line("/name", name=text) for text in TEXTS),
    quoted_line("", name=...),
    quoted_line("", name="  "),
    quoted_line("/price", price=...),
    *(quoted_line("/impa_code", impa_code=code) for code in ("12345", "1234567", "12345a", "", 123456)),
    *(vessel("/vessel_imo", vessel_imo=imo) for imo in ("9074728", "907472", "IMO9074729", "", 9074729, None, ...)),
    *(vessel("/vessel_name", vessel_name=text) for text in [*TEXTS, "", ...]),
    vessel("/delivery_port", delivery_port=...),
    *(vessel("/requested_delivery_date", requested_delivery_date=day) for day in ("soon", "2026-02-30", 1.5, True)),
    selection("/lines", lines=[]),
    selection("", lead_time_days=5, estimated_ready_date="2026-12-01"),
    *(selection("/lead_time_days", lead_time_days=days) for days in (-1, 731, 1.5, "5", True)),
    selection("/estimated_ready_date", estimated_ready_date="2026-13-01"),
    *(checkout("/promotion_codes/0", promotion_codes=[code]) for code in IDS),
    checkout("/promotion_codes", promotion_codes=["A", "B", "C", "D", "E", "F"]),
    checkout("/promotion_codes", promotion_codes="TEN"),
    *(promotion("/title", title=text) for text in [*TEXTS, ""]),
    *(promotion("/percent_bps", percent_bps=rate) for rate in (-1, 10_001, 10.0, "10", True, None)),
    *(promotion("/amounts/KES", percent_bps=..., amounts={"KES": amount}) for amount in AMOUNTS),
    promotion("/amounts/XXX", percent_bps=..., amounts={"XXX": 1}),
    promotion("", amounts={"KES": 1}),
    promotion("", percent_bps=...),
    promotion("", percent_bps=0, amounts={}),
    promotion("/scope", scope="cart"),
    promotion("/scope", scope=None),
    *(promotion("/skus/0", skus=[sku]) for sku in IDS),
    promotion("/skus", skus=["s"] * 101),
    promotion("/vendors/0", vendors=["a#b"]),
    *(promotion(f"/{name}", **{name: "yes"}) for name in ("automatic", "active")),
    *(
        promotion("/ends_at", ends_at=moment)
        for moment in ("tomorrow", "2026-12-01", "2026-12-01T00:00:00", "2026-13-01T00:00:00Z", 1, True, {})
    ),
    promotion("", starts_at="2026-12-01T00:00:00Z", ends_at="2026-12-01T03:00:00+03:00"),
    promotion("/minimum_spend/KES", minimum_spend={"KES": -1}),
    *(promotion("/uses_max", uses_max=uses) for uses in (0, -1, 1.5, "1", True, 1_000_001)),
    promotion("/uses_max_per_customer", uses_max_per_customer=0),
    promotion("/funded_by", funded_by="nobody"),
    promotion("/granted", granted=7),
    line("/price", price={"amount": 1, "currency": "KES"}),
    checkout("/lines", lines=[]),
    checkout("/lines", lines=[{"sku": f"s{number}", "quantity": 1} for number in range(200)]),
    checkout("/lines", lines={"sku": "coffee", "quantity": 1}),
    checkout("/currency", currency="XXX"),
    checkout("", currency=...),
    checkout("", lines=...),
    checkout("", lines=..., currency=...),
    checkout("", cart_id="crt_1"),
    checkout("", cart_id="crt_1", lines=...),
    checkout("/cart_id", cart_id="crt#1", lines=..., currency=...),
    checkout("/tenders", tenders=...),
    checkout("/tenders", tenders=[{"type": "wallet"}] * 11),
    *(tender("/amount/amount", amount={"amount": amount, "currency": "KES"}) for amount in (0, -5, 2.5, "5", MANY)),
    tender("/amount/currency", amount={"amount": 5, "currency": "KESH"}),
    tender("/amount", amount=5),
    tender("/type", type="cash"),
    tender("", type="provider"),
    tender("", provider="demo"),
    tender("/provider", type="provider", provider="a#b"),
    *(tender("/kinds", kinds=kinds) for kinds in ([], ["reward", "reward"], "reward", ["reward"] * 4)),
    tender("/kinds/0", kinds=["cash"]),
    tender("", type="provider", provider="demo", kinds=["reward"]),
    checkout("/return_url", return_url=...),
    *(
        checkout("/return_url", return_url=url)
        for url in ("javascript:alert(1)", "ftp://x", "//x", "https://", "https://a b", "https://é", "https://a\nb", 1)
    ),
    checkout("/return_url", return_url="https://x/" + "y" * 2048),
    *(checkout("/demo_outcome", demo_outcome=outcome) for outcome in ("DROP TABLE", "a" * 40, "x\x00", 1)),
    *(contact("/email", email=email) for email in ("", "a", "a@b", "@b.c", "a b@c.d", "a@b.c\n", "é@b.c", 1, None)),
    contact("/email", email="a" * 250 + "@b.co"),
    *(contact("/name", name=text) for text in TEXTS),
    *(contact("/phone", phone=phone) for phone in ("call me", "1" * 31, "+254\x00", 254)),
    contact("/address/country", address={"line1": "Moi Avenue", "country": "Kenya"}),
    contact("/address/line1", address={"line1": "a\x00", "country": "KE"}),
    contact("/address/planet", address={"line1": "a", "country": "KE", "planet": "Earth"}),
    *(product("/title", title=text) for text in [*TEXTS, "", None]),
    *(product("/vendor_id", vendor_id=vendor_id) for vendor_id in IDS),
    *(product("/prices/KES", prices={"KES": amount}) for amount in AMOUNTS[1:]),
    product("/prices", prices={}),
    product("/prices", prices=[]),
    product("/prices/XXX", prices={"XXX": 1}),
    product("/prices/a~1b~0c", prices={"a/b~c": 1}),
    *(product("/weight_grams", weight_grams=weight) for weight in (0, -1, 1.5, "1", True, MANY)),
    product("/dimensions_mm", dimensions_mm=[1, 2]),
    product("/dimensions_mm/2", dimensions_mm=[1, 2, 0]),
    product("/options/size", options={"size": "a\x00"}),
    product("/options/a#b", options={"a#b": "x"}),
    product("/options", options={f"o{number}": "x" for number in range(21)}),
    product("/cells", cells=40),
    product("/version", version=7),
    *(tenant("/name", name=text) for text in TEXTS),
    *(tenant("/tax_rates/standard", tax_rates={"standard": rate}) for rate in (-1, 10_001, 16.0, "16", True)),
    tenant("/tax_rates", tax_rates={}),
    tenant("/shipping/KES/base", shipping={"KES": {"base": -1}}),
    tenant("/shipping/XXX", shipping={"XXX": {}}),
    *(tenant("/demo", demo=value) for value in ("true", 1, "yes", None)),
    *(vendor("/commission_bps", commission_bps=rate) for rate in (-1, 10_001, 0.5, "1", True, MANY)),
    *(vendor("/country", country=code) for code in ("ke", "KEN", "", "K\x00", 1)),
    *(
        Bad("POST", "/v1/stock/coffee/receipts", {"quantity": quantity}, "/quantity")
        for quantity in [0, -1, 1.5, "5", True, 1_000_001, MANY]
    ),
    Bad("POST", "/v1/stock/coffee/receipts", {"quantity": 1, "reason": "a\x00"}, "/reason"),
    *(Bad("POST", "/v1/stock/coffee/receipts", {"quantity": 1, "location": one}, "/location") for one in IDS),
    *(
        Bad("POST", "/v1/stock/coffee/adjustments", {"quantity": quantity, "reason": "count"}, "/quantity")
        for quantity in [0, 0.5, "5", True, 1_000_001, -1_000_001, MANY, None]
    ),
    *(
        Bad("POST", "/v1/stock/coffee/adjustments", {"quantity": 1, "reason": reason}, "/reason")
        for reason in ["", "because", "DAMAGE", 1, None]
    ),
    Bad("POST", "/v1/stock/coffee/adjustments", {"quantity": 1, "reason": "count", "note": "a\x00"}, "/note"),
    *(
        Bad("POST", "/v1/stock/coffee/moves", {"quantity": quantity, **THERE}, "/quantity")
        for quantity in [0, -1, 1.5, True, MANY]
    ),
    *(
        Bad("POST", "/v1/stock/coffee/moves", {"quantity": 1, **THERE, "to_location": one}, "/to_location")
        for one in IDS
    ),
    *(product("/backorder_limit", backorder_limit=units) for units in (0, -1, 1.5, "1", True, MANY)),
    *(product("/backorder", backorder=value) for value in ("true", 1, None)),
    *(product("/low_stock", low_stock=units) for units in (-1, 1.5, "1", True, MANY)),
    *(
        tenant("/locations", locations=names)
        for names in ([], ["a", "a"], "main", None, [f"l{at}" for at in range(21)])
    ),
    *(tenant("/locations/0", locations=[name]) for name in IDS),
    *(tenant("/cart_reservation_minutes", cart_reservation_minutes=time) for time in (0, 121, 1.5, "10", True)),
    Bad("POST", "/v1/carts", {"currency": "XXX"}, "/currency", ("guest",)),
    Bad("POST", "/v1/carts", {}, "/currency", ("guest",)),
    Bad("PUT", "/v1/carts/crt_1/lines/coffee", {"quantity": 0}, "/quantity", ("guest",)),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_value_that_is_not_as_it_should_be_is_pointed_at(bad: Bad, people: People) -> None:
    reply = people.of(*bad.roles, **bad.claims).change(bad.method, bad.path, bad.body)
    if reply.status == 400 and reply.code == "malformed_request":
        assert "digits" in reply.json()["detail"]  # a number that Python does not even read
        return
    assert (reply.status, reply.code) == (400, "invalid_request")
    assert bad.pointer in [fault["pointer"] for fault in reply.json()["errors"]]


def test_everything_that_is_wrong_is_said_at_once(people: People) -> None:
    body = {"name": "", "country": "kenya", "commission_bps": 1.5, "extra": 1}
    faults = people.admin.put("/v1/vendors/ven_x", body).json()["errors"]
    assert [fault["pointer"] for fault in faults] == ["/name", "/country", "/commission_bps", "/extra"]


def test_a_great_many_faults_make_a_short_answer(people: People) -> None:
    reply = people.admin.put("/v1/tenant", {f"m{number}": 1 for number in range(5000)})
    assert len(reply.json()["errors"]) == 50


def test_what_was_sent_is_not_repeated(people: People) -> None:
    reply = people.admin.put("/v1/vendors/ven_x", {"name": 5, "country": "my secret", "commission_bps": 1})
    assert b"my secret" not in reply.body


# -- Bodies


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "{",
        '{"name": }',
        '{"name": "Soko",}',
        "{'name': 'Soko'}",
        '{"name": "Soko"} {"name": "Soko"}',
        '{"name": "Soko", "name": "Other"}',
        '{"name": "Soko", "shipping": {"KES": {}, "KES": {}}}',
        '{"name": NaN}',
        '{"name": Infinity}',
        '{"name": -Infinity}',
        '{"name": "Soko", "\\ud800": 1}',
        '{"name": "a\nb"}',
        "[]",
        '[{"name": "Soko"}]',
        '"name"',
        "null",
        "7",
        "[" * 50_000,
        '{"name":' * 20_000,
        '{"name": ' + "9" * 5000 + "}",
        b"\xff\xfe",
        b'{"name": "\xe9"}',
        '{"name": "Soko"}'.encode("utf-16"),
        '\ufeff{"name": "Soko"}',
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_a_body_that_can_be_read_in_no_way_or_in_two_is_malformed(raw: str | bytes, people: People) -> None:
    reply = people.admin.put("/v1/tenant", raw=raw)
    assert (reply.status, reply.code) == (400, "malformed_request")


def test_a_body_that_is_said_to_be_base64_and_is_not_is_malformed(people: People) -> None:
    headers = {
        "authorization": f"Bearer {people.admin.token}",
        "content-type": "application/json",
        "idempotency-key": "one",
    }
    event = event_of("PUT", "/v1/tenant", "not base64!", headers, "") | {"isBase64Encoded": True}
    assert reply_of(handler_of("/v1/tenant")(event, None)).code == "malformed_request"


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
        "application/problem+json",
    ],
)
def test_a_body_that_is_not_declared_as_json_is_refused(media_type: str | None, people: People) -> None:
    reply = people.admin.put("/v1/tenant", {"name": "Soko"}, headers={"content-type": media_type})
    assert (reply.status, reply.code) == (415, "unsupported_media_type")
    assert reply.headers["accept"] == "application/json"


@pytest.mark.parametrize("size", [BODY_BYTES_MAX + 1, 4 * BODY_BYTES_MAX])
@pytest.mark.parametrize("binary", [False, True])
def test_a_body_that_is_too_large_is_not_even_read(size: int, binary: bool, people: People) -> None:
    raw = '{"name": "' + "x" * (size - 12) + '"}'
    reply = people.admin.put("/v1/tenant", raw=raw.encode() if binary else raw)
    assert (reply.status, reply.code) == (413, "body_too_large")


def test_bytes_count_and_not_characters(people: People) -> None:
    raw = '{"name": "' + "é" * (BODY_BYTES_MAX // 2) + '"}'
    assert people.admin.put("/v1/tenant", raw=raw).code == "body_too_large"


# -- Addresses

WEIRD = ["a#b", "a b", "a\x00b", "..%2f..", "%00", "a%23b", "x" * 65, "é", "\ud7ff", "a\nb", "'; --", "${x}", "a:b"]


@pytest.mark.parametrize("weird", WEIRD, ids=repr)
@pytest.mark.parametrize(
    "path",
    ["/v1/products/{}", "/v1/stock/{}", "/v1/vendors/{}", "/v1/orders/{}", "/v1/wallets/{}"],
)
def test_an_id_that_no_id_looks_like_reaches_no_key(path: str, weird: str, people: People) -> None:
    for sent in (weird, quote(weird, safe="")):
        reply = people.admin.get(path.format(sent))
        assert (reply.status, reply.code) in ((400, "invalid_request"), (404, "not_found")), sent


@pytest.mark.parametrize("weird", WEIRD, ids=repr)
def test_no_change_reaches_a_key_under_a_weird_id(weird: str, people: People) -> None:
    body = {"vendor_id": "ven_kazi", "title": "T", "prices": {"KES": 1}}
    replies: list[Reply] = [
        people.admin.put(f"/v1/products/{weird}", body),
        people.admin.put(f"/v1/vendors/{weird}", {"name": "T", "country": "KE", "commission_bps": 1}),
        people.admin.post(f"/v1/wallets/{weird}/credits", CREDIT),
        people.customer().put(f"/v1/carts/{weird}/lines/coffee", {"quantity": 1}),
        people.customer().delete(f"/v1/carts/crt_1/lines/{weird}"),
    ]
    assert {reply.status for reply in replies} <= {400, 404}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/products",
        "/v1/products/",
        "/v1//products",
        "/v1/products/a/b",
        "/V1/products",
        "/v1/x",
        "/docs/x",
    ],
)
def test_an_address_where_nothing_is_says_so(path: str, people: People) -> None:
    reply = people.admin.get(path)
    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/products", "GET, HEAD"),
        ("DELETE", "/v1/products/coffee", "GET, HEAD, PUT"),
        ("PATCH", "/v1/tenant", "GET, HEAD, PUT"),
        ("GET", "/v1/checkouts", "POST"),
        ("HEAD", "/v1/checkouts", "POST"),
        ("PUT", "/v1/carts", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("TRACE", "/v1/orders", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_answer_to_is_told_the_others(
    method: str, path: str, allowed: str, people: People
) -> None:
    reply = people.admin.send(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert reply.code == "method_not_allowed"


# -- Queries


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/products", {"limit": "0"}),
        ("/v1/products", {"limit": "101"}),
        ("/v1/products", {"limit": "-1"}),
        ("/v1/products", {"limit": "5.0"}),
        ("/v1/products", {"limit": " 5"}),
        ("/v1/products", {"limit": "1_0"}),
        ("/v1/products", {"limit": "٥"}),
        ("/v1/products", {"limit": ""}),
        ("/v1/products", {"limit": "9" * 100}),
        ("/v1/products", {"cursor": "x" * 1025}),
        ("/v1/orders", {}),
        ("/v1/orders", {"customer_id": "a#b"}),
        ("/v1/orders", {"vendor_id": "a b"}),
        ("/v1/orders", {"customer_id": "cus_amina", "vendor_id": "ven_kazi"}),
        ("/v1/ledger/accounts/cash:demo/statement", {}),
        ("/v1/ledger/accounts/cash:demo/statement", {"asset": "kes"}),
        ("/v1/ledger/accounts/cash:demo/statement", {"asset": "KES", "start": "yesterday"}),
        ("/v1/ledger/accounts/cash:demo/statement", {"asset": "KES", "start": "2026-11-20T09:30:00"}),
        ("/v1/ledger/accounts/cash:demo/statement", {"asset": "KES", "end": "2026-13-45T00:00:00Z"}),
        ("/v1/ledger/accounts/cash:demo/statement", {"asset": "KES", "start": "1700000000"}),
        ("/v1/log", {"day": "86400"}),
        ("/v1/log", {"day": "2026-11-20T00:00:00"}),
        ("/v1/log", {"day": "2026-02-30"}),
        ("/v1/log", {"start": "1700000000"}),
        ("/v1/log", {"end": "2026-11-20"}),
        ("/v1/log", {"start": "2026-11-30T00:00:00Z", "end": "2026-11-01T00:00:00Z"}),
        ("/v1/ledger/accounts/cash:a:b/statement", {"asset": "KES"}),
        ("/v1/ledger/accounts/CASH/statement", {"asset": "KES"}),
    ],
)
def test_a_parameter_that_is_not_as_it_should_be_is_named(path: str, query: dict[str, str], people: People) -> None:
    reply = people.admin.get(path, query=query)
    assert (reply.status, reply.code) == (400, "invalid_request")
    assert all(fault["parameter"] for fault in reply.json()["errors"])


@pytest.mark.parametrize("path", ["/v1/products", "/v1/products/coffee", "/v1/orders", "/v1/tenant"])
def test_a_parameter_that_nobody_reads_is_refused(path: str, people: People) -> None:
    reply = people.admin.get(path, query={"expand": "all"})
    assert (reply.status, reply.code) == (400, "unknown_parameter")
    assert reply.json()["errors"] == [{"detail": "This parameter is unknown.", "parameter": "expand"}]


def test_a_parameter_that_is_there_twice_is_refused(people: People) -> None:
    headers = {"authorization": f"Bearer {people.admin.token}"}
    event = event_of("GET", "/v1/products", None, headers, "limit=5&limit=6")
    assert reply_of(handler_of("/v1/products")(event, None)).code == "invalid_request"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "=", " "])
def test_a_cursor_that_was_not_given_out_is_refused(cursor: str, people: People) -> None:
    for path, query in (("/v1/products", {}), ("/v1/orders", {"customer_id": "cus_amina"})):
        reply = people.admin.get(path, query={**query, "cursor": cursor})
        assert (reply.status, reply.code) == (400, "invalid_cursor")
