"""Where an adapter gets a tenant's secrets from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Keys: TypeAlias = Callable[[str], Sequence[str]]
"""The live secrets of a tenant, given its id: the one to sign with first, and those that may still have signed.

Empty where the tenant has none: it does not use this provider. Raises KeysUnavailableError.
"""


class KeysUnavailableError(Exception):
    """Nobody can say now which secrets the tenant has."""
