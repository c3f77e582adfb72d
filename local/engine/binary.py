"""Where dynoxide's program is; fetched with npm the first time it is wanted.

The lock file vouches for the platform it was written on. For the others the version is pinned, and npm checks what
the registry says of that version. The program lives beside the Python packages, not in a data directory that
somebody may empty.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
VERSION: Final[str] = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"][
    "@dynoxide/linux-x64"
]
# What `sys.platform` and `platform.machine()` say, and what npm calls it.
SYSTEMS: Final = {"linux": "linux", "darwin": "darwin", "win32": "win32"}
MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
LOCKED: Final = "linux-x64"
NPM_SECONDS_MAX: Final = 120


Say = Callable[[str], None]


class EngineUnavailableError(RuntimeError):
    """There is no dynoxide here, and the message says why in one line."""


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


def program(say: Say = to_stderr) -> Path:
    """The path of dynoxide, installed first if need be. Raises EngineUnavailableError.

    `say` gets one line before anything is fetched, since that may take a while.
    """
    target = _platform()
    home = Path(sys.prefix) / "dynoxide" / VERSION
    path = _inside(home, target)
    if not path.exists():
        _install(target, home, say)
    return path


def installed() -> bool:
    """Whether `program` would answer at once, without npm or a network."""
    try:
        return _inside(Path(sys.prefix) / "dynoxide" / VERSION, _platform()).exists()
    except EngineUnavailableError:
        return False


def _inside(home: Path, target: str) -> Path:
    return home / "node_modules" / "@dynoxide" / target / ("dynoxide.exe" if target.startswith("win32") else "dynoxide")


def _platform() -> str:
    system, machine = SYSTEMS.get(sys.platform), MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise EngineUnavailableError(f"dynoxide is not built for {sys.platform} on {platform.machine()}")
    return f"{system}-{machine}"


def _install(target: str, home: Path, say: Say) -> None:
    """Installs into a directory of its own and moves it in place, so that two at once do no harm."""
    npm = shutil.which("npm")
    if npm is None:
        raise EngineUnavailableError("npm is not installed, and dynoxide comes from npm")
    say(f"Installing dynoxide {VERSION} with npm, this once")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        _fetch(npm, target, Path(scratch))
        if not _inside(Path(scratch), target).exists():
            raise EngineUnavailableError(f"npm brought no dynoxide {VERSION} for {target}")
        try:
            (Path(scratch) / "node_modules").rename(_made(home) / "node_modules")
        except OSError:
            if not _inside(home, target).exists():  # else another process was faster
                raise


def _made(home: Path) -> Path:
    home.mkdir(exist_ok=True)
    return home


def _fetch(npm: str, target: str, scratch: Path) -> None:
    if target == LOCKED:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, scratch)
        arguments = ["ci"]
    else:
        arguments = ["install", "--no-save", f"@dynoxide/{target}@{VERSION}"]
    try:
        subprocess.run(
            [npm, *arguments, "--prefix", str(scratch), "--ignore-scripts", "--no-audit", "--no-fund"],
            check=True,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS_MAX,
        )
    except subprocess.CalledProcessError as failed:
        said = (failed.stderr.strip().splitlines() or ["nothing"])[0]
        raise EngineUnavailableError(f"npm could not install dynoxide {VERSION}: {said}") from failed
    except subprocess.TimeoutExpired as late:
        raise EngineUnavailableError(f"npm did not answer within {NPM_SECONDS_MAX} s") from late
