"""DynamoDB streams to their consumers, as Lambda's event source mappings deliver them: in order, at least once.

Every consumer keeps its own checkpoint and goes its own pace. A batch that fails is bisected if the template says so,
retried with backoff, and at last described to the on-failure queue; until then nothing behind it is delivered.
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from local.environment import REGION
from local.invoker import Invoker
from local.queues import Queue
from local.state import State
from local.template import StreamConsumer
from local.workers.logs import timestamp
from local.workers.pool import Outcome

log = logging.getLogger(__name__)

POLL_SECONDS_MIN: Final = 0.01
POLL_SECONDS_MAX: Final = 0.2
POLL_GROWTH: Final = 1.6
BACKOFF_SECONDS: Final = 0.05
BACKOFF_SECONDS_MAX: Final = 5.0
ENGINE_SECONDS: Final = 1.0  # between attempts while the engine does not answer
READ_MAX: Final = 1000
# The engines ask for a signature's form, not for its truth.
CREDENTIAL: Final = f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/dynamodb/aws4_request"
HEADERS: Final = {
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": f"{CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=0",
    "X-Amz-Date": "20260101T000000Z",
}

Record = Mapping[str, Any]


class StreamApiError(RuntimeError):
    """The engine refused a call; the message is its error code."""


class StreamApi:
    """The streams of an engine over HTTP. Records come as JSON, which is the form that Lambda hands on."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._http = urllib3.PoolManager(maxsize=8, retries=False, timeout=urllib3.Timeout(connect=1, read=10))

    async def shards(self, table: str) -> tuple[str, list[str]]:
        """The ARN of the table's stream, and its shards."""
        listed = await self._call("ListStreams", {"TableName": table})
        stream = listed["Streams"][-1]["StreamArn"]
        described = await self._call("DescribeStream", {"StreamArn": stream})
        return stream, [shard["ShardId"] for shard in described["StreamDescription"]["Shards"]]

    async def iterator(self, stream: str, shard: str, after: str | None, start: str) -> str:
        """An iterator that begins after the sequence number `after`, or at `start` when there is none."""
        where = {"ShardIteratorType": start}
        if after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        answer = await self._call("GetShardIterator", {"StreamArn": stream, "ShardId": shard, **where})
        return str(answer["ShardIterator"])

    async def records(self, iterator: str, limit: int) -> tuple[list[Record], str | None]:
        answer = await self._call("GetRecords", {"ShardIterator": iterator, "Limit": limit})
        return answer["Records"], answer.get("NextShardIterator")

    async def _call(self, action: str, body: Mapping[str, Any]) -> Any:
        """Raises StreamApiError, and urllib3's HTTPError when the engine is not there."""
        return await asyncio.to_thread(self._post, action, json.dumps(body).encode())

    def _post(self, action: str, body: bytes) -> Any:
        headers = HEADERS | {"X-Amz-Target": f"DynamoDBStreams_20120810.{action}"}
        response = self._http.request("POST", self._endpoint, body=body, headers=headers)
        answer = json.loads(response.data)
        if response.status != 200:
            raise StreamApiError(str(answer.get("__type", response.status)).rpartition("#")[2])
        return answer


@dataclass(frozen=True, slots=True)
class Batch:
    records: Sequence[Record]
    attempts: int = 0

    def halves(self) -> "tuple[Batch, Batch]":
        middle = len(self.records) // 2
        return Batch(self.records[:middle], self.attempts), Batch(self.records[middle:], self.attempts)

    def again(self) -> "Batch":
        return Batch(self.records, self.attempts + 1)


