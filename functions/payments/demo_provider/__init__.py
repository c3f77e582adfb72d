"""The demo provider: a card processor whose shoppers choose what happens.

An outside party that we happen to host. It shares with cauri what it would publish in its documentation (the
shapes of its messages and how they are signed), and keeps its own books in its own table.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config
from cauri.clock import system_clock
from cauri.providers.http import Http

from .books import Books
from .desk import Desk
from .errands import Courier, Queue, errand_of
from .routes import routes
from .table import Table

_AWS = Config(connect_timeout=1, read_timeout=3, retries={"max_attempts": 3, "mode": "standard"})


@functools.cache
def _desk() -> Desk:
    secret = os.environ["DEMO_PROVIDER_SECRET"]
    session = botocore.session.get_session()
    sqs = functools.cache(lambda: session.create_client("sqs", config=_AWS))
    table = f"{os.environ['TABLE_PREFIX']}demo-provider"
    return Desk(
        books=Books(Table(session.create_client("dynamodb", config=_AWS), table)),
        queue=Queue(sqs, os.environ["DEMO_PROVIDER_QUEUE_URL"], system_clock),
        # More patient than our own calls: a receiver may be starting up.
        courier=Courier(os.environ["WEBHOOK_URL"], secret, Http(connect_seconds=1, read_seconds=5)),
        secret=secret,
        clock=system_clock,
    )


def handler_of(desk: Callable[[], Desk]) -> Callable[[dict[str, Any], Any], dict[str, Any] | None]:
    """A Lambda handler for the function URL and for the queue."""
    app = routes(desk)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        if "Records" not in event:
            return app.resolve(event, context)
        for record in event["Records"]:
            desk().run(errand_of(record["body"]))
        return None

    return handle


handler = handler_of(_desk)
