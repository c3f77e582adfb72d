"""Runs a command that must not outlive its parent: `python lifeline.py PARENT_PID COMMAND...`

A parent that is killed can't clean up after itself. Linux kills the child for us (PR_SET_PDEATHSIG); elsewhere this
process stays beside the child and watches. It is a program and not a `preexec_fn`, which may deadlock under threads.
On Linux the signal comes when the *thread* that started the child ends, so start it from one that lasts.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

PR_SET_PDEATHSIG: Final = 1
WATCH_SECONDS: Final = 0.5


def wrapped(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` for as long as this process lives."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: int, command: Sequence[str]) -> int:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            return 1
        os.execv(command[0], list(command))
    return _watch(parent, command)


def _watch(parent: int, command: Sequence[str]) -> int:
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None:
        if os.getppid() != parent:
            child.kill()
        time.sleep(WATCH_SECONDS)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
