"""The control plane: one port that is SQS, Step Functions, SES, S3 and Lambda to the functions, an OIDC issuer to their
callers, the local cloud's own switchboard to the command line, and an inbox to whoever opens it.
"""

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from local import aws
from local.addresses import STORE
from local.aws import AwsError, Service
from local.http.events import Request, Response, message
from local.invoker import Invoker, UnknownFunctionError
from local.issuer import Issuer
from local.mail.inbox import Inbox
from local.mail.pages import INBOX, page
from local.store import Store

Question = Callable[[Mapping[str, Any]], Awaitable[Any]]

INVOKE: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
SWITCHBOARD: Final = "/_cauri/"


class Control:
    """The site of the control port. `services` by the prefix of their target, `questions` by name."""

    def __init__(
        self,
        issuer: Issuer,
        invoker: Invoker,
        inbox: Inbox,
        services: Mapping[str, Service],
        questions: Mapping[str, Question],
        store: Store,
    ) -> None:
        self._issuer = issuer
        self._invoker = invoker
        self._inbox = inbox
        self._services = services
        self._questions = questions
        self._store = store

    async def __call__(self, request: Request) -> Response:
        target = aws.target_of(request)
        if target is not None:
            return await self._aws(*target, request)
        if request.path.startswith(STORE):
            return self._store.answer(request)
        if (invoked := INVOKE.fullmatch(request.path)) is not None:
            return await self._invoke(invoked[1], request)
        if request.path == INBOX or request.path.startswith(f"{INBOX}/"):
            return page(self._inbox, request.path)
        match request.path:
            case "/v2/email/outbound-emails":
                return self._send_email(request)
            case "/.well-known/jwks.json":
                return _json(self._issuer.keys())
            case "/.well-known/openid-configuration":
                return _json(self._issuer.configuration())
        if request.path.startswith(SWITCHBOARD):
            return await self._ask(request.path.removeprefix(SWITCHBOARD), request)
        return message(404, "Not Found")

    async def _aws(self, service: str, action: str, request: Request) -> Response:
        call = self._services.get(service)
        if call is None:
            return aws.error(AwsError("UnknownOperationException", f"the local cloud has no {service}"))
        try:
            return aws.answer(await aws.ask(call, action, aws.body_of(request)))
        except AwsError as refused:
            return aws.error(refused)

    async def _invoke(self, function: str, request: Request) -> Response:
        """Lambda's Invoke, in its synchronous form: the other would have to be kept until it is done."""
        if (b"x-amz-invocation-type", b"Event") in [(name.lower(), value) for name, value in request.headers]:
            return aws.error(AwsError("UnsupportedOperation", "the local cloud invokes synchronously only"))
        request_id = str(uuid.uuid4())
        try:
            outcome = await self._invoker.invoke(function, request.body or b"{}", request_id=request_id)
        except UnknownFunctionError:
            return aws.error(AwsError("ResourceNotFoundException", f"Function not found: {function}", 404))
        headers = [(b"content-type", b"application/json"), (b"x-amzn-requestid", request_id.encode())]
        if outcome.failed:
            headers.append((b"x-amz-function-error", b"Unhandled"))
        return Response(200, headers, outcome.payload)

    def _send_email(self, request: Request) -> Response:
        try:
            return _json(self._inbox.receive(aws.body_of(request)))
        except AwsError as refused:
            return aws.error(refused)

    async def _ask(self, name: str, request: Request) -> Response:
        question = self._questions.get(name)
        if question is None:
            return message(404, f"no question {name}")
        try:
            return _json(await question(json.loads(request.body or b"{}")))
        except KeyError as unknown:
            return message(404, f"unknown: {unknown.args[0]}")
        except (TypeError, ValueError) as malformed:
            return message(400, str(malformed))


def _json(value: Any) -> Response:
    return Response(200, [(b"content-type", b"application/json")], json.dumps(value).encode())
