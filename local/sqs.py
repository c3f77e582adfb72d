"""SQS over the queues: what the functions call, and the pump that feeds a queue to its function."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from local.aws import AwsError
from local.environment import ACCOUNT, REGION
from local.invoker import Invoker
from local.queues import BATCH_MAX, Message, Place, Queue, QueueError, attributes_md5, md5
from local.template import QueueConsumer
from local.workers.pool import Outcome

log = logging.getLogger(__name__)

CONCURRENCY: Final = 5  # pollers that Lambda starts a queue with
IDLE_SECONDS: Final = 60.0


class Sqs:
    """The actions of the SQS endpoint. A queue is named by its URL or its name."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        self.queues = {queue.settings.name: queue for queue in queues}
        self._actions: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._change_visibility,
            "GetQueueUrl": self._url,
            "GetQueueAttributes": self._attributes,
            "ListQueues": self._list,
            "PurgeQueue": self._purge,
        }

    async def call(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises AwsError."""
        if action not in self._actions:
            raise AwsError("UnsupportedOperation", f"the local cloud has no {action}")
        try:
            return await self._actions[action](body)
        except QueueError as refused:
            raise AwsError(f"com.amazonaws.sqs#{refused.code}", str(refused)) from refused

    def queue(self, body: Mapping[str, Any]) -> Queue:
        name = str(body.get("QueueUrl") or body.get("QueueName", "")).rpartition("/")[2]
        if name not in self.queues:
            raise AwsError("com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
        return self.queues[name]

    async def _send(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        attributes = body.get("MessageAttributes") or {}
        place = Place(body.get("MessageGroupId"), body.get("MessageDeduplicationId"))
        message_id = self.queue(body).send(body["MessageBody"], attributes, body.get("DelaySeconds"), place=place)
        answer = {"MessageId": message_id, "MD5OfMessageBody": md5(body["MessageBody"])}
        return answer | ({"MD5OfMessageAttributes": attributes_md5(attributes)} if attributes else {})

    async def _send_batch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        entries = body["Entries"]
        if not 1 <= len(entries) <= BATCH_MAX:
            raise AwsError("com.amazonaws.sqs#TooManyEntriesInBatchRequest", f"1 to {BATCH_MAX} entries")
        successful, failed = [], []
        for entry in entries:
            try:
                sent = await self._send({**entry, "QueueUrl": body["QueueUrl"]})
                successful.append({"Id": entry["Id"], **sent})
            except QueueError as refused:
                refusal = {"Id": entry["Id"], "Code": refused.code, "Message": str(refused), "SenderFault": True}
                failed.append(refusal)
        return {"Successful": successful, "Failed": failed}

    async def _receive(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        queue = self.queue(body)
        count = body.get("MaxNumberOfMessages", 1)
        messages = queue.receive(count, body.get("VisibilityTimeout"))
        if not messages and body.get("WaitTimeSeconds"):
            await queue.wait(body["WaitTimeSeconds"])
            messages = queue.receive(count, body.get("VisibilityTimeout"))
        return {"Messages": [_received(message) for message in messages]} if messages else {}

    async def _delete(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queue(body).delete([body["ReceiptHandle"]])
        return {}

    async def _delete_batch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queue(body).delete(entry["ReceiptHandle"] for entry in body["Entries"])
        return {"Successful": [{"Id": entry["Id"]} for entry in body["Entries"]], "Failed": []}

    async def _change_visibility(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queue(body).change_visibility(body["ReceiptHandle"], body["VisibilityTimeout"])
        return {}

    async def _url(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"QueueUrl": self.queue(body).settings.url}

    async def _list(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        prefix = body.get("QueueNamePrefix", "")
        return {"QueueUrls": [each.settings.url for name, each in self.queues.items() if name.startswith(prefix)]}

    async def _purge(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queue(body).purge()
        return {}

    async def _attributes(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        queue = self.queue(body)
        depth, settings = queue.depth(), queue.settings
        attributes = {
            "QueueArn": settings.arn,
            "ApproximateNumberOfMessages": depth.visible,
            "ApproximateNumberOfMessagesDelayed": depth.delayed,
            "ApproximateNumberOfMessagesNotVisible": depth.in_flight,
            "VisibilityTimeout": settings.visibility_timeout,
            "DelaySeconds": settings.delay,
            "MessageRetentionPeriod": settings.retention,
        }
        if settings.dead_letters is not None:
            target = self.queues[settings.dead_letters].settings.arn
            policy = {"deadLetterTargetArn": target, "maxReceiveCount": settings.receives_max}
            attributes["RedrivePolicy"] = json.dumps(policy)
        asked = set(body.get("AttributeNames", ()))
        return {"Attributes": {name: str(each) for name, each in attributes.items() if asked & {"All", name}}}


def _system_attributes(message: Message) -> dict[str, str]:
    grouped = {} if message.group is None else {"MessageGroupId": message.group, "SequenceNumber": f"{message.id:020d}"}
    return {
        **grouped,
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "SenderId": ACCOUNT,
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
    }


def _received(message: Message) -> dict[str, Any]:
    answer = {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": message.body_md5,
        "Attributes": _system_attributes(message),
    }
    return answer | ({"MessageAttributes": message.attributes} if message.attributes else {})


def event_of(messages: Iterable[Message], queue_arn: str) -> dict[str, Any]:
    """The event that Lambda makes of a batch."""
    return {
        "Records": [
            {
                "messageId": message.message_id,
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": _system_attributes(message),
                "messageAttributes": {
                    name: {_lower_first(key): each for key, each in value.items()}
                    for name, value in message.attributes.items()
                },
                "md5OfBody": message.body_md5,
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def _lower_first(key: str) -> str:
    return key[0].lower() + key[1:]


def failed_ids(outcome: Outcome, messages: Iterable[Message], reports_failures: bool) -> set[str]:
    """Which messages of a batch are to come again. An answer that can't be read means all, as Lambda has it."""
    everything = {message.message_id for message in messages}
    if outcome.failed:
        return everything
    if not reports_failures:
        return set()
    answer = json.loads(outcome.payload)
    try:
        failed = {each["itemIdentifier"] for each in (answer or {}).get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        return everything
    return failed if failed <= everything else everything


class QueuePump:
    """Feeds a queue to its function. What fails stays invisible until its visibility timeout ends, and comes again."""

    def __init__(self, consumer: QueueConsumer, queue: Queue, invoker: Invoker) -> None:
        self._consumer = consumer
        self._queue = queue
        self._invoker = invoker
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._concurrency = consumer.concurrency_max or CONCURRENCY
        queue.on_arrival(self._wake.set)

    @property
    def name(self) -> str:
        return self._queue.settings.name

    def is_busy(self, horizon: float) -> bool:
        """Whether a function has a batch, or a message is to be delivered now or within `horizon` seconds."""
        next_at = self._queue.next_visible_at()
        return bool(self._running) or (next_at is not None and next_at <= time.time() + horizon)

    async def run(self) -> None:
        self._queue.release()
        while True:
            self._wake.clear()
            if len(self._running) < self._concurrency and (messages := self._queue.receive(self._consumer.batch_size)):
                task = asyncio.create_task(self._deliver(messages))
                self._running.add(task)
                task.add_done_callback(self._delivered)
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Until something arrives, becomes visible, or a running batch ends."""
        next_at = self._queue.next_visible_at() if len(self._running) < self._concurrency else None
        seconds = IDLE_SECONDS if next_at is None else max(0.001, next_at - time.time())
        try:
            await asyncio.wait_for(self._wake.wait(), min(seconds, IDLE_SECONDS))
        except TimeoutError:
            return

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("the pump of %s failed", self._queue.settings.name, exc_info=problem)

    async def _deliver(self, messages: list[Message]) -> None:
        event = json.dumps(event_of(messages, self._queue.settings.arn)).encode()
        outcome = await self._invoker.invoke(self._consumer.function, event, background=True)
        failed = failed_ids(outcome, messages, self._consumer.reports_failures)
        self._queue.delete(message.receipt for message in messages if message.message_id not in failed)
