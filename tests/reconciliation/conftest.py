"""The busy shop, made once and gone back to."""

from __future__ import annotations

import copy
from typing import Any, Final

import pytest

from tests.engines import Engine
from tests.proof import state
from tests.reconciliation.busy import Desk, busy
from tests.shop import Shop

_MADE: Final[dict[str, Any]] = {}


@pytest.fixture
def desk(engine: Engine, shop: Shop) -> Desk:
    if not _MADE:
        made = busy(shop, engine)
        _MADE.update(items=state.snapshot(), now=shop.clock.now, provider=vars(shop.provider), folded=made.folded)
        _MADE.update(copy.deepcopy({name: _MADE[name] for name in ("provider", "folded")}))
    _MADE["items"].restore()
    shop.clock.now = _MADE["now"]
    shop.keys = 1_000
    vars(shop.provider).update(copy.deepcopy(_MADE["provider"]))
    return Desk(shop, engine, folded={*_MADE["folded"]})
