"""What no command does: items that are changed behind everybody's back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.engines import TABLE_PREFIX, Engine

Document = dict[str, Any]


def found(engine: Engine, table: str, pk: str, sk: str = "") -> dict[str, Any]:
    """The item of a tenant's whose pk ends, and whose sk begins, so; the last of several."""
    client = engine.client()
    pages = client.get_paginator("scan").paginate(TableName=TABLE_PREFIX + table, ConsistentRead=True)
    items = [item for page in pages for item in page["Items"]]
    matching = [
        item for item in items if item["pk"]["S"].endswith(pk) and item.get("sk", {}).get("S", "").startswith(sk)
    ]
    assert matching, f"nothing in {table} at {pk} {sk}"
    chosen: dict[str, Any] = sorted(matching, key=lambda item: item.get("sk", {}).get("S", ""))[-1]
    return chosen


def put(engine: Engine, table: str, item: dict[str, Any]) -> None:
    engine.client().put_item(TableName=TABLE_PREFIX + table, Item=item)


def drop(engine: Engine, table: str, pk: str, sk: str = "") -> None:
    item = found(engine, table, pk, sk)
    key = {name: item[name] for name in ("pk", "sk") if name in item}
    engine.client().delete_item(TableName=TABLE_PREFIX + table, Key=key)


def change(engine: Engine, table: str, pk: str, sk: str, edit: Callable[[Document], object]) -> None:
    """Edit an aggregate's document; its version stays."""
    item = found(engine, table, pk, sk)
    document = json.loads(item["document"]["S"])
    edit(document)
    put(engine, table, item | {"document": {"S": json.dumps(document)}})


def add(engine: Engine, table: str, pk: str, sk: str, attribute: str, units: int) -> None:
    """So much more in a number of an item."""
    item = found(engine, table, pk, sk)
    put(engine, table, item | {attribute: {"N": str(int(item[attribute]["N"]) + units)}})


def change_record(engine: Engine, log_id: str, edit: Callable[[Document], object]) -> None:
    """Edit what the log says."""
    item = found(engine, "log", f"#{log_id}")
    record = json.loads(item["record"]["S"])
    edit(record)
    put(engine, "log", item | {"record": {"S": json.dumps(record)}})
