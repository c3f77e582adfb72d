"""Makes the tables that the template declares, on any engine."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from local.template import Index, Keys, Table


class DynamoDb(Protocol):
    """What a botocore client of DynamoDB offers, as far as it is used here."""

    def create_table(self, **declaration: Any) -> Mapping[str, Any]: ...


def create_tables(client: DynamoDb, tables: Iterable[Table]) -> None:
    """Creates each table that is not there yet, under its own name. One that is there is left as it is."""
    for table in tables:
        try:
            client.create_table(**declaration(table))
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "ResourceInUseException":
                raise


def declaration(table: Table) -> dict[str, Any]:
    """The parameters of CreateTable for `table`."""
    return {
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema(table.keys),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.attributes.items()
        ],
        **({"GlobalSecondaryIndexes": [_index(index) for index in table.indexes]} if table.indexes else {}),
        **({"StreamSpecification": _stream(table.stream_view)} if table.stream_view else {}),
    }


def _schema(keys: Keys) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys.names, ("HASH", "RANGE"), strict=False)]


def _index(index: Index) -> dict[str, Any]:
    included = {"NonKeyAttributes": list(index.included)} if index.included else {}
    return {
        "IndexName": index.name,
        "KeySchema": _schema(index.keys),
        "Projection": {"ProjectionType": index.projection, **included},
    }


def _stream(view: str) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": view}
