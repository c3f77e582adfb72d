"""The benchmark's own instruments: what they count is what there was."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from local.bench.checkout import _parts, _waits
from local.bench.load import Connection, Tally, visits
from local.bench.prices import Used, bill
from local.bench.processes import cpu_ms
from local.workers.meter import spread


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[str]:
    """A server that gives these answers in turn, over and over, whatever it is asked."""
    turns = iter(answers * 1000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
            writer.write(next(turns))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_a_client_reads_its_answers_whole_and_in_turn() -> None:
    async def ask() -> list[Any]:
        ok = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
        refused = b"HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n"
        async with answering(ok, refused) as origin:
            connection = Connection(origin)
            replies = [await connection.post("/", {"A": "b"}, b"{}") for _ in range(3)]
            connection.close()
            return [(reply.status, reply.body) for reply in replies]

    assert asyncio.run(ask()) == [(201, b"ok"), (409, b""), (201, b"ok")]


@pytest.mark.parametrize("times_max, done", [(7, 7), (None, None)])
def test_clients_come_for_so_long_or_so_often(times_max: int | None, done: int | None) -> None:
    async def visit(client: int, turn: int, tally: Tally) -> None:
        await asyncio.sleep(0.001)
        tally.latencies.append(0.001 * turn)

    tally = asyncio.run(visits(visit, 3, seconds=0.05 if done is None else 5, times_max=times_max))
    assert tally.done == (done or tally.done) > 0
    assert done is not None or 0.05 <= tally.seconds < 1


def test_a_percentile_is_a_latency_that_there_was() -> None:
    tally = Tally(latencies=[number / 1000 for number in range(1, 101)])
    assert [round(tally.percentile_ms(percent)) for percent in (50, 95, 99)] == [50, 95, 99]
    assert Tally().percentile_ms(50) == 0
    assert round(Tally(latencies=[0.007]).percentile_ms(99)) == 7


def test_what_a_session_spends_is_counted_by_part_and_nobody_else_s_is() -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", spin, "local.workers.instance"], stdout=subprocess.PIPE, start_new_session=True
    ) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        spent = cpu_ms(worker.pid)
        worker.kill()
    assert set(spent) == {"workers"}
    assert 250 <= spent["workers"] < 1000
    assert time.process_time() > 0
    assert cpu_ms(2**22 + os.getpid()) == {}


def test_handlers_are_told_from_the_provider_and_from_what_is_around_them() -> None:
    parts = _parts({"workers": 10.0, "engine": 2.0, "front": 1.5}, {"CheckoutApi": 5.0, "DemoProvider": 3.0})
    assert parts == {"handlers": 5.0, "engine": 2.0, "provider": 3.0, "around": 2.0, "front": 1.5}


def test_calls_that_overlap_are_one_wait() -> None:
    assert _waits([]) == 0
    calls = [{"began": 0, "ended": 2}, {"began": 1, "ended": 3}, {"began": 2.5, "ended": 2.6}, {"began": 3, "ended": 4}]
    assert _waits(calls) == 2


def test_units_go_to_the_partitions_that_a_call_names() -> None:
    put = {"Put": {"TableName": "t", "Item": {"pk": {"S": "a"}, "sk": {"S": "1"}}}}
    update = {"Update": {"TableName": "t", "Key": {"pk": {"S": "b"}}}}
    transaction = {"TransactItems": [put, update]}
    assert spread(transaction, [{"TableName": "t", "CapacityUnits": 6.0}]) == {"t a": 3.0, "t b": 3.0}
    batch = {"RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}]}, "u": [{"PutRequest": {"Item": {"pk": {"S": "c"}}}}]}}
    units = [{"TableName": "t", "CapacityUnits": 1.0}, {"TableName": "u", "CapacityUnits": 2.0}]
    assert spread(batch, units) == {"t a": 1.0, "u c": 2.0}
    query = {"TableName": "t", "ExpressionAttributeValues": {":pk": {"S": "d"}}}
    assert spread(query, [{"TableName": "t", "CapacityUnits": 0.5}]) == {"t d": 0.5}


def test_a_bill_is_units_times_prices() -> None:
    used = Used(
        write_units=40,
        read_units=10,
        invocations=10,
        cpu_ms=20,
        round_trips=10,
        http_requests=1,
        messages=3,
        steps=6,
        memory_mb=1769,
    )
    items = {item.price.what.split(",")[0]: item for item in bill(used)}
    assert items["DynamoDB write request units"].dollars_per_1000 == pytest.approx(40 * 1000 * 0.625e-6)
    assert items["Lambda GB-seconds"].per_order == pytest.approx((0.020 + 0.050) * 1769 / 1024)
    assert items["Step Functions state transitions"].per_order == 14
