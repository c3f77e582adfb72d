"""Many people at once: threads that set out together, each with the books of a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from cauri.books.commit import Books, Settings
from cauri.books.database import Database
from cauri.checkout.saga import CheckoutSaga
from cauri.errors import Refusal
from cauri.payments.asking import settle

from local.engine.conflicts import Conflicts
from tests.engines import Engine
from tests.proof.examples.worlds import NobodyWakes
from tests.proof.faults import OwnDatabase
from tests.shop import Shop, database_of

T = TypeVar("T")
THREADS_MAX: Final = 48
SECONDS_MAX: Final = 20.0
"""How long a command may go on losing races: longer than usual, since 48 threads here share two cores."""


class Conflicting(OwnDatabase):
    """One whose transactions are in each other's way, as they are on AWS."""

    def __init__(self, origin: Database, conflicts: Conflicts) -> None:
        super().__init__(origin)
        self._conflicts = conflicts

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with self._conflicts.met(operation, request):
            return super().send(operation, request)


class Crowd:
    def __init__(
        self, engine: Engine, shop: Shop, conflicts: Conflicts | None = None, threads_max: int = THREADS_MAX
    ) -> None:
        self._shop = shop
        self._local = threading.local()
        self._origin = database_of(engine)
        self._conflicts = conflicts
        self._threads_max = threads_max

    @property
    def books(self) -> Books:
        """The books of this thread's process."""
        if not hasattr(self._local, "books"):
            self._local.books = self._process()
        own: Books = self._local.books
        return own

    def _process(self) -> Books:
        return Books(
            OwnDatabase(self._origin) if self._conflicts is None else Conflicting(self._origin, self._conflicts),
            self._shop.clock,
            providers={"demo": self._shop.provider},
            settings=Settings(public_url="https://soko.example"),
            seconds_max=SECONDS_MAX,
        )

    def at_once(self, act: Callable[[Books, int], T], times: int) -> list[T | Refusal]:
        """What everybody gets: an answer, or the refusal. What is neither is raised."""
        threads = min(self._threads_max, times)
        start = threading.Barrier(threads)

        def attempt(turn: int) -> T | Refusal:
            books = self.books  # made before all set out
            if turn < threads:
                start.wait()
            try:
                return act(books, turn)
            except Refusal as refusal:
                return refusal

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(attempt, range(times)))

    def buy(self, books: Books, order_id: str) -> str:
        """Pay for an order, and take it through the steps of its saga; where that ends."""
        saga = CheckoutSaga(books, NobodyWakes())
        payload: dict[str, Any] = {"tenant": self._shop.tenant, "order_id": order_id, "execution": order_id}
        payload["watch"] = self._shop.watch(order_id)
        for payment in self._shop.tree(order_id).payments:
            self._shop.provider.pay(payment.id)
            settle(books, payment)
        began = saga.run({**payload, "step": "begin"})
        if began["next"] != "paid":
            return str(began["next"])
        secured = saga.run({**payload, "step": "secure_stock"})
        if secured["next"] != "secured":
            return str(secured["next"])
        more = {"stock": secured["stock"], "customer_id": began["customer_id"], "key": f"{order_id}:ConfirmOrder:1"}
        confirmed = saga.run({**payload, **more, "step": "confirm_order"})
        saga.run({**payload, "step": "settle_stock"})
        return str(confirmed["next"])


@contextmanager
def watching(look: Callable[[], T]) -> Iterator[Sequence[T]]:
    """What `look` sees, again and again while the body runs."""
    seen: list[T] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(look())

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        try:
            yield seen
        finally:
            over.set()
            watcher.result()
