"""Frames between the front and its child processes: a length, a kind, a body.

A request crosses this for every HTTP call that is measured, so there is no layer more than needed: no HTTP, no
base64, and the event is encoded once and decoded once.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, cast

HEADER: Final = struct.Struct("!IB")


class Kind(IntEnum):
    SETUP = 1  # to a child, first: its configuration
    INVOKE = 2  # to a worker: header JSON, a newline, the event
    ANSWER = 3  # from a worker: what the handler returned
    FAILURE = 4  # from a worker: the error it raised, in Lambda's form
    READY = 5  # from a child: it can take work
    MESSAGE = 6  # both ways between the front and the interpreter of state machines


def frame(kind: Kind, body: bytes) -> bytes:
    return HEADER.pack(len(body), kind) + body


class BlockingChannel:
    """The child's end: plain blocking calls on an inherited socket."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._reader = self._socket.makefile("rb", buffering=1 << 16)

    def send(self, kind: Kind, body: bytes) -> None:
        self._socket.sendall(frame(kind, body))

    def receive(self) -> tuple[Kind, bytes] | None:
        """The next frame, or None when the other end is gone."""
        header = self._reader.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        length, kind = HEADER.unpack(header)
        body = self._reader.read(length)
        return (Kind(kind), body) if len(body) == length else None


class Channel(asyncio.Protocol):
    """The front's end. `received` is called per frame, `lost` once when the child's end closes."""

    def __init__(self, received: Callable[[int, bytes], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its bases

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        offset = 0
        while len(buffer) - offset >= HEADER.size:
            length, kind = HEADER.unpack_from(buffer, offset)
            end = offset + HEADER.size + length
            if len(buffer) < end:
                break
            self._received(kind, bytes(buffer[offset + HEADER.size : end]))
            offset = end
        del buffer[:offset]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost()

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def send(self, kind: Kind, body: bytes) -> None:
        """Queue a frame. Once the child is gone nothing is sent: `lost` has told, or is about to."""
        if self._transport is not None:
            self._transport.write(frame(kind, body))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
