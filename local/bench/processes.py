"""What the processes of a local cloud have spent, by the part of the cloud that they are. Reads Linux's /proc."""

import os
from collections import Counter
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICK_MS: Final = 1000 / os.sysconf("SC_CLK_TCK")

PARTS: Final = {
    "local.workers.instance": "workers",
    "local.machines.interpreter": "interpreter",
    "local.moto_server": "engine",
    "dynoxide": "engine",
    "local.server": "front",
}
"""By what its command line has in it; the first that fits."""


def cpu_ms(session: int) -> Counter[str]:
    """User and system time so far of every process of a session, and of those that have ended, by part."""
    spent: Counter[str] = Counter()
    for directory in PROC.iterdir():
        if directory.name.isdigit() and (found := _process(directory, session)) is not None:
            part, ms = found
            spent[part] += ms  # type: ignore[assignment]  # a Counter may count in fractions
    return spent


def _process(directory: Path, session: int) -> tuple[str, float] | None:
    try:
        # The name, in parentheses, may have spaces in it.
        fields = (directory / "stat").read_text().rpartition(")")[2].split()
        if int(fields[3]) != session:
            return None
        command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return None
    part = next((part for mark, part in PARTS.items() if mark in command), "other")
    return part, sum(int(ticks) for ticks in fields[11:13]) * TICK_MS
