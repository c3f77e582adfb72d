"""Stored webhooks, one by one: ask the provider whether what they say is so, and record it."""

import os
from collections.abc import Mapping
from typing import Any, Final

from cauri.edge import wiring
from cauri.edge.queue import Consumer
from cauri.edge.stream import BatchResponse
from cauri.payments.hearing import HEARERS, look_into
from cauri.refunds.hearing import hear_refund

ASK_AGAIN_AFTER: Final = (5, 60, 300, 3600)
"""Seconds until a provider that can't say yet is asked again. Source: SPEC 4."""

hearers = {**HEARERS, "refund.": hear_refund}
books = wiring.books()
consumer = Consumer(
    os.environ["PAYMENTS_QUEUE_URL"],
    lambda news: look_into(books, news["tenant"], news["data"], hearers),
    ASK_AGAIN_AFTER,
)


def handler(event: Mapping[str, Any], context: Any) -> BatchResponse:
    """What can't be settled yet comes again, and after some tries goes to the dead letters."""
    return consumer(event)
