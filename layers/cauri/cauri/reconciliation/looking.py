"""What every check is made with; and the second look, since what is under way is no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.clock import Clock
from cauri.providers.statements import StatementProvider
from cauri.reconciliation.model import Difference, joined
from cauri.values import dataclass, field

PAUSES: Final = (0.5, 2.0, 4.0)
"""Seconds before each further look at what differs. Accounts, lists and indexes follow a commit within a second or two;
a wallet changes in less. What stands still as it was for six seconds is not on its way."""


PATIENCE_SECONDS: Final = 240.0
"""How long one part of a reconciliation pauses in all. If more than that differs, it is not because it is under way."""


def patiently(pause: Callable[[float], None]) -> Callable[[float], None]:
    """`pause`, until the patience of one part is used up."""
    left = PATIENCE_SECONDS

    def wait(seconds: float) -> None:
        nonlocal left
        if left > 0:
            pause(seconds)
            left -= seconds

    return wait


@dataclass(frozen=True)
class Letter:
    """A dead letter of the tenant's: in which queue, and what it is about."""

    queue: str
    id: str
    about: str
    resource: str


class Letters(Protocol):
    """The dead-letter queues."""

    def of(self, tenant: str) -> Sequence[Letter]:
        """Those that name this tenant. They stay where they are."""


class NoLetters:
    """For who has no queues to look into."""

    def of(self, tenant: str) -> Sequence[Letter]:
        return ()


@dataclass(frozen=True)
class Sight:
    """The way to all that a reconciliation compares, for one tenant."""

    books: Books
    """For what a command would do. Nothing is committed."""
    tenant: str
    statements: Mapping[str, StatementProvider] = field(default_factory=dict)
    letters: Letters = field(default_factory=NoLetters)
    pause: Callable[[float], None] = lambda _: None

    @property
    def database(self) -> Database:
        return self.books.database

    @property
    def clock(self) -> Clock:
        return self.books.clock


def standing(sight: Sight, look: Callable[[], Iterable[Difference]]) -> tuple[Difference, ...]:
    """What `look` finds however often it looks: the same differences, in the same figures."""
    found = joined(look())
    for seconds in PAUSES:
        if not found:
            break
        sight.pause(seconds)
        again = {one.id: one for one in joined(look())}
        found = tuple(again[one.id] for one in found if one.id in again and again[one.id].says == one.says)
    return found
