"""What no command does, on a cloud that runs: items that are changed behind everybody's back."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config

from tests.e2e.market import Market
from tests.engines import REGION, STAGE


def aws(market: Market, service: str, where: str) -> Any:
    """A client of a service of the market's cloud."""
    config = Config(parameter_validation=False)
    session = botocore.session.get_session()
    return session.create_client(service, region_name=REGION, endpoint_url=market.cloud.where[where], config=config)


def add_stock(market: Market, sku: str, units: int) -> None:
    """Units that nobody received."""
    aws(market, "dynamodb", "dynamodb").update_item(
        TableName=f"cauri-{STAGE}-commerce",
        Key={"pk": {"S": f"{market.tenant}#stock#{sku}#main#00"}, "sk": {"S": "cell"}},
        UpdateExpression="SET available = available + :units",
        ExpressionAttributeValues={":units": {"N": str(units)}},
    )


def lose_a_posting(market: Market) -> str:
    """A posting of cash that the accounts do not have; the record that made it."""
    engine, table = aws(market, "dynamodb", "dynamodb"), f"cauri-{STAGE}-ledger"
    for slice_ in range(16):
        rows = engine.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{market.tenant}#rows#cash:demo#KES#{slice_:02d}"}},
        )["Items"]
        if rows:
            engine.delete_item(TableName=table, Key={name: rows[0][name] for name in ("pk", "sk")})
            return str(rows[0]["log_id"]["S"])
    raise AssertionError("nobody paid")
