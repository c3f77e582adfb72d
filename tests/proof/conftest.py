"""The worlds that the proof plays in."""

from typing import Final

import pytest

from tests.engines import Engine
from tests.proof.examples.worlds import Example
from tests.proof.worlds import World
from tests.shop import Shop, database_of

_WORLDS: Final[dict[Example, World]] = {}


@pytest.fixture
def world(example: Example, engine: Engine) -> World:
    """The world of an example at its start. It is prepared once, and then gone back to."""
    if example not in _WORLDS:
        shop = Shop(database_of(engine))
        _WORLDS[example] = World(shop, example.prepare(shop))
    _WORLDS[example].reset()
    return _WORLDS[example]
