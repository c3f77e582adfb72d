from __future__ import annotations

from collections.abc import Iterator

import pytest
from cauri.providers.demo import DemoProvider
from cauri.providers.http import Http

from functions.payments.demo_provider import handler_of
from functions.payments.demo_provider.books import Books
from functions.payments.demo_provider.desk import Desk
from functions.payments.demo_provider.errands import Queue
from functions.payments.demo_provider.table import Table
from tests.engines import TABLE_PREFIX, Engine
from tests.providers.servers import Receiver, function_url, receiving
from tests.providers.world import SECRET, SetClock, Sqs, World, courier


@pytest.fixture
def shop() -> Iterator[Receiver]:
    """Where the provider's webhooks arrive."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def world(engine: Engine, shop: Receiver) -> Iterator[World]:
    clock = SetClock()
    sqs = Sqs(clock)
    desk = Desk(
        books=Books(Table(engine.client(), f"{TABLE_PREFIX}demo-provider")),
        queue=Queue(lambda: sqs, "https://sqs.example/demo-provider", clock),
        courier=courier(shop.url),
        secret=SECRET,
        clock=clock,
    )
    handler = handler_of(lambda: desk)
    with function_url(handler) as url:
        provider = DemoProvider(url, SECRET, clock, http=Http(connect_seconds=1, read_seconds=10))
        yield World(clock, sqs, desk, handler, shop, provider)
