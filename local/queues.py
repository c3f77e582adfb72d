"""Queues as SQS keeps them, in SQLite: delay, visibility timeout, receive count, dead letters, FIFO queues.

Times are Unix seconds. A message that is being received is invisible until its visibility timeout ends; a message
received more than `maxReceiveCount` times moves to the dead-letter queue instead. In a FIFO queue a message waits until
those of its group that came before it are gone, and one with the deduplication id of the last five minutes is the same.
"""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.state import State

BODY_MAX: Final = 1024 * 1024
DELAY_MAX: Final = 900
BATCH_MAX: Final = 10
BURIED_MAX: Final = 10  # how many of the dead one call of receive may come upon and bury
DEDUPLICATED_SECONDS: Final = 300
BLOCKED: Final = (
    "exists (select 1 from messages before where before.queue = messages.queue and before.grouped = messages.grouped"
    " and before.visible_at > ? and before.id <> messages.id"
    " and (before.id < messages.id or before.receipt is not null))"
)
"""Whether a message's group has one that comes first, or that somebody has. Never so in a standard queue."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """A queue's attributes. Durations are in seconds; `dead_letters` is a queue's name."""

    name: str
    arn: str
    url: str
    visibility_timeout: int
    delay: int
    retention: int
    dead_letters: str | None = None
    receives_max: int | None = None
    fifo: bool = False
    deduplicates_by_content: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in a FIFO queue: its group, and what tells it from another."""

    group: str | None = None
    deduplication: str | None = None


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    message_id: str
    body: str
    attributes: Mapping[str, Any]
    sent_at: float
    first_received_at: float
    receives: int
    receipt: str
    source: str | None
    group: str | None = None

    @property
    def body_md5(self) -> str:
        return md5(self.body)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue has: `visible` now, `delayed` until later (`next_at`), and being received."""

    visible: int
    delayed: int
    in_flight: int
    next_at: float | None


class QueueError(ValueError):
    """A request that SQS refuses. `code` is its error code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Queue:
    """One queue over the shared table."""

    settings: QueueSettings
    state: State
    _arrivals: list[Callable[[], None]] = field(default_factory=list)

    def on_arrival(self, listener: Callable[[], None]) -> None:
        self._arrivals.append(listener)

    def arrived(self) -> None:
        """Let whoever waits for messages look."""
        for listener in self._arrivals:
            listener()

    def send(
        self,
        body: str,
        attributes: Mapping[str, Any] | None = None,
        delay: float | None = None,
        source: str | None = None,
        place: Place = NOWHERE,
    ) -> str:
        """The id of the message, which is kept when this returns. Raises QueueError."""
        if not body or len(body.encode()) > BODY_MAX:
            raise QueueError("InvalidParameterValue", f"a message has 1 to {BODY_MAX} bytes")
        delay = self.settings.delay if delay is None else delay
        if not 0 <= delay <= DELAY_MAX:
            raise QueueError("InvalidParameterValue", f"DelaySeconds is 0 to {DELAY_MAX}")
        place = self._place(place, body)
        now = time.time()
        with self.state:
            if (sent := self._sent_before(place, now)) is not None:
                return sent
            message_id = str(uuid.uuid4())
            self.state.execute(
                "insert into messages (queue, message_id, body, attributes, sent_at, visible_at, source, grouped)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                *(self.settings.name, message_id, body, json.dumps(dict(attributes or {})), now, now + delay, source),
                place.group,
            )
            self._note_sent(place, message_id, now)
        self.arrived()
        return message_id

    def _place(self, asked: Place, body: str) -> Place:
        """As the queue has it. Raises QueueError for what SQS would not take."""
        if not self.settings.fifo:
            if asked != NOWHERE:
                raise QueueError("InvalidParameterValue", "only a FIFO queue has groups and deduplication ids")
            return NOWHERE
        if not asked.group:
            raise QueueError("MissingParameter", "a message of a FIFO queue has a MessageGroupId")
        if asked.deduplication:
            return asked
        if not self.settings.deduplicates_by_content:
            raise QueueError("InvalidParameterValue", "the queue needs a MessageDeduplicationId")
        return Place(asked.group, hashlib.sha256(body.encode()).hexdigest())

    def _sent_before(self, place: Place, now: float) -> str | None:
        """The message that this one is again, whether or not it is still here."""
        row = self.state.row(
            "select message_id from deduplications where queue = ? and id = ? and sent_at > ?",
            *(self.settings.name, place.deduplication, now - DEDUPLICATED_SECONDS),
        )
        return None if row is None else str(row["message_id"])

    def _note_sent(self, place: Place, message_id: str, now: float) -> None:
        if place.deduplication is None:
            return
        name = self.settings.name
        self.state.execute(
            "delete from deduplications where queue = ? and sent_at <= ?", name, now - DEDUPLICATED_SECONDS
        )
        self.state.execute(
            "insert or replace into deduplications values (?, ?, ?, ?)", name, place.deduplication, message_id, now
        )

    def receive(self, count: int, visibility_timeout: float | None = None) -> list[Message]:
        """Up to `count` visible messages, invisible from now on; the overdue go to the dead letters instead."""
        timeout = self.settings.visibility_timeout if visibility_timeout is None else visibility_timeout
        now = time.time()
        taken: list[Message] = []
        with self.state:
            rows = self._visible(now, count + BURIED_MAX)
            for row in rows:
                if self._is_dead(row["receives"], row["sent_at"], now):
                    self._bury(row["id"])
                elif len(taken) < count:
                    taken.append(self._take(row, now, timeout))
        return taken

    def _visible(self, now: float, count: int) -> list[Any]:
        if not self.settings.fifo:
            return self.state.rows(
                "select * from messages where queue = ? and visible_at <= ? order by visible_at, id limit ?",
                *(self.settings.name, now, count),
            )
        return self.state.rows(
            f"select * from messages where queue = ? and visible_at <= ? and not {BLOCKED} order by id limit ?",
            *(self.settings.name, now, now, count),
        )

    def _is_dead(self, receives: int, sent_at: float, now: float) -> bool:
        worn_out = self.settings.receives_max is not None and receives >= self.settings.receives_max
        return worn_out or now - sent_at > self.settings.retention

    def _bury(self, row_id: int) -> None:
        """Move a message to the dead letters; one that only grew old is gone, as in SQS."""
        row = self.state.row("select * from messages where id = ?", row_id)
        assert row is not None
        worn_out = self.settings.receives_max is not None and row["receives"] >= self.settings.receives_max
        if self.settings.dead_letters is None or not worn_out:
            self.state.execute("delete from messages where id = ?", row_id)
            return
        self.state.execute(
            "update messages set queue = ?, source = ?, visible_at = ?, receives = 0, receipt = null where id = ?",
            *(self.settings.dead_letters, self.settings.name, time.time(), row_id),
        )

    def _take(self, row: Any, now: float, timeout: float) -> Message:
        receipt = str(uuid.uuid4())
        first = row["first_received_at"] or now
        receives = row["receives"] + 1
        self.state.execute(
            "update messages set visible_at = ?, receives = ?, receipt = ?, first_received_at = ? where id = ?",
            *(now + timeout, receives, receipt, first, row["id"]),
        )
        return Message(
            row["id"],
            row["message_id"],
            row["body"],
            json.loads(row["attributes"]),
            row["sent_at"],
            first,
            receives,
            receipt,
            row["source"],
            row["grouped"],
        )

    def delete(self, receipts: Iterable[str]) -> None:
        """Forget received messages. A receipt that is no longer the message's last is ignored, as in SQS."""
        with self.state:
            for receipt in receipts:
                self.state.execute("delete from messages where receipt = ? and queue = ?", receipt, self.settings.name)
        if self.settings.fifo:
            self.arrived()  # the next of their groups can be received

    def change_visibility(self, receipt: str, timeout: float) -> None:
        self.state.execute("update messages set visible_at = ? where receipt = ?", time.time() + timeout, receipt)
        self.arrived()

    def release(self) -> None:
        """Make every message visible whose receiver died with an earlier life of this cloud."""
        self.state.execute(
            "update messages set visible_at = ?, receipt = null where queue = ? and receipt is not null",
            *(time.time(), self.settings.name),
        )

    def depth(self) -> Depth:
        now = time.time()
        row = self.state.row(
            "select sum(visible_at <= ?), sum(visible_at > ? and receipt is null),"
            " sum(visible_at > ? and receipt is not null), min(case when visible_at > ? then visible_at end)"
            " from messages where queue = ?",
            *(now, now, now, now, self.settings.name),
        )
        assert row is not None
        return Depth(row[0] or 0, row[1] or 0, row[2] or 0, row[3])

    def next_visible_at(self) -> float | None:
        """When the earliest message is, or becomes, visible; what waits for others of its group does not count."""
        if not self.settings.fifo:
            row = self.state.row("select min(visible_at) from messages where queue = ?", self.settings.name)
        else:
            row = self.state.row(
                f"select min(visible_at) from messages where queue = ? and not {BLOCKED}",
                *(self.settings.name, time.time()),
            )
        return None if row is None else row[0]

    def messages(self) -> list[dict[str, Any]]:
        """Everything that is in the queue, oldest first, untouched."""
        rows = self.state.rows("select * from messages where queue = ? order by id", self.settings.name)
        return [dict(row) for row in rows]

    def take(self, message_id: str) -> bool:
        """Forget a message by its id. False when it is not here (any more)."""
        cursor = self.state.execute(
            "delete from messages where queue = ? and message_id = ?", self.settings.name, message_id
        )
        return cursor.rowcount > 0

    def purge(self) -> None:
        """Forget every message."""
        self.state.execute("delete from messages where queue = ?", self.settings.name)

    async def wait(self, seconds: float) -> None:
        """Return when a message is visible, or after `seconds`."""
        arrived = asyncio.Event()
        self._arrivals.append(arrived.set)
        try:
            next_at = self.next_visible_at()
            due = seconds if next_at is None else min(seconds, max(0.0, next_at - time.time()))
            await asyncio.wait_for(arrived.wait(), due)
        except TimeoutError:
            pass
        finally:
            self._arrivals.remove(arrived.set)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def attributes_md5(attributes: Mapping[str, Any]) -> str:
    """The digest SQS gives of MessageAttributes: name, type and value of each, length-prefixed, in order of name."""
    digest = hashlib.md5(usedforsecurity=False)

    def add(part: bytes) -> None:
        digest.update(len(part).to_bytes(4, "big") + part)

    for name in sorted(attributes):
        value = attributes[name]
        add(name.encode())
        add(value["DataType"].encode())
        if "StringValue" in value:
            digest.update(b"\x01")
            add(value["StringValue"].encode())
        else:
            digest.update(b"\x02")
            add(value["BinaryValue"].encode())
    return digest.hexdigest()
