"""The steps of the checkout saga; checkout.asl.yaml says in which order."""

from collections.abc import Mapping
from typing import Any

from cauri.checkout.saga import CheckoutSaga
from cauri.edge import wiring
from cauri.edge.outbox import TaskTokens

saga = CheckoutSaga(wiring.books(), TaskTokens())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    return saga.run(event)
