"""HTTP: a handler parses and calls; everything that all of them need happens here, once.

api = Api("Checkout")

@api.command("POST", "/v1/checkouts", roles=SHOPPERS, answer=CheckoutView, status=HTTPStatus.CREATED)
def checkout(body: CheckoutRequest) -> Command:
    return body.command()

handler = api.handler
"""

from __future__ import annotations

import inspect
import json
import logging
import re
import typing
from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic_core import to_json

from cauri.books.commit import Answer
from cauri.books.work import Command
from cauri.edge import wiring
from cauri.edge.admission import Admission, Event, invalid
from cauri.edge.deprecations import DEPRECATED, Deprecation, Deprecations
from cauri.edge.limiter import Allowance, RateLimited
from cauri.edge.problems import PROBLEM_JSON, MethodNotAllowed, NotFound, problem
from cauri.errors import Refusal, Unsettled
from cauri.parties.limits import Tier
from cauri.values import dataclass, replace

logger = logging.getLogger(__name__)

JSON: Final = "application/json"
EVERYBODY: Final = frozenset({"customer", "vendor", "partner", "manager", "finance", "admin", "guest"})
SHOPPERS: Final = frozenset({"customer", "guest"})
STAFF: Final = frozenset({"manager", "finance", "admin"})

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="Names what you want done. The same key with the same request gets the same answer, for good.",
    ),
]
DryRun = Annotated[Literal["true", "false"], Query(description="Answer what would be done, and do nothing.")]

C = TypeVar("C", bound=Callable[..., Command])
R = TypeVar("R", bound=Callable[..., Any])


