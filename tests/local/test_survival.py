"""What was answered is kept, whatever dies, and what was begun goes on."""

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from local.cloud import CloudFailedError, LocalCloud
from tests.local.conftest import SAMPLE, Sample

pytestmark = pytest.mark.e2e


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Sample]:
    cloud = LocalCloud(SAMPLE, data=tmp_path / "state", workers=2).start()
    yield Sample(cloud)
    cloud.stop()


def test_nothing_answered_is_lost_by_a_kill(mortal: Sample) -> None:
    if not mortal.cloud.where["engine"]["keeps"]:
        pytest.skip("moto keeps nothing")
    mortal.post("/echo/put", [f"item-{number}" for number in range(50)])
    for number in range(20):
        mortal.post("/echo/send", {"MessageBody": json.dumps({"job": f"job-{number}"})})
        mortal.start_order(f"order-{number}")
    before = mortal.cloud.where
    secret = mortal.get("/echo/x").json()["environment"]["SECRET"]
    mortal.cloud.kill()
    mortal.cloud.start()
    assert mortal.cloud.where["api"] == before["api"]
    assert mortal.cloud.where["function_urls"] == before["function_urls"]
    assert mortal.get("/echo/x").json()["environment"]["SECRET"] == secret
    mortal.cloud.idle()
    assert {f"item-{number}" for number in range(50)} <= mortal.seen("stream").keys()
    assert {f"job-{number}" for number in range(20)} <= mortal.seen("queue").keys()
    machines = mortal.client("stepfunctions")
    for number in range(20):
        machines.send_task_success(taskToken=mortal.token(f"order-{number}"), output="{}")
    mortal.cloud.idle()
    assert [each["status"] for each in mortal.cloud.executions()] == ["SUCCEEDED"] * 20


def test_kills_in_the_middle_of_work_lose_nothing_that_was_answered(mortal: Sample) -> None:
    if not mortal.cloud.where["engine"]["keeps"]:
        pytest.skip("moto keeps nothing")
    answered: list[str] = []
    for number in range(3):
        answered += _work_until_killed(mortal, f"round-{number}", soon=0.004 * number)
    mortal.cloud.idle(60)
    assert set(answered) <= mortal.seen("stream").keys()
    assert set(answered) <= mortal.seen("queue").keys()
    assert set(answered) <= {each["name"] for each in mortal.cloud.executions()}
    tokens = mortal.seen("token")
    for name in answered:
        mortal.client("stepfunctions").send_task_success(taskToken=tokens[name]["token"], output="{}")
    mortal.cloud.idle(60)
    ended = {each["name"]: each["status"] for each in mortal.cloud.executions()}
    assert {ended[name] for name in answered} == {"SUCCEEDED"}


def _work_until_killed(mortal: Sample, prefix: str, soon: float) -> list[str]:
    """What was answered in full before the kill, which comes in the middle of the work that follows."""
    answered: list[str] = []
    killer = threading.Timer(soon, mortal.cloud.kill)
    try:
        for number in itertools.count():
            if number == 8:
                killer.start()
            name = f"{prefix}-{number}"
            mortal.post("/echo/put", [name]).raise_for_status()
            mortal.post("/echo/send", {"MessageBody": json.dumps({"job": name})}).raise_for_status()
            mortal.start_order(name).raise_for_status()
            answered.append(name)
    except httpx.HTTPError:
        killer.join()
    mortal.cloud.start()
    return answered


def test_a_consumer_goes_on_from_its_checkpoint(mortal: Sample) -> None:
    if not mortal.cloud.where["engine"]["keeps"]:
        pytest.skip("moto keeps nothing")
    mortal.post("/echo/put", ["first"])
    mortal.cloud.idle()
    mortal.cloud.kill()
    mortal.cloud.start()
    mortal.post("/echo/put", ["second"])
    mortal.cloud.idle()
    tried = mortal.seen("tried")
    assert (tried["first"]["times"], tried["second"]["times"]) == ("1", "1")


def test_a_schedule_that_fell_due_meanwhile_fires_once(mortal: Sample) -> None:
    if not mortal.cloud.where["engine"]["keeps"]:
        pytest.skip("moto keeps nothing")
    assert mortal.seen("tick") == {}
    mortal.cloud.stop()
    with closing(sqlite3.connect(mortal.cloud.data / "cloud.sqlite")) as state, state:
        state.execute("update schedules set fired_at = fired_at - 3 * 3600")  # three hours ago, of a rate of one
    mortal.cloud.start()
    deadline = time.monotonic() + 10
    while not mortal.seen("tick") and time.monotonic() < deadline:
        time.sleep(0.05)
    mortal.cloud.idle()
    [(event, tick)] = mortal.seen("tick").items()
    assert (json.loads(event), tick["times"]) == ({"tick": True}, "1")


def test_every_process_dies_with_the_server(mortal: Sample) -> None:
    server = mortal.cloud.where["pid"]
    listed = subprocess.run(["pgrep", "-P", str(server)], capture_output=True, text=True, check=True)
    children = [int(line) for line in listed.stdout.split()]
    assert len(children) >= 5  # the engine, the interpreter, and workers of three groups
    os.kill(server, signal.SIGKILL)
    deadline = time.monotonic() + 3
    while any(_alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_alive(child) for child in children)


def test_two_clouds_do_not_share_a_state(mortal: Sample) -> None:
    with pytest.raises(CloudFailedError, match="another local cloud is using"):
        LocalCloud(SAMPLE, data=mortal.cloud.data).start()


def test_moto_stands_in_for_dynoxide_and_begins_anew(tmp_path: Path) -> None:
    with LocalCloud(SAMPLE, data=tmp_path, engine="moto", workers=1) as cloud:
        sample = Sample(cloud)
        assert cloud.where["engine"]["keeps"] is False
        sample.post("/echo/put", ["one", "two"])
        sample.start_order("gone")
        cloud.idle()
        assert {"one", "two"} <= sample.seen("stream").keys()
        cloud.kill()
        cloud.start()
        assert cloud.executions() == []  # what refers to lost tables is forgotten with them
        sample.post("/echo/put", ["three"])
        cloud.idle()
        assert sample.seen("stream").keys() == {"three"}


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
