"""Small HTTP servers on threads: one that is a Lambda function URL, one that takes webhooks, one that misbehaves."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Handler = Callable[[dict[str, Any], Any], Any]


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """A test's output is the test's."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(kind: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL, with its last slash, of a server that answers while the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def function_url(handler: Handler) -> Iterator[str]:
    """`handler` behind a function URL, payload format 2.0: one request at a time, as an instance of Lambda has it."""
    numbers = itertools.count(1)
    instance = threading.Lock()

    class FunctionUrl(_Quiet):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            event = {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "queryStringParameters": dict(parse_qsl(query)),
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "requestContext": {
                    "http": {"method": self.command, "path": path, "sourceIp": "127.0.0.1"},
                    "requestId": f"request-{next(numbers)}",
                    "stage": "$default",
                },
                "body": self.body().decode(),
                "isBase64Encoded": False,
            }
            try:
                with instance:
                    said = handler(event, None)
            except Exception:  # noqa: BLE001 - whatever it is, AWS answers so
                self.answer(502, {"content-type": "application/json"}, b'{"message":"Internal Server Error"}')
                return
            headers = {name: str(value) for name, value in said["headers"].items()}
            self.answer(int(said["statusCode"]), headers, (said["body"] or "").encode())

        do_POST = do_GET  # noqa: N815

    with serving(FunctionUrl) as url:
        yield url


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    raw: bytes


@dataclass
class Receiver:
    """What came to a webhook address. `statuses` are the answers to come; then every webhook is accepted."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Webhook(_Quiet):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, self.body()))
            self.answer(receiver.statuses.pop(0) if receiver.statuses else 200, {}, b"")

    with serving(Webhook) as url:
        receiver.url = url
        yield receiver


@contextmanager
def saying(speak: Callable[[_Quiet], None]) -> Iterator[str]:
    """A server that does whatever `speak` does with a request, however wrong."""

    class Misbehaving(_Quiet):
        def do_GET(self) -> None:
            self.body()
            speak(self)

        do_POST = do_GET  # noqa: N815

    with serving(Misbehaving) as url:
        yield url
