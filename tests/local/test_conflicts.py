"""Who meets a transaction in flight is refused as AWS refuses: a transaction is cancelled, a plain write fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine.conflicts import Conflicts
from local.template import Template
from tests.engines import TABLE_PREFIX, Engine, client

pytestmark = pytest.mark.engines

LOG = f"{TABLE_PREFIX}log"
WALLET = f"{TABLE_PREFIX}wallet"


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "-"}}


def put(pk: str) -> dict[str, Any]:
    return {"Put": {"TableName": WALLET, "Item": key(pk)}}


@pytest.fixture
def conflicts(template: Template) -> Conflicts:
    return Conflicts(template.tables.values())


@pytest.fixture
def watched(engine: Engine, conflicts: Conflicts) -> Any:
    """A client of this test's own, so that what it is taught here goes with it."""
    own = client("dynamodb", engine.endpoint_url)
    conflicts.watch(own)
    return own


def test_an_overlapping_transaction_is_cancelled_for_the_items_they_share(watched: Any, conflicts: Conflicts) -> None:
    log = {"Put": {"TableName": LOG, "Item": {"pk": {"S": "a"}}}}
    with conflicts.held(WALLET, key("a")), pytest.raises(ClientError) as cancelled:
        watched.transact_write_items(TransactItems=[put("b"), put("a"), log])

    response = cancelled.value.response
    assert response["Error"]["Code"] == "TransactionCanceledException"
    reasons: Any = response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "TransactionConflict", "None"]
    assert watched.scan(TableName=WALLET)["Items"] == []
    assert conflicts.refused == 1


def test_a_check_and_a_reading_transaction_conflict_too(watched: Any, conflicts: Conflicts) -> None:
    check = {"TableName": WALLET, "Key": key("a"), "ConditionExpression": "attribute_not_exists(pk)"}
    with conflicts.held(WALLET, key("a")):
        with pytest.raises(ClientError, match="TransactionConflict"):
            watched.transact_write_items(TransactItems=[put("b"), {"ConditionCheck": check}])
        with pytest.raises(ClientError, match="TransactionConflict"):
            watched.transact_get_items(TransactItems=[{"Get": {"TableName": WALLET, "Key": key("a")}}])


@pytest.mark.parametrize("operation", ["put_item", "update_item", "delete_item"])
def test_a_plain_write_of_a_held_item_fails(watched: Any, conflicts: Conflicts, operation: str) -> None:
    attributes = {"Item": key("a")} if operation == "put_item" else {"Key": key("a")}
    with conflicts.held(WALLET, key("a")), pytest.raises(ClientError) as refused:
        getattr(watched, operation)(TableName=WALLET, **attributes)
    assert refused.value.response["Error"]["Code"] == "TransactionConflictException"


def test_other_items_and_plain_reads_are_left_alone(watched: Any, conflicts: Conflicts) -> None:
    with conflicts.held(WALLET, key("a")):
        watched.get_item(TableName=WALLET, Key=key("a"))
        watched.put_item(TableName=WALLET, Item=key("b"))
        watched.transact_write_items(TransactItems=[put("c")])
    assert conflicts.refused == 0


def test_what_was_held_is_free_again_however_the_transaction_ended(watched: Any, conflicts: Conflicts) -> None:
    watched.transact_write_items(TransactItems=[put("a")])
    refused = {"Put": {"TableName": WALLET, "Item": key("a"), "ConditionExpression": "attribute_not_exists(pk)"}}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        watched.transact_write_items(TransactItems=[refused])
    with conflicts.held(WALLET, key("a")), pytest.raises(ClientError, match="TransactionConflict"):
        watched.transact_write_items(TransactItems=[put("a"), put("b")])

    watched.transact_write_items(TransactItems=[put("a"), put("b")])
    assert conflicts.refused == 1


def test_a_transaction_that_gets_no_answer_frees_its_items(engine: Engine, conflicts: Conflicts) -> None:
    lost = client("dynamodb", "http://127.0.0.1:9")
    conflicts.watch(lost)
    lost.meta.events.register_first("before-send.dynamodb", lambda **_: (_ for _ in ()).throw(ConnectionError("lost")))
    with pytest.raises(Exception, match="lost"):
        lost.transact_write_items(TransactItems=[put("a")])

    own = client("dynamodb", engine.endpoint_url)
    conflicts.watch(own)
    own.put_item(TableName=WALLET, Item=key("a"))


def test_two_threads_conflict_and_only_one_of_them_wins(engine: Engine, watched: Any, conflicts: Conflicts) -> None:
    """The first is stopped on its way to the engine; the second comes meanwhile."""
    sent, go_on = threading.Event(), threading.Event()
    slow = client("dynamodb", engine.endpoint_url)
    conflicts.watch(slow)

    def dawdle(**_: Any) -> None:
        sent.set()
        assert go_on.wait(5)

    slow.meta.events.register_first("request-created.dynamodb.TransactWriteItems", dawdle)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(slow.transact_write_items, TransactItems=[put("a"), put("b")])
        assert sent.wait(5)
        with pytest.raises(ClientError, match="TransactionConflict"):
            watched.transact_write_items(TransactItems=[put("b"), put("c")])
        go_on.set()
        first.result(5)

    assert {item["pk"]["S"] for item in watched.scan(TableName=WALLET)["Items"]} == {"a", "b"}
    watched.transact_write_items(TransactItems=[put("b"), put("c")])
