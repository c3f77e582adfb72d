"""What the local cloud keeps: one SQLite file in the state directory, held by one cloud at a time.

Every write is one transaction in WAL mode, done before what depends on it is answered, so that killing the processes
loses nothing. (`synchronous=NORMAL`: a power cut may lose the last moments, never consistency.)
"""

import fcntl
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Final, Self

LOG_BYTES_MAX: Final = 50 * 1024 * 1024
SCHEMA: Final = """
create table if not exists settings (
    name text primary key,
    value text not null
) without rowid;

create table if not exists messages (
    id integer primary key autoincrement,
    queue text not null,
    message_id text not null,
    body text not null,
    attributes text not null,        -- MessageAttributes, as JSON
    sent_at real not null,           -- all times are Unix seconds
    visible_at real not null,
    first_received_at real,
    receives integer not null default 0,
    receipt text,
    source text,                     -- for a dead letter: the queue it came from
    grouped text                     -- of a FIFO queue: the message's group
);
create index if not exists messages_by_time on messages (queue, visible_at, id);
create unique index if not exists messages_by_receipt on messages (receipt) where receipt is not null;

create table if not exists deduplications (
    queue text not null,
    id text not null,
    message_id text not null,
    sent_at real not null,
    primary key (queue, id)
) without rowid;

create table if not exists checkpoints (
    consumer text not null,
    shard text not null,
    sequence text not null,
    primary key (consumer, shard)
) without rowid;

create table if not exists executions (
    arn text primary key,
    machine text not null,
    name text not null,
    input text not null,
    status text not null,
    output text,
    error text,
    cause text,
    started_at real not null,
    stopped_at real,
    history text
) without rowid;
create index if not exists executions_by_machine on executions (machine, started_at);
create index if not exists executions_by_status on executions (status);

create table if not exists emails (
    message_id text not null unique,
    at real not null,
    recipients text not null,        -- JSON
    raw blob not null                -- MIME
);

create table if not exists schedules (
    name text primary key,
    fired_at real not null
) without rowid;
"""


class StateInUseError(RuntimeError):
    """Another cloud holds this state directory."""


class State:
    """The state directory, open. Used from one thread."""

    def __init__(self, directory: Path, fresh: bool = False) -> None:
        """Raises StateInUseError. With `fresh`, all that was there goes first."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._lock = _lock(directory / "lock")
        if fresh:
            _empty(directory)
        self.logs.mkdir(exist_ok=True)
        _rotate(self.logs)
        self._connection = sqlite3.connect(directory / "cloud.sqlite", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute("pragma synchronous=normal")
        self._connection.executescript(SCHEMA)
        self._add_what_is_new()

    def _add_what_is_new(self) -> None:
        """The columns that a file from before does not have, and the indexes over them."""
        if "grouped" not in {row["name"] for row in self.rows("pragma table_info(messages)")}:
            self.execute("alter table messages add column grouped text")
        self.execute("create index if not exists messages_by_group on messages (queue, grouped, id)")

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """One statement; a transaction of its own unless inside `with state:`."""
        return self._connection.execute(sql, values)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def __enter__(self) -> Self:
        self._connection.execute("begin immediate")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("rollback" if kind else "commit")

    def setting(self, name: str) -> str | None:
        row = self.row("select value from settings where name = ?", name)
        return None if row is None else str(row["value"])

    def set(self, name: str, value: str) -> None:
        self.execute("insert or replace into settings values (?, ?)", name, value)

    def forget_work(self) -> None:
        """Drop what refers to tables that are no more, and keep ports, keys and secrets."""
        for table in ("messages", "deduplications", "checkpoints", "executions", "schedules"):
            self.execute(f"delete from {table}")

    def close(self) -> None:
        self._connection.close()
        os.close(self._lock)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateInUseError(f"another local cloud is using {path.parent}") from None
    return descriptor


def _rotate(logs: Path) -> None:
    """Begin long log files anew, and keep the one before."""
    for path in [*logs.glob("*.jsonl"), *logs.glob("*.log")]:
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(path.suffix + ".1"))


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


# The lock that we hold, and the log that whoever started us writes to.
KEPT: Final = {"lock", "server.log"}
