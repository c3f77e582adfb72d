"""What a function's calls of DynamoDB come to: how many, how many one after another, and what they cost where."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import botocore

METERED: Final = "CAURI_METERED"
"""The variable that has workers count. It costs a little of what is measured, so it is not always on."""

Call = dict[str, Any]
"""operation; began and ended in seconds; read and write: units by partition, `table pk`."""


class Meter:
    """Watches the calls of one worker, which runs one request at a time, in several threads."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._open = threading.local()

    def watch(self) -> None:
        """From now on, every session of botocore tells of its calls."""

        def register(session: Any) -> None:
            session.register("before-send.dynamodb", self._begin)
            session.register("response-received.dynamodb", self._end)

        botocore.register_initializer(register)

    def taken(self) -> list[Call]:
        """The calls since this was last asked."""
        calls, self._calls = self._calls, []
        return calls

    def _begin(self, **call: Any) -> None:
        operation = call["event_name"].rpartition(".")[2]
        self._open.call = {"operation": operation, "began": time.monotonic()}
        self._open.request = json.loads(call["request"].body)

    def _end(self, **call: Any) -> None:
        done: Call = self._open.call | {"ended": time.monotonic()}
        consumed = call["parsed_response"].get("ConsumedCapacity") or []
        axis = "write" if "Write" in done["operation"] or done["operation"] in WRITES else "read"
        done[axis] = spread(self._open.request, consumed if isinstance(consumed, list) else [consumed])
        self._calls.append(done)


WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})


def spread(request: Mapping[str, Any], consumed: list[Mapping[str, Any]]) -> dict[str, float]:
    """The units of a call by partition: a table's are shared evenly by the keys that the call names in it."""
    partitions: dict[str, list[str]] = {}
    for table, partition in _keys(request):
        partitions.setdefault(table, []).append(f"{table} {partition}")
    units: dict[str, float] = {}
    for one in consumed:
        table = one["TableName"]
        named = partitions.get(table) or [f"{table} ?"]
        for partition in named:
            units[partition] = units.get(partition, 0.0) + one["CapacityUnits"] / len(named)
    return units


def _keys(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(table, partition key) of each item that a request names."""
    for action in request.get("TransactItems", ()):
        for one in action.values():
            yield from _keys(one)
    for table, asked in request.get("RequestItems", {}).items():
        for item in asked["Keys"] if isinstance(asked, dict) else (one["PutRequest"]["Item"] for one in asked):
            yield table, _text(item["pk"])
    if "TableName" in request:
        item = request.get("Item") or request.get("Key")
        if item:
            yield request["TableName"], _text(item["pk"])
        elif values := request.get("ExpressionAttributeValues"):  # of a query, the first is its partition
            yield request["TableName"], _text(next(iter(values.values())))


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))
