"""The one way to call an outside party over HTTP: short deadlines, and trouble as a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from cauri.providers.unknown import Unknown
from cauri.values import dataclass

BODY_BYTES_MAX: Final = 256 * 1024
"""No provider's answer to one question is longer; a longer one is nonsense."""

_CHUNK_BYTES: Final = 16 * 1024
_SHORTEST_TRY_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Answer:
    """Some server's answer, with any status: what it means is the adapter's to say."""

    status: int
    body: bytes


class Http:
    """A client whose every failure is `Unknown`.

    The two deadlines, in seconds, bound the whole question when they are added up, and not only each packet
    of it: a server that drips its body does not hold a function. Connections are kept between questions.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = 0.5,
        read_seconds: float = 3.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._monotonic = monotonic
        self._pools = urllib3.PoolManager(retries=False)

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        safe_twice: bool = False,
    ) -> Answer | Unknown:
        """One question, one answer; redirects are answers.

        With `safe_twice` it is put a second time, within the same deadline, when the connection breaks: one that
        was kept while the function slept is often dead, and only the first write on it tells.
        """
        deadline = self._monotonic() + self._connect_seconds + self._read_seconds
        try:
            return self._try(method, url, headers, body, deadline)
        except ProtocolError as broken:
            if not safe_twice or self._left(deadline) < _SHORTEST_TRY_SECONDS:
                return _unknown(broken)
        except HTTPError as trouble:
            return _unknown(trouble)
        try:
            return self._try(method, url, headers, body, deadline)
        except HTTPError as trouble:
            return _unknown(trouble)

    def forget_connections(self) -> None:
        """Close what is open: to be called after a snapshot is restored."""
        self._pools.clear()

    def _try(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer | Unknown:
        left = max(self._left(deadline), _SHORTEST_TRY_SECONDS)
        response = self._pools.urlopen(
            method,
            url,
            headers=dict(headers),
            body=body,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=min(self._connect_seconds, left), read=min(self._read_seconds, left)),
        )
        read = self._read(response, deadline)
        if isinstance(read, Unknown):
            response.close()  # what is left of the body must not be taken for the next answer
            return read
        response.release_conn()
        return Answer(response.status, read)

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes | Unknown:
        body = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return Unknown("the answer is too long")
            if self._left(deadline) <= 0:
                return Unknown("the answer came too slowly")
        return bytes(body)

    def _left(self, deadline: float) -> float:
        return deadline - self._monotonic()


def _unknown(trouble: HTTPError) -> Unknown:
    """The kind of trouble only: its text may hold a URL, and a URL may hold a secret."""
    return Unknown(type(trouble).__name__)
