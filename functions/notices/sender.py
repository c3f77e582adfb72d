"""Messages go out: composed as things stand now, handed to the carrier, and recorded."""

import os
from collections.abc import Mapping
from typing import Any, Final

from cauri.billing.composing import composers
from cauri.billing.papers import Links
from cauri.edge import wiring
from cauri.edge.queue import Consumer
from cauri.edge.stream import BatchResponse
from cauri.notices.sending import Sender
from cauri.providers.ses import Ses

TRY_AGAIN_AFTER: Final = (10, 60, 300, 900)
"""Seconds until a carrier that gave no answer is tried again."""

links = Links(wiring.public_url(), wiring.edge_secret())
carrier = Ses(os.environ["EMAIL_SENDER"], os.environ["AWS_REGION"])
sender = Sender(wiring.books(), carrier, composers(links))
consumer = Consumer(
    os.environ["NOTICES_QUEUE_URL"],
    lambda news: sender.send(news["tenant"], news["data"]["message_id"]),
    TRY_AGAIN_AFTER,
)


def handler(event: Mapping[str, Any], context: Any) -> BatchResponse:
    """What could not be sent comes again, and after some tries goes to the dead letters."""
    return consumer(event)
