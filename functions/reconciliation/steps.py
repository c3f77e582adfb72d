"""The steps of the reconciliation saga; reconciliation.asl.yaml says in which order."""

import os
import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import Metrics, MetricUnit
from cauri.edge import wiring
from cauri.edge.letters import DeadLetters
from cauri.reconciliation.saga import ReconciliationSaga

saga = ReconciliationSaga(
    wiring.books(), wiring.statements(), DeadLetters(os.environ["DEAD_LETTER_URLS"].split(",")), time.sleep
)
metrics = Metrics(namespace="cauri", service=f"cauri-{os.environ['STAGE']}")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    answer = saga.run(event)
    if answer.get("next") == "done":
        for severity in ("alarm", "warning", "notice"):
            found = answer["by_severity"].get(severity, 0)
            metrics.add_metric(name=f"reconciliation.{severity}s", unit=MetricUnit.Count, value=found)
        metrics.flush_metrics()
    return answer
