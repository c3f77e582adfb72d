"""Which DynamoDB this cloud has: dynoxide over a file, or moto in memory when there is no dynoxide."""

import http.client
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import botocore.session
from botocore.config import Config

from local.engine.binary import EngineUnavailableError
from local.engine.dynoxide import Dynoxide
from local.engine.ports import free_port
from local.engine.tables import create_tables
from local.environment import REGION
from local.template import Template
from local.workers.child import parented

DATABASE: Final = "dynamodb.sqlite"
START_SECONDS_MAX: Final = 20
Choice = Literal["auto", "dynoxide", "moto"]


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine. `keeps` says whether its data outlives it; `note` is for people."""

    name: str
    endpoint: str
    keeps: bool
    note: str
    stop: Callable[[], None]


def start_engine(choice: Choice, data: Path, template: Template) -> Engine:
    """The engine, with the template's tables. Raises EngineUnavailableError for a dynoxide that is insisted on."""
    engine = _moto("asked for") if choice == "moto" else _dynoxide(data, fallback=choice == "auto")
    create_tables(client(engine.endpoint), template.tables.values())
    return engine


def client(endpoint: str) -> Any:
    """A DynamoDB client of botocore."""
    return botocore.session.get_session().create_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 3}),
    )


def _dynoxide(data: Path, fallback: bool) -> Engine:
    try:
        engine = Dynoxide(data / DATABASE)
    except EngineUnavailableError as unavailable:
        if not fallback:
            raise
        return _moto(str(unavailable))
    return Engine("dynoxide", engine.endpoint_url, True, f"on {data / DATABASE}", engine.stop)


def _moto(reason: str) -> Engine:
    port = free_port()
    process = subprocess.Popen(parented("local.moto_server", str(port)), stdin=subprocess.DEVNULL)
    _wait_until_open(port, process)
    note = f"in memory: everything is gone when it stops ({reason})"
    return Engine("moto", f"http://127.0.0.1:{port}", False, note, lambda: _end(process))


def _wait_until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.connect()
        except OSError:
            time.sleep(0.02)
        else:
            return
        finally:
            connection.close()
    raise EngineUnavailableError("moto's server did not start")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
