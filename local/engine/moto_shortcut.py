"""A short way from botocore into moto's DynamoDB, for clients in this process.

moto treats each of its services alike: it guesses the protocol, reads a form, takes the request apart by the
service's model, puts the answer together by it. For DynamoDB, whose protocol is JSON both ways, that is most of what
a call costs.
"""

import base64
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

Answer = tuple[int, dict[str, str], str]
Process = Callable[[BotocoreStubber, AWSPreparedRequest], Answer | None]

ADDRESS: Final = re.compile(r"https?://dynamodb\.(?P<region>[^.]+)\.amazonaws\.com/")
METHODS: Final = {
    "BatchGetItem": "batch_get_item",
    "BatchWriteItem": "batch_write_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "PutItem": "put_item",
    "Query": "query",
    "Scan": "scan",
    "TransactGetItems": "transact_get_items",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}
"""What is about items. All else is rare, and goes the long way."""


def shortened(process: Process, lock: Any) -> Process:
    """`process_request` of moto's stubber, with the short way for requests about items, one at a time."""

    @wraps(process)
    def answer(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Answer | None:
        address = ADDRESS.match(request.url)
        method = METHODS.get(_operation(request)) if address else None
        if address is None or method is None:
            return process(stubber, request)
        handler = _handler(address["region"], request)
        with lock:
            return _answer(getattr(handler, method))

    return answer


def _operation(request: AWSPreparedRequest) -> str:
    target = request.headers.get("X-Amz-Target", "")
    return (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]


def _handler(region: str, request: AWSPreparedRequest) -> DynamoHandler:
    assert isinstance(request.body, (str, bytes))
    handler = DynamoHandler()
    handler.current_account = DEFAULT_ACCOUNT_ID
    handler.region = region
    handler.body = json.loads(request.body, object_hook=_binary)
    return handler


def _answer(method: Callable[[], Any]) -> Answer:
    try:
        status, body = 200, dynamo_json_dump(method().result or {})
    except HTTPException as refusal:
        status, body = refusal.code or 400, str(refusal.description)
    return status, {"content-type": "application/x-amz-json-1.0"}, body


def _binary(value: dict[str, Any]) -> dict[str, Any]:
    """The wire has binary in base64, and moto's handlers want it decoded."""
    match value:
        case {"B": str(text)} if len(value) == 1:
            return {"B": base64.b64decode(text)}
        case {"BS": [*texts]} if len(value) == 1:
            return {"BS": [base64.b64decode(text) for text in texts]}
        case _:
            return value
