"""How much a run has proved, counted by the tests themselves and printed at its end, whichever process counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest

TALLY: Final = Counter[str]()
NOTES: Final[list[str]] = []


@pytest.fixture
def tally() -> Counter[str]:
    """How many points were tried, by kind."""
    return TALLY


@pytest.fixture
def note() -> Callable[[str], None]:
    """Has a line printed at the end of the run."""
    return NOTES.append


def pytest_sessionfinish(session: pytest.Session) -> None:
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)  # where xdist's workers put it
    if told is not None:
        told["tally"], told["notes"] = dict(TALLY), list(NOTES)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {})  # a worker that crashed told nothing
    TALLY.update(told.get("tally", {}))
    NOTES.extend(told.get("notes", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, times in sorted(TALLY.items()):
        terminalreporter.write_line(f"{what}: {times:,}")
    for line in NOTES:
        terminalreporter.write_line(line)
