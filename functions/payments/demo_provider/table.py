"""A table whose every write is on a condition, and whose values are text, whole numbers and sets of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from botocore.exceptions import ClientError
from cauri.values import dataclass

Value: TypeAlias = str | int | frozenset[str]
Item: TypeAlias = dict[str, Value]


@dataclass(frozen=True)
class Change:
    """An update of one item, if `condition` holds. `status`, a reserved word, is written ``#status``."""

    key: Item
    update: str
    condition: str
    values: Mapping[str, Value]

    def request(self, table: str) -> dict[str, Any]:
        spoken = self.update + self.condition
        return {
            "TableName": table,
            "Key": _attributes(self.key),
            "UpdateExpression": self.update,
            "ConditionExpression": self.condition,
            "ExpressionAttributeValues": _attributes(self.values),
            **({"ExpressionAttributeNames": {"#status": "status"}} if "#status" in spoken else {}),
        }


class Table:
    """`client` is a botocore DynamoDB client; `name` is a table with the keys `pk` and `sk`."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Item) -> Item | None:
        """The item as it is now."""
        found = self._client.get_item(TableName=self._name, Key=_attributes(key), ConsistentRead=True).get("Item")
        return {name: _value(attribute) for name, attribute in found.items()} if found else None

    def all_under(self, pk: str, sk_prefix: str) -> list[Item]:
        """The items of a partition whose sort key begins so, as they are now, in its order."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
            "ExpressionAttributeValues": _attributes({":pk": pk, ":sk": sk_prefix}),
            "ConsistentRead": True,
        }
        page = self._client.query(**request)
        found = page["Items"]
        while last := page.get("LastEvaluatedKey"):
            page = self._client.query(**request, ExclusiveStartKey=last)
            found += page["Items"]
        return [{name: _value(attribute) for name, attribute in item.items()} for item in found]

    def page_between(self, pk: str, since: str, until: str, limit: int) -> list[Item]:
        """The first items of a partition whose sort key is behind `since`, and before `until`."""
        found = self._client.query(
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :since AND :until",
            ExpressionAttributeValues=_attributes({":pk": pk, ":since": since, ":until": until}),
            ConsistentRead=True,
            Limit=limit,
        )["Items"]
        return [{name: _value(attribute) for name, attribute in item.items()} for item in found]

    def put(self, item: Item) -> None:
        """An item that is the same whenever it is written."""
        self._client.put_item(TableName=self._name, Item=_attributes(item))

    def change(self, change: Change) -> bool:
        """Whether the condition held, and so the change was made."""
        try:
            self._client.update_item(**change.request(self._name))
        except ClientError as failed:
            if failed.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def change_and_add(self, change: Change, new: Item) -> bool:
        """The change and a new item, both or neither. False when a condition failed, or `new` was there already.

        Raises ClientError when another transaction was in the way: nothing was done, and it can be done again.
        """
        put = {"TableName": self._name, "Item": _attributes(new), "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._client.transact_write_items(TransactItems=[{"Update": change.request(self._name)}, {"Put": put}])
        except ClientError as failed:
            reasons = {reason.get("Code") for reason in failed.response.get("CancellationReasons", [])}
            if not reasons or not reasons <= {"None", "ConditionalCheckFailed"}:
                raise
            return False
        return True


def _attributes(values: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value: Value) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case frozenset():
            return {"SS": sorted(value)}


def _value(attribute: dict[str, Any]) -> Value:
    match attribute:
        case {"N": number}:
            return int(number)
        case {"SS": texts}:
            return frozenset(texts)
        case _:
            return str(attribute["S"])
