"""Lists: aggregates in the order of their place in the by_list index, a page at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, Wire
from cauri.values import dataclass

T = TypeVar("T")

_LOOKED_AT: Final = 50
"""Members of a list that are read at once, when some of them are looked for."""
_SPARE: Final = 4
"""How many more than its share a shard is asked for: ids are spread by chance, and another round trip costs more."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list. `position` is where the next page begins, or None at the end."""

    items: list[T]
    position: str | None


def read_page(
    database: Database,
    shelf: Shelf[T],
    tenant: str,
    name: str,
    *,
    after: str | None,
    limit: int,
    newest_first: bool = False,
) -> Page[T]:
    """At most `limit` members of the list `name`, from behind the position `after`.

    An index follows its table within a second or so: what was just written may not be in it yet.
    """
    answer = database.query(shelf.table, _request(f"{tenant}#{name}", after, limit + 1, newest_first=newest_first))
    found = answer["Items"]
    items = found[:limit]
    more = len(found) > limit or "LastEvaluatedKey" in answer
    return Page(shelf.from_items(items), items[-1]["list_at"]["S"] if more and items else None)


def read_some(
    database: Database,
    shelf: Shelf[T],
    tenant: str,
    name: str,
    is_wanted: Callable[[T], bool],
    *,
    after: str | None = None,
    limit: int,
) -> list[T]:
    """The first `limit` of those members of a list that are wanted: for lists of which most are."""
    found: list[T] = []
    while True:
        page = read_page(database, shelf, tenant, name, after=after, limit=_LOOKED_AT)
        found += filter(is_wanted, page.items)
        if page.position is None or len(found) >= limit:
            return found[:limit]
        after = page.position


def read_sharded(
    database: Database,
    shelf: Shelf[T],
    tenant: str,
    name: str,
    shards: int,
    id_of: Callable[[T], str],
    *,
    after: str | None,
    limit: int,
) -> Page[T]:
    """At most `limit` members of the list that is spread over ``name#00``, ``name#01`` …, by id, from behind `after`.

    Every shard is asked for its share at once. What came is certain up to the first place where some shard has
    more; shards that end before the page does are asked again. Mostly none is: one round trip.
    """
    found: list[T] = []
    unread: dict[int, str | None] = dict.fromkeys(range(shards), after)
    share = min(limit, limit // shards + _SPARE)
    read = functools.partial(read_page, database, shelf, tenant, limit=share)
    asked = list(unread)
    while asked:
        reads = [functools.partial(read, f"{name}#{shard:02d}", after=unread[shard]) for shard in asked]
        for shard, page in zip(asked, database.together(*reads), strict=True):
            found += page.items
            del unread[shard]
            if page.position is not None:
                unread[shard] = page.position
        found.sort(key=id_of)
        enough = len(found) >= limit
        asked = [shard for shard, at in unread.items() if not enough or (at or "") < id_of(found[limit - 1])]
    more = bool(unread) or len(found) > limit
    items = found[:limit]
    return Page(items, id_of(items[-1]) if more and items else None)


def read_partition(
    database: Database, shelf: Shelf[T], partition: str, *, after: str | None, limit: int, newest_first: bool
) -> Page[T]:
    """At most `limit` of the aggregates that share a partition, in its order or the other way. Nothing is missing."""
    condition, values = "pk = :pk", {":pk": {"S": partition}}
    if after is not None:
        condition += " AND sk < :after" if newest_first else " AND sk > :after"
        values[":after"] = {"S": after}
    answer = database.query(
        shelf.table,
        {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not newest_first,
            "Limit": limit + 1,
        },
    )
    found = answer["Items"]
    items = found[:limit]
    more = len(found) > limit or "LastEvaluatedKey" in answer
    return Page(shelf.from_items(items), items[-1]["sk"]["S"] if more and items else None)


def _request(name: str, after: str | None, limit: int, *, newest_first: bool) -> dict[str, Any]:
    condition, values = "#list = :list", {":list": {"S": name}}
    if after is not None:
        condition += " AND list_at < :after" if newest_first else " AND list_at > :after"
        values[":after"] = {"S": after}
    return {
        "IndexName": "by_list",
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#list": "list"},  # a reserved word
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not newest_first,
        "Limit": limit,
    }


def read_spread(
    database: Database, shelf: Shelf[T], tenant: str, names: Sequence[str], *, after: str | None, limit: int
) -> Page[T]:
    """At most `limit` members of a list that is spread over `names`, the last in its order first.

    For an index of keys: the members are then read themselves, and are as they are now. Two round trips.
    """
    requests = [_request(f"{tenant}#{name}", after, limit + 1, newest_first=True) for name in names]
    pages = database.together(*(functools.partial(database.query, shelf.table, request) for request in requests))
    found = sorted((item for page in pages for item in page["Items"]), key=_place, reverse=True)
    keys = [Key(shelf, item["pk"]["S"], item["sk"]["S"]) for item in found[:limit]]
    members = database.fetch(keys) if keys else None
    items = [member for key in keys if members and (member := members[key]) is not None]
    return Page(items, _place(found[limit - 1]) if len(found) > limit else None)


def _place(item: Wire) -> str:
    return str(item["list_at"]["S"])
