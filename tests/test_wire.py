"""DynamoDB's protocol, against botocore's own hand and against servers that misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError
from cauri.wire import DYNAMODB, SECRETS_MANAGER, SQS, STEP_FUNCTIONS, Service, Wire

from tests.engines import REGION, TABLE_PREFIX, Engine

TABLE = f"{TABLE_PREFIX}wallet"
KEY = {"pk": {"S": "soko#é"}, "sk": {"S": "-"}}

Answers = Callable[[], tuple[int, bytes]]


def wire_to(url: str | None, read_seconds: float = 3) -> Wire:
    return Wire(DYNAMODB, region=REGION, host=url, connect_seconds=1, read_seconds=read_seconds, pool=4)


@pytest.fixture
def wire(engine: Engine) -> Wire:
    return wire_to(engine.endpoint_url)


class Server:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, answer: Answers) -> None:
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.connections: set[Any] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.asked.append((headers, self.rfile.read(int(headers["content-length"]))))
                server.connections.add(self.client_address)
                status, body = answer()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@contextmanager
def serving(answer: Answers) -> Iterator[Server]:
    server = Server(answer)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()


@pytest.mark.parametrize("token", ["", "a session's token"])
def test_a_request_is_signed_as_botocore_signs_it(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    with serving(lambda: (200, b"{}")) as server:
        wire_to(server.url).send("GetItem", {"TableName": TABLE, "Key": KEY})
    [(headers, body)] = server.asked

    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token or None)
    again = AWSRequest("POST", server.url + "/", data=body, headers={"X-Amz-Target": headers["x-amz-target"]})
    signer = SigV4Auth(credentials, "dynamodb", REGION)
    again.context["timestamp"] = headers["x-amz-date"]
    signer._modify_request_before_signing(again)
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert headers.get("x-amz-security-token", "") == token


@pytest.mark.parametrize(
    "service, name",
    [(DYNAMODB, "dynamodb"), (SQS, "sqs"), (STEP_FUNCTIONS, "stepfunctions"), (SECRETS_MANAGER, "secretsmanager")],
)
def test_a_service_is_what_botocore_knows_it_as(service: Service, name: str) -> None:
    client = botocore.session.get_session().create_client(name, region_name=REGION)
    known = client.meta.service_model
    told = known.metadata
    assert service == Service(
        known.service_id.hyphenize(), known.signing_name, told["targetPrefix"], told["jsonVersion"]
    )
    wire = Wire(service, region=REGION, connect_seconds=1, read_seconds=1, pool=1)
    assert wire._url == client.meta.endpoint_url + "/"


def test_the_environment_may_say_where_a_service_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2")
    assert wire_to(None)._url == "http://127.0.0.1:2/"


@pytest.mark.engines
def test_what_was_put_is_got_whatever_it_is(wire: Wire) -> None:
    item = {**KEY, "text": {"S": "ሰላም \U0001f30d\u2028"}, "bytes": {"B": bytes(range(256))}, "empty": {"B": b"\0"}}
    item["B"] = {"M": {"B": {"S": "named as binary is"}, "n": {"N": "12345678901234567890"}}}
    wire.send("PutItem", {"TableName": TABLE, "Item": item})
    assert wire.send("GetItem", {"TableName": TABLE, "Key": KEY})["Item"] == item


@pytest.mark.engines
def test_a_refusal_says_what_botocore_s_says(wire: Wire, engine: Engine) -> None:
    put = {"TableName": TABLE, "Item": {**KEY, "n": {"N": "1"}}}
    wire.send("PutItem", put)
    condition = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    refused = put | condition
    transaction = {"TransactItems": [{"Put": refused}]}
    for operation, request in {"PutItem": refused, "TransactWriteItems": transaction}.items():
        with pytest.raises(ClientError) as ours:
            wire.send(operation, request)
        with pytest.raises(ClientError) as theirs:
            engine.client()._make_api_call(operation, request)
        for part in ("Error", "Item", "CancellationReasons"):
            assert ours.value.response.get(part) == theirs.value.response.get(part), (operation, part)


def test_what_something_on_the_way_answers_means_that_dynamodb_is_not_there() -> None:
    with serving(lambda: (502, b"<html>Bad gateway</html>")) as server, pytest.raises(ClientError) as refused:
        wire_to(server.url).send("GetItem", {"TableName": TABLE, "Key": KEY})
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"


def test_nobody_there_and_nobody_answering_are_no_answer() -> None:
    with serving(lambda: (200, b"{}")) as server:
        gone = server.url
    with pytest.raises(HTTPClientError):
        wire_to(gone).send("GetItem", {})

    patience = threading.Event()
    with serving(lambda: ((patience.wait(5) and 200) or 500, b"{}")) as server:
        with pytest.raises(HTTPClientError):
            wire_to(server.url, read_seconds=0.05).send("GetItem", {})
        patience.set()
        assert len(server.asked) == 1, "it is not tried again here"


def test_connections_are_kept_until_they_are_to_be_forgotten() -> None:
    with serving(lambda: (200, json.dumps({"Item": {}}).encode())) as server:
        wire = wire_to(server.url)
        for _ in range(3):
            wire.send("GetItem", {})
        assert len(server.connections) == 1
        wire.forget_connections()
        wire.send("GetItem", {})
        assert len(server.connections) == 2
