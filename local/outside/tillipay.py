"""A TilliPay to test with, as far as its adapter assumes what it says."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
import threading
from collections.abc import Callable
from typing import Any, Final

from local.outside.http import Call, Deliver, Reply, Webhook, json_reply, page_reply

Json = dict[str, Any]
CURRENCIES: Final = frozenset({"KES", "KHR", "SGD", "USD"})
TOKEN_SECONDS: Final = 600


class FakeTilliPay:
    """`tenant_of` knows whose a key (``client_id:client_secret:webhook_secret``) is, given how it begins."""

    def __init__(
        self,
        url: str,
        keyed: Callable[[str], tuple[str, str] | None],
        deliver: Deliver,
        now: Callable[[], str],
    ) -> None:
        self.url = url.rstrip("/")
        self.movements: dict[tuple[str, str, str], Json] = {}
        """By tenant, ``deposits`` or ``withdrawals``, and reference."""
        self.tokens: dict[str, tuple[str, str]] = {}
        self._keyed = keyed
        self._deliver = deliver
        self._now = now
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    def answer(self, call: Call) -> Reply:
        with self._lock:
            asked = f"{call.method} {call.path.strip('/')}"
            if asked == "POST auth/token":
                return self._token(call.json())
            if page := re.fullmatch(r"(?:GET|POST) pay/([^/]+)/(.+)", asked):
                return self._page(call, *page.groups())
            known = self.tokens.get(call.headers.get("authorization", "").removeprefix("Bearer "))
            if known is None:
                return json_reply(401, {"code": "unauthorized"})
            if making := re.fullmatch(r"POST (deposits|withdrawals)", asked):
                return self._make(known[0], making[1], call.json())
            if asking := re.fullmatch(r"GET (deposits|withdrawals)/(.+)", asked):
                found = self.movements.get((known[0], asking[1], asking[2]))
                return json_reply(200, found) if found else json_reply(404, {"code": "not_found"})
            return json_reply(404, {"error": "no such path"})

    def _token(self, asked: Json) -> Reply:
        known = self._keyed(f"{asked.get('client_id')}:{asked.get('client_secret')}:")
        if known is None:
            return json_reply(401, {"code": "unauthorized"})
        token = f"token-{next(self._ids)}"
        self.tokens[token] = known
        return json_reply(200, {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"})

    def _make(self, tenant: str, what: str, asked: Json) -> Reply:
        place = (tenant, what, str(asked["reference"]))
        if place in self.movements:
            return json_reply(409, {"code": "reference_taken"})
        if asked.get("currency") not in CURRENCIES:
            return json_reply(422, {"code": "currency_not_supported"})
        movement = {
            "id": next(self._ids),
            "reference": asked["reference"],
            "status": "created" if what == "deposits" else "pending",
            "amount": asked["amount"],
            "currency": asked["currency"],
            "reason": None,
            "completed_at": None,
        }
        if what == "deposits":
            movement["payment_url"] = f"{self.url}/pay/{tenant}/{asked['reference']}"
        self.movements[place] = movement
        return json_reply(201, movement)

    def end(self, tenant: str, what: str, reference: str, status: str) -> None:
        """``completed``, ``failed``, ``processing``, ``expired``: and the tenant is told."""
        with self._lock:
            movement = self.movements[(tenant, what, reference)]
            movement |= {"status": status, "completed_at": self._now() if status == "completed" else None}
            secret = next(secret for owner, secret in self.tokens.values() if owner == tenant)
            data = {name: movement[name] for name in ("id", "reference", "status", "amount", "currency")}
            raw = json.dumps({"event": f"{what[:-1]}.{status}", "data": data}).encode()
            signed = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
            headers = {"content-type": "application/json", "x-tillipay-signature": signed}
            self._deliver(Webhook(tenant, raw, headers))

    def _page(self, call: Call, tenant: str, reference: str) -> Reply:
        if (tenant, "deposits", reference) not in self.movements:
            return page_reply(404, "<!doctype html><title>TilliPay</title><h1>There is nothing to pay here</h1>")
        if call.method == "POST":
            outcome = str(call.json().get("outcome") or call.form().get("outcome") or "succeed")
            self.end(tenant, "deposits", reference, "completed" if outcome == "succeed" else "failed")
            return json_reply(200, {"reference": reference})
        return page_reply(
            200,
            '<!doctype html><html lang="en"><title>TilliPay (a fake)</title><p>This is not TilliPay.</p>'
            '<form method="post"><button name="outcome" value="succeed">Pay</button> '
            '<button name="outcome" value="decline">Decline</button></form>',
        )
