"""Tenants' secrets at outside parties: one secret per party, in Secrets Manager, with every tenant's keys in it.

Its text is ``{"soko": ["sk_live_new", "sk_live_old"]}``: the key to use, and one that is being retired, for as long as
webhooks signed with it may come. Whoever rotates a key puts the new one in front, and drops the old one days later.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import botocore.exceptions

from cauri.edge.outbox import ask
from cauri.providers.keys import KeysUnavailableError
from cauri.wire import SECRETS_MANAGER

FRESH_SECONDS: Final = 300.0
"""How long what was read counts. A key that is rotated works on for as long as it is in the secret at all."""
MISSED_SECONDS: Final = 2.0
"""The same for a tenant that was not in it: one that has just been set up does not wait for long."""
STALE_SECONDS_MAX: Final = 3600.0
"""How long it serves while Secrets Manager does not answer."""

logger = logging.getLogger(__name__)
Read = Callable[[], str]


def secret_text(secret_id: str) -> Read:
    """How the text of a secret is read. Raises botocore's exceptions."""
    return lambda: str(ask(SECRETS_MANAGER, "GetSecretValue", {"SecretId": secret_id})["SecretString"])


class TenantKeys:
    """The live keys of each tenant at one party: what adapters call `Keys`."""

    def __init__(self, read: Read, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._keys: Mapping[str, Sequence[str]] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None

    def __call__(self, tenant: str) -> Sequence[str]:
        """Raises KeysUnavailableError."""
        age = self._age(self._read_at)
        if age > (FRESH_SECONDS if tenant in self._keys else MISSED_SECONDS) and self._age(self._tried_at) > 1.0:
            self._refresh()
        if self._age(self._read_at) > STALE_SECONDS_MAX:
            raise KeysUnavailableError("no secrets can be read")
        return self._keys.get(tenant, ())

    def _age(self, at: float | None) -> float:
        return math.inf if at is None else self._monotonic() - at

    def _refresh(self) -> None:
        self._tried_at = self._monotonic()
        try:
            self._keys = _keys(self._read())
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, ValueError) as trouble:
            logger.warning("keys are not read: %s", type(trouble).__name__)  # its text may hold one
            return
        self._read_at = self._monotonic()


def _keys(text: str) -> dict[str, Sequence[str]]:
    """Raises ValueError for anything else than lists of texts by tenant."""
    said = json.loads(text)
    if not isinstance(said, dict) or not all(_is_keys(keys) for keys in said.values()):
        raise ValueError("not lists of keys by tenant")
    return said


def _is_keys(keys: object) -> bool:
    return isinstance(keys, list) and all(isinstance(key, str) and key for key in keys)
