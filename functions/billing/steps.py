"""The steps of a run over many customers or invoices; invoice_run.asl.yaml says in which order."""

from collections.abc import Mapping
from typing import Any

from cauri.billing.run_saga import RunSaga
from cauri.edge import wiring

saga = RunSaga(wiring.books())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    return saga.run(event)
