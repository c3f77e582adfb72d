"""Postings of the log become rows and sums of the accounts, and its records are listed."""

from typing import Any

from cauri.books.fold import Fold
from cauri.books.replaying import with_replayed
from cauri.books.trail import trail_of
from cauri.edge import wiring
from cauri.edge.stream import StreamEvent, records_of

fold = Fold(wiring.database())


def handler(event: StreamEvent, context: Any) -> dict[str, list[Any]]:
    """All of the batch or none: what fails comes again, in smaller batches."""
    records = with_replayed(wiring.database(), records_of(event))
    fold.fold(records, trail_of(records))
    return {"batchItemFailures": []}
