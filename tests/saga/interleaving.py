"""Two processes at once, in every order in which their calls can come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.proof.faults import Call, Script

Play = Callable[[Script], object]


class Gated(Script):
    """A process that stops before each of its calls, until it is its turn."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self.over = False
        self.outcome: object = None

    def play(self, operation: str, request: Mapping[str, Any], effect: Callable[[], Any]) -> Any:
        self.calls.append(Call(operation, request, effect))
        self._stopped.release()
        self._turn.acquire()
        return effect()

    def start(self, play: Play) -> None:
        """Run up to the first call."""

        def whole() -> None:
            try:
                self.outcome = play(self)
            except Exception as error:  # noqa: BLE001 - how a process ends is for the test to judge
                self.outcome = error
            self.over = True
            self._stopped.release()

        threading.Thread(target=whole, daemon=True).start()
        self._stopped.acquire()

    def go_on(self) -> None:
        """Make the call, and run up to the next one, or to the end."""
        self._turn.release()
        self._stopped.acquire()


@dataclass(frozen=True)
class Told:
    """One interleaving: whose turn it was, each time, among those who were not over."""

    turns: tuple[int, ...]
    could: tuple[frozenset[int], ...]
    outcomes: tuple[object, ...]


def play_in_turns(actors: Sequence[Play], turns: Sequence[int]) -> Told:
    """Let the actors call in the order of `turns`, and then one after the other."""
    scripts = [Gated() for _ in actors]
    for script, actor in zip(scripts, actors, strict=True):
        script.start(actor)
    taken: list[int] = []
    could: list[frozenset[int]] = []
    while alive := frozenset(number for number, script in enumerate(scripts) if not script.over):
        wanted = turns[len(taken)] if len(taken) < len(turns) else min(alive)
        could.append(alive)
        taken.append(wanted)
        scripts[wanted].go_on()
    return Told(tuple(taken), tuple(could), tuple(script.outcome for script in scripts))


def every_order(play: Callable[[Sequence[int]], Told], switches_max: int | None = None) -> Iterator[Told]:
    """Play every interleaving once; `play` begins in the same world each time.

    With `switches_max`, those in which an actor that could have gone on is interrupted no more often than that. Most
    mistakes show with two: one to come between, and one to be overtaken by.
    """
    left: list[tuple[int, ...]] = [()]
    while left:
        begin = left.pop()
        told = play(begin)
        yield told
        for place in range(len(begin), len(told.turns)):
            others = told.could[place] - {told.turns[place]}
            ways = [(*told.turns[:place], other) for other in others]
            left.extend(way for way in ways if switches_max is None or _switches(way, told) <= switches_max)


def _switches(turns: Sequence[int], told: Told) -> int:
    after = range(1, len(turns))
    return sum(turns[place - 1] != turns[place] and turns[place - 1] in told.could[place] for place in after)
