"""The third answer of any outside party. By itself, since who only asks for keys needs no other word of ports.py."""

from __future__ import annotations

from cauri.values import dataclass


@dataclass(frozen=True)
class Unknown:
    """No answer that can be trusted: a timeout, a 5xx, a lost connection, nonsense. Ask again; undo nothing.

    `why` is for people who read logs.
    """

    why: str
