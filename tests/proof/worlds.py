"""A prepared world that an act can be played in again and again, by one process after another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cauri.books.commit import Books
from cauri.checkout.uses import sweep_uses
from cauri.errors import Unsettled
from cauri.inventory.sweep import sweep

from tests.proof import state
from tests.proof.examples.worlds import Act
from tests.proof.faults import FAULTS, Died, Fault, FaultyProvider, Script, ScriptedDatabase
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import Shop, no_pause

ATTEMPTS_MAX = 5
AFTER_EVERYTHING = timedelta(hours=3)
ASKED_AGAIN = (b'"unknown"', b'"wait"')
"""After these answers of a step the state machine asks again: nobody knew."""


@dataclass(frozen=True)
class Outcome:
    """What an act came to: its answer, all that is stored, and what the provider gave back. Order numbers masked."""

    answer: bytes
    stored: dict[state.Place, str]
    refunded: dict[str, Any]


@dataclass
class World:
    """The world of one example at its start, to go back to."""

    shop: Shop
    act: Act
    start: state.Snapshot = field(default_factory=state.snapshot)

    def __post_init__(self) -> None:
        self._truth = copy.deepcopy(self.shop.provider)
        self._now = self.shop.clock.now

    def reset(self) -> None:
        self.start.restore()
        self.shop.clock.now = self._now
        vars(self.shop.provider).update(vars(copy.deepcopy(self._truth)))

    def process(self, script: Script | None = None, *, submitted_first: bool = False) -> Books:
        """The books of a new process: nothing in its memory but what is stored."""
        script = script or Script()
        return Books(
            ScriptedDatabase(self.shop.database, script, submitted_first=submitted_first),
            self.shop.clock,
            providers={"demo": FaultyProvider(self.shop.provider, script)},
            settings=self.shop.books.settings,
            pause=no_pause,
        )

    def play(self, script: Script, *, submitted_first: bool = False) -> Outcome:
        """Run the act in one process after another, until one answers. Only the first follows `script`."""
        books = self.process(script, submitted_first=submitted_first)
        for _ in range(ATTEMPTS_MAX):
            try:
                answer = self.act(books)
            except (Died, Unsettled):
                pass
            else:
                if not (script.left_in_doubt and any(doubt in answer for doubt in ASKED_AGAIN)):
                    return self.outcome(answer)
                script = Script()
            books = self.process(submitted_first=submitted_first)
        raise AssertionError(f"no answer after {ATTEMPTS_MAX} processes")

    def die(self, script: Script) -> None:
        """Run the act in one process, which dies as `script` says."""
        with pytest.raises(Died):
            self.act(self.process(script))

    def let_time_pass(self) -> None:
        """Until nothing may be left any more of an attempt that died."""
        self.shop.clock.now += AFTER_EVERYTHING
        if any('"claims": {"M": {"' in text for text in self.stored().values()):  # a sweep reads the whole catalogue
            sweep(self.shop.database, self.shop.tenant, self.shop.clock.now)
            sweep_uses(self.shop.database, self.shop.tenant, self.shop.clock.now)

    def outcome(self, answer: bytes) -> Outcome:
        return Outcome(state.masked(answer), self.stored(), dict(self.shop.provider.refunds))

    def stored(self) -> dict[state.Place, str]:
        return state.view(state.items())

    def differences(self) -> list[str]:
        return differences(picture(state.items(), self.shop.clock.now))


def crash_points(clean: Script, faults: tuple[Fault, ...] = FAULTS) -> Iterator[Script]:
    """A script for every call of a clean run and every fault that can happen to it."""
    for number, call in enumerate(clean.calls):
        for fault in faults:
            if fault.fits(call):
                yield Script(number, fault)
