"""ClientRequestToken for moto: the same transaction sent twice within ten minutes takes effect once.

botocore sends a token of its own with every TransactWriteItems, the same one when it retries, so without this a
retry whose first attempt had only lost its answer would be refused by its own conditions.
"""

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler

REMEMBERED_SECONDS: Final = 600
# What the token vouches for; asking for other capacity figures is not another request.
REQUEST: Final = "TransactItems"

Method = Callable[[DynamoHandler], ActionResult]

_done: Final[dict[str, tuple[str, float]]] = {}  # request and expiry, by token; the oldest first


class IdempotentParameterMismatchError(JsonRESTError):
    def __init__(self) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
            "The request uses the same client token as a previous, but non-identical request",
        )


def once_per_token(method: Method) -> Method:
    """`transact_write_items`, made to answer a token that it has seen without doing anything again."""

    @wraps(method)
    def handle(handler: DynamoHandler) -> ActionResult:
        token: str | None = handler.body.get("ClientRequestToken")
        request = json.dumps(handler.body[REQUEST], sort_keys=True, default=_text)
        _forget(before=time.monotonic())
        if token in _done:
            return _again(token, request)
        result = method(handler)
        if token is not None:
            _done[token] = (request, time.monotonic() + REMEMBERED_SECONDS)
        return result

    return handle


def forget_all() -> None:
    _done.clear()


def _again(token: str, request: str) -> ActionResult:
    if _done[token][0] != request:
        raise IdempotentParameterMismatchError
    return ActionResult({})


def _forget(before: float) -> None:
    while _done and next(iter(_done.values()))[1] < before:
        del _done[next(iter(_done))]


def _text(binary: Any) -> str:
    return bytes(binary).hex()
