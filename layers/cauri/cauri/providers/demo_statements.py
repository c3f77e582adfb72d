"""What the demo provider lists: the charges that shoppers made. It has no bank, so nothing is ever settled to one."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from pydantic import ValidationError

from cauri.clock import rfc3339
from cauri.providers import demo_wire as wire
from cauri.providers.http import Http
from cauri.providers.ports import KnownDispute, NotFound
from cauri.providers.statements import Charges, Disputes, KnownCharge, Page, Period, Settlements
from cauri.providers.unknown import Unknown
from cauri.providers.wire import where

NONE: Final[Page[KnownCharge]] = Page(())


class DemoStatements:
    """See `StatementProvider`. A charge is listed by the moment when somebody last tried to pay it."""

    def __init__(self, url: str, secret: str, http: Http) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._http = http

    def charges(self, tenant: str, period: Period, page: str | None = None) -> Charges | Unknown:
        asked = {"since": rfc3339(period.since), "until": rfc3339(period.until), **({"after": page} if page else {})}
        headers = {"authorization": wire.bearer(self._secret, tenant), "accept": "application/json"}
        answer = self._http.ask("GET", f"{self._url}/charges?{urlencode(asked)}", headers=headers, safe_twice=True)
        if isinstance(answer, Unknown) or answer.status != 200:
            return answer if isinstance(answer, Unknown) else Unknown(f"status {answer.status}")
        try:
            said = wire.ChargesShape.model_validate_json(answer.body)
        except ValidationError as wrong:
            return Unknown(where(wrong))
        return Page(tuple(_charge(listed) for listed in said.charges), said.next)

    def settlements(self, tenant: str, period: Period, page: str | None = None) -> Settlements | Unknown:
        return Page(())

    def settled_charges(self, tenant: str, settlement_id: str, page: str | None = None) -> Charges | Unknown:
        return NONE

    def disputes(self, tenant: str, period: Period, page: str | None = None) -> Disputes | Unknown:
        return Page(())

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        return NotFound()


def _charge(listed: wire.ListedChargeShape) -> KnownCharge:
    return KnownCharge(listed.reference, listed.id, listed.status, listed.money(), None, listed.tried_at)
