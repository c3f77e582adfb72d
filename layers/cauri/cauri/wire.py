"""The protocol of AWS's JSON services: signed JSON over HTTP, with no more of botocore than its credentials and hooks.

botocore's client looks up the endpoint, the shapes and the user agent anew at every call, which takes longer than
all the rest of a command: ``docs/performance.md`` has the figures.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final

import botocore.session
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError

from cauri.exchange import Exchange
from cauri.values import dataclass

SIGNED: Final = "host;x-amz-date;x-amz-target"
SIGNED_WITH_TOKEN: Final = "host;x-amz-date;x-amz-security-token;x-amz-target"


@dataclass(frozen=True)
class Service:
    """`name` is botocore's for its events, `prefix` that of its host and of its signatures."""

    name: str
    prefix: str
    target: str
    json_version: str = "1.0"

    @property
    def content_type(self) -> str:
        return f"application/x-amz-json-{self.json_version}"


DYNAMODB: Final = Service("dynamodb", "dynamodb", "DynamoDB_20120810")
SQS: Final = Service("sqs", "sqs", "AmazonSQS")
STEP_FUNCTIONS: Final = Service("sfn", "states", "AWSStepFunctions")
SECRETS_MANAGER: Final = Service("secrets-manager", "secretsmanager", "secretsmanager", "1.1")


class Wire:
    """One endpoint of a service. It connects at its first call, and may be shared by threads. It never retries."""

    def __init__(
        self,
        service: Service,
        *,
        region: str,
        host: str | None = None,
        connect_seconds: float,
        read_seconds: float,
        pool: int,
    ) -> None:
        self._service = service
        self._region = region
        self._url = (host or _endpoint(service, region)).rstrip("/") + "/"
        self._exchange = Exchange(self._url, connect_seconds=connect_seconds, read_seconds=read_seconds, kept=pool)

    @functools.cached_property
    def _session(self) -> botocore.session.Session:
        return botocore.session.Session()

    @functools.cached_property
    def _events(self) -> Any:
        return self._session.get_component("event_emitter")

    @functools.cached_property
    def _credentials(self) -> Any:
        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found

    def get_ready(self) -> None:
        """Make what the first call would wait for, but the connection."""
        _ = self._credentials, self._events
        self._exchange.get_ready()

    @property
    def ready(self) -> bool:
        return "_credentials" in vars(self)

    def forget_connections(self) -> None:
        """Close what is open; the next call connects anew."""
        self._exchange.forget_connections()

    def send(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request. Raises ClientError, as botocore does, and HTTPClientError when there is none."""
        body = json.dumps(request, default=_base64, separators=(",", ":")).encode()
        headers = self._signed(operation, body)
        status, answer = self._hooked(operation, headers, body) or self._asked(headers, body)
        if status != 200:
            raise _refusal(operation, status, answer)
        # Most answers have no binary in them, and then no function is called for each of their objects.
        read: dict[str, Any] = json.loads(answer, object_hook=_binary if b'"B"' in answer else None)
        self._events.emit(f"response-received.{self._service.name}.{operation}", parsed_response=read)
        return read

    def _hooked(self, operation: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes] | None:
        """What somebody answers in the service's place, by the hook that botocore's own clients have."""
        request = AWSPreparedRequest("POST", self._url, headers, body, stream_output=False)  # type: ignore[arg-type]
        for _, response in self._events.emit(f"before-send.{self._service.name}.{operation}", request=request):
            if response is not None:
                return response.status_code, response.content
        return None

    def _asked(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            return self._exchange.post(headers, body)
        except (OSError, HTTPException) as error:
            raise HTTPClientError(error=error) from error

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        """The headers of a request, with a signature of version 4."""
        owner = self._credentials.get_frozen_credentials()
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target, service = f"{self._service.target}.{operation}", self._service.prefix
        headers = {"Content-Type": self._service.content_type, "X-Amz-Date": now, "X-Amz-Target": target}
        token = f"x-amz-security-token:{owner.token}\n" if owner.token else ""
        if token:
            headers["X-Amz-Security-Token"] = owner.token
        names = SIGNED_WITH_TOKEN if token else SIGNED
        canonical = (
            f"POST\n/\n\nhost:{self._exchange.host}\nx-amz-date:{now}\n{token}x-amz-target:{target}\n\n"
            f"{names}\n{hashlib.sha256(body).hexdigest()}"
        )
        scope = f"{now[:8]}/{self._region}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(_signing_key(owner.secret_key, now[:8], self._region, service), text).hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={owner.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers


def _endpoint(service: Service, region: str) -> str:
    """As botocore finds it: the environment may say another."""
    own = f"AWS_ENDPOINT_URL_{service.name.upper().replace('-', '_')}"
    told = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
    return told or f"https://{service.prefix}.{region}.amazonaws.com"


@functools.lru_cache(maxsize=8)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = _hmac(f"AWS4{secret}".encode(), day)
    for part in (region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _binary(found: dict[str, Any]) -> dict[str, Any]:
    """Binary comes in base64. An attribute that is itself named B has an object for its value."""
    text = found.get("B")
    return {"B": base64.b64decode(text)} if isinstance(text, str) else found


def _refusal(operation: str, status: int, answer: bytes) -> ClientError:
    try:
        told: Any = json.loads(answer, object_hook=_binary)
    except ValueError:  # not the service, but something on the way
        told = {"__type": "ServiceUnavailable"}
    code = told.pop("__type", str(status)).rpartition("#")[2]
    message = told.pop("message", told.pop("Message", ""))
    told["Error"] = {"Code": code, "Message": message}
    return ClientError(told, operation)
