"""The inbox in a browser: a list, a message as its reader sees it, what is attached."""

import functools
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from local.http.events import Response, message
from local.mail.inbox import Inbox, Received

INBOX: Final = "/inbox"
SHOWN_INLINE: Final = {"application/pdf", "text/plain", "image/png"}
NO_SCRIPTS: Final = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups")


def page(inbox: Inbox, path: str) -> Response:
    """What is at `path`, which begins with /inbox."""
    match path.removeprefix(INBOX).strip("/").split("/"):
        case [""]:
            return _html("inbox.html", messages=inbox.all())
        case [message_id, *rest]:
            received = inbox.get(message_id)
            return message(404, "Not Found") if received is None else _of(received, rest)
    raise AssertionError("a split is never empty")


def _of(received: Received, rest: list[str]) -> Response:
    match rest:
        case []:
            return _html("message.html", message=received)
        case ["html"]:  # in a frame that may do nothing: it is somebody's text
            return Response(200, [(b"content-type", b"text/html; charset=utf-8"), NO_SCRIPTS], received.html.encode())
        case [place, _] if place.isdigit() and int(place) < len(received.attachments):
            return _attachment(received, int(place))
    return message(404, "Not Found")


def _attachment(received: Received, place: int) -> Response:
    attachment = received.attachments[place]
    how = "inline" if attachment.media_type in SHOWN_INLINE else "attachment"
    name = f"{how}; filename*=UTF-8''{quote(attachment.name)}"
    headers = [
        (b"content-type", attachment.media_type.encode()),
        (b"content-disposition", name.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Response(200, headers, attachment.data)


def _html(template: str, **words: Any) -> Response:
    text = _environment().get_template(template).render(words)
    return Response(200, [(b"content-type", b"text/html; charset=utf-8")], text.encode())


@functools.cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("local.mail"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["moment"] = lambda at: f"{datetime.fromtimestamp(at, UTC):%d %b %Y, %H:%M:%S} UTC"
    environment.filters["urlencoded"] = lambda text: quote(text, safe="")
    return environment
