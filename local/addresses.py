"""Where each part listens. Ports are remembered, so that links and tokens outlive a restart."""

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from local.state import State

HOST: Final = "127.0.0.1"
CONTROL: Final = "control"
STORE: Final = "/_s3/"  # where on the control port the buckets are
BACKLOG: Final = 2048


class PortTakenError(OSError):
    """Somebody else listens on the port that was asked for."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An open listening socket, and the name of what answers there: an API, a function URL, or the control plane."""

    name: str
    socket: socket.socket

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def listen(state: State, names: Iterable[str], first_port: int) -> Mapping[str, Listener]:
    """A listener per name: on the port it had before, else the next from `first_port`, else any free one.

    The first name gets exactly `first_port` unless that is 0. Raises PortTakenError when it can't.
    """
    remembered: dict[str, int] = json.loads(state.setting("ports") or "{}")
    listeners: dict[str, Listener] = {}
    for offset, name in enumerate(names):
        if first_port and offset == 0:
            opened = _bind_exactly(first_port)
        else:
            opened = _bind_one_of(remembered.get(name, 0), first_port and first_port + offset)
        listeners[name] = Listener(name, opened)
    state.set("ports", json.dumps({name: listener.port for name, listener in listeners.items()}))
    return listeners


def _bind_exactly(port: int) -> socket.socket:
    try:
        return _bind(port)
    except OSError as taken:
        raise PortTakenError(taken.errno, f"port {port}: {taken.strerror}") from taken


def _bind_one_of(*ports: int) -> socket.socket:
    for port in filter(None, ports):
        try:
            return _bind(port)
        except OSError:
            continue
    return _bind(0)


def _bind(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    opened.setblocking(False)
    return opened
