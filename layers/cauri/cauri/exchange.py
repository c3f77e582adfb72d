"""HTTP/1.1 as far as a service needs it that is sent one small body at a time, and answers each with another.

urllib3 and http.client make some forty objects for that (pools, timeouts, headers as an e-mail has them), which was
three quarters of what a call of DynamoDB took: ``docs/performance.md`` has the figures.
"""

from __future__ import annotations

import functools
import os
import select
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from http.client import BadStatusLine, HTTPException, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

HEAD_BYTES_MAX: Final = 64 * 1024
RECEIVED_AT_ONCE: Final = 64 * 1024
HEAD_END: Final = b"\r\n\r\n"


class Exchange:
    """One address. It connects when it has to, keeps some connections, and may be shared by threads. No retries.

    Raises OSError (also for a time limit) or HTTPException when there is no answer.
    """

    def __init__(self, url: str, *, connect_seconds: float, read_seconds: float, kept: int) -> None:
        parts = urlsplit(url)
        self._is_secure = parts.scheme == "https"
        usual = 443 if self._is_secure else 80
        self._host, self._port = parts.hostname or "", parts.port or usual
        self.host = self._host if self._port == usual else parts.netloc
        """As the header of that name has it: with the port, unless that goes without saying."""
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._kept = kept
        self._idle: deque[_Connection] = deque()

    def get_ready(self) -> None:
        """Make what the first connection would wait for."""
        if self._is_secure:
            _ = self._trust

    def forget_connections(self) -> None:
        """Close what is open; the next request connects anew."""
        while (connection := self._take()) is not None:
            connection.close()

    def post(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"Host: {self.host}\r\nAccept-Encoding: identity\r\nContent-Length: {len(body)}\r\n"
        request = f"POST / HTTP/1.1\r\n{length}{fields}\r\n".encode("ascii") + body
        connection = self._idle_one() or self._connected()
        try:
            return connection.ask(request)
        finally:
            self._put_back(connection)

    def _put_back(self, connection: _Connection) -> None:
        if connection.is_reusable and len(self._idle) < self._kept:
            self._idle.append(connection)
        else:
            connection.close()

    def _idle_one(self) -> _Connection | None:
        """One that the other side has not closed meanwhile."""
        while (connection := self._take()) is not None:
            if not connection.is_dropped():
                return connection
            connection.close()
        return None

    def _take(self) -> _Connection | None:
        """The one that was used last: it is the likeliest to be alive."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connected(self) -> _Connection:
        opened = socket.create_connection((self._host, self._port), self._connect_seconds)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_secure:
            opened = self._trust.wrap_socket(opened, server_hostname=self._host)  # closes it if that fails
        opened.settimeout(self._read_seconds)
        return _Connection(opened)

    @functools.cached_property
    def _trust(self) -> ssl.SSLContext:
        """The authorities that botocore trusts, or those that the environment names."""
        from botocore.httpsession import get_cert_path

        return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True))


class _Connection:
    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._waiting = select.poll()
        self._waiting.register(opened, select.POLLIN)
        self._received = bytearray()
        self.is_reusable = True
        """Whether the last answer came whole, and another may follow."""

    def close(self) -> None:
        self._socket.close()

    def is_dropped(self) -> bool:
        """Whether something came that nobody asked for: mostly the end."""
        return bool(self._waiting.poll(0))

    def ask(self, request: bytes) -> tuple[int, bytes]:
        self.is_reusable = False
        self._socket.sendall(request)
        status, headers = self._head()
        body, is_delimited = self._body(headers)
        self.is_reusable = is_delimited and not self._received and headers.get(b"connection", b"").lower() != b"close"
        return status, body

    def _head(self) -> tuple[int, dict[bytes, bytes]]:
        while (end := self._received.find(HEAD_END)) < 0:
            self._bound()
            self._receive()
        first, *lines = self._taken(end + len(HEAD_END))[:end].split(b"\r\n")
        version, _, status = first.partition(b" ")
        if version != b"HTTP/1.1" or not status[:3].isdigit():
            raise BadStatusLine(repr(first[:80]))
        fields = (line.partition(b":") for line in lines)
        return int(status[:3]), {name.lower(): value.strip() for name, _, value in fields}

    def _body(self, headers: Mapping[bytes, bytes]) -> tuple[bytes, bool]:
        """The body, and whether its end was told: otherwise it is that of the connection."""
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            return self._chunks(), True
        if (length := headers.get(b"content-length")) is None:
            return self._rest(), False
        return self._exactly(_number(length, 10)), True

    def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        while size := _number(self._line().partition(b";")[0], 16):
            chunks.append(self._exactly(size))
            self._line()
        while self._line():
            pass  # fields that come late, which nobody here reads
        return b"".join(chunks)

    def _rest(self) -> bytes:
        while received := self._socket.recv(RECEIVED_AT_ONCE):
            self._received += received
        return self._taken(len(self._received))

    def _line(self) -> bytes:
        while (end := self._received.find(b"\r\n")) < 0:
            self._bound()
            self._receive()
        return self._taken(end + 2)[:end]

    def _exactly(self, length: int) -> bytes:
        while len(self._received) < length:
            self._receive()
        return self._taken(length)

    def _taken(self, length: int) -> bytes:
        taken = bytes(self._received[:length])
        del self._received[:length]
        return taken

    def _bound(self) -> None:
        if len(self._received) > HEAD_BYTES_MAX:
            raise HTTPException(f"a head of more than {HEAD_BYTES_MAX} bytes")

    def _receive(self) -> None:
        received = self._socket.recv(RECEIVED_AT_ONCE)
        if not received:
            raise IncompleteRead(bytes(self._received))
        self._received += received


def _number(text: bytes, base: int) -> int:
    try:
        return int(text.strip(), base)
    except ValueError as error:
        raise HTTPException(f"a length of {text[:80]!r}") from error
