"""The ASGI application: one listener per API and per function URL, and one for the control plane."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, Protocol

from local.http.events import (
    Endpoint,
    MalformedAnswerError,
    Request,
    Response,
    event_of,
    message,
    response_of,
)
from local.http.routes import Router
from local.invoker import Invoker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

API_BODY_MAX: Final = 10 * 1024 * 1024
LAMBDA_PAYLOAD_MAX: Final = 6 * 1024 * 1024
INTEGRATION_SECONDS: Final = 30.0  # an HTTP API's, which can't be raised


class BodyTooLargeError(ValueError):
    """Over API Gateway's limit."""


class Site(Protocol):
    """What answers on one listener."""

    async def __call__(self, request: Request) -> Response: ...


class Api:
    """An HTTP API: routes to functions."""

    def __init__(self, name: str, url: str, router: Router, invoker: Invoker) -> None:
        self._endpoint = Endpoint(name, url.removeprefix("http://"))
        self._router = router
        self._invoker = invoker

    async def __call__(self, request: Request) -> Response:
        match = self._router.match(request.method, request.path)
        if match is None:
            return message(404, "Not Found")
        request_id = str(uuid.uuid4())
        event = event_of(request, self._endpoint, request_id, match.route_key, request.path, match.path_parameters)
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > LAMBDA_PAYLOAD_MAX:
            return message(413, "Request Too Long")
        try:
            async with asyncio.timeout(INTEGRATION_SECONDS):
                outcome = await self._invoker.invoke(match.function, payload, request_id=request_id)
        except TimeoutError:
            return message(503, "Service Unavailable")
        if outcome.failed or len(outcome.payload) > LAMBDA_PAYLOAD_MAX:
            return message(500, "Internal Server Error")
        try:
            return response_of(outcome.payload).with_header(b"apigw-requestid", request_id)
        except MalformedAnswerError:
            return message(500, "Internal Server Error")


class FunctionUrl:
    """A function's own URL: every path and method is its own."""

    def __init__(self, name: str, function: str, url: str, invoker: Invoker) -> None:
        self._endpoint = Endpoint(name.lower(), url.removeprefix("http://"), account="anonymous")
        self._function = function
        self._invoker = invoker

    async def __call__(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        event = event_of(request, self._endpoint, request_id, "$default", request.raw_path, {})
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > LAMBDA_PAYLOAD_MAX:
            return message(413, "Request Entity Too Large")
        outcome = await self._invoker.invoke(self._function, payload, request_id=request_id)
        if outcome.error == "Sandbox.Timedout":
            return message(504, "Gateway Timeout")
        if outcome.failed or len(outcome.payload) > LAMBDA_PAYLOAD_MAX:
            return message(502, "Internal Server Error")
        try:
            return response_of(outcome.payload).with_header(b"x-amzn-requestid", request_id)
        except MalformedAnswerError:
            return message(502, "Internal Server Error")


class Front:
    """Gives each request to the site of the port that it came to."""

    def __init__(self, sites: Mapping[int, Site]) -> None:
        self._sites = sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        site = self._sites[scope["server"][1]]
        try:
            body = await _read(receive)
        except BodyTooLargeError:
            await _send(message(413, "Request Entity Too Large"), scope["method"], send)
            return
        await _send(await site(_request(scope, body)), scope["method"], send)


def _request(scope: Scope, body: bytes) -> Request:
    return Request(
        method=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=scope["headers"],
        body=body,
        source_ip=scope["client"][0],
        http_version=scope["http_version"],
        port=scope["server"][1],
    )


async def _read(receive: Receive) -> bytes:
    received = await receive()
    body: bytes = received.get("body", b"")
    while received.get("more_body"):
        received = await receive()
        body += received.get("body", b"")
        if len(body) > API_BODY_MAX:
            raise BodyTooLargeError
    if len(body) > API_BODY_MAX:
        raise BodyTooLargeError
    return body


async def _send(response: Response, method: str, send: Send) -> None:
    bodiless = response.status in (204, 304) or response.status < 200
    body = b"" if bodiless or method == "HEAD" else response.body
    headers = [each for each in response.headers if each[0] != b"content-length"]
    if not bodiless:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
