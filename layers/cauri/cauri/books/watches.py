"""Watches: a saga that a commit asked for, until it says that it is over. What is past its time, recovery looks at.

A watch is put by the commit that asks for the saga, so there is none without it; it is taken away by the saga's last
step. They have a table of their own, in the order of their time, whose rows are deleted: it holds what is open, and
nothing that anybody has to keep.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from cauri.books.database import Database
from cauri.books.plan import StartSaga
from cauri.books.shelf import Key, Shelf, Write
from cauri.clock import Instant, rfc3339
from cauri.ids import shard_of
from cauri.values import dataclass, replace

TABLE: Final = "recovery"
SHARDS: Final = 16
WATCHED: Final = frozenset({"checkout", "refund"})
"""The machines whose executions take their watch away."""
LOOK_AFTER: Final = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=4), timedelta(days=1))
"""How long after it was asked for a saga is looked at: the first time, the second, … and from then on."""
MARGIN: Final = timedelta(minutes=1)
"""What a saga that wakes up may take to say so."""


@dataclass(frozen=True)
class Watch:
    """An execution that was asked for at `begun_at`. From `due` on, recovery looks whether it came to its end."""

    tenant: str
    machine: str
    execution: str
    input: dict[str, str]
    begun_at: Instant
    due: Instant
    tries: int = 0
    """How many executions before this one did not come to their end."""
    version: int = 0

    @property
    def id(self) -> str:
        return _id_of(self.due, self.execution)

    @property
    def resource(self) -> str:
        """The order or the refund."""
        [resource] = self.input.values()
        return resource


WATCHES: Final = Shelf(
    TABLE, Watch, place=lambda watch: (_shard(watch.execution), watch.id), tenant=lambda watch: watch.tenant
)


def look_at(saga: StartSaga, at: Instant) -> Instant:
    """When to look at a saga that was asked for then."""
    return at + LOOK_AFTER[min(saga.tries, len(LOOK_AFTER) - 1)]


def watch_of(saga: StartSaga, tenant: str, at: Instant) -> Watch | None:
    """The watch over a saga that is asked for now."""
    if saga.machine not in WATCHED:
        return None
    due = look_at(saga, at)
    return Watch(tenant, saga.machine, saga.name, dict(saga.input), at, due, saga.tries)


def watch_id_of(saga: StartSaga, at: Instant) -> str:
    """The id of its watch, for the saga to take it away."""
    return _id_of(look_at(saga, at), saga.name)


def watch_key(tenant: str, watch_id: str) -> Key[Watch]:
    return WATCHES.key(tenant, _shard(watch_id.partition("#")[2]), watch_id)


def watches_over(sagas: Iterable[StartSaga], tenant: str, at: Instant) -> list[Write]:
    """What a commit writes that asks for these sagas now."""
    watches = [watch_of(saga, tenant, at) for saga in sagas]
    return [_write(watch) for watch in watches if watch is not None]


def put(database: Database, watch: Watch) -> None:
    """Watch over this as well. One that is there already is overwritten."""
    database.write(_write(watch))


def _write(watch: Watch) -> Write:
    """Without a condition: two that ask for the same execution at the same time have it watched over once."""
    request = WATCHES.write(watch).request
    return Write("Put", {"TableName": TABLE, "Item": request["Item"]})


def take_away(database: Database, tenant: str, watch_id: str) -> None:
    """What it watched over is over. One that is gone already is gone."""
    key = watch_key(tenant, watch_id)
    place = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    database.write(Write("Delete", {"TableName": TABLE, "Key": place}))


def watch_later(database: Database, tenant: str, watch_id: str, until: Instant) -> str:
    """The saga sleeps until then, and is looked at after that. The id of its watch from now on."""
    key = watch_key(tenant, watch_id)
    watch = database.fetch([key])[key]
    if watch is None or until + MARGIN <= watch.due:
        return watch_id  # recovery took it over, or it is early enough
    later = replace(watch, due=until + LOOK_AFTER[0], version=0)
    put(database, later)
    take_away(database, tenant, watch_id)
    return later.id


def due_by(database: Database, tenant: str, now: Instant, *, limit: int) -> list[Watch]:
    """At most `limit` watches whose time has come, those that waited longest first."""
    reads = [functools.partial(_read, database, tenant, shard, now, limit) for shard in range(SHARDS)]
    found = [watch for page in database.together(*reads) for watch in page]
    return sorted(found, key=lambda watch: watch.id)[:limit]


def _read(database: Database, tenant: str, shard: int, now: Instant, limit: int) -> list[Watch]:
    request = {
        "KeyConditionExpression": "pk = :pk AND sk < :now",
        "ExpressionAttributeValues": {":pk": {"S": f"{tenant}#{_numbered(shard)}"}, ":now": {"S": f"{rfc3339(now)}~"}},
        "Limit": limit,
    }
    return WATCHES.from_items(database.query(TABLE, request)["Items"])


def _id_of(due: Instant, execution: str) -> str:
    return f"{rfc3339(due)}#{execution}"


def _shard(execution: str) -> str:
    return _numbered(shard_of(execution, SHARDS))


def _numbered(shard: int) -> str:
    return f"watches#{shard:02d}"
