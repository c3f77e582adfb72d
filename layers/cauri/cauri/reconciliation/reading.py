"""Items as they are stored, found by key, by list and by record: a page at a time, and never by a scan."""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from cauri.books.database import Database
from cauri.books.log import DAY_SHARDS, Record, read_record
from cauri.books.shelf import Key, Shelf, Wire
from cauri.clock import Instant, rfc3339
from cauri.values import dataclass

T = TypeVar("T")
PAGE: Final = 100
TRAIL_MAX: Final = 1_000
"""Records of one resource that are read. An order has some ten."""


class _Raw(Shelf[Wire]):
    """For reading whatever is there, also what no aggregate could be made of."""

    def from_item(self, item: Wire) -> Wire:
        return item


@functools.cache
def _raw(table: str) -> Shelf[Wire]:
    return _Raw(table, dict, place=lambda _: ("", ""), tenant=lambda _: "")


def raw_key(table: str, pk: str, sk: str = "") -> Key[Wire]:
    return Key(_raw(table), pk, sk)


def items_at(database: Database, keys: Iterable[Key[Any]]) -> list[Wire]:
    """The items that are at `keys`, in their order."""
    wanted = [raw_key(*key.address) for key in dict.fromkeys(keys)]
    found = database.fetch(wanted) if wanted else None
    return [item for key in wanted if found and (item := found[key]) is not None]


def partition(database: Database, table: str, pk: str) -> list[Wire]:
    """All of a partition that is known to be small."""
    request = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
    return database.query_all(table, request)


def partition_pages(database: Database, table: str, pk: str) -> Iterator[list[Wire]]:
    """A partition of any size, a page at a time."""
    request = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}, "Limit": PAGE}
    return (page for page in _pages(database, table, request))


def listed(database: Database, shelf: Shelf[T], tenant: str, names: Iterable[str]) -> Iterator[list[T]]:
    """The members of a list that is spread over `names`, as they are now, a page at a time."""
    for items in listed_items(database, shelf.table, tenant, names):
        yield shelf.from_items(items)


def listed_items(database: Database, table: str, tenant: str, names: Iterable[str]) -> Iterator[list[Wire]]:
    for name in names:
        request = {
            "IndexName": "by_list",
            "KeyConditionExpression": "#list = :list",
            "ExpressionAttributeNames": {"#list": "list"},
            "ExpressionAttributeValues": {":list": {"S": f"{tenant}#{name}"}},
            "Limit": PAGE,
        }
        for page in _pages(database, table, request):
            yield items_at(database, [raw_key(table, item["pk"]["S"], item["sk"]["S"]) for item in page])


def _pages(database: Database, table: str, request: Mapping[str, Any]) -> Iterator[list[Wire]]:
    asked = dict(request)
    while True:
        page = database.query(table, asked)
        yield page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


# -- The log


@dataclass(frozen=True)
class Logged:
    """A record of the log, or what is wrong with it."""

    log_id: str
    item: Wire
    record: Record | None
    problem: str = ""


def read_logged(item: Wire) -> Logged:
    """Also of a record that nobody could have committed: its entry does not balance, say."""
    log_id = item["pk"]["S"].rpartition("#")[2]
    try:
        return Logged(log_id, item, read_record(item))
    except ValueError as problem:
        return Logged(log_id, item, None, str(problem))


def log_between(database: Database, tenant: str, since: Instant, until: Instant) -> Iterator[list[Logged]]:
    """The records of a time, the oldest first, a hundred at a time; those that only take a key are left out."""
    places = itertools.chain.from_iterable(
        heapq.merge(*(_places(database, tenant, day, shard, since, until) for shard in range(DAY_SHARDS)))
        for day in _days(since, until)
    )
    while chunk := list(itertools.islice(places, PAGE)):
        keys = [raw_key("log", f"{tenant}#{place.partition('#')[2]}") for place in chunk]
        records = [read_logged(item) for item in items_at(database, keys)]
        yield [one for one in records if one.record is None or not one.record.undone]


def _days(since: Instant, until: Instant) -> Iterator[str]:
    day = since.date()
    while day <= until.date():
        yield day.isoformat()
        day += timedelta(days=1)


def _places(database: Database, tenant: str, day: str, shard: int, since: Instant, until: Instant) -> Iterator[str]:
    """``time#log id`` of one shard of a day."""
    request: dict[str, Any] = {
        "IndexName": "by_day",
        "KeyConditionExpression": "#day = :day AND #at BETWEEN :since AND :until",
        "ExpressionAttributeNames": {"#day": "day", "#at": "at"},
        "ExpressionAttributeValues": {
            ":day": {"S": f"{tenant}#{day}#{shard:02d}"},
            ":since": {"S": rfc3339(since)},
            ":until": {"S": rfc3339(until)},  # no place equals it: a place goes on with its record
        },
        "Limit": PAGE,
    }
    for page in _pages(database, "log", request):
        yield from (item["at"]["S"] for item in page)


def trail(database: Database, tenant: str, resource: str) -> list[Record]:
    """The records of one resource, the oldest first. One that can't be read is found by its own check."""
    request: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": f"{tenant}#trail#of#{resource}"}},
        "Limit": TRAIL_MAX,
    }
    places: Sequence[str] = [item["sk"]["S"] for item in database.query("ledger", request)["Items"]]
    items = items_at(database, [raw_key("log", f"{tenant}#{place.partition('#')[2]}") for place in places])
    return [one.record for one in map(read_logged, items) if one.record is not None and not one.record.undone]
