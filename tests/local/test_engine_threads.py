"""64 threads at once: nothing is oversold, nothing acknowledged is lost, and no transaction is seen half done."""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engines import TABLE_PREFIX, Engine

pytestmark = pytest.mark.engines

THREADS = 64
WALLET = f"{TABLE_PREFIX}wallet"
COMMERCE = f"{TABLE_PREFIX}commerce"
REFUSALS = {"ConditionalCheckFailedException", "TransactionCanceledException"}


@pytest.fixture(autouse=True)
def eager_switches() -> Iterator[None]:
    """Python changes threads every 5 ms, longer than moto takes; without a lock it must show here."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "-"}}


def number(engine: Engine, table: str, pk: str, name: str) -> int:
    item = engine.client().get_item(TableName=table, Key=key(pk), ConsistentRead=True)["Item"]
    return int(item[name]["N"])


def move(table: str, pk: str, name: str, amount: int) -> dict[str, Any]:
    """Adds `amount` to a number that must not fall below zero."""
    return {
        "TableName": table,
        "Key": key(pk),
        "UpdateExpression": f"SET {name} = {name} + :amount",
        "ConditionExpression": f"{name} >= :least",
        "ExpressionAttributeValues": {":amount": {"N": str(amount)}, ":least": {"N": str(-amount)}},
    }


def at_once(act: Callable[[int], None], times: int) -> int:
    """Runs `act` in 64 threads that set out together; answers how often it was not refused."""
    start = threading.Barrier(min(THREADS, times))

    def attempt(turn: int) -> bool:
        if turn < start.parties:
            start.wait()
        try:
            act(turn)
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in REFUSALS:
                raise
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(attempt, range(times)))


def test_plain_updates_oversell_nothing(engine: Engine) -> None:
    client = engine.client()
    client.put_item(TableName=COMMERCE, Item=key("stock") | {"available": {"N": "50"}})

    sold = at_once(lambda _: client.update_item(**move(COMMERCE, "stock", "available", -1)), 200)

    assert sold == 50
    assert number(engine, COMMERCE, "stock", "available") == 0


def test_transactions_oversell_nothing_and_lose_nothing(engine: Engine) -> None:
    client = engine.client()
    client.put_item(TableName=COMMERCE, Item=key("stock") | {"available": {"N": "50"}})

    def buy(buyer: int) -> None:
        sale = {"Put": {"TableName": WALLET, "Item": key(f"buyer-{buyer}")}}
        client.transact_write_items(TransactItems=[sale, {"Update": move(COMMERCE, "stock", "available", -1)}])

    sold = at_once(buy, 200)

    assert sold == 50
    assert number(engine, COMMERCE, "stock", "available") == 0
    assert client.scan(TableName=WALLET, Select="COUNT")["Count"] == 50


def test_no_acknowledged_write_is_lost(engine: Engine) -> None:
    client = engine.client()

    def count(turn: int) -> None:
        client.update_item(
            TableName=WALLET,
            Key=key("counter"),
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        client.put_item(TableName=WALLET, Item=key(f"row-{turn}"))

    assert at_once(count, 320) == 320
    assert number(engine, WALLET, "counter", "n") == 320
    assert client.scan(TableName=WALLET, Select="COUNT")["Count"] == 320 + 1


def test_no_transaction_is_seen_half_done(engine: Engine) -> None:
    """Money moves between four wallets while others add them all up: the sum is the same at any moment."""
    client = engine.client()
    wallets = [f"w{number}" for number in range(4)]
    for wallet in wallets:
        client.put_item(TableName=WALLET, Item=key(wallet) | {"balance": {"N": "100"}})
    every = [{"Get": {"TableName": WALLET, "Key": key(wallet)}} for wallet in wallets]
    chance = random.Random(7)
    routes = [(chance.sample(wallets, 2), chance.randint(1, 60)) for _ in range(240)]

    def transfer_or_audit(turn: int) -> None:
        if turn % 4 == 0:
            responses = client.transact_get_items(TransactItems=every)["Responses"]
            assert sum(int(each["Item"]["balance"]["N"]) for each in responses) == 400
            return
        (source, target), amount = routes[turn]
        steps = [move(WALLET, target, "balance", amount), move(WALLET, source, "balance", -amount)]
        client.transact_write_items(TransactItems=[{"Update": step} for step in steps])

    moved = at_once(transfer_or_audit, len(routes))

    assert moved > len(routes) // 2, "most transfers were possible"
    balances = [number(engine, WALLET, wallet, "balance") for wallet in wallets]
    assert sum(balances) == 400
    assert min(balances) >= 0
