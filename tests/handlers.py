"""The functions as Lambda has them: a module that reads its environment when it is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import pytest
from cauri.edge import outbox, wiring

from tests.engines import TABLE_PREFIX

CACHED: Final = (wiring.database, wiring.books, wiring.settings, wiring.providers, outbox.wire)


@contextmanager
def loaded(module: str, **environment: str) -> Iterator[Any]:
    """The module ``functions.payments.webhook`` of a new instance with this environment; afterwards it is gone."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TABLE_PREFIX": TABLE_PREFIX, **environment}.items():
            patch.setenv(name, value)
        _forget(module)
        try:
            found: ModuleType = importlib.import_module(module)
            yield found
        finally:
            _forget(module)


def _forget(module: str) -> None:
    sys.modules.pop(module, None)
    for cached in CACHED:
        cached.cache_clear()
