"""The log in the order of time, the oldest first, a page at a time: for whoever goes through all of it.

The days come from the log's own index. It follows its table within a second or so, so that the last moment may not be
in it yet: whoever has to be sure asks for what is older than that.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from cauri.books.database import Database
from cauri.books.log import DAY_SHARDS, Record
from cauri.books.shelf import Wire
from cauri.books.trail import records_at
from cauri.clock import Instant, rfc3339
from cauri.values import dataclass

FIRST_DAY: Final = date(2026, 11, 1)
"""Nothing was committed anywhere before it."""
DAYS_MAX: Final = 92
"""Days without a record that a page looks through."""


@dataclass(frozen=True)
class Stretch:
    """Records by their places (``time#log id``), the oldest first. `position` is where the next begins, or None."""

    places: list[str]
    position: str | None


@dataclass(frozen=True)
class Chapter:
    """Records, the oldest first, without those that only take a key."""

    records: list[Record]
    position: str | None


def stretch(database: Database, tenant: str, position: str | None, until: Instant, *, limit: int) -> Stretch:
    """At most `limit` places from behind `position` to just before `until`: a round trip for each day."""
    after, before = position or FIRST_DAY.isoformat(), rfc3339(until)
    places: list[str] = []
    for _ in range(DAYS_MAX):
        places += _of_day(database, tenant, after, before, limit + 1 - len(places))
        if len(places) > limit:
            return Stretch(places[:limit], places[limit - 1])
        after = (date.fromisoformat(after[:10]) + timedelta(days=1)).isoformat()
        if after >= before:
            return Stretch(places, None)
    return Stretch(places, after)


def chapter(database: Database, tenant: str, position: str | None, until: Instant, *, limit: int) -> Chapter:
    """The records of a stretch, as they are in the log itself."""
    found = stretch(database, tenant, position, until, limit=limit)
    return Chapter(records_at(database, tenant, found.places), found.position)


def of_shard(database: Database, tenant: str, day: date, shard: int, *, after: str, before: str) -> list[str]:
    """All places of one day in one shard of the index, behind `after` and before `before`."""
    request = _request(f"{tenant}#{day.isoformat()}#{shard:02d}", after, before)
    return [item["at"]["S"] for item in _between(database.query_all("log", request), after, before)]


def _of_day(database: Database, tenant: str, after: str, before: str, limit: int) -> list[str]:
    """The first `limit` places of the day of `after`. Of each shard come as many, so that none is passed over."""
    requests = [
        _request(f"{tenant}#{after[:10]}#{shard:02d}", after, before) | {"Limit": limit + 1}
        for shard in range(DAY_SHARDS)
    ]
    reads = [functools.partial(database.query, "log", request) for request in requests]
    pages: Sequence[dict[str, Any]] = database.together(*reads)
    found = [item["at"]["S"] for page in pages for item in _between(page["Items"], after, before)]
    return sorted(found)[:limit]


def _request(day: str, after: str, before: str) -> dict[str, Any]:
    return {
        "IndexName": "by_day",
        "KeyConditionExpression": "#day = :day and #at between :after and :before",
        "ExpressionAttributeNames": {"#day": "day", "#at": "at"},
        "ExpressionAttributeValues": {":day": {"S": day}, ":after": {"S": after}, ":before": {"S": before}},
    }


def _between(items: Sequence[Wire], after: str, before: str) -> list[Wire]:
    """`between` takes its ends in."""
    return [item for item in items if after < item["at"]["S"] < before]
