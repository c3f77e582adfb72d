"""The steps of the redemption saga; redemption.asl.yaml says in which order."""

from collections.abc import Mapping
from typing import Any

from cauri.edge import wiring
from cauri.wallet.saga import RedemptionSaga

saga = RedemptionSaga(wiring.books(), wiring.reward_issuer())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    return saga.run(event)
