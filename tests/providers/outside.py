"""A fake party over real HTTP, in whose way a test puts trouble."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from local.outside.http import Call, Party, Reply, Webhook, json_reply
from tests.providers.servers import _Quiet, serving

Effect = Callable[[], Reply]
Trouble = Callable[["_Quiet", Effect], None]
"""What happens to one request instead of its answer: `effect` does what was asked."""


@dataclass
class Outside:
    """A party that answers at `url`. `troubles` meet the next requests, in turn; then there are none."""

    url: str = ""
    party: Party | None = None
    calls: list[Call] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    told: list[Webhook] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls]


@contextmanager
def outside() -> Iterator[Outside]:
    """The server; its party is set by the test, which needs the URL to make it."""
    here = Outside()

    class Handler(_Quiet):
        def one(self) -> None:
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, unquote(path), dict(parse_qsl(query)), headers, self.body())
            here.calls.append(call)
            party = here.party
            assert party is not None
            if here.troubles:
                here.troubles.pop(0)(self, lambda: party.answer(call))
            else:
                reply(self, party.answer(call))

        do_GET = do_POST = one  # noqa: N815

    with serving(Handler) as url:
        here.url = url
        try:
            yield here
        finally:
            here.release.set()


def reply(handler: _Quiet, said: Reply) -> None:
    handler.answer(said.status, dict(said.headers), said.body)


def status(code: int) -> Trouble:
    """An error of its own making, before anything was done."""
    return lambda handler, effect: reply(handler, json_reply(code, {"status": False, "message": "try later"}))


def status_after(code: int) -> Trouble:
    def trouble(handler: _Quiet, effect: Effect) -> None:
        effect()
        reply(handler, json_reply(code, {"status": False, "message": "try later"}))

    return trouble


def silent_after(handler: _Quiet, effect: Effect) -> None:
    """It does what was asked, and the answer is never sent."""
    effect()
    threading.Event().wait(2)
    handler.close_connection = True


def closed_before(handler: _Quiet, effect: Effect) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def closed_after(handler: _Quiet, effect: Effect) -> None:
    effect()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def half_an_answer(handler: _Quiet, effect: Effect) -> None:
    """The head, and a part of the body: then that side of the connection is closed."""
    said = effect()
    handler.send_response(said.status)
    handler.send_header("content-length", str(len(said.body)))
    handler.end_headers()
    handler.wfile.write(said.body[: len(said.body) // 2])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_WR)
    handler.close_connection = True


def no_json(handler: _Quiet, effect: Effect) -> None:
    effect()
    handler.answer(200, {"content-type": "text/html"}, b"<html>Bad gateway</html>")


def another_envelope(handler: _Quiet, effect: Effect) -> None:
    effect()
    reply(handler, json_reply(200, {"status": "true", "data": []}))


TROUBLES: Final[dict[str, Trouble]] = {
    "429": status(429),
    "500": status(500),
    "502 after the effect": status_after(502),
    "401": status(401),
    "silent after the effect": silent_after,
    "closed before": closed_before,
    "closed after the effect": closed_after,
    "half an answer": half_an_answer,
    "no JSON": no_json,
    "another envelope": another_envelope,
}
