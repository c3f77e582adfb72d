"""The steps of the refund saga; refund.asl.yaml says in which order."""

from collections.abc import Mapping
from typing import Any

from cauri.edge import wiring
from cauri.refunds.saga import RefundSaga

saga = RefundSaga(wiring.books())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    return saga.run(event)
