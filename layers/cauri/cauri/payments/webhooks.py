"""What providers send us: kept as it came, whether we believed it or not."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Final

from cauri.clock import Instant
from cauri.values import dataclass


@dataclass(frozen=True)
class WebhookEvent:
    """One delivery. `refusal` says why it was not believed. `body` is what came; its head, if refused or unreadable."""

    tenant: str
    id: str
    provider: str
    received_at: Instant
    source_ip: str
    body: str
    encoding: str
    """How `body` is written: as it came (empty), or by `packed`."""
    kind: str = ""
    reference: str = ""
    refusal: str = ""
    version: int = 0

    @property
    def text(self) -> str:
        """What came."""
        return zlib.decompress(base64.b64decode(self.body)).decode() if self.encoding else self.body


PLAIN_BYTES_MAX: Final = 64 * 1024
PACKED: Final = "zlib+base64"


def packed(body: str) -> tuple[str, str]:
    """A body and its encoding, small enough for an item of 400 KB whatever 256 KB of bytes it was."""
    if len(json.dumps(body)) <= PLAIN_BYTES_MAX:
        return body, ""
    return base64.b64encode(zlib.compress(body.encode())).decode(), PACKED