class StreamPump:
    """One consumer of one table's stream."""

    def __init__(
        self,
        consumer: StreamConsumer,
        table: str,
        api: StreamApi,
        state: State,
        invoker: Invoker,
        on_failure: Queue | None,
    ) -> None:
        self._consumer = consumer
        self._table = table
        self._api = api
        self._state = state
        self._invoker = invoker
        self._on_failure = on_failure
        self._wake = asyncio.Event()
        self._let_go = asyncio.Event()
        self._let_go.set()
        self._behind = 0
        self._settled_at = 0.0
        invoker.on_finish(self._wake.set)

    @property
    def name(self) -> str:
        return self._consumer.logical_id

    def hold(self, held: bool) -> None:
        """Deliver nothing more until told otherwise; what has been read is still delivered."""
        if held:
            self._let_go.clear()
        else:
            self._let_go.set()

    def settled_since(self, moment: float) -> bool:
        """Whether a look at the stream that began after `moment` (time.monotonic) found nothing."""
        return self._behind == 0 and self._settled_at >= moment

    async def run(self) -> None:
        stream, shards = await self._open()
        await asyncio.gather(*(self._follow(stream, shard) for shard in shards))

    async def _open(self) -> tuple[str, list[str]]:
        while True:
            try:
                return await self._api.shards(self._table)
            except (StreamApiError, urllib3.exceptions.HTTPError) as error:
                log.warning("no stream of %s yet: %s", self._table, error)
                await asyncio.sleep(ENGINE_SECONDS)

    async def _follow(self, stream: str, shard: str) -> None:
        iterator: str | None = None
        pause = POLL_SECONDS_MIN
        while True:
            await self._let_go.wait()
            self._wake.clear()
            began_at = time.monotonic()
            try:
                iterator = iterator or await self._iterator(stream, shard)
                records, iterator = await self._api.records(iterator, min(self._consumer.batch_size, READ_MAX))
            except StreamApiError as error:
                log.warning("the stream of %s: %s; opening it again", self._table, error)
                iterator = None
                await asyncio.sleep(POLL_SECONDS_MAX)
                continue
            except urllib3.exceptions.HTTPError as error:
                log.warning("the engine does not answer: %s", error)
                await asyncio.sleep(ENGINE_SECONDS)
                continue
            if records:
                records, iterator = await self._gathered(records, iterator)
                await self._deliver(stream, shard, records)
                self._behind -= len(records)
                pause = POLL_SECONDS_MIN
            else:
                self._settled_at = began_at
                pause = await self._rest(pause)

    async def _gathered(self, records: list[Record], iterator: str | None) -> tuple[list[Record], str | None]:
        """What the batching window brings on top of its first records, and where to go on."""
        ends_at = time.monotonic() + self._consumer.batching_window
        self._behind += len(records)
        while iterator and (room := self._consumer.batch_size - len(records)) > 0:
            if (left := ends_at - time.monotonic()) <= 0:
                break
            await asyncio.sleep(min(left, POLL_SECONDS_MAX))
            try:
                more, iterator = await self._api.records(iterator, min(room, READ_MAX))
            except (StreamApiError, urllib3.exceptions.HTTPError) as error:
                log.warning("the stream of %s: %s; what was read of it goes on", self._table, error)
                return records, None
            self._behind += len(more)
            records = [*records, *more]
        return records, iterator

    async def _iterator(self, stream: str, shard: str) -> str:
        after = self._checkpoint(shard)
        try:
            return await self._api.iterator(stream, shard, after, self._consumer.starting_position)
        except StreamApiError as error:
            if after is None or str(error) != "TrimmedDataAccessException":
                raise
            return await self._api.iterator(stream, shard, None, "TRIM_HORIZON")

    async def _rest(self, pause: float) -> float:
        """Wait for the next look: soon after an invocation, which may have written; else ever more rarely."""
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            return min(pause * POLL_GROWTH, POLL_SECONDS_MAX)
        await asyncio.sleep(POLL_SECONDS_MIN / 5)  # a burst of invocations is one look
        return POLL_SECONDS_MIN

    def _checkpoint(self, shard: str) -> str | None:
        row = self._state.row(
            "select sequence from checkpoints where consumer = ? and shard = ?", self._consumer.logical_id, shard
        )
        return None if row is None else str(row["sequence"])

    def _advance(self, shard: str, record: Record) -> None:
        self._state.execute(
            "insert or replace into checkpoints values (?, ?, ?)",
            *(self._consumer.logical_id, shard, _sequence(record)),
        )

    async def _deliver(self, stream: str, shard: str, records: Sequence[Record]) -> None:
        """Work through `records` until each was consumed or given up on."""
        todo = [Batch([{**record, "awsRegion": REGION, "eventSourceARN": stream} for record in records])]
        while todo:
            batch = todo.pop()
            outcome = await self._invoke(batch)
            done = consumed(outcome, batch.records, self._consumer.reports_failures)
            if done:
                self._advance(shard, batch.records[done - 1])
            if done == len(batch.records):
                continue
            if done:
                todo.append(Batch(batch.records[done:]))
            elif self._consumer.bisects and len(batch.records) > 1:
                todo += reversed(batch.halves())
            elif self._is_exhausted(batch):
                self._give_up(stream, shard, batch, outcome)
                continue
            else:
                todo.append(batch.again())
            await asyncio.sleep(_backoff(batch.attempts))

    async def _invoke(self, batch: Batch) -> Outcome:
        event = json.dumps({"Records": batch.records}, ensure_ascii=False).encode()
        return await self._invoker.invoke(self._consumer.function, event, background=True)

    def _is_exhausted(self, batch: Batch) -> bool:
        retries, age = self._consumer.retries_max, self._consumer.record_age_max
        too_old = age is not None and time.time() - _created_at(batch.records[0]) > age
        return too_old or (retries is not None and batch.attempts >= retries)

    def _give_up(self, stream: str, shard: str, batch: Batch, outcome: Outcome) -> None:
        """Tell the on-failure queue, then go on behind the batch: a crash between the two tells it twice."""
        log.error("%s gave up on %d records: %s", self._consumer.function, len(batch.records), outcome.error)
        if self._on_failure is not None:
            letter = dead_letter(self._consumer.function, stream, shard, batch, outcome)
            self._on_failure.send(json.dumps(letter, ensure_ascii=False))
        self._advance(shard, batch.records[-1])


