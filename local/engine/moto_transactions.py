"""TransactWriteItems for moto: it decides first, then writes, and can undo the items that it wrote.

Conditions are judged against the state before the transaction, which is what AWS does, and sound here because no
two actions may name the same item. So a transaction that is refused by a condition has touched nothing; only an
action that fails while it writes (an item too large, an operand of the wrong type) needs the undo.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    ItemSizeTooLarge,
    MockValidationException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local.engine.item_size import item_bytes

ACTIONS_MAX: Final = 100
BYTES_MAX: Final = 4 * 1024 * 1024
ITEM_BYTES_MAX: Final = 400 * 1024

Json = dict[str, Any]
# Code, message and old item of a cancellation; three Nones where the action itself was not at fault.
Reason = tuple[str | None, str | None, Json | None]
NOT_AT_FAULT: Final[Reason] = (None, None, None)


@dataclass(frozen=True, slots=True)
class Action:
    """One of the actions of a transaction, with the table and the key that it is about."""

    kind: str
    operation: Json
    table: Table
    hash: DynamoType
    range: DynamoType | None

    @property
    def target(self) -> tuple[str, DynamoType, DynamoType | None]:
        return self.table.name, self.hash, self.range

    @property
    def current(self) -> Item | None:
        return self.table.get_item(self.hash, self.range)

    @property
    def key(self) -> Json:
        return {name: value.to_json() for name, value in zip(self.table.table_key_attrs, self._values, strict=True)}

    @property
    def _values(self) -> tuple[DynamoType, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)


def transact_write_items(backend: DynamoDBBackend, transact_items: list[Json]) -> None:
    """All of the actions, or none of them.

    Raises moto's TransactionCanceledException with a reason per action, in the order of the request, and its
    validation errors for what AWS refuses before it looks at any item.
    """
    actions = [_action(backend, each) for each in transact_items]
    _validate(actions)
    reasons = [_refusal(action) for action in actions]
    if any(reason is not NOT_AT_FAULT for reason in reasons):
        raise TransactionCanceledException(reasons)
    with undo([(action.table, action.hash, action.range) for action in actions]):
        for position, action in enumerate(actions):
            try:
                _write(backend, action)
            except MockValidationException as invalid:
                reasons[position] = ("ValidationError", invalid.message, None)
                raise TransactionCanceledException(reasons) from invalid


def _action(backend: DynamoDBBackend, raw: Json) -> Action:
    if len(raw) != 1:
        raise TransactWriteSingleOpException
    [(kind, operation)] = raw.items()
    table = backend.get_table(operation["TableName"])
    hash_value, range_value = backend.get_keys_value(table, operation["Item" if kind == "Put" else "Key"])
    return Action(kind, operation, table, hash_value, range_value)


def _validate(actions: Sequence[Action]) -> None:
    if len(actions) > ACTIONS_MAX:
        raise TooManyTransactionsException
    if len({action.target for action in actions}) < len(actions):
        raise MultipleTransactionsException
    sizes = [_size(action) for action in actions]
    if any(size > ITEM_BYTES_MAX for size in sizes):
        raise ItemSizeTooLarge
    if sum(sizes) > BYTES_MAX:
        raise MockValidationException(
            "Collection size of items exceeded, which can also be caused by the aggregate size of the items "
            "in the transaction exceeding the 4MB limit"
        )


def _size(action: Action) -> int:
    """The bytes that the request brings for this action: a put its item, any other its key and its values."""
    operation = action.operation
    return item_bytes(
        operation["Item"] if action.kind == "Put" else operation["Key"] | operation.get("ExpressionAttributeValues", {})
    )


def _refusal(action: Action) -> Reason:
    operation = action.operation
    condition = get_filter_expression(
        operation.get("ConditionExpression"),
        operation.get("ExpressionAttributeNames"),
        operation.get("ExpressionAttributeValues"),
    )
    current = action.current
    if condition.expr(current):
        return NOT_AT_FAULT
    wants_old = operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    old = current.to_json()["Attributes"] if wants_old and current is not None else None
    return "ConditionalCheckFailed", ConditionalCheckFailed().message, old


def _write(backend: DynamoDBBackend, action: Action) -> None:
    operation, name = action.operation, action.table.name
    match action.kind:
        case "Put":
            backend.put_item(name, operation["Item"], overwrite=True)
        case "Delete":
            backend.delete_item(name, action.key)
        case "Update":
            backend.update_item(
                name,
                action.key,
                update_expression=operation["UpdateExpression"],
                expression_attribute_names=operation.get("ExpressionAttributeNames", {}),
                expression_attribute_values=operation.get("ExpressionAttributeValues", {}),
            )


@contextmanager
def undo(targets: Sequence[tuple[Table, DynamoType, DynamoType | None]]) -> Iterator[None]:
    """Puts these items, and the streams of their tables, back as they were when the body raises.

    Indexes need no undo: moto computes them from the items when they are asked.
    """
    before = [(table, key, range_, copy.deepcopy(table.get_item(key, range_))) for table, key, range_ in targets]
    streams = {id(shard): (shard, len(shard.items)) for table, *_ in targets if (shard := table.stream_shard)}
    try:
        yield
    except BaseException:
        for table, key, range_, item in before:
            _restore(table, key, range_, item)
        for shard, length in streams.values():
            del shard.items[length:]
        raise


def _restore(table: Table, key: DynamoType, range_: DynamoType | None, item: Item | None) -> None:
    # A table without a range key holds its items by their hash alone.
    holder: dict[DynamoType, Any] = table.items if range_ is None else table.items[key]
    name = key if range_ is None else range_
    if item is None:
        holder.pop(name, None)
    else:
        holder[name] = item


def undone_on_error(update_item: Callable[..., Item]) -> Callable[..., Item]:
    """`update_item`, which changes an item in place, made to leave it alone when the update fails half way."""

    @wraps(update_item)
    def guarded(backend: DynamoDBBackend, table_name: str, key: Json, *args: Any, **kwargs: Any) -> Item:
        table = backend.get_table(table_name)
        with undo([(table, *backend.get_keys_value(table, key))]):
            return update_item(backend, table_name, key, *args, **kwargs)

    return guarded
