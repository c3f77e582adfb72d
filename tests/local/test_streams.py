"""What a batch has in it, and how much of it a consumer is done with."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from local.state import State
from local.streams import Batch, StreamApiError, StreamPump, consumed
from local.template import StreamConsumer
from local.workers.pool import Outcome

RECORDS = [{"dynamodb": {"SequenceNumber": str(number)}} for number in (11, 12, 13, 14)]


def answer(value: Any) -> Outcome:
    return Outcome(json.dumps(value).encode())


def failures(*numbers: int) -> Outcome:
    return answer({"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]})


@pytest.mark.parametrize(
    "outcome, done",
    [
        (failures(), 4),
        (answer(None), 4),
        (failures(13), 2),
        (failures(14, 12), 1),  # the lowest counts
        (failures(11), 0),
        (failures(99), 0),  # not of this batch: all of it failed
        (answer({"batchItemFailures": ["what"]}), 0),
        (answer("what"), 0),
        (Outcome(b"{}", error="RuntimeError"), 0),
    ],
)
def test_a_consumer_that_reports_is_done_up_to_its_first_failure(outcome: Outcome, done: int) -> None:
    assert consumed(outcome, RECORDS, reports_failures=True) == done


def test_a_consumer_that_does_not_report_is_done_unless_it_failed() -> None:
    assert consumed(failures(11), RECORDS, reports_failures=False) == 4
    assert consumed(Outcome(b"{}", error="RuntimeError"), RECORDS, reports_failures=False) == 0


def test_halves_are_the_whole_in_order() -> None:
    first, second = Batch(RECORDS[:3], attempts=1).halves()
    assert [*first.records, *second.records] == RECORDS[:3]
    assert (first.attempts, second.attempts) == (1, 1)


# -- The batching window


class Stream:
    """Gives the next of `looks` at each look, and then nothing; an iterator is a position in RECORDS."""

    def __init__(self, looks: Sequence[int | StreamApiError]) -> None:
        self._looks = list(looks)

    async def shards(self, table: str) -> tuple[str, list[str]]:
        return "arn:stream", ["shard-1"]

    async def iterator(self, stream: str, shard: str, after: str | None, start: str) -> str:
        return str(int(after or 10) - 10)

    async def records(self, iterator: str, limit: int) -> tuple[list[Any], str | None]:
        look = self._looks.pop(0) if self._looks else 0
        if isinstance(look, StreamApiError):
            raise look
        begin = int(iterator)
        end = begin + min(look, limit)
        return RECORDS[begin:end], str(end)


class Consumer:
    """An invoker that keeps what it is asked."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def on_finish(self, listener: Callable[[], None]) -> None:
        pass

    async def invoke(self, function: str, event: bytes, *, background: bool) -> Outcome:
        records = json.loads(event)["Records"]
        self.batches.append([record["dynamodb"]["SequenceNumber"] for record in records])
        return answer(None)


def delivered(tmp_path: Path, looks: Sequence[int | StreamApiError], *, size: int = 100, window: int = 1) -> Any:
    """The batches that came of all RECORDS."""
    consumer = StreamConsumer("Fold", "Log", "Fold", "TRIM_HORIZON", size, window)
    invoker = Consumer()

    async def follow(state: State) -> None:
        pump = StreamPump(consumer, "log", Stream(looks), state, invoker, None)  # type: ignore[arg-type]
        running = asyncio.create_task(pump.run())
        async with asyncio.timeout(10):
            while sum(map(len, invoker.batches)) < len(RECORDS) or not pump.settled_since(0.1):
                await asyncio.sleep(0.01)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    with closing(State(tmp_path)) as state:
        asyncio.run(follow(state))
    return invoker.batches


def test_what_comes_within_the_window_is_one_batch(tmp_path: Path) -> None:
    assert delivered(tmp_path, [1, 2, 0, 1]) == [["11", "12", "13", "14"]]


def test_without_a_window_nothing_waits(tmp_path: Path) -> None:
    assert delivered(tmp_path, [1, 2, 0, 1], window=0) == [["11"], ["12", "13"], ["14"]]


def test_a_batch_that_is_full_does_not_wait(tmp_path: Path) -> None:
    assert delivered(tmp_path, [1, 4, 4], size=2, window=2) == [["11", "12"], ["13", "14"]]


def test_what_was_read_goes_on_when_the_stream_breaks_off_in_the_window(tmp_path: Path) -> None:
    assert delivered(tmp_path, [2, StreamApiError("ExpiredIteratorException"), 4]) == [["11", "12"], ["13", "14"]]
