"""The command line, as a person or a program runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engines import TEMPLATE

ENTRY = [sys.executable, "-c", "from local.cli import main; main()"]
SECONDS_MAX = 90
WIDE = "300"  # so that no table is folded


@dataclass(frozen=True)
class Cauri:
    """`cauri`, pointed at the cloud that keeps its state in `data`."""

    data: Path

    def __call__(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        of = ["--template", str(TEMPLATE), "--data", str(self.data)]
        return subprocess.run(
            [*ENTRY, *arguments, *of],
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
            env=os.environ | {"COLUMNS": WIDE},
        )

    def told(self, *arguments: str) -> Any:
        """What a program reads of a command that goes well."""
        ran = self(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)
