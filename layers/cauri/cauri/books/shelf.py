"""Shelves: where aggregates are kept. An aggregate is one item: its key, its version, and itself as JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")
RULES_KNOWN_MAX = 64
Wire = Mapping[str, Any]
"""An item, or a request, as DynamoDB's protocol writes it."""


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """Where one aggregate is."""

    shelf: Shelf[T]
    pk: str
    sk: str

    @property
    def address(self) -> tuple[str, str, str]:
        return (self.shelf.table, self.pk, self.sk)


@dataclass(frozen=True, slots=True)
class Write:
    """One action of a transaction: ``Put``, ``Update`` or ``ConditionCheck``, as the wire has it."""

    action: str
    request: dict[str, Any]


def item_of(**attributes: str | int | None) -> Wire:
    """An item of text and whole numbers, as the wire has it, without those attributes that are None.

    For what is written by the dozen, or by every command: pynamodb takes ten times as long.
    """
    return {
        name: {"S": value} if isinstance(value, str) else {"N": str(value)}
        for name, value in attributes.items()
        if value is not None
    }


class Found:
    """What one read brought, by key; what is not there is None."""

    def __init__(self, items: Mapping[tuple[str, str, str], Wire]) -> None:
        self._items = items

    def __getitem__(self, key: Key[T]) -> T | None:
        item = self._items.get(key.address)
        return None if item is None else key.shelf.from_item(item)


@dataclass(frozen=True, eq=False)
class Shelf(Generic[T]):
    """How aggregates of one type are kept.

    `place` gives (pk, sk) of an aggregate, without the tenant; `listed` gives the list it shows up in and
    its place there. An aggregate has `version`: 0 until it is first saved.
    """

    table: str
    type: type[T]
    place: Callable[[T], tuple[str, str]]
    tenant: Callable[[T], str]
    listed: Callable[[T], tuple[str, str] | None] = lambda _: None

    @functools.cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.type)

    def key(self, tenant: str, pk: str, sk: str) -> Key[T]:
        return Key(self, f"{tenant}#{pk}", sk)

    def write(self, aggregate: T) -> Write:
        """Put the next version, if the stored one is still the one that was read."""
        version: int = aggregate.version  # type: ignore[attr-defined]
        pk, sk = self.place(aggregate)
        tenant = self.tenant(aggregate)
        listed = self.listed(aggregate) or (None, None)
        item = item_of(
            pk=f"{tenant}#{pk}",
            sk=sk,
            version=version + 1,
            document=self._adapter.dump_json(aggregate).decode(),
            list=None if listed[0] is None else f"{tenant}#{listed[0]}",
            list_at=listed[1],
        )
        return Write("Put", {"TableName": self.table, "Item": item, **_unchanged(version)})

    def from_item(self, item: Wire) -> T:
        aggregate = self._adapter.validate_json(item["document"]["S"])
        object.__setattr__(aggregate, "version", int(item["version"]["N"]))
        return aggregate

    def from_items(self, items: Iterable[Wire]) -> list[T]:
        return [self.from_item(item) for item in items]


class RulesShelf(Shelf[T]):
    """For rules that every command reads and few change: what was read last, as it was written, is not read anew."""

    @functools.cached_property
    def _known(self) -> dict[str, T]:
        return {}

    def from_item(self, item: Wire) -> T:
        written = f"{item['version']['N']} {item['document']['S']}"
        known = self._known.get(written)
        if known is None:
            if len(self._known) >= RULES_KNOWN_MAX:
                self._known.clear()
            known = self._known[written] = super().from_item(item)
        return known


def _unchanged(version: int) -> dict[str, Any]:
    """The condition that the stored version is still the one that was read; 0 is none."""
    if not version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


_WRITERS: dict[type, Callable[[Any], Write]] = {}


def shelve(shelf: Shelf[T]) -> Shelf[T]:
    """Make `shelf` the place that a plan's `save` writes its aggregates to."""
    _WRITERS[shelf.type] = shelf.write
    return shelf


def writes(kind: type[T]) -> Callable[[Callable[[T], Write]], Callable[[T], Write]]:
    """Register how a plan's `save` writes a change of this kind, which is less than a whole aggregate."""

    def register(writer: Callable[[T], Write]) -> Callable[[T], Write]:
        _WRITERS[kind] = writer
        return writer

    return register


def write_of(aggregate: Any) -> Write:
    return _WRITERS[type(aggregate)](aggregate)