def consumed(outcome: Outcome, records: Sequence[Record], reports_failures: bool) -> int:
    """How many of `records`, from the first, the function is done with. An answer that can't be read means none."""
    if outcome.failed:
        return 0
    if not reports_failures:
        return len(records)
    positions = {_sequence(record): position for position, record in enumerate(records)}
    try:
        failures = (json.loads(outcome.payload) or {}).get("batchItemFailures") or ()
        return min((positions[failure["itemIdentifier"]] for failure in failures), default=len(records))
    except (AttributeError, KeyError, TypeError):
        return 0


def dead_letter(function: str, stream: str, shard: str, batch: Batch, outcome: Outcome) -> dict[str, Any]:
    """What Lambda writes of a discarded batch. `payload`, as in its form for S3, keeps the event for a replay."""
    first, last = batch.records[0], batch.records[-1]
    return {
        "version": "1.0",
        "timestamp": timestamp(),
        "requestContext": {
            "functionArn": function,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": batch.attempts + 1,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": outcome.error},
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": _sequence(first),
            "endSequenceNumber": _sequence(last),
            "approximateArrivalOfFirstRecord": timestamp(_created_at(first)),
            "approximateArrivalOfLastRecord": timestamp(_created_at(last)),
            "batchSize": len(batch.records),
            "streamArn": stream,
        },
        "payload": {"Records": list(batch.records)},
    }


def consumed_everywhere(state: State, consumers: Iterable[StreamConsumer], tables: Mapping[str, str]) -> dict[str, int]:
    """Per table name, the sequence number that every consumer is past: what may be trimmed."""
    past: dict[str, list[int]] = {}
    for consumer in consumers:
        row = state.row(
            "select min(cast(sequence as integer)) from checkpoints where consumer = ?", consumer.logical_id
        )
        past.setdefault(tables[consumer.table], []).append((row[0] if row else None) or 0)
    return {table: min(sequences) for table, sequences in past.items() if min(sequences) > 0}


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _created_at(record: Record) -> float:
    return float(record["dynamodb"].get("ApproximateCreationDateTime", 0))


def _backoff(attempts: int) -> float:
    return float(min(BACKOFF_SECONDS * 2**attempts, BACKOFF_SECONDS_MAX))
