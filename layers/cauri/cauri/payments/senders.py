"""Who sends webhooks, and how many: what one instance remembers of the minute."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from cauri.clock import Clock

DELIVERIES_MAX: Final = 600
"""From one address in one minute, at one instance."""
REFUSED_KEPT_MAX: Final = 5
"""Of one address in one minute, by all instances."""
ADDRESSES_KEPT_MAX: Final = 20
"""Places for addresses in one minute: more senders than these share them, so that many keep no more than a few."""


class Senders:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = 0
        self._sent: Counter[str] = Counter()
        self._taken: set[str] = set()

    def may_send(self, address: str) -> bool:
        """Counts a delivery. False if there were too many already."""
        self._turn()
        self._sent[address] += 1
        return self._sent[address] <= DELIVERIES_MAX

    def place(self, address: str, body: str) -> str | None:
        """Where to keep a delivery that was not believed; None if this instance has used that place.

        The same body of the same sender has the same place.
        """
        self._turn()
        shared = _number(address) % ADDRESSES_KEPT_MAX
        place = f"{self._minute}:{shared}:{_number(body) % REFUSED_KEPT_MAX}"
        if place in self._taken:
            return None
        self._taken.add(place)
        return place

    def _turn(self) -> None:
        minute = int(self._clock().timestamp()) // 60
        if minute != self._minute:
            self._minute = minute
            self._sent.clear()
            self._taken.clear()


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:8])
