"""Paystack over HTTP: one question, and its envelope taken off. Source: https://paystack.com/docs/api."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from cauri.money import Money
from cauri.providers.http import Http
from cauri.providers.keys import Keys, KeysUnavailableError
from cauri.providers.ports import Declined
from cauri.providers.unknown import Unknown
from cauri.providers.wire import Exponents
from cauri.values import dataclass

URL: Final = "https://api.paystack.co"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.=-]{1,100}")
EXPONENTS: Final = Exponents(XOF=2)
"""Paystack counts XOF in hundredths, which the currency does not have."""
NOT_ENABLED: Final = Declined("not_enabled")
_REFUSED: Final = frozenset({400, 404, 422})
"""Statuses with which Paystack refuses a request by itself. 401, 403 and 429 are about us, and 5xx about Paystack."""
_ABOUT_THE_REQUEST: Final = frozenset({"unsupported_currency"})
"""Codes of a 403 that is about the request, and not about us."""


@dataclass(frozen=True)
class Said:
    """An answer that is Paystack's own. `data` is any JSON; `code` is empty where Paystack gives none."""

    status: int
    good: bool
    message: str
    code: str
    data: Any
    meta: Mapping[str, Any]

    @property
    def refusal(self) -> Declined | Unknown:
        """What it means for a request to have got this answer, which is no success."""
        if (self.status in _REFUSED and not self.good) or self.code in _ABOUT_THE_REQUEST:
            return Declined(self.code or _slug(self.message))
        return Unknown(f"status {self.status}")


@dataclass(frozen=True)
class PaystackApi:
    """`url` is Paystack's, or its fake's on this machine. Deadlines are `http`'s, and hold for each question."""

    url: str
    keys: Keys
    http: Http

    def get(self, tenant: str, path: str, **query: str | int) -> Said | Declined | Unknown:
        asked = f"{path}?{urlencode(query)}" if query else path
        return self._ask(tenant, "GET", asked, None, safe_twice=True)

    def post(
        self, tenant: str, path: str, body: Mapping[str, Any], *, safe_twice: bool = False
    ) -> Said | Declined | Unknown:
        return self._ask(tenant, "POST", path, json.dumps(body).encode(), safe_twice=safe_twice)

    def _ask(
        self, tenant: str, method: str, path: str, body: bytes | None, *, safe_twice: bool
    ) -> Said | Declined | Unknown:
        """Declined only where the tenant has no secret: then nobody was asked."""
        try:
            keys = self.keys(tenant)
        except KeysUnavailableError as trouble:
            return Unknown(str(trouble))
        if not keys:
            return NOT_ENABLED
        headers = {"authorization": f"Bearer {keys[0]}", "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        answer = self.http.ask(method, f"{self.url}/{path}", headers=headers, body=body, safe_twice=safe_twice)
        return answer if isinstance(answer, Unknown) else _opened(answer.status, answer.body)


def _opened(status: int, body: bytes) -> Said | Unknown:
    if status == 429 or status >= 500:
        return Unknown(f"status {status}")
    try:
        envelope = json.loads(body)
    except ValueError:
        return Unknown(f"status {status}, and no JSON")
    if not isinstance(envelope, dict) or not isinstance(envelope.get("status"), bool):
        return Unknown(f"status {status}, and not Paystack's envelope")
    return Said(
        status=status,
        good=status // 100 == 2 and envelope["status"],
        message=str(envelope.get("message") or ""),
        code=str(envelope.get("code") or ""),
        data=envelope.get("data"),
        meta=meta if isinstance(meta := envelope.get("meta"), dict) else {},
    )


def money_of(amount: int, currency: str) -> Money | Unknown:
    return EXPONENTS.from_wire(amount, currency)


def to_wire(reference: str) -> str:
    """A reference as Paystack may have it. Raises ValueError for one that it could not carry."""
    if not _REFERENCE.fullmatch(reference) or "." in reference:
        raise ValueError(f"{reference!r} can be no reference")
    return reference.replace("_", ".")


def from_wire(reference: str) -> str:
    return reference.replace(".", "_")


def _slug(message: str) -> str:
    """A message as a code: ``Refund amount is too high`` as ``refund_amount_is_too_high``."""
    return re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:80] or "declined"
