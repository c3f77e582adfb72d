"""ConsumedCapacity for moto, so that tests can tell what an operation costs. `METERED` lists the operations.

A Query is charged for what it answers here, and on AWS for what it read: the same, but for filters and projections.
Nothing is computed for a request that doesn't ask.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Final, cast

from moto.core.responses import ActionResult
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from local.engine.capacity import TRANSACTION_FACTOR, Image, Units, read_units, write_units
from local.engine.item_size import Attributes, item_bytes

Json = dict[str, Any]
Method = Callable[[DynamoHandler], ActionResult]
Decorator = Callable[[Method], Method]
Target = tuple[str, Attributes]  # the name of a table, and attributes that hold the key of an item
Charges = dict[str, Units]  # by the name of the table

CONSUMED: Final = "ConsumedCapacity"


def writes(targets: Callable[[Json], Iterator[Target]], *, factor: int = 1) -> Decorator:
    """Meters a handler that writes the items which `targets` finds in the request."""

    def metered(method: Method) -> Method:
        @wraps(method)
        def handle(handler: DynamoHandler) -> ActionResult:
            items = list(targets(handler.body)) if _mode(handler) else []
            before = [_image(handler, item) for item in items]
            result = method(handler)
            charges: Charges = defaultdict(Units)
            for item, old in zip(items, before, strict=True):
                indexes = _index_keys(_table(handler, item))
                charges[item[0]].add(write_units(old, _image(handler, item), indexes, factor))
            return _say(handler, result, charges, "WriteCapacityUnits" if factor > 1 else None)

        return handle

    return metered


def reads(charged: Callable[[Json, Json], Charges], axis: str | None = None) -> Decorator:
    """Meters a handler that reads: `charged` tells the units from the request and the answer."""

    def metered(method: Method) -> Method:
        @wraps(method)
        def handle(handler: DynamoHandler) -> ActionResult:
            result = method(handler)
            charges = charged(handler.body, _body(result)) if _mode(handler) else {}
            return _say(handler, result, charges, axis)

        return handle

    return metered


def _mode(handler: DynamoHandler) -> str | None:
    mode: str = handler.body.get("ReturnConsumedCapacity", "NONE")
    return None if mode == "NONE" else mode


def _body(result: ActionResult) -> Json:
    return cast(Json, result.result)


def _say(handler: DynamoHandler, result: ActionResult, charges: Charges, axis: str | None) -> ActionResult:
    """Puts the charges in the answer, in place of moto's own. One table's operation says one, the others a list."""
    body, mode = _body(result), _mode(handler)
    body.pop(CONSUMED, None)
    if mode:
        described = [units.described(name, mode, axis) for name, units in sorted(charges.items())]
        body[CONSUMED] = described[0] if "TableName" in handler.body else described
    return result


def _table(handler: DynamoHandler, target: Target) -> Table:
    return handler.dynamodb_backend.get_table(target[0])


def _image(handler: DynamoHandler, target: Target) -> Image | None:
    table = _table(handler, target)
    item = table.get_item(*handler.dynamodb_backend.get_keys_value(table, dict(target[1])))
    if item is None:
        return None
    held = (index for index in table.all_indexes() if all(key in item.attrs for key in index.schema_key_attrs))
    return Image(_plain(item), {index.name: _plain(index.project(item)) for index in held})


def _plain(item: Item) -> Attributes:
    """A copy: moto updates items in place."""
    attributes: Attributes = item.to_json()["Attributes"]
    return attributes


def _index_keys(table: Table) -> Mapping[str, tuple[str, ...]]:
    return {index.name: tuple(index.schema_key_attrs) for index in table.all_indexes()}


# -- Which items a request writes -------------------------------------------------------------------


def _put(body: Json) -> Iterator[Target]:
    yield body["TableName"], body["Item"]


def _keyed(body: Json) -> Iterator[Target]:
    yield body["TableName"], body["Key"]


def _batch(body: Json) -> Iterator[Target]:
    for table, requests in body["RequestItems"].items():
        for [request] in (each.values() for each in requests):
            yield table, request.get("Item") or request["Key"]


def _transaction(body: Json) -> Iterator[Target]:
    for [operation] in (each.values() for each in body["TransactItems"]):
        yield operation["TableName"], operation.get("Item") or operation["Key"]


# -- What a read costs ------------------------------------------------------------------------------


def _got(body: Json, answer: Json) -> Charges:
    size = item_bytes(answer.get("Item") or {})
    return {body["TableName"]: Units(read_units(size, consistent=body.get("ConsistentRead", False)))}


def _queried(body: Json, answer: Json) -> Charges:
    size = sum(item_bytes(item) for item in answer.get("Items", ()))
    units = read_units(size, consistent=body.get("ConsistentRead", False))
    index = body.get("IndexName")
    return {body["TableName"]: Units(0, {index: units}) if index else Units(units)}


def _batch_got(body: Json, answer: Json) -> Charges:
    return {
        table: Units(
            _each(answer["Responses"].get(table, ()), len(request["Keys"]), request.get("ConsistentRead", False))
        )
        for table, request in body["RequestItems"].items()
    }


def _transaction_got(body: Json, answer: Json) -> Charges:
    charges: Charges = defaultdict(Units)
    for asked, response in zip(body["TransactItems"], answer["Responses"], strict=True):
        size = item_bytes(response.get("Item") or {})
        charges[asked["Get"]["TableName"]].table += TRANSACTION_FACTOR * read_units(size, consistent=True)
    return charges


def _each(found: list[Attributes], asked: int, consistent: bool) -> float:
    """Items are rounded up one by one, and asking for one that isn't there costs as much as the smallest."""
    sizes = [item_bytes(item) for item in found] + [0] * (asked - len(found))
    return sum(read_units(size, consistent=consistent) for size in sizes)


METERED: Final[Mapping[str, Decorator]] = {
    "put_item": writes(_put),
    "update_item": writes(_keyed),
    "delete_item": writes(_keyed),
    "batch_write_item": writes(_batch),
    "transact_write_items": writes(_transaction, factor=TRANSACTION_FACTOR),
    "get_item": reads(_got),
    "query": reads(_queried),
    "scan": reads(_queried),
    "batch_get_item": reads(_batch_got),
    "transact_get_items": reads(_transaction_got, axis="ReadCapacityUnits"),
}
