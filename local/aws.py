"""The AWS JSON protocol, as botocore speaks it: a target header, a JSON body, an error with a type."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from local.http.events import Request, Response

CONTENT_TYPE: Final = (b"content-type", b"application/x-amz-json-1.0")
Service = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

log = logging.getLogger(__name__)


class AwsError(Exception):
    """An error that the caller's botocore turns into an exception of its service."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


def target_of(request: Request) -> tuple[str, str] | None:
    """(service, action) of `X-Amz-Target: AmazonSQS.SendMessage`."""
    for name, value in request.headers:
        if name.lower() == b"x-amz-target":
            service, _, action = value.decode().partition(".")
            return service, action
    return None


def body_of(request: Request) -> Mapping[str, Any]:
    """The parameters. Raises AwsError for what is no JSON object."""
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as malformed:
        raise AwsError("SerializationException", str(malformed)) from malformed
    if not isinstance(body, dict):
        raise AwsError("SerializationException", "the body is not an object")
    return body


async def ask(service: Service, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the service answers. Raises AwsError, also for a request that lacks what the action needs."""
    try:
        return await service(action, body)
    except (KeyError, TypeError, ValueError) as malformed:
        log.warning("%s was not understood", action, exc_info=True)
        raise AwsError("ValidationException", f"{type(malformed).__name__}: {malformed}") from malformed


def answer(body: Mapping[str, Any]) -> Response:
    return Response(200, [CONTENT_TYPE], json.dumps(body).encode())


def error(failure: AwsError) -> Response:
    body = {"__type": failure.code, "message": str(failure)}
    headers = [CONTENT_TYPE, (b"x-amzn-errortype", failure.code.encode())]
    return Response(failure.status, headers, json.dumps(body).encode())