@dataclass(frozen=True)
class File:
    """What is to be saved, or shown by itself."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Operation:
    """What is to be known of an operation: for admission, and for its description."""

    method: str
    path: str
    handler: Callable[..., Any]
    asks: inspect.Signature
    """Its parameters: of the path, of the query, headers, and the body."""
    answer: Any = None
    media_type: str = JSON
    """Of the answer. What is not JSON is text, as it is, or the bytes of a file."""
    roles: frozenset[str] = frozenset()
    """Who may call it; empty, where anybody may."""
    tier: Tier = Tier.READS
    """Under which rate limits, where it is known who calls."""
    status: HTTPStatus = HTTPStatus.OK
    refusals: tuple[type[Refusal], ...] = ()
    changes: bool = False
    described: bool = True
    deprecation: Deprecation | None = None


class Api:
    """The operations of one function, and its handler. One request at a time, as Lambda has it."""

    def __init__(self, tag: str, deprecated: Deprecations = DEPRECATED) -> None:
        self.tag = tag
        self._deprecated = deprecated
        self.operations: list[Operation] = []
        self.resolver = APIGatewayHttpResolver(debug=False)
        self.resolver.exception_handler(Exception)(self._answer_trouble)

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda handler, for payload format 2.0. HEAD is a GET whose body stays here."""
        if event["requestContext"]["http"]["method"] != "HEAD":
            return self.resolver.resolve(event, context)
        return self.resolver.resolve(_with_method(event, "GET"), context) | {"body": ""}

    # -- Registering

    def command(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        *,
        roles: Collection[str],
        tier: Tier,
        answer: type,
        status: HTTPStatus = HTTPStatus.OK,
        refusals: Sequence[type[Refusal]] = (),
        location: Callable[[Any], str] | None = None,
    ) -> Callable[[C], C]:
        """Register a handler that parses a request to the Command it asks for; running it is done here.

        `tier` says under which rate limits, `answer` is the view that the command answers, `refusals` what rules may
        say (for the description), `location` where the parsed answer's resource is. A parameter named `caller` gets the
        Caller.
        """

        def register(parse: C) -> C:
            takes_caller, signature = _signature(parse, *_OF_COMMANDS)

            def run(idempotency_key: str, dry_run: str = "false", **arguments: Any) -> Response[str]:
                caller = self.resolver.context["caller"]
                command = parse(**arguments, **({"caller": caller} if takes_caller else {}))
                dry = dry_run == "true"
                answered = wiring.books().run(
                    command, caller, idempotency_key, dry_run=dry, before_commit=self._require_allowance
                )
                self._require_allowance()  # also of what commits nothing: a dry run, and a replay
                return self._answered(answered, HTTPStatus.OK if dry else status, None if dry else location)

            known = frozenset(roles), tier, status, tuple(refusals)
            self._register(Operation(method, path, parse, signature, answer, JSON, *known, changes=True), run)
            return parse

        return register

    def read(
        self,
        path: str,
        *,
        roles: Collection[str],
        answer: Any,
        refusals: Sequence[type[Refusal]] = (),
        method: Literal["GET", "POST"] = "GET",
        media_type: str = JSON,
    ) -> Callable[[R], R]:
        """Register a handler that answers the view somebody asks for. A parameter named `caller` gets the Caller.

        A question that takes a body is a POST; it changes nothing either. With another media type than JSON's the
        handler answers the text itself.
        """

        def register(look: R) -> R:
            takes_caller, signature = _signature(look)

            def run(**arguments: Any) -> Response[str]:
                view = look(**arguments, **({"caller": self.resolver.context["caller"]} if takes_caller else {}))
                self._require_allowance()
                body = to_json(view).decode() if media_type == JSON else view
                return Response(HTTPStatus.OK, media_type, body, headers=self._headers())

            known = frozenset(roles), Tier.READS, HTTPStatus.OK, tuple(refusals)
            self._register(Operation(method, path, look, signature, answer, media_type, *known), run)
            return look

        return register

    def file(
        self, path: str, *, roles: Collection[str], media_type: str, refusals: Sequence[type[Refusal]] = ()
    ) -> Callable[[R], R]:
        """Register a handler that answers a File. A parameter named `caller` gets the Caller."""

        def register(look: R) -> R:
            takes_caller, signature = _signature(look)

            def run(**arguments: Any) -> Response[bytes]:
                file: File = look(**arguments, **({"caller": self.resolver.context["caller"]} if takes_caller else {}))
                self._require_allowance()
                headers = self._headers() | {"Content-Disposition": f'attachment; filename="{file.name}"'}
                return Response(HTTPStatus.OK, media_type, file.data, headers=headers)

            known = frozenset(roles), Tier.READS, HTTPStatus.OK, tuple(refusals)
            self._register(Operation("GET", path, look, signature, bytes, media_type, *known), run)
            return look

        return register

    def open(self, path: str, *, described: bool = True) -> Callable[[R], R]:
        """Register a handler that anybody may call, and that answers a whole Response.

        What only makes up a page is not `described`.
        """

        def register(look: R) -> R:
            self.operations.append(Operation("GET", path, look, inspect.Signature(), described=described))
            self.resolver.get(path, operation_id=look.__name__)(look)
            return look

        return register

    def _register(self, operation: Operation, run: Callable[..., Any]) -> None:
        run.__name__ = operation.handler.__name__
        run.__signature__ = operation.asks  # type: ignore[attr-defined]
        operation = replace(operation, deprecation=self._deprecated.get((operation.method, operation.path)))
        self.operations.append(operation)
        admission = Admission(operation)
        route = self.resolver.route(
            operation.path, operation.method, operation_id=run.__name__, middlewares=[admission]
        )
        route(run)

    # -- Answering

    def _require_allowance(self) -> None:
        """Raises RateLimited."""
        self.resolver.context["allowance"].require()

    def _answered(self, answer: Answer, status: HTTPStatus, location: Callable[[Any], str] | None) -> Response[str]:
        """The answer's own bytes, now and on every replay."""
        headers = self._headers()
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        if location is not None:
            headers["Location"] = location(json.loads(answer.body))
        return Response(status, JSON, answer.body.decode(), headers=headers)

    def _headers(self) -> dict[str, Any]:
        """What every answer of the API says beside itself."""
        context = self.resolver.context
        allowance: Allowance | None = context.get("allowance")
        operation: Operation | None = context.get("operation")
        deprecation = operation.deprecation if operation else None
        return {
            "Cache-Control": "no-store",
            **(allowance.headers() if allowance else {}),
            **(deprecation.headers(context["_route_args"]) if deprecation else {}),
        }

    # -- Trouble

    def _answer_trouble(self, trouble: Exception) -> Response[str]:
        """Every refusal, and every failure, comes out here as a problem document."""
        if isinstance(trouble, NotFoundError):  # powertools' word for a route that is not there
            method, allowed = self.resolver.current_event.http_method, self._allowed()
            if allowed and method == "OPTIONS":
                return Response(HTTPStatus.NO_CONTENT, body="", headers={"Allow": ", ".join(allowed)})
            # Where the method is allowed, a part of the path has characters that no id has.
            trouble = MethodNotAllowed(allowed) if allowed and method not in allowed else NotFound()
        elif isinstance(trouble, RequestValidationError):
            trouble = invalid(trouble.errors())
        return self._problem(self._or_rate_limited(trouble))

    def _or_rate_limited(self, trouble: Exception) -> Exception:
        """Who asks too often is told that, and no refusal: guessing is what the limits are for."""
        try:
            if "allowance" in self.resolver.context:
                self._require_allowance()
        except RateLimited as over:
            return over if isinstance(trouble, Refusal) else trouble
        return trouble

    def _allowed(self) -> list[str]:
        """The methods that the address asked for does answer to."""
        path = self.resolver.current_event.path
        methods = {one.method for one in self.operations if re.fullmatch(re.sub(r"<\w+>", "[^/]+", one.path), path)}
        return sorted(methods | {"HEAD"} if "GET" in methods else methods)

    def _problem(self, trouble: Exception) -> Response[str]:
        context = self.resolver.current_event.raw_event["requestContext"]
        request_id = context["requestId"]
        if not isinstance(trouble, Refusal):
            where = f"{context['http']['method']} {context['http']['path']}, request {request_id}"
            expected = isinstance(trouble, Unsettled)
            logger.log(logging.WARNING if expected else logging.ERROR, "%s: %s", where, trouble, exc_info=trouble)
        said = problem(trouble, request_id, f"{wiring.public_url()}/docs/errors")
        return Response(said.status, PROBLEM_JSON, said.body, headers={**self._headers(), **said.headers})


_OF_COMMANDS: Final = (
    inspect.Parameter("idempotency_key", inspect.Parameter.KEYWORD_ONLY, annotation=IdempotencyKey),
    inspect.Parameter("dry_run", inspect.Parameter.KEYWORD_ONLY, annotation=DryRun, default="false"),
)


def _signature(handler: Callable[..., Any], *more: inspect.Parameter) -> tuple[bool, inspect.Signature]:
    """Whether the handler takes its caller; and what is asked of a request: its other parameters, and `more`."""
    hints = typing.get_type_hints(handler, include_extras=True)
    own = dict(inspect.signature(handler).parameters)
    takes_caller = own.pop("caller", None) is not None
    asked = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.items()
    ]
    return takes_caller, inspect.Signature([*asked, *more])


def _with_method(event: Event, method: str) -> dict[str, Any]:
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": method}}}
