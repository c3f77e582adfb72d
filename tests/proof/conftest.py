"""The proof's own fixtures, and the line that says how much was proved."""

from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from tests.engines import Engine
from tests.proof.examples.worlds import Example
from tests.proof.worlds import World
from tests.shop import Shop, database_of

TALLY: Final = Counter[str]()
NOTES: Final[list[str]] = []


@pytest.fixture
def note() -> Callable[[str], None]:
    """Has a line printed at the end of the run."""
    return NOTES.append


@pytest.fixture
def tally() -> Counter[str]:
    """How many points were tried, by kind; printed at the end of the run."""
    return TALLY


_WORLDS: Final[dict[Example, World]] = {}


@pytest.fixture
def world(example: Example, engine: Engine) -> World:
    """The world of an example at its start. It is prepared once, and then gone back to."""
    if example not in _WORLDS:
        shop = Shop(database_of(engine))
        _WORLDS[example] = World(shop, example.prepare(shop))
    _WORLDS[example].reset()
    return _WORLDS[example]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, times in sorted(TALLY.items()):
        terminalreporter.write_line(f"{what}: {times:,}")
    for line in NOTES:
        terminalreporter.write_line(line)
