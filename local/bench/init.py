"""What a function's init costs, against importing the third-party packages that it uses and nothing else.

Both are imports in fresh processes, taken in turn in one run, so that a busy machine slows both.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from local.template import Function, Template, resolve

STOPWATCH: Final = Path(__file__).with_name("stopwatch.py")
RATIO_AIM: Final = 1.15


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians, in milliseconds. CPU is user and system time of the process."""

    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Init:
    function: str
    handler: Cost
    packages: Cost

    @property
    def ratio(self) -> float:
        """CPU of the whole init over CPU of the third-party packages alone."""
        return self.handler.cpu_ms / self.packages.cpu_ms

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": round(self.ratio, 3)}


@dataclass(frozen=True, slots=True)
class Placeholders:
    """A lookup for environments that are read, and whose addresses nobody calls."""

    template: Template

    def ref(self, name: str) -> str:
        parameter = self.template.parameters.get(name)
        return name if parameter is None or parameter.default is None else parameter.default

    def attribute(self, logical_id: str, attribute: str) -> str:
        return f"https://{logical_id}.example.com/{attribute}"

    def secret(self, secret_id: str) -> str:
        return f"the secret {secret_id}"


def measure(
    template: Template, functions: Iterable[Function], repeats: int, tick: Callable[[], object] = lambda: None
) -> list[Init]:
    """The init of each of `functions`, median of `repeats`. `tick` is called after each of the `repeats` of each."""
    return [_measure(template, function, repeats, tick) for function in functions]


def _measure(template: Template, function: Function, repeats: int, tick: Callable[[], object]) -> Init:
    environment = environment_of(template, function)
    packages = _timed([function.module], environment)["third_party"]  # it also leaves everybody's bytecode behind
    pairs = []
    for _ in range(repeats):
        pairs.append((_timed([function.module], environment), _timed(packages, environment)))
        tick()
    handler, alone = zip(*pairs, strict=True)
    return Init(function.logical_id, _median(handler), _median(alone))


def _median(runs: Iterable[Mapping[str, Any]]) -> Cost:
    runs = list(runs)
    return Cost(
        round(statistics.median(run["cpu_ms"] for run in runs), 1),
        round(statistics.median(run["wall_ms"] for run in runs), 1),
    )


def _timed(modules: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-P", str(STOPWATCH), *modules]
    ended = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise ImportError(f"{' '.join(modules[:1])}: {ended.stderr[-2000:]}")
    timed: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return timed


def environment_of(template: Template, function: Function) -> dict[str, str]:
    """What the function finds on AWS, as far as an import looks at it, and what it takes to find the function here."""
    declared = resolve(dict(function.environment), Placeholders(template))
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(template.directory),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        **{name: str(value) for name, value in declared.items()},
    }
