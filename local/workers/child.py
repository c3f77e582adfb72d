"""Child processes that cannot outlive the front, not even when it is killed with SIGKILL.

`python -m local.workers.child MODULE ARGUMENTS... PARENT` is what runs each of them: it binds its life to PARENT before
it imports MODULE, which may take seconds, and then calls its `main(ARGUMENTS...)`.
"""

import asyncio
import ctypes
import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from local.workers.wire import Channel

PR_SET_PDEATHSIG: Final = 1
PARENT_WATCH_SECONDS: Final = 0.5


def die_with(parent: int) -> None:
    """Bind this process's life to that of `parent`, the process that started it, and to nothing else.

    Ctrl-C reaches every process of a terminal; only the parent is to act on it, in its own order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it died before we could ask to be told
        os._exit(0)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_WATCH_SECONDS)
    os._exit(0)


def parented(module: str, *arguments: str) -> list[str]:
    """The command that calls `main(*arguments)` of `module` in a child of this process."""
    return [sys.executable, "-m", __name__, module, *arguments, str(os.getpid())]


async def start_child(
    module: str,
    log: Path,
    environment: Mapping[str, str],
    received: Callable[[int, bytes], None],
    lost: Callable[[], None],
) -> tuple[asyncio.subprocess.Process, Channel]:
    """Call `main(descriptor)` of `module` in a child, joined to this process by the socket of that descriptor.

    What it prints outside any handler goes to `log`.
    """
    ours, theirs = socket.socketpair()
    with theirs, log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *parented(module, str(theirs.fileno())),
            pass_fds=[theirs.fileno()],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
        )
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_unix_connection(lambda: Channel(received, lost), sock=ours)
    return process, channel


if __name__ == "__main__":
    name, *given, starter = sys.argv[1:]
    die_with(int(starter))
    importlib.import_module(name).main(*given)
