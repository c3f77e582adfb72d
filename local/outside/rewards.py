"""The issuer of partners' rewards to test with, as far as its adapter assumes what it says.

It believes what a reward is worth. What becomes of a partner's rewards is played by hand:

    curl -X POST http://127.0.0.1:…/play/usr_java -d '{"outcome": "decline"}'

``confirm`` is the rule; ``no_answer`` is an issuer that is down, and ``no_release`` one that is down for releases.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Final

from local.outside.http import Call, Reply, json_reply

Json = dict[str, Any]
MEMBERS: Final = frozenset({"reference", "partner", "reward", "amount", "currency"})


class FakeRewards:
    """`tenant_of` knows whose a key is."""

    def __init__(self, tenant_of: Callable[[str], str | None]) -> None:
        self.uses: dict[tuple[str, str], Json] = {}
        """By tenant and reference."""
        self._tenant_of = tenant_of
        self._outcomes: dict[str, str] = {}
        self._lock = threading.Lock()

    def play(self, partner: str, outcome: str) -> Reply:
        """What becomes of the partner's rewards from now on."""
        self._outcomes[partner] = outcome
        return json_reply(200, {"partner": partner, "outcome": outcome})

    def answer(self, call: Call) -> Reply:
        with self._lock:
            if found := re.fullmatch(r"play/([^/]+)", call.path.strip("/")):
                return self.play(found[1], str(call.json().get("outcome") or "confirm"))
            tenant = self._tenant_of(call.headers.get("authorization", "").removeprefix("Bearer "))
            if tenant is None:
                return json_reply(401, {"code": "unauthorized"})
            asked = f"{call.method} {call.path.strip('/')}"
            outcome = self._outcome(call.json())
            if outcome == "no_answer" or (outcome == "no_release" and asked.endswith("/release")):
                return json_reply(503, {"code": "unavailable"})
            if asked == "POST uses":
                return self._confirm(tenant, call.json())
            if found := re.fullmatch(r"POST uses/([^/]+)/(capture|release)", asked):
                return self._end(tenant, found[1], found[2], call.json())
            if found := re.fullmatch(r"GET uses/([^/]+)", asked):
                return _told(self.uses.get((tenant, found[1])))
            return json_reply(404, {"error": "no such path"})

    def _confirm(self, tenant: str, asked: Json) -> Reply:
        if not asked.keys() >= MEMBERS:
            return json_reply(400, {"code": "malformed"})
        place = (tenant, str(asked["reference"]))
        if place in self.uses:
            return json_reply(409, {"code": "reference_taken"})
        if self._outcome(asked) == "decline":
            return json_reply(422, {"code": "reward_not_valid"})
        self.uses[place] = {**asked, "status": "confirmed"}
        return json_reply(201, self.uses[place])

    def _end(self, tenant: str, reference: str, how: str, asked: Json) -> Reply:
        """A release is taken of any reference, and is its end."""
        use = self.uses.get((tenant, reference))
        if how == "release":
            self.uses[tenant, reference] = {**(use or asked), "status": "released"}
        elif use is None or use["status"] == "released" or self._outcome(use) == "decline":
            return json_reply(422, {"code": "not_confirmed"})
        else:
            use["status"] = "captured"
        return json_reply(200, self.uses[tenant, reference])

    def _outcome(self, asked: Json) -> str:
        return self._outcomes.get(str(asked.get("partner")), "confirm")


def _told(use: Json | None) -> Reply:
    return json_reply(200, use) if use else json_reply(404, {"code": "not_found"})
