"""The log's stream as Lambda brings it, and where what it carries goes. Source: DESIGN 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
from cauri.books import log
from cauri.books.ledger import Entry, Posting
from cauri.books.log import Record
from cauri.books.plan import Event, StartSaga
from cauri.edge import outbox
from cauri.edge.outbox import GONE, SqsQueue, StateMachine, TaskTokens
from cauri.edge.stream import in_order, records_of
from cauri.ids import LogId
from cauri.orders.waiting import Wait, wait_item
from cauri.parties.commands import PutTenant

from tests.engines import STAGE, TABLE_PREFIX, Engine
from tests.handlers import loaded
from tests.shop import START, TENANT, Shop, database_of


def a_record(number: int, **more: Any) -> Record:
    return Record(TENANT, LogId(f"{number:040d}"), "test", "usr", "", START, "", **more)


def streamed(record: Record, *, kind: str = "INSERT") -> dict[str, Any]:
    """A stream's record, which Lambda brings as JSON: bytes are text in base64, and nobody here reads them."""
    image = {**log.put(record, b"{}").request["Item"], "answer": {"B": "eJyrrgUAAXUA+Q=="}}
    number = str(int(record.log_id))
    return {"eventName": kind, "dynamodb": {"SequenceNumber": number, "NewImage": json.loads(json.dumps(image))}}


def batch(*records: Record) -> dict[str, Any]:
    return {"Records": [streamed(record) for record in records]}


# -- Reading it -----------------------------------------------------------------------------------------


def test_a_record_comes_out_as_it_was_committed() -> None:
    entry = Entry("test", (Posting("cash:demo", 5, "KES"), Posting("wallet:reward:cus_1", -5, "KES", -5)))
    whole = a_record(
        7,
        entry=entry,
        events=(Event("order.created", "ord_1", 1, {"total": {"amount": 5, "currency": "KES"}}),),
        sagas=(StartSaga("checkout", "ord_1", {"order_id": "ord_1"}),),
    )

    assert records_of(batch(whole)) == [whole]


def test_records_come_in_the_order_of_the_stream_without_those_that_only_take_a_key() -> None:
    records = [a_record(2), a_record(1, undone=True), a_record(3)]

    assert [record.log_id for record in records_of(batch(*records))] == [LogId(f"{n:040d}") for n in (2, 3)]


def test_only_what_is_new_is_news() -> None:
    """The log is never changed; what an operator does to it is not told to anybody."""
    changed = [streamed(a_record(number), kind=kind) for number, kind in enumerate(("MODIFY", "REMOVE"))]

    assert records_of({"Records": changed}) == []


@pytest.mark.engines
def test_what_a_real_stream_brings_can_be_read(engine: Engine) -> None:
    Shop(database_of(engine)).run(PutTenant("Soko"))
    streams = engine.streams()
    [stream] = streams.list_streams(TableName=f"{TABLE_PREFIX}log")["Streams"]
    [shard] = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]

    [record] = records_of(streams.get_records(ShardIterator=iterator))

    assert (record.command, record.tenant, record.at) == ("put_tenant", TENANT, START)


# -- Handling it ----------------------------------------------------------------------------------------


def test_each_is_handled_once_in_order() -> None:
    handled: list[Record] = []

    answer = in_order(batch(a_record(1), a_record(2, undone=True), a_record(3)), handled.append)

    assert answer == {"batchItemFailures": []}
    assert handled == [a_record(1), a_record(3)]


def test_from_the_first_that_fails_on_they_come_again() -> None:
    """A stream is taken up at one place: whatever came after it will come after it again."""
    handled: list[str] = []

    def handle(record: Record) -> None:
        if record.log_id.endswith("2"):
            raise ValueError("not now")
        handled.append(record.log_id[-1])

    answer = in_order(batch(a_record(1), a_record(2), a_record(3)), handle)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert handled == ["1"]


def test_a_batch_of_nothing_is_done() -> None:
    handled: list[Record] = []
    assert in_order({"Records": []}, handled.append) == {"batchItemFailures": []}
    assert handled == []


# -- Sending it on --------------------------------------------------------------------------------------


