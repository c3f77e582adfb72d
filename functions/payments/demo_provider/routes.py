"""The demo provider over HTTP: a hosted page for shoppers, and an API for merchants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from cauri.providers.demo_link import BadLinkError, ExpiredLinkError
from cauri.providers.demo_wire import RefundAskShape, RefusalShape, tenant_of
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from . import page
from .desk import Desk, ReferenceReused, Refused, Silence
from .script import Play, scripted

T = TypeVar("T")
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(AwareDatetime)


class Unauthorized(Exception):  # noqa: N818
    """The bearer is nobody's."""


class Malformed(Exception):  # noqa: N818
    """A body that is not as agreed. The text names the members."""


def routes(desk: Callable[[], Desk]) -> LambdaFunctionUrlResolver:
    app = LambdaFunctionUrlResolver()
    _shopper(app, desk)
    _merchant(app, desk)
    for trouble, answer in _TROUBLE.items():
        app.exception_handler(trouble)(answer)
    return app


def _shopper(app: LambdaFunctionUrlResolver, desk: Callable[[], Desk]) -> None:
    @app.get("/pay/<token>")
    def show(token: str) -> Response[str]:
        link = desk().link(token)
        return _page(HTTPStatus.OK, page.checkout(link, desk().open(link), scripted(link.outcome, link.reference)))

    @app.post("/pay/<token>")
    def pay(token: str) -> Response[str]:
        link = desk().link(token)
        event = app.current_event
        form = event.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        chosen = _chosen(event.decoded_body or "", form=form) or scripted(link.outcome, link.reference)
        booked = desk().play(link, chosen, attempt=event.request_context.request_id)
        if form:  # back to the page, so that a reload asks and does not pay
            return Response(HTTPStatus.SEE_OTHER, headers=page.HEADERS | {"location": event.raw_event["rawPath"]})
        facts = booked.model_dump(include={"reference", "status", "amount", "currency"})
        return _json(HTTPStatus.OK, _Receipt(**facts, return_url=link.return_url))


def _merchant(app: LambdaFunctionUrlResolver, desk: Callable[[], Desk]) -> None:
    def tenant() -> str:
        known = tenant_of(desk().secret, app.current_event.headers.get("authorization", ""))
        if known is None:
            raise Unauthorized
        return known

    @app.get("/charges/<reference>")
    def charge(reference: str) -> Response[str]:
        found = desk().charge(tenant(), reference)
        return _json(HTTPStatus.OK, found) if found else _refusal(HTTPStatus.NOT_FOUND, "no_such_charge", reference)

    @app.get("/charges")
    def charges() -> Response[str]:
        asked = app.current_event.query_string_parameters
        since, until = (_parsed(lambda: _MOMENT.validate_python(asked.get(name))) for name in ("since", "until"))  # noqa: B023
        return _json(HTTPStatus.OK, desk().charges(tenant(), since, until, asked.get("after")))

    @app.post("/refunds")
    def refund() -> Response[str]:
        caller = tenant()
        ask = _parsed(lambda: RefundAskShape.model_validate_json(app.current_event.decoded_body or ""))
        refund_id = f"re_{app.current_event.request_context.request_id}"
        try:
            return _json(HTTPStatus.OK, desk().refund(caller, ask, refund_id))
        except Refused as refused:
            return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused), ask.reference)
        except ReferenceReused:
            return _refusal(HTTPStatus.CONFLICT, "reference_reused", ask.reference)

    @app.get("/charges/<reference>/refunds")
    def refunds(reference: str) -> Response[str]:
        return _json(HTTPStatus.OK, desk().refunds(tenant(), reference))


# -- Bodies -------------------------------------------------------------------------------------------


class _Receipt(BaseModel):
    """What a shopper without a browser gets."""

    reference: str
    status: str
    amount: int
    currency: str
    return_url: str


class _Error(BaseModel):
    error: str
    detail: str | None = None


def _chosen(body: str, *, form: bool) -> Play | None:
    """What the shopper chose, or None where the choice is left to the script. Raises Malformed."""
    if form:
        members = {name: value for name, value in parse_qsl(body) if value}
        return _parsed(lambda: Play.model_validate_strings(members)) if members else None
    return _parsed(lambda: Play.model_validate_json(body)) if body.strip("{} \r\n\t") else None


def _parsed(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except ValidationError as wrong:
        raise Malformed(", ".join(sorted({".".join(map(str, error["loc"])) for error in wrong.errors()}))) from wrong


# -- Answers ------------------------------------------------------------------------------------------


def _page(status: HTTPStatus, html: str) -> Response[str]:
    return Response(status, "text/html; charset=utf-8", html, headers=page.HEADERS)


def _json(status: HTTPStatus, body: BaseModel) -> Response[str]:
    text = body.model_dump_json(exclude_none=True)
    return Response(status, "application/json", text, headers={"cache-control": "no-store"})


def _refusal(status: HTTPStatus, error: str, reference: str) -> Response[str]:
    """The reference is echoed as it came, also one that no charge could have."""
    return _json(status, RefusalShape.model_construct(error=error, reference=reference))


def _bad_link(bad: BadLinkError) -> Response[str]:
    expired = isinstance(bad, ExpiredLinkError)
    return _page(HTTPStatus.GONE if expired else HTTPStatus.NOT_FOUND, page.no_link(expired=expired))


def _malformed(malformed: Malformed) -> Response[str]:
    return _json(HTTPStatus.BAD_REQUEST, _Error(error="malformed", detail=str(malformed)))


def _unauthorized(_: Unauthorized) -> Response[str]:
    return _json(HTTPStatus.UNAUTHORIZED, _Error(error="unauthorized"))


def _silent(_: Silence) -> Response[str]:
    return _json(HTTPStatus.SERVICE_UNAVAILABLE, _Error(error="unavailable"))


_TROUBLE: Final[dict[type[Exception], Callable[..., Response[str]]]] = {
    BadLinkError: _bad_link,
    Malformed: _malformed,
    Unauthorized: _unauthorized,
    Silence: _silent,
}
