"""The description of the API, OpenAPI 3.1, made of what the handlers say. Written before a deployment, not in it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server, Tag
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader

from cauri.books.commit import Contended, IdempotencyKeyReused
from cauri.edge.admission import BODY_BYTES_MAX
from cauri.edge.auth import Forbidden, TokenExpired, TokenInvalid, TokenMissing
from cauri.edge.cursors import InvalidCursor
from cauri.edge.http import JSON, Api, Operation
from cauri.edge.limiter import RateLimited
from cauri.edge.problems import (
    PROBLEM_JSON,
    STATUS,
    UNAVAILABLE,
    BodyTooLarge,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    InvalidRequest,
    MalformedRequest,
    NotFound,
    UnknownParameter,
    UnsupportedMediaType,
)
from cauri.errors import Refusal

TITLE: Final = "cauri"
VERSION: Final = "1"
INTRODUCTION: Final = f"""\
The money-and-orders backend of a multi-tenant marketplace: a catalogue with stock, carts and checkouts over several
vendors, orders, wallets, and a double-entry ledger under all of it.

- **Who calls**: a bearer token (OIDC, JWT) names the tenant, the roles, and whose customer or vendor it speaks for.
  What belongs to somebody else answers as what does not exist.
- **Changes are done once**: every request that changes something carries an `Idempotency-Key`. The same request under
  the same key gets the same answer, byte for byte, with `Idempotent-Replayed: true`. With `?dry_run=true` it is
  answered 200 with what would be done, and nothing is.