class Aws:
    """One client of everything: it writes down what it is asked, and refuses with the code that a test names."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuses: dict[str, str] = {}
        self.fails = 0

    def send(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if self.fails:
            self.fails -= 1
            raise botocore.exceptions.HTTPClientError(error=ConnectionResetError())
        if code := self.refuses.get(action):
            raise botocore.exceptions.ClientError({"Error": {"Code": code, "Message": code}}, action)
        self.asked.append((action, parameters))
        return {}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    monkeypatch.setattr(outbox, "wire", lambda service: aws)
    return aws


def test_a_saga_that_has_started_is_not_started_again(aws: Aws) -> None:
    machine = StateMachine("arn:checkout")
    machine.start("ord_1", "{}")
    aws.refuses["StartExecution"] = "ExecutionAlreadyExists"
    machine.start("ord_1", "{}")

    assert aws.asked == [("StartExecution", {"stateMachineArn": "arn:checkout", "name": "ord_1", "input": "{}"})]


@pytest.mark.parametrize("code", sorted(GONE))
def test_who_waits_no_more_is_left_alone(aws: Aws, code: str) -> None:
    aws.refuses["SendTaskSuccess"] = code

    TaskTokens().wake("token")


@pytest.mark.parametrize(
    ("action", "do"),
    [
        ("StartExecution", lambda: StateMachine("arn:checkout").start("ord_1", "{}")),
        ("SendTaskSuccess", lambda: TaskTokens().wake("token")),
        ("SendMessage", lambda: SqsQueue("https://sqs.example/payments").send("{}")),
    ],
)
def test_any_other_trouble_is_raised_so_that_the_stream_brings_it_again(aws: Aws, action: str, do: Any) -> None:
    aws.refuses[action] = "ThrottlingException"

    with pytest.raises(botocore.exceptions.ClientError):
        do()


def test_a_connection_that_died_meanwhile_is_made_anew_once(aws: Aws) -> None:
    aws.fails = 1
    SqsQueue("https://sqs.example/payments").send("{}")
    assert aws.asked == [("SendMessage", {"QueueUrl": "https://sqs.example/payments", "MessageBody": "{}"})]
    aws.fails = 2
    with pytest.raises(botocore.exceptions.HTTPClientError):
        SqsQueue("https://sqs.example/payments").send("{}")


# -- The function ---------------------------------------------------------------------------------------


@pytest.fixture
def dispatch(engine: Engine) -> Iterator[Any]:
    environment = {
        "PAYMENTS_QUEUE_URL": "https://sqs.example/payments",
        "CHECKOUT_MACHINE_ARN": "arn:checkout",
        "REFUND_MACHINE_ARN": "arn:refund",
        "REDEMPTION_MACHINE_ARN": "arn:redemption",
        "INVOICE_RUN_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:invoice-run",
        "NOTICES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/notices",
        "NUMBERS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/numbers.fifo",
        "RECONCILIATION_MACHINE_ARN": "arn:reconciliation",
    }
    with loaded("functions.books.dispatch", STAGE=STAGE, **environment) as function:
        yield function


@pytest.mark.parametrize("news", ["order.payment.received", "order.payment.failed"])
def test_the_dispatcher_starts_sends_and_wakes(engine: Engine, dispatch: Any, aws: Aws, news: str) -> None:
    database_of(engine).write(wait_item(TENANT, "ord_1", Wait("a token", START)))
    started = a_record(1, sagas=(StartSaga("checkout", "ord_1", {"order_id": "ord_1"}),))
    webhook = a_record(2, events=(Event("webhook.received", "whk_1", 1, {"kind": "charge.success"}),))
    paid = a_record(3, events=(Event(news, "pay_1", 2, {"order_id": "ord_1"}),))

    assert dispatch.handler(batch(started, webhook, paid), None) == {"batchItemFailures": []}

    start, send, wake = aws.asked
    input_ = '{"tenant": "soko", "watch": "2026-11-20T09:35:00.000Z#ord_1", "order_id": "ord_1"}'
    assert start == ("StartExecution", {"stateMachineArn": "arn:checkout", "name": "ord_1", "input": input_})
    assert send[0] == "SendMessage"
    assert json.loads(send[1]["MessageBody"])["resource"] == "whk_1"
    assert wake == ("SendTaskSuccess", {"taskToken": "a token", "output": "{}"})


def test_what_can_not_be_sent_on_comes_again(dispatch: Any, aws: Aws) -> None:
    aws.refuses["SendMessage"] = "ThrottlingException"
    webhook = a_record(2, events=(Event("webhook.received", "whk_1", 1, {}),))

    assert dispatch.handler(batch(a_record(1), webhook), None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
