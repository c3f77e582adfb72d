"""Messages of a queue, as Lambda brings them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cauri.edge.outbox import ask
from cauri.edge.stream import BatchResponse
from cauri.values import dataclass
from cauri.wire import SQS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Consumer:
    """Handles messages one by one. One that fails comes again after `pauses[n]` seconds at its n-th failure."""

    queue_url: str
    handle: Callable[[Mapping[str, Any]], None]
    pauses: Sequence[int]

    def __call__(self, event: Mapping[str, Any]) -> BatchResponse:
        failed = [message for message in event["Records"] if not self._done(message)]
        return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}

    def _done(self, message: Mapping[str, Any]) -> bool:
        try:
            self.handle(json.loads(message["body"]))
        except Exception:  # whatever it was, it is logged, and the queue brings the message again
            logger.exception("message %s is not done yet", message["messageId"])
            self._pause(message)
            return False
        return True

    def _pause(self, message: Mapping[str, Any]) -> None:
        failures = int(message["attributes"]["ApproximateReceiveCount"])
        seconds = self.pauses[min(failures, len(self.pauses)) - 1]
        handle = message["receiptHandle"]
        request = {"QueueUrl": self.queue_url, "ReceiptHandle": handle, "VisibilityTimeout": seconds}
        ask(SQS, "ChangeMessageVisibility", request)
