"""Orders that got stuck hours ago: their saga is stopped, and what is stored of them says that it was then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import botocore.session
from botocore.config import Config
from cauri.books.database import Database
from cauri.books.watches import Watch, due_by, put, take_away
from cauri.clock import system_clock
from cauri.orders.model import Order
from cauri.orders.store import ORDERS, order_key
from cauri.orders.waiting import Wait, wait_item, wait_key
from cauri.values import replace

from tests.e2e.market import Market, eventually
from tests.engines import REGION, TABLE_PREFIX

YEAR = timedelta(days=400)


def lose_saga(market: Market, placed: Any) -> None:
    """Somebody stops the execution of the order's saga, once it waits."""
    order_id = placed["order"]["id"]
    eventually(lambda: _wait(market, order_id) is not None, "it waits")
    [execution] = [one for one in market.cloud.executions() if one["name"] == order_id]
    config = Config(retries={"max_attempts": 0})
    states = botocore.session.get_session().create_client(
        "stepfunctions", region_name=REGION, endpoint_url=market.cloud.switchboard.url, config=config
    )
    states.stop_execution(executionArn=execution["arn"])


def as_long_ago(market: Market, placed: Any, **delta: float) -> None:
    """All that is stored of the order's times is so much earlier."""
    database, order_id, by = _database(market), placed["order"]["id"], timedelta(**delta)
    order = _order(market, order_id)
    cancelled_at = order.cancelled_at and order.cancelled_at - by
    moved = replace(order, expires_at=order.expires_at - by, cancelled_at=cancelled_at)
    database.write(ORDERS.write(replace(moved, version=order.version)))
    if (wait := _wait(market, order_id)) is not None:
        database.write(wait_item(market.tenant, order_id, Wait(wait.token, wait.until - by)))
    for watch in watches(market, order_id):
        put(database, replace(watch, begun_at=watch.begun_at - by, due=watch.due - by))
        take_away(database, market.tenant, watch.id)


def watches(market: Market, order_id: str) -> list[Watch]:
    found = due_by(_database(market), market.tenant, system_clock() + YEAR, limit=1000)
    return [watch for watch in found if watch.resource == order_id]


def _order(market: Market, order_id: str) -> Order:
    key = order_key(market.tenant, order_id)
    order = _database(market).fetch([key])[key]
    assert order is not None
    return order


def _wait(market: Market, order_id: str) -> Wait | None:
    key = wait_key(market.tenant, order_id)
    return _database(market).fetch([key])[key]


def _database(market: Market) -> Database:
    return Database(prefix=TABLE_PREFIX, region=REGION, host=market.cloud.dynamodb_url)
