"""Bad input over the wire: a clear problem document, never a 5xx, and nothing of all that is there changes.

What each field takes is proved beside the handlers (tests/api). Here everything goes the whole way.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from local.cloud import LocalCloud
from local.story.client import Client, RefusedError
from tests.e2e.market import BY_CARD, CHECKOUTS, Market, from_wallet, store_credit

pytestmark = pytest.mark.e2e

LINE = {"sku": "basket", "quantity": 1}
CREDITS = "/v1/wallets/cus_amina/credits"
NESTED = b'{"lines":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


@dataclass
class Shop:
    """A market with an order that waits, a cart, and a customer with money; and a stranger's, with the same."""

    market: Market
    stranger: Market
    order: Any
    cart: Any
    their_order: Any
    their_cart: Any

    def client(self, role: str) -> Client:
        known = {"admin": self.market.admin, "guest": self.market.guest}
        return known.get(role) or self.market.customer()

    def everything(self) -> dict[str, Any]:
        """All that people can read, and what was ever committed."""
        log = self.market.stored()["log"]
        amina = self.market.customer()
        return {
            "log": sorted(item["pk"]["S"] for item in log),
            "orders": self.market.orders(),
            "stock": self.market.stock("basket"),
            "wallet": self.market.wallet(),
            "ledger": self.market.ledger(),
            "products": self.market.admin.get("/v1/products"),
            "tenant": self.market.admin.get("/v1/tenant"),
            "cart": amina.get(f"/v1/carts/{self.cart['id']}"),
            "theirs": (self.stranger.orders(), self.stranger.stock("basket"), self.stranger.wallet()),
        }


def _furnish(market: Market) -> tuple[Any, Any]:
    """An order, and a cart."""
    market.shelve("basket", 20)
    market.shelve("bowl", 20)
    amina = market.customer(credit=50_000)
    cart = amina.post("/v1/carts", {"currency": "KES"})
    amina.put(f"/v1/carts/{cart['id']}/lines/basket", {"quantity": 1})
    return market.buy("basket", by=amina)["order"], cart


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud, http: httpx.Client) -> Iterator[Shop]:
    """Whatever the tests of this module send, at the end everything is as it was at first."""
    market, stranger = Market(cloud, http).open(), Market(cloud, http).open()
    order, cart = _furnish(market)
    theirs = _furnish(stranger)
    shop = Shop(market, stranger, order, cart, *theirs)
    cloud.idle()
    before = shop.everything()
    yield shop
    cloud.idle()
    assert shop.everything() == before
    market.audit()


