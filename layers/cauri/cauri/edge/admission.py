"""What happens to a request before its handler: who asks, may they, and is it what it should be. In this order."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware

from cauri.edge import wiring
from cauri.edge.auth import Forbidden
from cauri.edge.problems import (
    BodyTooLarge,
    Fault,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    InvalidRequest,
    MalformedRequest,
    UnknownParameter,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from cauri.edge.http import Operation

BODY_BYTES_MAX: Final = 256 * 1024
FAULTS_MAX: Final = 50
"""More would help nobody, and would make a large answer of a small request."""
_KEY: Final = re.compile(r"[!-~]{1,255}")
_CHARSETS: Final = ("", "charset=utf-8")

Event = Mapping[str, Any]


class Admission(OpenAPIRequestValidationMiddleware):
    """Lets a request in, or raises the refusal. The handler's own parameters are validated by powertools.

    Every refusal from here on knows which operation it is of, and once it is known who asks, that is counted.
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._operation = operation

    def handler(self, app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[str]:
        event, operation = app.current_event.raw_event, self._operation
        headers = event["headers"]
        app.context["operation"] = operation
        caller = wiring.verifier().caller(headers.get("authorization"), event["requestContext"]["http"]["sourceIp"])
        allowance = app.context["allowance"] = wiring.limiter().begin(caller, operation.tier)
        if not allowance.is_pending:
            allowance.require()
        if not caller.has(*operation.roles):
            raise Forbidden
        self._require_known(event.get("queryStringParameters") or {}, app)
        if operation.changes:
            require_idempotency_key(headers)
        app.context["caller"] = caller
        return super().handler(app, next_middleware)

    def _require_known(self, sent: Mapping[str, str], app: ApiGatewayResolver) -> None:
        known = [field.alias for field in app.context["_route"].dependant.query_params]
        if unknown := [name for name in sent if name not in known]:
            raise UnknownParameter(unknown, known)

    def _get_body(self, app: ApiGatewayResolver) -> dict[str, Any]:
        return json_object(app.current_event.raw_event)


def require_idempotency_key(headers: Mapping[str, str]) -> None:
    """With codes of its own, before the rest. Raises IdempotencyKeyMissing, IdempotencyKeyInvalid."""
    key = headers.get("idempotency-key")
    if key is None:
        raise IdempotencyKeyMissing
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid


def json_object(event: Event) -> dict[str, Any]:
    """The body, which is one JSON object and nothing that two readers could read in two ways.

    Raises UnsupportedMediaType, BodyTooLarge, MalformedRequest.
    """
    media_type, _, parameters = event["headers"].get("content-type", "").lower().partition(";")
    if media_type.strip() != "application/json" or parameters.strip().replace('"', "") not in _CHARSETS:
        raise UnsupportedMediaType
    try:
        parsed = json.loads(_text(event), object_pairs_hook=_members, parse_constant=_no_constant)
    except json.JSONDecodeError as wrong:
        raise MalformedRequest(f"The body is not JSON: {wrong.msg}, at character {wrong.pos}.") from None
    except (ValueError, RecursionError) as wrong:
        raise MalformedRequest(_why(wrong)) from None
    if not isinstance(parsed, dict):
        raise MalformedRequest("The body must be a JSON object.")
    return parsed


def _text(event: Event) -> str:
    body: str = event.get("body") or ""
    if len(body) > 2 * BODY_BYTES_MAX:  # base64 adds a third
        raise BodyTooLarge(BODY_BYTES_MAX)
    raw = body.encode(errors="surrogatepass")
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            raise MalformedRequest("The body is not base64, as its event says.") from None
    if len(raw) > BODY_BYTES_MAX:
        raise BodyTooLarge(BODY_BYTES_MAX)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedRequest("The body is not UTF-8.") from None


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _AmbiguousError("A member is there twice.")
    if not all(_is_text(name) for name in members):
        raise _AmbiguousError("The name of a member is no Unicode text.")
    return members


def _is_text(name: str) -> bool:
    """False for a lone surrogate, which JSON can write and UTF-8 can't."""
    return name.isascii() or name.encode(errors="ignore").decode() == name


def _no_constant(name: str) -> Any:
    raise _AmbiguousError(f"{name} is no JSON.")


class _AmbiguousError(ValueError):
    """Our own objection to a text that Python would read as JSON."""


def _why(wrong: Exception) -> str:
    if isinstance(wrong, _AmbiguousError):
        return f"The body is not JSON: {wrong}"
    if isinstance(wrong, RecursionError):
        return "The body is nested too deeply."
    return "A number in the body has too many digits."


def invalid(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """The refusal for what validation found; it says what was asked for, and does not repeat what was sent."""
    return InvalidRequest([_fault(error["loc"], error["msg"]) for error in errors[:FAULTS_MAX]])


def _fault(place: Sequence[str | int], message: str) -> Fault:
    where, *path = place
    detail = message.removeprefix("Value error, ")
    if where == "body":
        return Fault(detail, pointer="".join(f"/{_escaped(step)}" for step in path if step != "[key]"))
    return Fault(detail, parameter=str(path[0]))


def _escaped(step: str | int) -> str:
    """As RFC 6901 wants it."""
    return str(step).replace("~", "~0").replace("/", "~1")
