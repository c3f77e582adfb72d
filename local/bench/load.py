"""Clients that ask over and over, each with a connection of its own, and as cheaply as can be.

Plain HTTP/1.1 over asyncio's streams: a client that parses what it need not read would take the cores from what is
measured.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

LINE_END: Final = b"\r\n"
SILENCE_SECONDS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


@dataclass
class Tally:
    """What a run came to. Latencies are in seconds, of the requests that `measured` was told of."""

    seconds: float = 0.0
    own_cpu_ms: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def done(self) -> int:
        return len(self.latencies)

    def percentile_ms(self, percent: float) -> float:
        """The smallest latency that so many percent do not exceed."""
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)] * 1000


class Connection:
    """Kept open between requests, and opened anew when the server has closed it."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return await self.ask("POST", path, headers, body)

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        asked = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{asked}{named}\r\n".encode() + body)
        async with asyncio.timeout(SILENCE_SECONDS_MAX):
            return await self._reply(reader)

    async def _reply(self, reader: asyncio.StreamReader) -> Reply:
        head = await reader.readuntil(LINE_END * 2)
        status, length, closes = int(head[9:12]), 0, False
        for line in head.split(LINE_END)[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"connection":
                closes = value.strip().lower() == b"close"
        body = await reader.readexactly(length)
        if closes:
            self.close()
        return Reply(status, body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


Visit = Callable[[int, int, Tally], Awaitable[None]]
"""What a client does once: its number, which time it is, and where to write down what came of it."""


async def visits(visit: Visit, clients: int, *, seconds: float, times_max: int | None = None) -> Tally:
    """Have `clients` do it again and again for so many seconds, or so often together; each begun one is finished."""
    tally = Tally()
    cpu, began = time.process_time(), time.perf_counter()
    begun = 0

    async def client(number: int) -> None:
        nonlocal begun
        while time.perf_counter() - began < seconds and (times_max is None or begun < times_max):
            begun += 1
            await visit(number, begun, tally)

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
    tally.seconds = time.perf_counter() - began
    tally.own_cpu_ms = (time.process_time() - cpu) * 1000
    return tally
