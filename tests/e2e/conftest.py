"""One local cloud that most of these tests share, each in a tenant of its own; and the command line."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from local.cloud import LocalCloud
from tests.e2e.market import Market, new_http
from tests.engines import STAGE, TEMPLATE

WORKERS = 2


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    data = tmp_path_factory.mktemp("cloud")
    with LocalCloud(TEMPLATE, data=data, workers=WORKERS, parameters={"Stage": STAGE}) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with new_http() as http:
        yield http


@pytest.fixture
def market(cloud: LocalCloud, http: httpx.Client) -> Market:
    return Market(cloud, http).open()
