"""What a commit announced goes to the queues, and the sagas it asked for are started."""

import os
from typing import Any

from aws_lambda_powertools.metrics import Metrics, MetricUnit
from cauri.books.dispatch import Dispatcher, Routes
from cauri.books.log import Record
from cauri.books.replaying import with_replayed
from cauri.edge import wiring
from cauri.edge.outbox import FifoQueue, SqsQueue, StateMachine, TaskTokens
from cauri.edge.stream import BatchResponse, StreamEvent, in_order
from cauri.orders.waiting import waker

wake_checkout = waker(wiring.database(), TaskTokens())
dispatcher = Dispatcher(
    Routes(
        queues={
            "webhook.received": SqsQueue(os.environ["PAYMENTS_QUEUE_URL"]),
            "payment.doubted": SqsQueue(os.environ["PAYMENTS_QUEUE_URL"]),
            "invoice.numbering": FifoQueue(os.environ["NUMBERS_QUEUE_URL"]),
            "notice.queued": SqsQueue(os.environ["NOTICES_QUEUE_URL"]),
        },
        machines={
            "checkout": StateMachine(os.environ["CHECKOUT_MACHINE_ARN"]),
            "refund": StateMachine(os.environ["REFUND_MACHINE_ARN"]),
            "redemption": StateMachine(os.environ["REDEMPTION_MACHINE_ARN"]),
            "invoice_run": StateMachine(os.environ["INVOICE_RUN_MACHINE_ARN"]),
            "reconciliation": StateMachine(os.environ["RECONCILIATION_MACHINE_ARN"]),
        },
        wakes=dict.fromkeys(
            ("order.payment.received", "order.payment.mismatched", "order.payment.failed"), wake_checkout
        ),
    )
)
metrics = Metrics(namespace="cauri", service=f"cauri-{os.environ['STAGE']}")


def handler(event: StreamEvent, context: Any) -> BatchResponse:
    _count("batches")
    try:
        return in_order(event, _send_on)
    finally:
        metrics.flush_metrics()


def _send_on(record: Record) -> None:
    for each in with_replayed(wiring.database(), [record]):
        dispatcher.dispatch(each)
    for event in record.events:
        _count(event.name)


def _count(what: str) -> None:
    """For the dashboard. A record that comes again, since another of its batch failed, is counted again."""
    metrics.add_metric(name=what, unit=MetricUnit.Count, value=1)
