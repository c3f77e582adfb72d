"""Where runs are kept: the billing table, a run and its shards in one partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cauri.billing.runs import Run, RunShard
from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, Wire, shelve

TABLE: Final = "billing"
ALL_RUNS: Final = "runs"

RUNS: Final = shelve(
    Shelf(
        TABLE,
        Run,
        place=lambda run: (f"run#{run.id}", "run"),
        tenant=lambda run: run.tenant,
        listed=lambda run: (ALL_RUNS, run.id),
    )
)
RUN_SHARDS: Final = shelve(
    Shelf(
        TABLE,
        RunShard,
        place=lambda shard: (f"run#{shard.run_id}", f"shard#{shard.number:06d}"),
        tenant=lambda shard: shard.tenant,
    )
)


def run_key(tenant: str, run_id: str) -> Key[Run]:
    return RUNS.key(tenant, f"run#{run_id}", "run")


def shard_key(tenant: str, run_id: str, number: int) -> Key[RunShard]:
    return RUN_SHARDS.key(tenant, f"run#{run_id}", f"shard#{number:06d}")


def read_run(database: Database, tenant: str, run_id: str) -> tuple[Run | None, list[RunShard]]:
    """A run with all its shards, in order: some 2 KB for each."""
    items = database.query_all(TABLE, _partition(tenant, run_id, "", "~"))
    runs = RUNS.from_items(item for item in items if item["sk"]["S"] == "run")
    return (runs[0] if runs else None), _shards(items)


def read_shards(database: Database, tenant: str, run_id: str, first: int, count: int) -> list[RunShard]:
    """At most `count` shards of a run, from the number `first` on."""
    span = f"shard#{first:06d}", f"shard#{first + count - 1:06d}"
    return _shards(database.query_all(TABLE, _partition(tenant, run_id, *span)))


def _partition(tenant: str, run_id: str, first: str, last: str) -> dict[str, object]:
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": f"{tenant}#run#{run_id}"},
            ":first": {"S": first or "0"},
            ":last": {"S": last},
        },
    }


def _shards(items: Sequence[Wire]) -> list[RunShard]:
    return RUN_SHARDS.from_items(item for item in items if item["sk"]["S"].startswith("shard#"))
