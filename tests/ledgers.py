"""hledger and Beancount, asked what a file comes to."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

Balances = dict[tuple[str, str], Decimal]
"""By account and asset, without those that are nothing."""

SECONDS_MAX: Final = 120
WATCHED: Final = "CI" in os.environ
"""Read before tests/conftest.py empties it."""


def hledger_balances(path: Path) -> Balances:
    """What hledger makes of the file, which it must accept, in its order and with its commodities."""
    program = shutil.which("hledger")
    if program is None:
        if WATCHED:
            pytest.fail("hledger is not installed, and CI has to have it: .ci/run installs it")
        pytest.skip("hledger is not installed: apt-get install hledger")
    _run(program, "check", "commodities", "ordereddates", path=path)
    told = _run(program, "balance", "--flat", "--no-total", "--layout=tidy", "--output-format=csv", path=path)
    rows = csv.DictReader(io.StringIO(told))
    return _some({(row["account"], row["commodity"]): Decimal(row["value"] or "0") for row in rows})


def beancount_balances(path: Path) -> Balances:
    """What Beancount makes of the file, in which it may find no error."""
    from beancount import loader
    from beancount.core.data import Transaction

    entries, errors, _ = loader.load_file(str(path))
    assert [error.message for error in errors] == []
    sums: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            place: Any = (posting.account, posting.units.currency)
            sums[place] += posting.units.number
    return _some(sums)


def _some(balances: Any) -> Balances:
    return {place: amount for place, amount in balances.items() if amount}


def _run(program: str, *arguments: str, path: Path) -> str:
    ran = subprocess.run(
        [program, "-f", str(path), *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    assert ran.returncode == 0, ran.stderr[:2000]
    return ran.stdout
