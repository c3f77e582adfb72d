"""The audit trail: the log, listed by resource, by caller and by day.

The consumer of the stream writes a row for every resource and caller of a record; the days come from the log's own
index. A list names records, and the records are then read from the log itself, which nobody can change.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from cauri.books import log
from cauri.books.database import Database
from cauri.books.ledger import Posting
from cauri.books.log import DAY_SHARDS, Record
from cauri.books.shelf import Wire, item_of
from cauri.clock import Instant, rfc3339
from cauri.errors import Refusal
from cauri.ids import LogId
from cauri.values import dataclass

TABLE: Final = "ledger"


@dataclass
class SeveralLogLists(Refusal):
    """The log is listed by one thing at a time."""

    code: ClassVar[str] = "several_log_lists"

    def detail(self) -> str:
        return "The log is listed by one of resource and by, and in one of day and start to end."


@dataclass(frozen=True)
class Span:
    """From one moment to just before another, as text that sorts as time does."""

    since: str
    before: str

    @classmethod
    def of(cls, start: Instant, end: Instant) -> Span:
        return cls(rfc3339(start), rfc3339(end))


@dataclass(frozen=True)
class TrailEntry:
    """One change: who made it, from where, when, by which command, and what it moved. Ids only."""

    log_id: str
    at: Instant
    command: str
    caller: str
    ip: str
    input_hash: str
    events: list[str]
    resources: list[str]
    postings: list[Posting]


@dataclass(frozen=True)
class Trail:
    """Some of a list. `position` is where the next page begins, or None at the end."""

    entries: list[TrailEntry]
    position: str | None


def trail_of(records: Iterable[Record]) -> list[Wire]:
    """The rows that list `records` by resource and by caller: the same whenever they are made."""
    rows = {row["pk"]["S"] + row["sk"]["S"]: row for record in records for row in _rows(record)}
    return list(rows.values())


def by_resource(database: Database, tenant: str, resource: str, span: Span, *, after: str | None, limit: int) -> Trail:
    """The changes of one resource (an order, a payment, a SKU, a customer …), the newest first."""
    return _listed(database, tenant, f"{tenant}#trail#of#{resource}", span, after, limit)


def history_of(
    database: Database, tenant: str, resource: str, *, after: str | None, limit: int
) -> tuple[list[Record], str | None]:
    """The records of one resource, the oldest first, from behind `after`; and where the next page begins."""
    request = _request(f"{tenant}#trail#of#{resource}", "pk", "sk", after, limit, newest_first=False)
    places = [item["sk"]["S"] for item in database.query(TABLE, request)["Items"]]
    return records_at(database, tenant, places[:limit]), places[limit - 1] if len(places) > limit else None


def by_caller(database: Database, tenant: str, caller: str, span: Span, *, after: str | None, limit: int) -> Trail:
    """What one caller changed, the newest first."""
    return _listed(database, tenant, f"{tenant}#trail#by#{caller}", span, after, limit)


def by_time(database: Database, tenant: str, span: Span, *, after: str | None, limit: int) -> Trail:
    """All that changed in `span`, the newest first: day by day, a round trip for each until the page is full."""
    places: list[str] = []
    before = after or span.before
    day = date.fromisoformat(before[:10])
    while len(places) <= limit and day.isoformat() >= span.since[:10]:
        places += _of_day(database, tenant, day.isoformat(), before, limit)
        day -= timedelta(days=1)
    return _page(database, tenant, [place for place in places if place >= span.since], limit)


def _of_day(database: Database, tenant: str, day: str, before: str, limit: int) -> list[str]:
    reads = [
        functools.partial(database.query, "log", _request(f"{tenant}#{day}#{shard:02d}", "day", "at", before, limit))
        for shard in range(DAY_SHARDS)
    ]
    pages: Sequence[dict[str, Any]] = database.together(*reads)
    return sorted((item["at"]["S"] for page in pages for item in page["Items"]), reverse=True)


def resources_of(record: Record) -> list[str]:
    """The resources that a record touched: those of its events, and the orders that these belong to."""
    named = [event.resource for event in record.events]
    orders = [str(event.data["order_id"]) for event in record.events if "order_id" in event.data]
    return list(dict.fromkeys([*named, *orders]))


def _rows(record: Record) -> Iterable[Wire]:
    place = f"{rfc3339(record.at)}#{record.log_id}"
    lists = [f"of#{resource}" for resource in resources_of(record)] + [f"by#{record.caller}"]
    for name in lists:
        yield item_of(pk=f"{record.tenant}#trail#{name}", sk=place)


def _listed(database: Database, tenant: str, pk: str, span: Span, after: str | None, limit: int) -> Trail:
    page = database.query(TABLE, _request(pk, "pk", "sk", after or span.before, limit))
    places = [item["sk"]["S"] for item in page["Items"]]
    return _page(database, tenant, [place for place in places if place >= span.since], limit)


def _page(database: Database, tenant: str, places: Sequence[str], limit: int) -> Trail:
    """`places` (``time#log id``, the newest first) as entries; one more than `limit` means that there is more."""
    shown = places[:limit]
    entries = [_entry(record) for record in records_at(database, tenant, shown)]
    return Trail(entries, shown[-1] if len(places) > limit else None)


def records_at(database: Database, tenant: str, places: Sequence[str]) -> list[Record]:
    """The records at `places` (``time#log id``), in their order, without those that only take a key."""
    keys = [log.key_of(tenant, LogId(place.partition("#")[2])) for place in places]
    found = database.fetch(keys) if keys else None
    committed = [found[key] for key in keys] if found else []
    return [one.record for one in committed if one is not None and not one.record.undone]


def _entry(record: Record) -> TrailEntry:
    return TrailEntry(
        record.log_id,
        record.at,
        record.command,
        record.caller,
        record.ip,
        record.input_hash,
        events=[event.name for event in record.events],
        resources=resources_of(record),
        postings=list(record.entry.postings) if record.entry else [],
    )


def _request(
    pk: str, pk_name: str, sk_name: str, after: str | None, limit: int, *, newest_first: bool = True
) -> dict[str, Any]:
    names = {"#pk": pk_name, "#sk": sk_name}
    values = {":pk": {"S": pk}, ":after": {"S": after or ("~" if newest_first else "0")}}
    return {
        "KeyConditionExpression": f"#pk = :pk and #sk {'<' if newest_first else '>'} :after",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not newest_first,
        "Limit": limit + 1,
        **({"IndexName": "by_day"} if pk_name == "day" else {}),
    }
