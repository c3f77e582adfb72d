"""A crowd that shops until the cloud dies, and remembers what it was told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.e2e.market import CHECKOUTS, Market

AT_ONCE: Final = 6
ENDS: Final = {"succeed": "CONFIRMED", "decline": "CANCELLED", "duplicate": "CONFIRMED"}


@dataclass
class Shopper:
    """One who buys under a key, and then does `outcome` on the provider's page. `answer` is what came back, if any."""

    number: int
    outcome: str
    answer: httpx.Response | None = None
    has_paid: bool = False

    def shop(self, market: Market, sku: str, *, lingers: bool = False) -> None:
        """Check out, and pay unless one lingers. Whatever was answered before is done again: a retry."""
        body = market.basket(sku, 1 + self.number % 3, contact={"email": f"guest{self.number}@example.com"})
        answer = market.send("POST", CHECKOUTS, token=market.guest.token, key=f"shopper-{self.number}", json=body)
        assert answer.status_code == 201, answer.text
        if self.answer is not None:
            assert answer.content == self.answer.content
            assert answer.headers["idempotent-replayed"] == "true"
        self.answer = answer
        if not lingers and not self.has_paid:
            market.pay(answer.json(), self.outcome)
            self.has_paid = True

    @property
    def placed(self) -> Any:
        assert self.answer is not None
        return self.answer.json()


@dataclass
class Crowd:
    """Every third shopper still has to pay when the cloud dies."""

    sku: str
    shoppers: list[Shopper] = field(default_factory=list)

    @contextmanager
    def shopping(self, market: Market) -> Iterator[None]:
        """Shoppers come, several at once, while the block runs and the cloud lives."""
        over = threading.Event()
        first = len(self.shoppers)
        coming = zip(itertools.count(first), itertools.cycle(ENDS), strict=False)
        turn = threading.Lock()

        def queue_up() -> None:
            while not over.is_set():
                with turn:
                    shopper = Shopper(*next(coming))
                    self.shoppers.append(shopper)
                try:
                    shopper.shop(market, self.sku, lingers=shopper.number % 3 == 2)
                except httpx.TransportError:
                    return

        with ThreadPoolExecutor(AT_ONCE) as pool:
            queues = [pool.submit(queue_up) for _ in range(AT_ONCE)]
            try:
                yield
            finally:
                over.set()
            for queue in queues:
                queue.result()

    def answered(self) -> list[Shopper]:
        return [shopper for shopper in self.shoppers if shopper.answer is not None]

    def come_back(self, market: Market) -> None:
        """Everybody sends the request again under its key, and does what is left to do."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda shopper: shopper.shop(market, self.sku), self.shoppers))