def refused(answer: httpx.Response, status: int, code: str) -> Any:
    """The problem document of a refusal, which says nothing of our inside."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= problem.keys()
    assert problem["status"] == status
    assert "Traceback" not in answer.text
    assert "cauri." not in answer.text
    return problem


# -- Requests that are wrong in one thing -----------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """A request as `role`, and the refusal it gets. `body` is members changed of a right checkout, or raw bytes."""

    status: int
    code: str
    body: dict[str, Any] | bytes = field(default_factory=dict)
    role: str = "guest"
    method: str = "POST"
    path: str = CHECKOUTS
    headers: dict[str, str | None] = field(default_factory=dict)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        right = {
            "lines": [LINE],
            "currency": "KES",
            "tenders": [BY_CARD],
            "contact": {"email": "guest@example.com"},
            "return_url": "https://soko.example/thanks",
        }
        members = right | self.body if self.path == CHECKOUTS else self.body
        return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


MALFORMED = {
    "nothing": b"",
    "half a document": b'{"lines": [',
    "a list": b"[]",
    "not UTF-8": b'{"currency": "\xff\xfe"}',
    "a member twice": b'{"currency": "KES", "currency": "USD"}',
    "not a number": b'{"quantity": NaN}',
    "nested deeply": NESTED,
    "five thousand digits": b'{"quantity": ' + b"9" * 5000 + b"}",
    "half a character in a name": b'{"\\ud800": 1}',
}

WRONG = {
    **{f"body: {name}": Wrong(400, "malformed_request", raw) for name, raw in MALFORMED.items()},
    "body: 300 KB": Wrong(413, "body_too_large", {"return_url": "https://x/" + "y" * 300_000}),
    "type: text": Wrong(415, "unsupported_media_type", headers={"Content-Type": "text/plain"}),
    "type: form": Wrong(415, "unsupported_media_type", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    "type: none": Wrong(415, "unsupported_media_type", headers={"Content-Type": None}),
    "type: Latin-1": Wrong(
        415, "unsupported_media_type", headers={"Content-Type": "application/json; charset=latin-1"}
    ),
    "key: none": Wrong(400, "idempotency_key_missing", headers={"Idempotency-Key": None}),
    "key: empty": Wrong(400, "idempotency_key_invalid", headers={"Idempotency-Key": ""}),
    "key: with a space": Wrong(400, "idempotency_key_invalid", headers={"Idempotency-Key": "a b"}),
    "key: too long": Wrong(400, "idempotency_key_invalid", headers={"Idempotency-Key": "k" * 256}),
    "key: not ASCII": Wrong(400, "idempotency_key_invalid", headers={"Idempotency-Key": "clé"}),
    "currency: none such": Wrong(400, "invalid_request", {"currency": "XXX"}),
    "currency: lower case": Wrong(400, "invalid_request", {"currency": "kes"}),
    "currency: not sold in it": Wrong(422, "currency_mismatch", {"currency": "USD"}),
    "quantity: 0": Wrong(400, "invalid_request", {"lines": [LINE | {"quantity": 0}]}),
    "quantity: negative": Wrong(400, "invalid_request", {"lines": [LINE | {"quantity": -1}]}),
    "quantity: 10^9": Wrong(422, "quantity_too_large", {"lines": [LINE | {"quantity": 10**9}]}),
    "quantity: over all bounds": Wrong(400, "invalid_request", {"lines": [LINE | {"quantity": 10**30}]}),
    "quantity: more than there are": Wrong(409, "out_of_stock", {"lines": [LINE | {"quantity": 21}]}),
    "quantity: a float": Wrong(400, "invalid_request", {"lines": [LINE | {"quantity": 1.5}]}),
    "quantity: a text": Wrong(400, "invalid_request", {"lines": [LINE | {"quantity": "1"}]}),
    "quantity: in two lines, more than there are": Wrong(
        409, "out_of_stock", {"lines": [LINE | {"quantity": 11}, LINE | {"quantity": 10}]}
    ),
    "lines: none": Wrong(400, "invalid_request", {"lines": []}),
    "lines: 200": Wrong(400, "invalid_request", {"lines": [LINE | {"sku": f"s-{n}"} for n in range(200)]}),
    "lines: and a cart": Wrong(400, "invalid_request", {"cart_id": "crt_1"}),
    "sku: unknown": Wrong(404, "unknown_sku", {"lines": [LINE | {"sku": "carpet"}]}),
    "sku: one known, one not": Wrong(404, "unknown_sku", {"lines": [LINE, LINE | {"sku": "carpet"}]}),
    "sku: no SKU": Wrong(400, "invalid_request", {"lines": [LINE | {"sku": "a#b"}]}),
    "price: the buyer's": Wrong(400, "invalid_request", {"lines": [LINE | {"price": 1}]}),
    "cart: unknown": Wrong(404, "unknown_cart", {"cart_id": "crt_1", "lines": ..., "currency": ...}),
    "contact: none": Wrong(422, "email_required", {"contact": ...}),
    "contact: control characters": Wrong(
        400, "invalid_request", {"contact": {"email": "a@example.com", "name": "a\x00\x1bb"}}
    ),
    "contact: no address": Wrong(400, "invalid_request", {"contact": {"email": "nobody"}}),
    "return: a script": Wrong(400, "invalid_request", {"return_url": "javascript:alert(1)"}),
    "return: a header": Wrong(400, "invalid_request", {"return_url": "https://x.example/\r\nSet-Cookie: a=b"}),
    "tender: none": Wrong(422, "tenders_do_not_match", {"tenders": []}),
    "tender: of nobody": Wrong(422, "provider_not_enabled", {"tenders": [BY_CARD | {"provider": "acme"}]}),
    "tender: two by card": Wrong(422, "tenders_do_not_match", {"tenders": [BY_CARD, BY_CARD]}),
    "tender: a guest's wallet": Wrong(422, "wallet_needs_customer", {"tenders": [from_wallet(1), BY_CARD]}),
    "tender: more than the wallet has": Wrong(
        422, "insufficient_balance", {"tenders": [from_wallet(50_001), BY_CARD]}, role="customer"
    ),
    "tender: more than the price": Wrong(
        422, "tenders_do_not_match", {"tenders": [from_wallet(10**9), BY_CARD]}, role="customer"
    ),
    "tender: less than the price": Wrong(422, "tenders_do_not_match", {"tenders": [from_wallet(1)]}, role="customer"),
    "tender: another currency": Wrong(
        422, "currency_mismatch", {"tenders": [from_wallet(1, "USD"), BY_CARD]}, role="customer"
    ),
    "amount: 0": Wrong(400, "invalid_request", store_credit(0), "admin", path=CREDITS),
    "amount: negative": Wrong(400, "invalid_request", store_credit(-5), "admin", path=CREDITS),
    "amount: a float": Wrong(400, "invalid_request", store_credit(12.5), "admin", path=CREDITS),
    "amount: a whole float": Wrong(
        400,
        "invalid_request",
        b'{"kind": "store_credit", "source": "x", "amount": {"amount": 1e3, "currency": "KES"}}',
        "admin",
        path=CREDITS,
    ),
    "amount: huge": Wrong(400, "invalid_request", store_credit(10**18), "admin", path=CREDITS),
    "role: a guest gives credit": Wrong(403, "forbidden", store_credit(5), path=CREDITS),
    "role: a customer sets rules": Wrong(403, "forbidden", {}, "customer", "PUT", "/v1/tenant"),
    "role: an admin shops": Wrong(403, "forbidden", role="admin"),
    "method: PATCH": Wrong(405, "method_not_allowed", method="PATCH"),
    "method: DELETE": Wrong(405, "method_not_allowed", method="DELETE", path="/v1/tenant", role="admin"),
    "path: nothing there": Wrong(404, "not_found", path="/v1/nothing"),
    "path: a slash too many": Wrong(404, "not_found", path="/v1/checkouts/"),
    "query: misspelt": Wrong(400, "unknown_parameter", path="/v1/checkouts?dryrun=true"),
    "query: not true": Wrong(400, "invalid_request", path="/v1/checkouts?dry_run=yes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_is_refused(name: str, shop: Shop) -> None:
    wrong = WRONG[name]
    headers = {
        "Authorization": f"Bearer {shop.client(wrong.role).token}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"wrong: {name}".replace(" ", "-"),
        **wrong.headers,
    }
    url = shop.market.cloud.api_url + wrong.path
    sent = {header.encode(): value.encode() for header, value in headers.items() if value is not None}
    answer = shop.market.http.request(wrong.method, url, content=wrong.content(), headers=sent)
    refused(answer, wrong.status, wrong.code)


@pytest.mark.parametrize(
    "path, code",
    [
        ("/v1/products?limit=0", "invalid_request"),
        ("/v1/products?limit=101", "invalid_request"),
        ("/v1/products?limit=1e1", "invalid_request"),
        ("/v1/products?cursor=garbage", "invalid_cursor"),
        ("/v1/products?cursor=%00%FF", "invalid_cursor"),
        ("/v1/ledger/accounts/cash:demo/statement?asset=KES&start=yesterday", "invalid_request"),
        ("/v1/ledger/accounts/cash:demo/statement", "invalid_request"),
        ("/v1/orders", "invalid_request"),
    ],
)
def test_a_wrong_question_is_refused(path: str, code: str, shop: Shop) -> None:
    refused(shop.market.send("GET", path, token=shop.market.admin.token), 400, code)


def test_a_period_that_ends_before_it_begins_is_empty(shop: Shop) -> None:
    path = "/v1/ledger/accounts/wallet:store_credit:cus_amina/statement"
    whole = shop.market.admin.get(path, asset="KES")
    none = shop.market.admin.get(path, asset="KES", start="2099-01-01T00:00:00Z", end="2020-01-01T00:00:00Z")
    assert len(whole["lines"]) == 1
    assert (none["lines"], none["opening_balance"]) == ([], whole["closing_balance"])


def test_a_cart_takes_no_more_than_a_hundred_lines(cloud: LocalCloud, http: httpx.Client) -> None:
    market = Market(cloud, http).open()
    for number in range(101):
        product = {"vendor_id": "ven_kazi", "title": "A", "prices": {"KES": 1}}
        market.admin.put(f"/v1/products/sku-{number}", product)
    cart = market.guest.post("/v1/carts", {"currency": "KES"})
    for number in range(100):
        cart = market.guest.put(f"/v1/carts/{cart['id']}/lines/sku-{number}", {"quantity": 1})
    with pytest.raises(RefusedError, match="422 too_many_lines"):
        market.guest.put(f"/v1/carts/{cart['id']}/lines/sku-100", {"quantity": 1})
    assert market.guest.get(f"/v1/carts/{cart['id']}") == cart


# -- Who asks ---------------------------------------------------------------------------------------------


def forge(change: Callable[[dict[str, Any]], dict[str, Any]], algorithm: str, key: str) -> Callable[[str], str]:
    def forged(token: str) -> str:
        claims = jwt.decode(token, options={"verify_signature": False})
        headers = {"kid": jwt.get_unverified_header(token)["kid"]}
        return jwt.encode(change(claims), key, algorithm=algorithm, headers=headers)

    return forged


def tampered(token: str) -> str:
    header, claims, signature = token.split(".")
    _, others, _ = forge(lambda claims: claims | {"tenant": "jua"}, "HS256", "k" * 32)(token).split(".")
    assert others != claims
    return f"{header}.{others}.{signature}"


FORGERIES: dict[str, Callable[[str], str]] = {
    "not a token": lambda _: "garbage",
    "three dots": lambda _: "...",
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "algorithm none": forge(lambda claims: claims, "none", ""),
    "signed with a secret": forge(lambda claims: claims, "HS256", "k" * 32),
    "other claims": tampered,
    "longer than anybody needs": lambda token: token + "A" * 9000,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_opens_nothing(name: str, shop: Shop) -> None:
    token = FORGERIES[name](shop.market.admin.token)
    answer = shop.market.send("PUT", "/v1/tenant", token=token, key="forged", json={"name": "Mine"})
    refused(answer, 401, "token_invalid")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_expired_token_says_that_it_is(shop: Shop) -> None:
    token = shop.market.cloud.token(tenant=shop.market.tenant, roles=["admin"], sub="usr_admin", days=-1)
    refused(shop.market.send("GET", "/v1/tenant", token=token), 401, "token_expired")


def test_a_token_of_our_own_system_is_nobodys(shop: Shop) -> None:
    token = shop.market.cloud.token(tenant=shop.market.tenant, roles=["admin"], sub="system:payments")
    refused(shop.market.send("GET", "/v1/tenant", token=token), 401, "token_invalid")


def test_without_a_token_nobody_comes_in(shop: Shop) -> None:
    refused(shop.market.http.get(shop.market.cloud.api_url + "/v1/tenant"), 401, "token_missing")


# -- Whose it is ------------------------------------------------------------------------------------------


def test_what_is_anothers_answers_as_what_does_not_exist(shop: Shop) -> None:
    """Another tenant's, and another customer's of the same tenant."""
    admin, amina, juma = shop.market.admin, shop.market.customer(), shop.market.customer("juma")
    theirs, mine = (shop.their_order["id"], shop.their_cart["id"]), (shop.order["id"], shop.cart["id"])
    others: list[tuple[Client, str, str]] = [
        (admin, f"/v1/orders/{theirs[0]}", "/v1/orders/ord_01JD4W6K3M9QZ8X7V5T2R1P0N4"),
        (amina, f"/v1/orders/{theirs[0]}", "/v1/orders/ord_01JD4W6K3M9QZ8X7V5T2R1P0N4"),
        (amina, f"/v1/carts/{theirs[1]}", "/v1/carts/crt_01JD4W6K3M9QZ8X7V5T2R1P0N4"),
        (juma, f"/v1/orders/{mine[0]}", "/v1/orders/ord_01JD4W6K3M9QZ8X7V5T2R1P0N4"),
        (juma, f"/v1/carts/{mine[1]}", "/v1/carts/crt_01JD4W6K3M9QZ8X7V5T2R1P0N4"),
        (juma, "/v1/wallets/cus_amina", "/v1/wallets/cus_nobody"),
    ]
    for client, there, nowhere in others:
        answers = [shop.market.send("GET", path, token=client.token) for path in (there, nowhere)]
        problems = [refused(answer, 404, answer.json()["code"]) for answer in answers]
        told = [
            {name: value for name, value in problem.items() if name not in ("request_id", "detail")}
            | {"detail": problem["detail"].replace(path.rpartition("/")[2], "…")}
            for problem, path in zip(problems, (there, nowhere), strict=True)
        ]
        assert told[0] == told[1]


def test_anothers_cart_can_be_neither_filled_nor_bought(shop: Shop) -> None:
    juma = shop.market.customer("juma").token
    cart = shop.cart["id"]
    line = f"/v1/carts/{cart}/lines/basket"
    body = {"cart_id": cart, "tenders": [BY_CARD], "return_url": "https://soko.example/thanks"}
    for method, path, sent in (("PUT", line, {"quantity": 5}), ("DELETE", line, None), ("POST", CHECKOUTS, body)):
        answer = shop.market.send(method, path, token=juma, key=f"juma-{method}", json=sent)
        refused(answer, 404, "unknown_cart")


def test_a_cursor_is_good_for_its_own_list_only(shop: Shop) -> None:
    cursor = shop.stranger.admin.get("/v1/products", limit=1)["next_cursor"]
    assert shop.stranger.admin.get("/v1/products", cursor=cursor)["items"][0]["sku"] == "bowl"
    for whose, path in (
        (shop.market, f"/v1/products?cursor={cursor}"),
        (shop.stranger, f"/v1/orders?customer_id=cus_amina&cursor={cursor}"),
        (shop.stranger, f"/v1/products?cursor={cursor[:-1]}"),
    ):
        refused(whose.send("GET", path, token=whose.admin.token), 400, "invalid_cursor")


# -- Bytes that no client library sends -------------------------------------------------------------------


def on_the_wire(cloud: LocalCloud, head: bytes) -> HTTPResponse:
    """What comes back for the very bytes of a request's head."""
    place = urlsplit(cloud.api_url)
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as connection:
        connection.sendall(head)
        answer = HTTPResponse(connection)
        answer.begin()
        answer.read()
        return answer


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/orders/%ZZ",
        b"/v1/orders/%",
        b"/v1/orders/%00",
        b"/v1/orders/%FF%FE",
        b"/v1/orders/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        b"/v1/orders/../../../etc/passwd",
        b"/v1/orders/ord_1%0d%0aSet-Cookie:%20a=b",
        b"/v1/orders/" + b"x" * 5000,
        b"//v1//orders",
        b"/v1/orders/\xc3\xa9",
        b"/v1/orders/ord_1;a=b",
        b"/v1/orders/%E2%80%AE",
        b"/v1/products?limit=%ZZ",
        b"/v1/products?%00=%00",
        b"/v1/products?" + b"a=1&" * 2000,
    ],
)
def test_a_broken_address_is_not_found(path: bytes, shop: Shop) -> None:
    token = shop.market.admin.token.encode()
    head = (
        b"GET " + path + b" HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer " + token + b"\r\nConnection: close\r\n\r\n"
    )
    answer = on_the_wire(shop.market.cloud, head)
    assert answer.status in (400, 404, 414)
    assert answer.headers["set-cookie"] is None


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/tenant HTTP/1.1\r\nHost: api\r\nX-Much: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /v1/tenant HTTP/1.1\r\nHost: api\r\n" + b"X-Many: 1\r\n" * 5000 + b"\r\n",
        b"GET /v1/tenant HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n",
        b"GET /v1/tenant HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
        b"POST /v1/checkouts HTTP/1.1\r\nHost: api\r\nContent-Length: nine\r\n\r\n",
        b"FROB /v1/tenant HTTP/1.1\r\nHost: api\r\n\r\n",
        b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n",
    ],
    ids=["a long header", "many headers", "a token of bytes", "two tokens", "no length", "no method", "no HTTP"],
)
def test_broken_headers_are_refused(head: bytes, shop: Shop) -> None:
    assert on_the_wire(shop.market.cloud, head).status in (400, 401, 404, 405, 413, 431)


def test_a_body_that_api_gateway_would_not_take_is_refused_by_it(shop: Shop) -> None:
    body = b'{"return_url": "' + b"x" * 11_000_000 + b'"}'
    headers = {"Authorization": f"Bearer {shop.market.guest.token}", "Idempotency-Key": "much"}
    answer = shop.market.http.post(shop.market.cloud.api_url + CHECKOUTS, content=body, headers=headers)
    assert answer.status_code == 413
