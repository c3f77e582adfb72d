"""What the fakes have in common: a request, a reply, and webhooks on their way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

import urllib3

RETRY_SECONDS: Final = (0.0, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a fake. The names of `headers` are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; an empty one for what is none."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(errors="replace")))


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Party(Protocol):
    def answer(self, call: Call) -> Reply:
        """Safe to be called from several threads."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a party tells a tenant: `raw` is what `headers` sign."""

    tenant: str
    raw: bytes
    headers: Mapping[str, str]


Deliver = Callable[[Webhook], None]


def json_reply(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


def page_reply(status: int, html: str) -> Reply:
    return Reply(status, html.encode(), {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"})


class Courier:
    """Posts webhooks to `{url}/{party}/{tenant}`, from a thread each, again while they are not accepted."""

    def __init__(self, url: str, party: str, *, retry_seconds: tuple[float, ...] = RETRY_SECONDS) -> None:
        self._url = f"{url.rstrip('/')}/{party}"
        self._retry_seconds = retry_seconds
        self._http = urllib3.PoolManager(retries=False, timeout=10)

    def __call__(self, webhook: Webhook) -> None:
        threading.Thread(target=self._post, args=(webhook,), daemon=True).start()

    def _post(self, webhook: Webhook) -> None:
        for wait in self._retry_seconds:
            time.sleep(wait)
            try:
                answer = self._http.request(
                    "POST", f"{self._url}/{webhook.tenant}", body=webhook.raw, headers=dict(webhook.headers)
                )
            except urllib3.exceptions.HTTPError:
                continue
            if answer.status < 300:
                return
