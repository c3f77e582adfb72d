"""A client that calls the handlers as API Gateway does: routes of the template, payload format 2.0."""

from __future__ import annotations

import base64
import functools
import gzip
import importlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from local.http.routes import Router
from local.template import Template, read
from tests.api.issuer import Issuer
from tests.engines import STAGE, TEMPLATE

ADDRESS = "192.0.2.7"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem document, which is one in every member."""
        said = self.json()
        assert self.headers["content-type"] == "application/problem+json", self.body
        assert {"type", "title", "status", "detail", "code", "request_id"} <= set(said), said
        assert said["status"] == self.status, said
        assert said["type"].endswith(f"#{said['code']}"), said
        code: str = said["code"]
        return code


@dataclass
class Client:
    """One caller. Every change has a key of its own, unless the test names one."""

    token: str | None
    ip: str = ADDRESS

    def at(self, ip: str) -> Client:
        """The same caller, from another address."""
        return replace(self, ip=ip)

    def get(self, path: str, **more: Any) -> Reply:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.change("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.change("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.change("DELETE", path, **more)

    def change(self, method: str, path: str, body: Any = None, key: str | None = None, **more: Any) -> Reply:
        headers = {"idempotency-key": key or f"sent-{next(_KEYS)}"} | more.pop("headers", {})
        return self.send(method, path, body, headers=headers, **more)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | str | None = None,
        headers: Mapping[str, str | None] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Reply:
        """`body` goes as JSON, `raw` as it is (bytes in base64). A header that is None is left out."""
        text = raw if raw is not None else json.dumps(body) if body is not None else None
        sent: dict[str, str | None] = {"accept": "*/*", "host": "api.test"}
        if text is not None:
            sent["content-type"] = "application/json"
        if self.token is not None:
            sent["authorization"] = f"Bearer {self.token}"
        sent |= headers or {}
        path, _, asked = path.partition("?")
        kept = {name: value for name, value in sent.items() if value is not None}
        event = event_of(method, path, text, kept, asked or urlencode(query or {}), self.ip)
        return reply_of(handler_of(path)(event, None))


def event_of(
    method: str, path: str, body: bytes | str | None, headers: Mapping[str, str], query: str, ip: str = ADDRESS
) -> Any:
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.test",
            "domainPrefix": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": ip, "userAgent": "t"},
            "requestId": f"req-{next(_REQUESTS)}",
            "routeKey": "$default",
            "stage": "$default",
            "time": "20/Nov/2026:09:30:00 +0000",
            "timeEpoch": 1795167000000,
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        event["queryStringParameters"] = {k: ",".join(v for n, v in pairs if n == k) for k, _ in pairs}
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


_REQUESTS = itertools.count(1)
_KEYS = itertools.count(1)


def reply_of(answer: Mapping[str, Any]) -> Reply:
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Reply(int(answer["statusCode"]), headers, body)


def handler_of(path: str) -> Any:
    """The handler that the template sends `path` to; the catch-all's for what no route takes."""
    match = _router().match("GET", path) or _router().match("GET", "/nowhere")
    assert match is not None
    return _handler(match.function)


@functools.cache
def _template() -> Template:
    return read(TEMPLATE, {"Stage": STAGE})


@functools.cache
def _router() -> Router:
    return Router(_template().routes)


@functools.cache
def _handler(logical_id: str) -> Any:
    function = _template().functions[logical_id]
    return getattr(importlib.import_module(function.module), function.attribute)


@dataclass
class People:
    """Clients by who they are."""

    issuer: Issuer
    tenant: str = "soko"

    def of(self, *roles: str, **claims: Any) -> Client:
        return Client(self.issuer.token(tenant=self.tenant, roles=list(roles), **claims))

    @property
    def admin(self) -> Client:
        return self.of("admin", sub="usr_admin")

    def customer(self, name: str = "amina") -> Client:
        return self.of("customer", sub=f"usr_{name}", customer_id=f"cus_{name}")

    def vendor(self, vendor_id: str = "ven_kazi") -> Client:
        return self.of("vendor", sub=f"usr_{vendor_id}", vendor_id=vendor_id)

    @property
    def guest(self) -> Client:
        return self.of("guest", sub="guest")
