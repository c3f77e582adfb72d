"""Webhooks that are still to be sent. They wait in a queue, so that a killed function loses none."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final, Literal, TypeAlias

from cauri.clock import Clock
from cauri.providers.demo_link import Link
from cauri.providers.demo_wire import SIGNATURE_HEADER, ChargeShape, RefundShape, Shape, signature
from cauri.providers.http import Answer, Http
from pydantic import Field, TypeAdapter

from .script import News, Play

RETRY_SECONDS: Final = (1, 2, 5, 10, 20, 60, 120, 300, 600, 900, 1800, 3600)
"""Waits between tries, about two hours in all; then the errand goes to the dead-letter queue."""

_DELAY_SECONDS_MAX: Final = 900  # of one SQS message; a longer wait is several


class ChargeErrand(Shape):
    """`attempt` of a charge is to have taken effect, and then `news` of it is to be told.

    The errand is queued before the charge is written, and can write it: whichever of the two is killed, the
    other finishes.
    """

    kind: Literal["charge"] = "charge"
    link: Link
    play: Play
    attempt: str
    news: News
    due: float
    tries: int = 0


class RefundErrand(Shape):
    """A refund was booked, and is to be told."""

    kind: Literal["refund"] = "refund"
    tenant: str
    refund: RefundShape
    due: float
    tries: int = 0


Errand: TypeAlias = ChargeErrand | RefundErrand
_ERRAND: Final[TypeAdapter[Errand]] = TypeAdapter(Annotated[Errand, Field(discriminator="kind")])


def errand_of(text: str) -> Errand:
    """The errand of a message's body. Raises pydantic's ValidationError for what is none."""
    return _ERRAND.validate_json(text)


class UndeliveredError(Exception):
    """Every try failed."""


class Queue:
    """`client` gives a botocore SQS client; it is asked for when something is first sent."""

    def __init__(self, client: Callable[[], Any], url: str, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._clock = clock

    def put(self, errand: Errand) -> None:
        wait = math.ceil(errand.due - self._clock().timestamp())
        self._client().send_message(
            QueueUrl=self._url,
            MessageBody=errand.model_dump_json(),
            DelaySeconds=min(max(wait, 0), _DELAY_SECONDS_MAX),
        )

    def put_again(self, errand: Errand) -> None:
        """Once more, later each time. Raises UndeliveredError after the last."""
        if errand.tries >= len(RETRY_SECONDS):
            raise UndeliveredError(f"{errand.kind} after {errand.tries} tries")
        due = self._clock().timestamp() + RETRY_SECONDS[errand.tries]
        self.put(errand.model_copy(update={"due": due, "tries": errand.tries + 1}))


class Courier:
    """Posts webhooks to `{webhook_url}demo/{tenant}`, signed."""

    def __init__(self, webhook_url: str, secret: str, http: Http) -> None:
        self._webhook_url = webhook_url.rstrip("/")
        self._secret = secret
        self._http = http

    def post(self, tenant: str, event: str, data: ChargeShape | RefundShape, copies: int) -> bool:
        """Whether every copy was accepted (2xx). Copies leave at the same moment, on connections of their own."""
        raw = _Webhook(event=event, data=data).model_dump_json(exclude_none=True).encode()
        with ThreadPoolExecutor(copies) as hands:
            return all(list(hands.map(lambda _: self._accepted(tenant, raw), range(copies))))

    def _accepted(self, tenant: str, raw: bytes) -> bool:
        headers = {"content-type": "application/json", SIGNATURE_HEADER: signature(self._secret, tenant, raw)}
        answer = self._http.ask("POST", f"{self._webhook_url}/demo/{tenant}", headers=headers, body=raw)
        return isinstance(answer, Answer) and answer.status // 100 == 2


class _Webhook(Shape):
    event: str
    data: ChargeShape | RefundShape
