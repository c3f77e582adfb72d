"""dynoxide keeps data over kill -9, streams without slowing down, and never outlives who started it."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.engine import binary, dynoxide, lifeline
from local.engine.binary import EngineUnavailableError
from local.engine.dynoxide import Dynoxide
from local.engine.stream_file import trim_stream
from local.engine.tables import create_tables
from local.template import Template
from tests.engines import TABLE_PREFIX, client

pytestmark = pytest.mark.engines

LOG = f"{TABLE_PREFIX}log"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    try:
        binary.program()
    except EngineUnavailableError as absent:
        pytest.skip(str(absent))
    return tmp_path / "data" / "engine.db"


def open_tables(engine: Dynoxide, template: Template) -> Any:
    opened = client("dynamodb", engine.endpoint_url)
    create_tables(opened, template.tables.values())
    return opened


def log(opened: Any, *names: str) -> None:
    for name in names:
        opened.put_item(TableName=LOG, Item={"pk": {"S": name}, "day": {"S": "d"}, "at": {"S": "1"}})


def sequence_numbers(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT sequence_number FROM _stream_records WHERE table_name = ? ORDER BY id", (LOG,)
        )
        return [int(number) for [number] in rows]


def test_what_was_answered_survives_a_kill(file: Path, template: Template) -> None:
    with Dynoxide(file) as engine:
        log(open_tables(engine, template), "a", "b")
        os.kill(engine.pid, signal.SIGKILL)

    with Dynoxide(file) as engine:
        opened = open_tables(engine, template)  # they are there already: this changes nothing
        assert {item["pk"]["S"] for item in opened.scan(TableName=LOG)["Items"]} == {"a", "b"}
        log(opened, "c")
    assert sequence_numbers(file) == [1, 2, 3]


def test_the_next_sequence_number_comes_from_an_index(file: Path) -> None:
    with Dynoxide(file), closing(sqlite3.connect(file)) as connection:
        [*_, plan] = connection.execute(
            "EXPLAIN QUERY PLAN SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?",
            (LOG,),
        ).fetchone()
    assert "cauri_stream_order" in plan


def test_trimming_forgets_what_was_consumed_and_keeps_the_count(file: Path, template: Template) -> None:
    with Dynoxide(file) as engine:
        log(open_tables(engine, template), "a", "b", "c")

    assert trim_stream(file, {LOG: 2, "other": 9}) == 2
    assert sequence_numbers(file) == [3]
    assert trim_stream(file, {LOG: 3}) == 0, "the last one stays, for the next is counted from it"

    with Dynoxide(file) as engine:
        log(client("dynamodb", engine.endpoint_url), "d")
    assert sequence_numbers(file) == [3, 4]


def test_trimming_before_there_is_a_file_is_nothing(tmp_path: Path) -> None:
    assert trim_stream(tmp_path / "absent.db", {LOG: 1}) == 0


def test_stopping_twice_is_stopping_once(file: Path) -> None:
    engine = Dynoxide(file)
    engine.stop()
    engine.stop()
    assert not engine.alive()


def test_it_ends_when_its_parent_is_killed(file: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from local.engine.dynoxide import Dynoxide;"
        "print(Dynoxide(Path(sys.argv[1])).port, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert answers(port)
        parent.kill()
    deadline = time.monotonic() + 5
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not answers(port)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_where_the_system_can_not_end_a_child_a_watcher_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    usual = signal.getsignal(signal.SIGTERM)
    no_parent_of_ours = 0
    try:
        assert lifeline.main(no_parent_of_ours, ["sleep", "60"]) == -signal.SIGKILL
        assert lifeline.main(os.getppid(), ["sh", "-c", "exit 3"]) == 3
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_a_file_that_is_no_database_says_where_to_look(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("not a database", encoding="utf-8")
    with pytest.raises(EngineUnavailableError, match=r"engine\.log"):
        Dynoxide(file)


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not binary.installed()
    with pytest.raises(EngineUnavailableError, match="npm is not installed"):
        binary.program()


def test_an_npm_that_fails_says_why_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network unreachable' >&2\necho more >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said: list[str] = []
    with pytest.raises(EngineUnavailableError) as failed:
        binary.program(said.append)
    assert str(failed.value) == f"npm could not install dynoxide {binary.VERSION}: npm error network unreachable"
    assert said == [f"Installing dynoxide {binary.VERSION} with npm, this once"]


@pytest.mark.parametrize("machine, arguments", [("x86_64", "ci"), ("aarch64", "@dynoxide/linux-arm64@1.2.1")])
def test_it_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, arguments: str) -> None:
    """By an npm that does what npm does: it puts the package of its platform under --prefix."""
    npm, calls = tmp_path / "npm", tmp_path / "calls"
    package = "node_modules/@dynoxide/linux-" + {"x86_64": "x64", "aarch64": "arm64"}[machine]
    lines = [
        "#!/bin/sh",
        f'echo "$@" >> {calls}',
        'while [ "$1" != --prefix ]; do shift; done',
        f'mkdir -p "$2/{package}" && touch "$2/{package}/dynoxide"',
    ]
    npm.write_text("\n".join(lines), encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    paths = {binary.program(), binary.program()}

    assert paths == {tmp_path / "dynoxide" / binary.VERSION / package / "dynoxide"}
    assert binary.installed()
    [call] = calls.read_text(encoding="utf-8").splitlines()
    assert arguments in call
    assert "--ignore-scripts" in call


def test_an_npm_that_brings_nothing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EngineUnavailableError, match="brought no dynoxide"):
        binary.program()


def test_an_unknown_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(EngineUnavailableError, match="riscv64"):
        binary.program()


def test_an_engine_that_never_answers_is_given_up_on(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    mute.chmod(0o755)
    monkeypatch.setattr(dynoxide, "program", lambda _: mute)
    monkeypatch.setattr(dynoxide, "START_SECONDS_MAX", 0.2)
    with pytest.raises(EngineUnavailableError, match="did not answer"):
        Dynoxide(file)
