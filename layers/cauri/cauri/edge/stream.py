"""The log's stream, as Lambda brings it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from cauri.books.log import Record, read_record

StreamEvent = Mapping[str, Any]
BatchResponse = dict[str, list[dict[str, str]]]

logger = logging.getLogger(__name__)


def records_of(event: StreamEvent) -> list[Record]:
    """The commits of a batch, in its order; a record that only takes a key is none."""
    return [record for _, record in _numbered(event) if not record.undone]


def in_order(event: StreamEvent, handle: Callable[[Record], None]) -> BatchResponse:
    """Handle each commit of a batch, up to the first that fails; from there on the stream brings them again."""
    for sequence_number, record in _numbered(event):
        try:
            if not record.undone:
                handle(record)
        except Exception:
            logger.exception("record %s is not handled yet", record.log_id)
            return {"batchItemFailures": [{"itemIdentifier": sequence_number}]}
    return {"batchItemFailures": []}


def _numbered(event: StreamEvent) -> list[tuple[str, Record]]:
    inserted = [one["dynamodb"] for one in event["Records"] if one["eventName"] == "INSERT"]
    return [(one["SequenceNumber"], read_record(one["NewImage"])) for one in inserted]