- **Money** is whole minor units of an ISO 4217 currency: `{{"amount": 1250, "currency": "KES"}}` is 12.50 shillings.
  Times are RFC 3339, in UTC. Bodies are JSON, at most {BODY_BYTES_MAX // 1024} KiB.
- **Rate limits** are per minute, of a caller and of an address, and a tenant's own. Every answer to a token says in
  `RateLimit-Policy` and `RateLimit` what they are and what is left; past them it is 429, with `Retry-After`.
- **Lists** have a `limit`, and a `next_cursor` that leads to the next page of the same list.
- **Errors** are problem documents (RFC 9457). [Every code](docs/errors) says what to do about it.
"""
TAGS: Final[Mapping[str, str]] = {
    "Inventory": "The catalogue, and the stock behind it",
    "Checkout": "Carts, and the checkout that makes an order of one",
    "Orders": "Orders, as their customers, vendors and staff see them",
    "Wallet": "Store credit, points and rewards: issued, redeemed, held, and expired",
    "Invoice runs": "Invoices by the thousand: made for a period, or deleted, and followed",
    "Invoice schedules": "Invoices that come again",
    "Invoice documents": "Invoices on paper and by email",
    "Notices": "The log of messages",
    "Books": "The ledger, to read",
    "Reconciliation": "Whether everything agrees, and what to do where it does not",
    "Platform": "Tenants and vendors; and the API's own pages",
}
PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. A code may add members of its own.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Where the code is explained"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong this time, for people"},
        "code": {"type": "string", "enum": sorted(STATUS), "description": "What is wrong, for programs: stable"},
        "request_id": {"type": "string", "description": "What to name when you ask us about it"},
        "suggestion": {"type": "string", "description": "What a person can do about it"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "Where in the body: a JSON pointer"},
                    "parameter": {"type": "string", "description": "Which parameter"},
                },
            },
        },
    },
}

_TEXT: Final = {"type": "string"}
_BYTES: Final = {"type": "string", "format": "binary"}
_SECONDS: Final[OpenAPIResponseHeader] = {"schema": {"type": "integer"}, "description": "Seconds"}
_HEADERS: Final[Mapping[HTTPStatus, dict[str, OpenAPIResponseHeader]]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": {"schema": _TEXT}},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": _SECONDS},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": _SECONDS},
}
_LIMITS: Final = {
    "RateLimit-Policy": {"schema": _TEXT, "description": "How many requests, in how many seconds"},
    "RateLimit": {"schema": _TEXT, "description": "How many are left, and in how many seconds there are new ones"},
}
_REPLAYED: Final[OpenAPIResponseHeader] = {
    "schema": {"type": "string", "enum": ["true"]},
    "description": "There, if this is the answer of an earlier request under the same key",
}
_THROTTLED: Final = {
    "schema": {
        "type": "object",
        "description": "The gateway's own limit, over all callers",
        "properties": {"message": _TEXT},
    }
}


def describe(apis: Iterable[Api]) -> dict[str, Any]:
    """The description of all operations of `apis`, as a JSON value."""
    listed = [(api.tag, operation) for api in apis for operation in api.operations if operation.described]
    resolver = APIGatewayHttpResolver(debug=False)
    for tag, operation in listed:
        _add(resolver, tag, operation)
    schema = resolver.get_openapi_schema(
        title=TITLE,
        version=VERSION,
        description=INTRODUCTION,
        servers=[Server(url="/")],
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        security_schemes={"bearer": HTTPBearer(bearerFormat="JWT")},
        security=[{"bearer": []}],
    ).model_dump(mode="json", by_alias=True, exclude_none=True)
    return _finished(schema, [operation for _, operation in listed])


def _add(resolver: APIGatewayHttpResolver, tag: str, operation: Operation) -> None:
    summary, _, description = (inspect.getdoc(operation.handler) or operation.handler.__name__).partition("\n\n")

    def stub() -> None:
        """Only its signature counts."""

    stub.__name__ = operation.handler.__name__
    stub.__signature__ = operation.asks  # type: ignore[attr-defined]
    route = resolver.route(
        operation.path,
        operation.method,
        summary=summary,
        description=_with_roles(description, operation),
        responses=_responses(operation),
        tags=[tag],
        operation_id=operation.handler.__name__,
    )
    route(stub)


def _with_roles(description: str, operation: Operation) -> str:
    roles = ", ".join(f"`{role}`" for role in sorted(operation.roles))
    if not roles:
        return f"{description}\n\nFor anybody."
    return f"{description}\n\nRoles: {roles}. Rate limit: `{operation.tier}`."


def _responses(operation: Operation) -> dict[int, OpenAPIResponse]:
    if not operation.roles:
        return {200: {"description": "OK", "content": {"*/*": {"schema": {}}}}}
    answers: dict[int, OpenAPIResponse] = {int(operation.status): _answer(operation)}
    if operation.changes and operation.status is not HTTPStatus.OK:
        answers[200] = {"description": "A dry run: what would be done", "content": {JSON: {"model": operation.answer}}}
    problems: dict[HTTPStatus, list[str]] = {}
    for code in _codes(operation):
        problems.setdefault(STATUS[code], []).append(code)
    answers |= {int(status): _problem(status, codes) for status, codes in sorted(problems.items())}
    return answers


def _content(operation: Operation) -> dict[str, Any]:
    """A view, or else text or the bytes of a file, as they are."""
    if operation.media_type == JSON:
        return {JSON: {"model": operation.answer}}
    return {operation.media_type: {"schema": _BYTES if operation.answer is bytes else _TEXT}}


def _answer(operation: Operation) -> OpenAPIResponse:
    answer: OpenAPIResponse = {
        "description": operation.status.phrase,
        "content": _content(operation),
    }
    if operation.changes:
        answer["headers"] = {"Idempotent-Replayed": _REPLAYED}
    return answer


def _problem(status: HTTPStatus, codes: Sequence[str]) -> OpenAPIResponse:
    content: dict[str, Any] = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        content[JSON] = _THROTTLED
    problem: OpenAPIResponse = {
        "description": f"{status.phrase}: " + ", ".join(f"`{code}`" for code in codes),
        "content": content,
    }
    if status in _HEADERS:
        problem["headers"] = _HEADERS[status]
    return problem


def _codes(operation: Operation) -> list[str]:
    """Every code that the operation may answer, the edge's own first."""
    named = list(operation.asks.parameters)
    refusals: list[type[Refusal]] = [
        TokenMissing,
        TokenInvalid,
        TokenExpired,
        Forbidden,
        RateLimited,
        InvalidRequest,
        UnknownParameter,
    ]
    if operation.changes:
        refusals += [IdempotencyKeyMissing, IdempotencyKeyInvalid, IdempotencyKeyReused, Contended]
    if "body" in named:
        refusals += [MalformedRequest, BodyTooLarge, UnsupportedMediaType]
    if "cursor" in named:
        refusals.append(InvalidCursor)
    if "<" in operation.path:
        refusals.append(NotFound)
    return list(dict.fromkeys([*(one.code for one in [*refusals, *operation.refusals]), UNAVAILABLE]))


def _finished(schema: dict[str, Any], operations: Iterable[Operation]) -> dict[str, Any]:
    """With what powertools can't say: our problem instead of its own errors, and which operations take no token."""
    schemas: dict[str, Any] = schema["components"]["schemas"]
    for foreign in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(foreign, None)
    schemas["Problem"] = dict(PROBLEM)
    schema["components"]["headers"] = dict(_LIMITS)
    limits = {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMITS}
    for operation in operations:
        path = operation.path.replace("<", "{").replace(">", "}")
        described = schema["paths"][path][operation.method.lower()]
        described["parameters"] = [_parameter(one) for one in described.get("parameters", ())]
        if operation.deprecation is not None:
            described["deprecated"] = True
        if not operation.roles:
            described["security"] = []
            continue
        for answer in described["responses"].values():
            answer["headers"] = answer.get("headers", {}) | limits
    finished: dict[str, Any] = _whole({**schema, "paths": dict(sorted(schema["paths"].items()))})
    return finished


def _whole(value: Any) -> Any:
    """Whole numbers as such: powertools makes a float of every bound."""
    if isinstance(value, dict):
        return {name: _whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_whole(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out, which is not one that may be null; and headers as they are written."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema = {name: value for name, value in schema.items() if name != "anyOf"} | choices[0]
    name = parameter["name"].title() if parameter["in"] == "header" else parameter["name"]
    return {**parameter, "name": name, "schema": schema}
