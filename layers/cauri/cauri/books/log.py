"""The log record: idempotency, audit, journal and outbox of one commit."""

from __future__ import annotations

import functools
import zlib
from typing import Final

from pydantic import TypeAdapter

from cauri.books.ledger import Entry
from cauri.books.plan import Event, StartSaga
from cauri.books.shelf import Key, Shelf, Wire, Write, item_of
from cauri.clock import Instant, rfc3339
from cauri.ids import LogId, digest
from cauri.values import dataclass

DAY_SHARDS: Final = 16
ANSWER_BYTES_MAX: Final = 192 * 1024
"""Compressed. The largest order (a hundred lines with the longest titles, incompressible) has some 60 KiB."""


@dataclass(frozen=True)
class Record:
    """What one commit did. Ids only: no personal data, no secret."""

    tenant: str
    log_id: LogId
    command: str
    caller: str
    ip: str
    at: Instant
    input_hash: str
    entry: Entry | None = None
    events: tuple[Event, ...] = ()
    sagas: tuple[StartSaga, ...] = ()
    undone: bool = False
    """This record only takes a key: the step under it was undone, and can't commit any more."""


@dataclass(frozen=True)
class Committed:
    """A record that is in the log, with the answer that was given, byte for byte."""

    record: Record
    answer: bytes


@functools.cache
def _records() -> TypeAdapter[Record]:
    """Made when the first record is written or read: a function that only answers questions needs none."""
    return TypeAdapter(Record)


def log_id_of(tenant: str, caller: str, key: str) -> LogId:
    """Where the command that `caller` sent under the idempotency key `key` is, or will be, in the log."""
    return LogId(digest(tenant, caller, key))


def put(record: Record, answer: bytes) -> Write:
    """Append `record`; if its key is taken, the database hands back what is there."""
    compressed = _compressed(answer)
    if len(compressed) > ANSWER_BYTES_MAX:
        raise ValueError(f"the answer of {record.command} has {len(compressed)} bytes, more than a record holds")
    shard = int(record.log_id[:2], 16) % DAY_SHARDS
    at = rfc3339(record.at)
    item = item_of(
        pk=f"{record.tenant}#{record.log_id}",
        day=f"{record.tenant}#{at[:10]}#{shard:02d}",
        at=f"{at}#{record.log_id}",
        record=_records().dump_json(record, exclude_defaults=True).decode(),
    )
    request = {
        "TableName": "log",
        "Item": {**item, "answer": {"B": compressed}},
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return Write("Put", request)


def _compressed(answer: bytes) -> bytes:
    """With a small window and little memory, since to make room for the usual ones takes longer than to compress."""
    small = zlib.compressobj(1, zlib.DEFLATED, wbits=12, memLevel=4)
    return small.compress(answer) + small.flush()


def read(item: Wire) -> Committed:
    """A committed record, from a read or a failed condition."""
    return Committed(read_record(item), zlib.decompress(item["answer"]["B"]))


def read_record(item: Wire) -> Record:
    """The record alone, also from the stream, whose images have no bytes."""
    return _records().validate_json(item["record"]["S"])


class _Log(Shelf[Committed]):
    """The log, for reading: its items have one key, and no version."""

    def from_item(self, item: Wire) -> Committed:
        return read(item)


LOG: Final = _Log("log", Committed, place=lambda done: (done.record.log_id, ""), tenant=lambda done: done.record.tenant)


def key_of(tenant: str, log_id: LogId) -> Key[Committed]:
    return LOG.key(tenant, log_id, "")
