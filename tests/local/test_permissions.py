"""A function's role, as the template gives it, is held against every call that the function makes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.exceptions import ClientError

from local.template import Permission, UnsupportedIntrinsicError, read
from local.template.policies import permissions
from local.workers.permissions import Guard, needs

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}


@pytest.mark.parametrize(
    "service, operation, parameters, needed",
    [
        ("dynamodb", "PutItem", {"TableName": "t"}, [("dynamodb:PutItem", ":table/t")]),
        ("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}, [("dynamodb:Query", ":table/t/index/i")]),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"t": {}, "u": {}}},
            [("dynamodb:BatchGetItem", ":table/t"), ("dynamodb:BatchGetItem", ":table/u")],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t"}},
                    {"Update": {"TableName": "u"}},
                    {"Delete": {"TableName": "v"}},
                    {"ConditionCheck": {"TableName": "w"}},
                ]
            },
            [
                ("dynamodb:PutItem", ":table/t"),
                ("dynamodb:UpdateItem", ":table/u"),
                ("dynamodb:DeleteItem", ":table/v"),
                ("dynamodb:ConditionCheckItem", ":table/w"),
            ],
        ),
        (
            "dynamodb",
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "t"}}]},
            [("dynamodb:GetItem", ":table/t")],
        ),
        ("sqs", "SendMessage", {"QueueUrl": "http://127.0.0.1/1/jobs"}, [("sqs:SendMessage", ":jobs")]),
        ("states", "StartExecution", {"stateMachineArn": "arn:m"}, [("states:StartExecution", "arn:m")]),
        ("states", "SendTaskSuccess", {"taskToken": "x"}, [("states:SendTaskSuccess", "")]),
        ("s3", "GetObject", {"Bucket": "b"}, [("s3:GetObject", ":s3:::b/*")]),
    ],
)
def test_what_a_call_needs(service: str, operation: str, parameters: Any, needed: list[tuple[str, str]]) -> None:
    assert list(needs(service, operation, parameters)) == needed


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    guard = Guard({"Orders": {"dynamodb:GetItem": [TABLE]}, "Idle": {}}, tmp_path / "used")
    before = list(botocore._INITIALIZERS)
    guard.watch()
    yield guard
    botocore._INITIALIZERS[:] = before


def call(table: str, operation: str = "get_item") -> None:
    client = botocore.session.get_session().create_client("dynamodb", region_name="us-east-1")
    client.meta.events.register("before-send", lambda **_: pytest.fail("it was sent"))
    getattr(client, operation)(TableName=table, Key={"pk": {"S": "1"}})


@pytest.mark.parametrize(
    "function, table, operation",
    [
        ("Orders", "orders", "delete_item"),
        ("Orders", "customers", "get_item"),
        ("Orders", "more-orders", "get_item"),
        ("Idle", "orders", "get_item"),
    ],
)
def test_what_the_role_does_not_allow_is_refused_and_never_sent(
    guard: Guard, function: str, table: str, operation: str
) -> None:
    guard.function = function
    with pytest.raises(ClientError, match=f"The role of {function} does not allow"):
        call(table, operation)


def test_what_the_role_allows_is_sent_and_noted_once(guard: Guard, tmp_path: Path) -> None:
    guard.function = "Orders"
    for _ in range(2):
        with pytest.raises(pytest.fail.Exception, match="it was sent"):
            call("orders")
    assert [json.loads(line) for line in (tmp_path / "used").read_text().splitlines()] == [
        ["Orders", "dynamodb:GetItem", ":table/orders"]
    ]


def test_the_template_s_policies_are_read() -> None:
    fold = read(Path(__file__).parent.parent.parent / "template.yaml").functions["BooksFold"]
    ledger = {"Fn::GetAtt": ["LedgerTable", "Arn"]}
    assert Permission("dynamodb:BatchWriteItem", ledger) in fold.permissions
    assert Permission("dynamodb:UpdateItem", ledger) not in fold.permissions


@pytest.mark.parametrize(
    "odd", [{"Effect": "Deny"}, {"Condition": {"StringEquals": {}}}, {"NotAction": "dynamodb:DeleteItem"}]
)
def test_a_statement_that_would_be_misread_is_refused(odd: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, **odd}
    role = {"Properties": {"Policies": [{"PolicyDocument": {"Statement": [statement]}}]}}
    with pytest.raises(UnsupportedIntrinsicError):
        permissions({"Role": ROLE}, {"Role": role})
