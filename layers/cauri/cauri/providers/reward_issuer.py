"""The issuer of partners' rewards, over HTTP. **Unverified**: a protocol of ours, which no partner has spoken yet.

    POST /uses                      {"reference", "partner", "reward", "amount", "currency"}    confirmed, or 422
    POST /uses/{reference}/capture                                                              captured, or 422
    POST /uses/{reference}/release  the body as above                                           released, or 422
    GET  /uses/{reference}                                                                      how it stands, or 404

A use is answered as ``{"reference", "status"}``, a refusal as ``{"code"}``; a reference that was released stays so. A
tenant's key is sent as a bearer token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from cauri.providers.http import Http
from cauri.providers.keys import Keys, KeysUnavailableError
from cauri.providers.ports import Declined
from cauri.providers.rewards import NOT_ENABLED, Done, RewardAnswer, RewardUse
from cauri.providers.unknown import Unknown
from cauri.providers.wire import Shape, shape_of

CONFIRMED: Final = frozenset({"confirmed", "captured"})
CAPTURED: Final = frozenset({"captured"})
RELEASED: Final = frozenset({"released"})


class UseShape(Shape):
    reference: str
    status: str


class RefusalShape(Shape):
    code: str


class HttpRewardIssuer:
    """See `RewardIssuer`."""

    name: Final = "rewards"

    def __init__(self, url: str, keys: Keys, http: Http) -> None:
        self._url = url.rstrip("/")
        self._keys = keys
        self._http = http

    def confirm(self, use: RewardUse) -> RewardAnswer:
        return self._ask(use, "uses", CONFIRMED)

    def capture(self, use: RewardUse) -> RewardAnswer:
        return self._ask(use, f"{_place(use)}/capture", CAPTURED)

    def release(self, use: RewardUse) -> RewardAnswer:
        return self._ask(use, f"{_place(use)}/release", RELEASED)

    def _ask(self, use: RewardUse, path: str, done: frozenset[str]) -> RewardAnswer:
        """Declined without a question only where the tenant has no key, or there is nobody to ask."""
        try:
            keys = self._keys(use.tenant)
        except KeysUnavailableError as trouble:
            return Unknown(str(trouble))
        if not keys or not self._url:
            return Declined(NOT_ENABLED)
        said = self._send("POST", path, keys[0], _body(use))
        if isinstance(said, tuple) and said[0] == 409:  # the reference is taken: by ourselves, a moment ago
            said = self._send("GET", _place(use), keys[0], None)
        return said if isinstance(said, Unknown) else self._read(use, *said, done)

    def _read(self, use: RewardUse, status: int, body: object, done: frozenset[str]) -> RewardAnswer:
        if status == 422:
            refused = shape_of(RefusalShape, body)
            return refused if isinstance(refused, Unknown) else Declined(refused.code)
        if status // 100 != 2:
            return Unknown(f"status {status}")
        found = shape_of(UseShape, body)
        if isinstance(found, Unknown):
            return found
        if found.reference != use.reference:
            return Unknown("the answer is about another reference")
        if found.status in RELEASED - done:
            return Declined("released")
        return Done() if found.status in done else Unknown(f"a use that is {found.status!r}")

    def _send(self, method: str, path: str, key: str, body: Mapping[str, Any] | None) -> tuple[int, object] | Unknown:
        raw = None if body is None else json.dumps(body).encode()
        told = {"accept": "application/json", "content-type": "application/json", "authorization": f"Bearer {key}"}
        answer = self._http.ask(method, f"{self._url}/{path}", headers=told, body=raw, safe_twice=True)
        if isinstance(answer, Unknown):
            return answer
        if answer.status in (401, 403, 404, 429) or answer.status >= 500:
            return Unknown(f"status {answer.status}")
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            return Unknown(f"status {answer.status}, and no JSON")


def _place(use: RewardUse) -> str:
    return f"uses/{quote(use.reference, safe='')}"


def _body(use: RewardUse) -> dict[str, Any]:
    return {
        "reference": use.reference,
        "partner": use.partner,
        "reward": use.reward,
        "amount": use.amount.amount,
        "currency": use.amount.currency,
    }
