"""Lists: aggregates in the order of their place in the by_list index, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cauri.books.database import Database
from cauri.books.shelf import Shelf

T = TypeVar("T")


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
