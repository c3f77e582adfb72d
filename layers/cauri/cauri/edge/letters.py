"""The dead-letter queues, to look into. What is looked at stays where it is, for `cauri dlq` or for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cauri.edge.outbox import ask
from cauri.reconciliation.looking import Letter
from cauri.values import dataclass
from cauri.wire import SQS

AT_ONCE: Final = 10
LOOKS_MAX: Final = 20
"""Of one queue. What was looked at is visible again at once, so that each look may bring some known ones."""
ABOUT: Final = ("order_id", "refund_id", "redemption_id", "run_id", "report_id", "resource")
"""Where a letter names what it is about, the most telling first."""

Body = Mapping[str, Any]


@dataclass(frozen=True)
class DeadLetters:
    """See `Letters`. Batches of the log name no tenant: of those, the queue's own alarm tells, and what the accounts
    lack is found there."""

    urls: Sequence[str]

    def of(self, tenant: str) -> list[Letter]:
        return [
            _letter(url, message_id, body)
            for url in self.urls
            for message_id, body in self._bodies(url)
            if _payload(body).get("tenant") == tenant
        ]

    def _bodies(self, url: str) -> Iterator[tuple[str, Body]]:
        known: dict[str, Body] = {}
        for _ in range(LOOKS_MAX):
            request = {"QueueUrl": url, "MaxNumberOfMessages": AT_ONCE, "VisibilityTimeout": 0}
            messages = ask(SQS, "ReceiveMessage", request).get("Messages") or []
            fresh = {message["MessageId"]: _body(message["Body"]) for message in messages}
            if fresh.keys() <= known.keys():
                break
            known |= fresh
        yield from known.items()


def _body(text: str) -> Body:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _payload(body: Body) -> Body:
    """What a saga left says for whom in its payload, an event in itself."""
    payload = body.get("payload")
    return payload if isinstance(payload, dict) else body


def _letter(url: str, message_id: str, body: Body) -> Letter:
    payload = _payload(body)
    resource = next((str(payload[name]) for name in ABOUT if payload.get(name)), message_id)
    about = body.get("function") or body.get("name") or "a message"
    if step := payload.get("step"):
        about = f"{step} of {about}"
    return Letter(url.rpartition("/")[2], message_id, f"{about} for {resource}", resource)
