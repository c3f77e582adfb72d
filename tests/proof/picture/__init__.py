"""Everything that is stored, on any engine, for the invariants to be asked of."""

from __future__ import annotations

from typing import Any

from cauri.books.shelf import Wire
from cauri.reconciliation.picture import Picture as Picture
from cauri.reconciliation.picture import picture as picture

from tests.engines import TABLE_PREFIX, Engine


def read_everything(engine: Engine) -> dict[str, list[Wire]]:
    """All items of all tables, by table: a scan, which only tests may do."""
    client: Any = engine.client()
    tables = [name for name in client.list_tables()["TableNames"] if name.startswith(TABLE_PREFIX)]
    return {
        name.removeprefix(TABLE_PREFIX): [
            item
            for page in client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
            for item in page["Items"]
        ]
        for name in tables
    }
