"""What is stored, whole: kept and put back in an instant, and shown in a form that two runs can be compared by."""

from __future__ import annotations

import copy
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moto.dynamodb.models import dynamodb_backends

from tests.engines import REGION, TABLE_PREFIX

Item = Mapping[str, Any]
Place = tuple[str, str, str]
ACCOUNT: Final = "123456789012"
ORDER_NUMBER: Final = re.compile(rb"\b((?:ORD|CN)-\d{4})-\d+")


@dataclass(frozen=True)
class Snapshot:
    """Every item of every table of moto. The streams, which nobody reads here, are not kept."""

    items: Mapping[str, Any]

    def restore(self) -> None:
        for name, table in _tables():
            table.items = copy.deepcopy(self.items[name])
            if table.stream_shard is not None:
                table.stream_shard.items.clear()


def snapshot() -> Snapshot:
    return Snapshot({name: copy.deepcopy(table.items) for name, table in _tables()})


def items() -> dict[str, list[Item]]:
    """Everything that moto stores, by table, as the wire has it."""
    return {
        name.removeprefix(TABLE_PREFIX): [item.to_json()["Attributes"] for item in table.all_items()]
        for name, table in _tables()
    }


def view(stored: Mapping[str, list[Item]]) -> dict[Place, str]:
    """All items as text, by their place. What need not be the same in two runs is masked: readable order numbers."""
    return {
        (table, item["pk"]["S"], item.get("sk", {}).get("S", "")): masked(_text(item)).decode()
        for table, found in stored.items()
        for item in found
        if not item["pk"]["S"].endswith("#counters")
    }


def masked(text: bytes) -> bytes:
    return ORDER_NUMBER.sub(rb"\1-(some number)", text)


def _text(item: Item) -> bytes:
    readable = dict(item)
    if "answer" in readable:
        readable["answer"] = zlib.decompress(readable["answer"]["B"]).decode()
    return json.dumps(readable, sort_keys=True).encode()


def _tables() -> Iterator[tuple[str, Any]]:
    for name, table in dynamodb_backends[ACCOUNT][REGION].tables.items():
        if name.startswith(TABLE_PREFIX):
            yield name, table
