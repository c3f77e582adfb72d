"""Circuit breakers that all instances share: one small item of the platform table per tenant and provider.

Closed, it costs a read every ten seconds and instance. It is written only when a provider gave no answer, or gives
one again. It never stands in the way: while its own item can't be had, everything passes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from cauri.books.database import ConditionFailed, Database
from cauri.books.shelf import Key, Shelf, Wire, Write
from cauri.clock import Clock
from cauri.errors import Unsettled
from cauri.values import dataclass

FAILURES_MAX: Final = 5
"""In one minute, by all instances: then it opens."""
OPEN_SECONDS: Final = 30
"""Until one question is let through, to see."""
PROBE_SECONDS: Final = 10
"""What that question may take; then another one may try."""
LOOK_SECONDS: Final = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """How a circuit stood when it was read. Times are Unix seconds."""

    opened_until: int = 0
    """0 while it is closed."""
    probed_until: int = 0


class _Standings(Shelf[Standing]):
    """For reading: an item is its numbers."""

    def from_item(self, item: Wire) -> Standing:
        return Standing(_number(item, "opened_until"), _number(item, "probed_until"))


STANDINGS: Final = _Standings("platform", Standing, place=lambda _: ("", ""), tenant=lambda _: "")


def standing_key(tenant: str, provider: str) -> Key[Standing]:
    return STANDINGS.key(tenant, f"circuit#{provider}", "circuit")


class SharedCircuit:
    """See `providers.guarded.Circuit`."""

    def __init__(self, database: Database, provider: str, clock: Clock) -> None:
        self._database = database
        self._provider = provider
        self._clock = clock
        self._known: dict[str, tuple[int, Standing]] = {}

    def look(self, tenant: str) -> None:
        now = self._now()
        read_at, _ = self._known.get(tenant, (-LOOK_SECONDS, None))
        if now - read_at < LOOK_SECONDS:
            return
        key = standing_key(tenant, self._provider)
        found = self._unhindered(lambda: self._database.fetch([key])[key])
        self._known[tenant] = (now, found or Standing())

    def lets_pass(self, tenant: str) -> bool:
        self.look(tenant)
        standing, now = self._known[tenant][1], self._now()
        if not standing.opened_until:
            return True
        if now < max(standing.opened_until, standing.probed_until):
            return False
        return self._may_probe(tenant, now)

    def note(self, tenant: str, *, answered: bool) -> None:
        standing = self._known.get(tenant, (0, Standing()))[1]
        if answered and standing.opened_until:
            self._close(tenant)
        elif not answered:
            self._unhindered(lambda: self._fail(tenant, was_probe=bool(standing.opened_until)))

    # -- Writing

    def _may_probe(self, tenant: str, now: int) -> bool:
        """One instance at a time."""
        values = {":until": now + PROBE_SECONDS, ":now": now}
        condition = "attribute_exists(opened_until) AND (attribute_not_exists(probed_until) OR probed_until <= :now)"
        try:
            self._update(tenant, "SET probed_until = :until", values, condition)
        except ConditionFailed:
            del self._known[tenant]  # somebody else tries, or has closed it: look again
            return False
        except Unsettled:
            return True
        return True

    def _close(self, tenant: str) -> None:
        self._unhindered(lambda: self._update(tenant, "REMOVE opened_until, probed_until, failures", {}))
        self._known[tenant] = (self._now(), Standing())

    def _fail(self, tenant: str, *, was_probe: bool) -> None:
        now = self._now()
        if was_probe or self._failures(tenant, now // 60) >= FAILURES_MAX:
            until = now + OPEN_SECONDS
            self._update(tenant, "SET opened_until = :until REMOVE probed_until", {":until": until})
            self._known[tenant] = (now, Standing(until))
            logger.warning("%s gives tenant %s no answers: not asked for %d s", self._provider, tenant, OPEN_SECONDS)

    def _failures(self, tenant: str, minute: int) -> int:
        """How many there were in this minute, with this one."""
        fresh = "attribute_not_exists(since_minute) OR since_minute < :minute"
        first = {":minute": minute, ":one": 1}
        try:
            self._update(tenant, "SET since_minute = :minute, failures = :one", first, fresh)
        except ConditionFailed:
            counted = self._update(tenant, "ADD failures :one", {":one": 1})
            return _number(counted or {}, "failures")
        return 1

    def _update(self, tenant: str, update: str, values: dict[str, int], condition: str = "") -> Wire | None:
        key = standing_key(tenant, self._provider)
        request: dict[str, Any] = {
            "TableName": "platform",
            "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            "UpdateExpression": update,
            "ReturnValues": "UPDATED_NEW",
        }
        if values:
            request["ExpressionAttributeValues"] = {name: {"N": str(value)} for name, value in values.items()}
        if condition:
            request["ConditionExpression"] = condition
        return self._database.write(Write("Update", request))

    def _unhindered(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except Unsettled:
            logger.warning("the circuit of %s can't be had", self._provider)
            return None

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _number(item: Wire, name: str) -> int:
    return int(item.get(name, {"N": "0"})["N"])
