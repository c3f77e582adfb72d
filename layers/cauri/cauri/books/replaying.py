"""A commit whose consequences were lost is followed again: its accounts, its lists, its queues and its sagas.

What follows from a commit is driven by the stream of the log, which brings each record once it is there, and again
until its consumers took it. If a record was lost all the same, a replay brings it back the only way there is: as the
event of a new record. Each consumer then does for the old one what it does for every record, which is safe twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from cauri.books import log
from cauri.books.database import Database
from cauri.books.log import Record
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.errors import Refusal
from cauri.ids import LogId
from cauri.values import dataclass

REPLAYED: Final = "record.replayed"


@dataclass
class UnknownRecord(Refusal):
    code: ClassVar[str] = "unknown_record"
    record: str

    def detail(self) -> str:
        return f"There is no record {self.record!r} in the log."


@dataclass(frozen=True)
class ReplayRecord(Command):
    """Follow a record of the log again."""

    name: ClassVar = "replay_record"
    record: LogId


@dataclass(frozen=True)
class Replayed:
    record: str
    command: str
    events: list[str]


@decides(ReplayRecord)
def replay_record(command: ReplayRecord, work: Work) -> Plan:
    key = log.key_of(work.tenant, command.record)
    done = work.fetch(key)[key]
    if done is None or done.record.undone:
        raise UnknownRecord(command.record)
    record = done.record
    answer = Replayed(record.log_id, record.command, [event.name for event in record.events])
    told = Event(REPLAYED, work.ids.new("rpl"), 1, {"record": record.log_id, "command": record.command})
    return Plan(answer).emit(told)


def with_replayed(database: Database, records: Iterable[Record]) -> list[Record]:
    """`records`, and behind each the old one that it brings back."""
    followed: list[Record] = []
    for record in records:
        followed.append(record)
        again = [LogId(event.data["record"]) for event in record.events if event.name == REPLAYED]
        keys = [log.key_of(record.tenant, log_id) for log_id in again]
        found = database.fetch(keys) if keys else None
        followed += [done.record for key in keys if found and (done := found[key]) is not None]
    return followed
