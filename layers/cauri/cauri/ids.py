"""Ids: a prefix that names the kind, and a ULID that sorts by time."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NewType

from ulid import ULID

from cauri.clock import Instant

TenantId = NewType("TenantId", str)
CustomerId = NewType("CustomerId", str)
VendorId = NewType("VendorId", str)
CartId = NewType("CartId", str)
OrderId = NewType("OrderId", str)
PaymentId = NewType("PaymentId", str)
LogId = NewType("LogId", str)


NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a tenant, a SKU, or anything else that people name may look like. Nothing that our keys use to separate."""


def is_name(text: str) -> bool:
    return re.fullmatch(NAME, text) is not None


class Ids:
    """The ids that one command gives out.

    They follow from the command's log id and its time, so no source of randomness is needed: the log id is
    a hash of (tenant, caller, Idempotency-Key) and belongs to one command only.
    """

    def __init__(self, log_id: LogId, at: Instant) -> None:
        self._seed = log_id.encode()
        self._milliseconds = int(at.timestamp() * 1000).to_bytes(6, "big")
        self._given = 0

    def new(self, prefix: str) -> str:
        """``ord_01JD…``; the next one is another."""
        self._given += 1
        unique = hashlib.blake2b(self._seed + b"/%d" % self._given, digest_size=10).digest()
        return f"{prefix}_{ULID.from_bytes(self._milliseconds + unique)}"


def digest(*parts: str) -> str:
    """A hash of `parts` as 40 hex digits; the lengths are part of it, so that no two lists read the same."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def shard_of(id_: str, shards: int) -> int:
    """In which of the shards of a list an id is."""
    return hashlib.blake2b(id_.encode(), digest_size=2).digest()[0] % shards
