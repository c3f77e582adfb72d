"""Both engines keep what DynamoDB promises about transactions, and say what an operation costs."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine.moto_transactions import BYTES_MAX
from local.engine.sound_moto import install
from tests.engines import TABLE_PREFIX, Engine

pytestmark = pytest.mark.engines

LOG = f"{TABLE_PREFIX}log"
WALLET = f"{TABLE_PREFIX}wallet"
COMMERCE = f"{TABLE_PREFIX}commerce"

Json = dict[str, Any]


def key(pk: str, sk: str = "-") -> Json:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def put(pk: str, table: str = WALLET, **more: Any) -> Json:
    return {"Put": {"TableName": table, "Item": key(pk) | more.pop("attributes", {}), **more}}


def update(pk: str, expression: str, **values: Json) -> Json:
    return {
        "Update": {
            "TableName": WALLET,
            "Key": key(pk),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
        }
    }


def refused(act: Callable[[], object]) -> Json:
    with pytest.raises(ClientError) as caught:
        act()
    return dict(caught.value.response)


def codes(response: Json) -> list[str]:
    return [reason["Code"] for reason in response["CancellationReasons"]]


def items(engine: Engine, table: str) -> list[Json]:
    found: list[Json] = engine.client().scan(TableName=table)["Items"]
    return sorted(found, key=lambda item: str(item["pk"]["S"]))


# -- All or nothing ---------------------------------------------------------------------------------


def test_a_transaction_refused_by_a_condition_leaves_everything_as_it_was(engine: Engine) -> None:
    client = engine.client()
    listed = {"list": {"S": "orders"}, "list_at": {"S": "1"}}
    client.put_item(TableName=COMMERCE, Item=key("old") | listed)
    client.put_item(TableName=LOG, Item={"pk": {"S": "first"}, "day": {"S": "d"}, "at": {"S": "1"}})
    before = items(engine, COMMERCE), items(engine, LOG)

    response = refused(
        lambda: client.transact_write_items(
            TransactItems=[
                put("new", COMMERCE, attributes=listed),
                {"Delete": {"TableName": COMMERCE, "Key": key("old")}},
                {"Put": {"TableName": LOG, "Item": {"pk": {"S": "second"}, "day": {"S": "d"}, "at": {"S": "2"}}}},
                put("absent", WALLET, ConditionExpression="attribute_exists(pk)"),
            ]
        )
    )

    assert codes(response) == ["None", "None", "None", "ConditionalCheckFailed"]
    assert (items(engine, COMMERCE), items(engine, LOG)) == before
    assert [item["pk"]["S"] for item in listing(engine)] == ["old"]
    assert [record["Keys"]["pk"]["S"] for record in stream(engine)] == ["first"]


def listing(engine: Engine) -> list[Json]:
    found: list[Json] = engine.client().query(
        TableName=COMMERCE,
        IndexName="by_list",
        KeyConditionExpression="#list = :list",
        ExpressionAttributeNames={"#list": "list"},
        ExpressionAttributeValues={":list": {"S": "orders"}},
    )["Items"]
    return found


def stream(engine: Engine) -> list[Json]:
    streams = engine.streams()
    arn = engine.client().describe_table(TableName=LOG)["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [record["dynamodb"] for record in records]


def test_an_action_that_fails_while_it_writes_undoes_the_ones_before_it(engine: Engine) -> None:
    client = engine.client()
    client.put_item(TableName=WALLET, Item=key("a") | {"name": {"S": "Ann"}, "n": {"N": "1"}})
    client.put_item(TableName=WALLET, Item=key("b") | {"name": {"S": "Bob"}})
    before = items(engine, WALLET)

    response = refused(
        lambda: client.transact_write_items(
            TransactItems=[
                update("a", "SET n = n + :one", one={"N": "1"}),
                put("c"),
                {"Put": {"TableName": LOG, "Item": {"pk": {"S": "x"}}}},
                update("b", "SET n = missing + :one", one={"N": "1"}),
            ]
        )
    )

    assert codes(response) == ["None", "None", "None", "ValidationError"]
    assert items(engine, WALLET) == before
    assert stream(engine) == []


def test_an_update_that_fails_half_way_changes_nothing(engine: Engine) -> None:
    client = engine.client()
    client.put_item(TableName=WALLET, Item=key("a") | {"n": {"N": "1"}})
    before = items(engine, WALLET)

    for pk in ("a", "absent"):
        request = update(pk, "SET n = :two, m = missing + :two", two={"N": "2"})["Update"]
        response = refused(partial(client.update_item, **request))
        assert response["Error"]["Code"] == "ValidationException"

    assert items(engine, WALLET) == before


def test_conditions_see_the_state_before_the_transaction(engine: Engine) -> None:
    client = engine.client()
    client.transact_write_items(
        TransactItems=[
            put("a"),
            put("b", ConditionExpression="attribute_not_exists(pk)"),
            {
                "ConditionCheck": {
                    "TableName": WALLET,
                    "Key": key("c"),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ]
    )
    assert [item["pk"]["S"] for item in items(engine, WALLET)] == ["a", "b"]


def test_a_cancelled_transaction_gives_the_old_item_of_each_that_asked(engine: Engine) -> None:
    client = engine.client()
    old = key("taken") | {"answer": {"B": bytes(range(256))}, "tags": {"SS": ["x"]}, "map": {"M": {"n": {"N": "7"}}}}
    client.put_item(TableName=WALLET, Item=old)
    once = {"ConditionExpression": "attribute_not_exists(pk)"}

    response = refused(
        lambda: client.transact_write_items(
            TransactItems=[
                put("free", **once, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
                put("taken", **once, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            ]
        )
    )

    nothing, reason = response["CancellationReasons"]
    assert nothing["Code"] == "None"
    assert "Item" not in nothing
    assert reason["Code"] == "ConditionalCheckFailed"
    assert reason["Item"] == old

    response = refused(lambda: client.transact_write_items(TransactItems=[put("taken", **once)]))
    assert "Item" not in response["CancellationReasons"][0]


# -- Limits -----------------------------------------------------------------------------------------


def test_no_item_twice_in_a_transaction(engine: Engine) -> None:
    act = update("a", "SET n = :n", n={"N": "1"})
    response = refused(lambda: engine.client().transact_write_items(TransactItems=[put("a"), act]))
    assert response["Error"]["Code"] == "ValidationException"
    assert "multiple operations on one item" in response["Error"]["Message"]


@pytest.mark.parametrize("count, allowed", [(100, True), (101, False)])
def test_at_most_100_actions(engine: Engine, count: int, allowed: bool) -> None:
    actions = [put(f"{number}") for number in range(count)]
    if allowed:
        engine.client().transact_write_items(TransactItems=actions)
    else:
        response = refused(lambda: engine.client().transact_write_items(TransactItems=actions))
        assert response["Error"]["Code"] == "ValidationException"
    assert len(items(engine, WALLET)) == (count if allowed else 0)


def test_at_most_4_mb(engine: Engine) -> None:
    size = 390 * 1024
    fitting = BYTES_MAX // size
    actions = [put(f"{number:03}", attributes={"x": {"S": "x" * size}}) for number in range(fitting + 1)]
    engine.client().transact_write_items(TransactItems=actions[:fitting])

    response = refused(lambda: engine.client().transact_write_items(TransactItems=actions))

    assert response["Error"]["Code"] == "ValidationException"
    assert "4MB" in response["Error"]["Message"]


# -- The client's token -----------------------------------------------------------------------------


def test_a_transaction_sent_twice_takes_effect_once(engine: Engine) -> None:
    client = engine.client()
    token = os.urandom(16).hex()
    request = {"TransactItems": [update("a", "ADD n :one", one={"N": "1"})], "ClientRequestToken": token}

    client.transact_write_items(**request)
    client.transact_write_items(**request)

    assert [item["n"] for item in items(engine, WALLET)] == [{"N": "1"}]
    response = refused(lambda: client.transact_write_items(TransactItems=[put("b")], ClientRequestToken=token))
    assert response["Error"]["Code"] == "IdempotentParameterMismatchException"


def test_a_token_whose_transaction_was_refused_may_be_used_again(engine: Engine) -> None:
    client = engine.client()
    request = {
        "TransactItems": [put("a", ConditionExpression="attribute_exists(pk)")],
        "ClientRequestToken": os.urandom(16).hex(),
    }
    refused(lambda: client.transact_write_items(**request))
    client.put_item(TableName=WALLET, Item=key("a"))
    client.transact_write_items(**request)


# -- What an operation costs ------------------------------------------------------------------------


def test_capacity_of_writes(engine: Engine) -> None:
    client = engine.client()
    small, large = key("a"), key("a") | {"x": {"S": "x" * 2000}}
    listed = {"list": {"S": "orders"}, "list_at": {"S": "1"}}
    moved = listed | {"list_at": {"S": "2"}}

    def cost_of_put(item: Json) -> float:
        answer = client.put_item(TableName=COMMERCE, Item=item, ReturnConsumedCapacity="TOTAL")
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    assert cost_of_put(small) == 1
    assert cost_of_put(large) == 2
    assert cost_of_put(small) == 2, "shrinking an item costs what the old one weighed"
    assert cost_of_put(small | listed) == 1 + 1, "the index takes the entry"
    assert cost_of_put(small | listed) == 1, "the index is left alone"
    assert cost_of_put(small | moved) == 1 + 2, "the entry moves: a delete and a put"


def test_capacity_of_an_update_that_grows_a_set(engine: Engine) -> None:
    client = engine.client()
    listed = {"list": {"S": "orders"}, "list_at": {"S": "1"}, "tags": {"SS": ["a"]}}
    client.put_item(TableName=COMMERCE, Item=key("a") | listed)
    answer = client.update_item(
        TableName=COMMERCE,
        Key=key("a"),
        UpdateExpression="ADD tags :tags",
        ExpressionAttributeValues={":tags": {"SS": ["b"]}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1 + 1, "the index holds the set as well"


def test_capacity_of_a_transaction_is_double_but_for_its_indexes(engine: Engine) -> None:
    listed = {"list": {"S": "orders"}, "list_at": {"S": "1"}}
    answer = engine.client().transact_write_items(
        TransactItems=[
            put("a", COMMERCE, attributes=listed),
            put("b", WALLET, attributes={"x": {"S": "x" * 2000}}),
            {
                "ConditionCheck": {
                    "TableName": WALLET,
                    "Key": key("c"),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ],
        ReturnConsumedCapacity="INDEXES",
    )
    commerce, wallet = answer["ConsumedCapacity"]
    assert (commerce["TableName"], commerce["CapacityUnits"]) == (COMMERCE, 3)
    assert commerce["Table"]["CapacityUnits"] == 2
    assert commerce["GlobalSecondaryIndexes"]["by_list"]["CapacityUnits"] == 1
    assert (wallet["TableName"], wallet["WriteCapacityUnits"]) == (WALLET, 4 + 2)


def test_capacity_of_a_batch(engine: Engine) -> None:
    engine.client().put_item(TableName=WALLET, Item=key("old") | {"x": {"S": "x" * 3000}})
    requests = [{"PutRequest": {"Item": key("new")}}, {"DeleteRequest": {"Key": key("old")}}]
    answer = engine.client().batch_write_item(RequestItems={WALLET: requests}, ReturnConsumedCapacity="TOTAL")
    assert [each["CapacityUnits"] for each in answer["ConsumedCapacity"]] == [1 + 3]


def test_capacity_of_reads(engine: Engine) -> None:
    client = engine.client()
    for sk in ("1", "2", "3"):
        client.put_item(TableName=WALLET, Item=key("a", sk) | {"x": {"S": "x" * 3000}})
    asked = {"TableName": WALLET, "ReturnConsumedCapacity": "TOTAL"}

    def units(answer: Json) -> float:
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    assert units(client.get_item(Key=key("a", "1"), **asked)) == 0.5
    assert units(client.get_item(Key=key("a", "1"), ConsistentRead=True, **asked)) == 1
    assert units(client.get_item(Key=key("absent"), **asked)) == 0.5
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
    assert units(client.query(**query, **asked)) == 1.5, "9 KB together"
    got = client.batch_get_item(
        RequestItems={WALLET: {"Keys": [key("a", "1"), key("a", "2"), key("absent")], "ConsistentRead": True}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert [each["CapacityUnits"] for each in got["ConsumedCapacity"]] == [3], "each item is rounded up"
    got = client.transact_get_items(
        TransactItems=[{"Get": {"TableName": WALLET, "Key": key("a", sk)}} for sk in ("1", "absent")],
        ReturnConsumedCapacity="TOTAL",
    )
    assert [each["CapacityUnits"] for each in got["ConsumedCapacity"]] == [4]


def test_capacity_is_not_told_unasked(engine: Engine) -> None:
    client = engine.client()
    answers = [
        client.put_item(TableName=WALLET, Item=key("a")),
        client.transact_write_items(TransactItems=[put("b")]),
        client.batch_get_item(RequestItems={WALLET: {"Keys": [key("a")]}}),
    ]
    assert not any(answer.get("ConsumedCapacity") for answer in answers)


# -- The fixture itself -----------------------------------------------------------------------------


def test_a_reset_empties_tables_indexes_and_streams(engine: Engine) -> None:
    client = engine.client()
    client.put_item(TableName=LOG, Item={"pk": {"S": "a"}, "day": {"S": "d"}, "at": {"S": "1"}})
    client.put_item(TableName=COMMERCE, Item=key("a") | {"list": {"S": "orders"}, "list_at": {"S": "1"}})
    engine.reset()
    assert [items(engine, table) for table in (LOG, COMMERCE)] == [[], []]
    assert listing(engine) == []
    assert stream(engine) == []


def test_making_moto_sound_twice_is_making_it_sound_once(engine: Engine) -> None:
    install()
    engine.client().transact_write_items(TransactItems=[put("a")])
    assert len(items(engine, WALLET)) == 1
