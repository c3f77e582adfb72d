"""DynamoDB for tests: moto in this process, and dynoxide for the tests that ask for both engines.

A test that takes `engine` runs on moto. Marked `@pytest.mark.engines` it runs on each. Every test begins with the
tables of the template, empty.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import botocore.session
import pytest
from botocore.config import Config
from moto import mock_aws

from local.engine import sound_moto
from local.engine.binary import EngineUnavailableError
from local.engine.dynoxide import Dynoxide
from local.engine.tables import create_tables
from local.template import Table, Template, read

REGION = "us-east-1"
STAGE = "test"
TABLE_PREFIX = f"cauri-{STAGE}-"
TEMPLATE = Path(__file__).parent.parent / "template.yaml"

# Set at import, before anything makes a client: no test may reach an account of AWS.
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_SESSION_TOKEN="test",
    AWS_DEFAULT_REGION=REGION,
    AWS_REGION=REGION,
    AWS_EC2_METADATA_DISABLED="true",
    AWS_ACCOUNT_ID_ENDPOINT_MODE="disabled",
)
for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
    os.environ.pop(variable, None)


class Engine(Protocol):
    """A DynamoDB that holds the template's tables under `TABLE_PREFIX`."""

    name: str
    endpoint_url: str | None  # None where botocore itself is answered, whatever the address

    def client(self) -> Any:
        """A botocore client of DynamoDB. It may be shared by threads."""

    def streams(self) -> Any:
        """A botocore client of DynamoDB Streams."""

    def reset(self) -> None:
        """Empties every table and stream."""


class MotoEngine:
    name = "moto"
    endpoint_url: str | None = None

    def __init__(self, tables: tuple[Table, ...]) -> None:
        self._client = client("dynamodb", None)
        self._streams = client("dynamodbstreams", None)
        create_tables(self._client, tables)

    def client(self) -> Any:
        return self._client

    def streams(self) -> Any:
        return self._streams

    def reset(self) -> None:
        sound_moto.empty_tables()


class DynoxideEngine:
    name = "dynoxide"

    def __init__(self, tables: tuple[Table, ...], process: Dynoxide) -> None:
        self._tables = tables
        self._file = process.file
        self.endpoint_url: str | None = process.endpoint_url
        self._client = client("dynamodb", self.endpoint_url)
        self._streams = client("dynamodbstreams", self.endpoint_url)
        create_tables(self._client, tables)

    def client(self) -> Any:
        return self._client

    def streams(self) -> Any:
        return self._streams

    def reset(self) -> None:
        for table in self._tables:
            self._client.delete_table(TableName=table.name)
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute("DELETE FROM _stream_records")  # dynoxide keeps them when their table goes
        create_tables(self._client, self._tables)


def client(service: str, endpoint_url: str | None) -> Any:
    """A botocore client with room for many threads. dynoxide's shard ids are shorter than botocore allows."""
    config = Config(max_pool_connections=128, parameter_validation=False, retries={"max_attempts": 0})
    return botocore.session.Session().create_client(
        service, region_name=REGION, endpoint_url=endpoint_url, config=config
    )


@pytest.fixture(scope="session")
def template() -> Template:
    """The product's template, with its tables named for the tests."""
    return read(TEMPLATE, {"Stage": STAGE})


@pytest.fixture(scope="session")
def moto_engine(template: Template) -> Iterator[MotoEngine]:
    sound_moto.install()
    with mock_aws():
        yield MotoEngine(tuple(template.tables.values()))


@pytest.fixture(scope="session")
def dynoxide_engine(
    template: Template, moto_engine: MotoEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DynoxideEngine]:
    """It comes after moto, whose credentials and patches last for the session; moto leaves its address alone."""
    try:
        process = Dynoxide(tmp_path_factory.mktemp("dynoxide") / "engine.db")
    except EngineUnavailableError as absent:
        pytest.skip(str(absent))
    with process:
        yield DynoxideEngine(tuple(template.tables.values()), process)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("engines") is not None
        names = ("moto", "dynoxide") if both else ("moto",)
        metafunc.parametrize("engine", names, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """An engine with empty tables."""
    chosen: Engine = request.getfixturevalue(f"{request.param}_engine")
    chosen.reset()
    return chosen
