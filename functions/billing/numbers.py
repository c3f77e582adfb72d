"""The sequencer: invoices of runs get their numbers, a tenant's one batch after the other."""

import json
from collections.abc import Mapping
from typing import Any

from cauri.billing.numbering import number
from cauri.edge import wiring

books = wiring.books()


def handler(event: Mapping[str, Any], context: Any) -> None:
    """All of the batch, or it comes again whole: whoever has a number by then keeps it."""
    number(books, [json.loads(message["body"]) for message in event["Records"]])
