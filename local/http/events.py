"""Payload format 2.0: the event made of a request, and the response made of a handler's answer."""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from local.environment import ACCOUNT

# The bodies that arrive as text; API Gateway encodes all others in base64, forms too.
TEXT_TYPES: Final = ("text/", "application/json", "application/javascript", "application/xml")
TEXT_SUFFIXES: Final = ("+json", "+xml")
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `path` is decoded, `raw_path` is not."""

    method: str
    path: str
    raw_path: str
    query: str
    headers: Headers
    body: bytes
    source_ip: str
    http_version: str
    port: int


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Headers
    body: bytes

    def with_header(self, name: bytes, value: str) -> "Response":
        return Response(self.status, [*self.headers, (name, value.encode())], self.body)


class MalformedAnswerError(ValueError):
    """The handler answered something that is no response."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What differs between an API and a function URL in the events they make."""

    api_id: str
    domain: str
    account: str = ACCOUNT


def event_of(
    request: Request, endpoint: Endpoint, request_id: str, route_key: str, path: str, path_parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The event that a handler gets."""
    headers, cookies = _headers(request)
    body, is_base64 = _body(request.body, headers.get("content-type", ""))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _context(request, endpoint, request_id, route_key, path, headers),
        "isBase64Encoded": is_base64,
    }
    optional = {
        "cookies": cookies,
        "queryStringParameters": _query(request.query),
        "pathParameters": dict(path_parameters),
        "body": body,
    }
    return event | {name: value for name, value in optional.items() if value}


def _context(
    request: Request, endpoint: Endpoint, request_id: str, route_key: str, path: str, headers: Mapping[str, str]
) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": endpoint.account,
        "apiId": endpoint.api_id,
        "domainName": endpoint.domain,
        "domainPrefix": endpoint.domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": f"HTTP/{request.http_version}",
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": route_key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def _headers(request: Request) -> tuple[dict[str, str], list[str]]:
    """Lower-case names, the values of one name joined by commas; cookies apart."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cookie":
            cookies += [each.strip() for each in value.split(";") if each.strip()]
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip
    headers["x-forwarded-port"] = str(request.port)
    headers["x-forwarded-proto"] = "http"
    return headers, cookies


def _query(query: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as text, or in base64 when it is binary. Ours to decide is only what names no type at all."""
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type or media_type.startswith(TEXT_TYPES) or media_type.endswith(TEXT_SUFFIXES):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), bool(body)


def response_of(payload: bytes) -> Response:
    """The HTTP response that a handler's answer (JSON) means. Raises MalformedAnswerError."""
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return _inferred(answer)
    try:
        status = int(answer["statusCode"])
        body = _response_body(answer)
    except (TypeError, ValueError, binascii.Error) as error:
        raise MalformedAnswerError(str(error)) from error
    headers = [(name.lower().encode("latin-1"), _text(value)) for name, value in (answer.get("headers") or {}).items()]
    headers += [(b"set-cookie", _text(cookie)) for cookie in answer.get("cookies") or ()]
    if body and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain;charset=UTF-8"))
    return Response(status, headers, body)


def _inferred(answer: Any) -> Response:
    """Without a statusCode, the answer is the body, and it is JSON."""
    body = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return Response(200, [(b"content-type", b"application/json")], body.encode())


def _response_body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if answer.get("isBase64Encoded"):
        return base64.b64decode(body, validate=True)
    return body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()


def _text(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return str(value).encode("latin-1", "replace")


def message(status: int, text: str) -> Response:
    """The gateway's own answers."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Response(status, [(b"content-type", b"application/json")], body)
