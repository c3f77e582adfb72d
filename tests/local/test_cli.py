"""The command line against a running cloud, and `cauri dev` itself."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.local.conftest import SAMPLE, Sample

pytestmark = pytest.mark.e2e

CAURI = [sys.executable, "-c", "from local.cli import main; main()"]


def cauri(*arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*CAURI, *arguments], input=given, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def of(sample: Sample) -> list[str]:
    """The options that point a command at the sample's cloud."""
    return ["--template", str(SAMPLE), "--data", str(sample.cloud.data)]


def test_a_token_for_whom_it_is_asked(of: list[str]) -> None:
    printed = cauri("token", "--tenant", "acme", "--role", "vendor", "--vendor", "ven_1", "--days", "2", *of).stdout
    claims = jwt.decode(printed.strip(), options={"verify_signature": False})
    assert (claims["tenant"], claims["roles"], claims["vendor_id"]) == ("acme", ["vendor"], "ven_1")


@pytest.mark.parametrize("claims", [["boss"], ["customer"], ["admin", "--role", "vendor"]], ids=str)
def test_no_token_that_nobody_would_accept(of: list[str], claims: list[str]) -> None:
    """No such role, or one that speaks for somebody, and nobody named."""
    refused = cauri("token", "--tenant", "acme", "--role", *claims, *of)
    assert (refused.returncode, refused.stdout) == (2, "")


def test_an_event_through_a_function(of: list[str], tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text("{}")
    answered = cauri("invoke", "Noop", str(event), "--json", *of)
    assert json.loads(answered.stdout) == {"statusCode": 200, "body": "ok"}


@pytest.mark.parametrize(
    "function, event, said",
    [
        ("Trouble", '{"pathParameters": {"kind": "raise"}}', "as asked"),
        ("Nobody", "{}", "no function Nobody"),
        ("Noop", "{", "is not JSON"),
    ],
)
def test_an_invocation_that_fails_has_a_status(of: list[str], function: str, event: str, said: str) -> None:
    failed = cauri("invoke", function, "-", *of, given=event)
    assert failed.returncode == 1
    assert said in failed.stderr


def test_the_logs_of_a_function(sample: Sample, of: list[str]) -> None:
    sample.get("/trouble/raise")
    shown = [json.loads(line) for line in cauri("logs", "Trouble", "--lines", "3", "--json", *of).stdout.splitlines()]
    assert [each["message"] for each in shown] == ["about to fail", "really", "as asked"]
    assert "as asked" in cauri("logs", "Trouble", *of).stdout
    assert cauri("logs", "Nobody", *of).returncode == 1


def test_dead_letters_are_listed_and_played_again(sample: Sample, of: list[str]) -> None:
    sample.start_order("cli-stuck", "reserve", "undo")
    sample.cloud.idle()
    [letter] = json.loads(cauri("dlq", "list", "SagaDead", "--json", *of).stdout)
    assert "Undo" in letter["about"]
    assert "Undo" in cauri("dlq", "list", "SagaDead", *of).stdout
    assert cauri("dlq", "replay", "SagaDead", *of).returncode == 0
    assert json.loads(cauri("dlq", "list", "SagaDead", "--json", *of).stdout) == []
    assert cauri("dlq", "list", "Nobody", *of).returncode == 1


def test_a_replay_that_fails_keeps_the_letter(sample: Sample, of: list[str]) -> None:
    body = {"function": "Trouble", "payload": {"pathParameters": {"kind": "raise"}}, "state": "Undo"}
    queue = sample.cloud.where["queues"]["SagaDead"]
    sample.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    failed = cauri("dlq", "replay", "SagaDead", "--json", *of)
    assert failed.returncode == 1
    [each] = json.loads(failed.stdout)
    assert "as asked" in each["problem"]
    [kept] = sample.cloud.dead_letters("SagaDead")
    sample.client("sqs").purge_queue(QueueUrl=queue)
    assert kept["body"] == body


def test_without_a_cloud_a_command_says_so(tmp_path: Path) -> None:
    failed = cauri("token", "--tenant", "t", "--role", "admin", "--template", str(SAMPLE), "--data", str(tmp_path))
    assert failed.returncode == 1
    assert "cauri dev" in failed.stderr


# -- cauri dev ----------------------------------------------------------------------------------------


class Dev:
    """`cauri dev --json` over a copy of the sample, whose code a test may change."""

    def __init__(self, directory: Path) -> None:
        self.template = directory / "template.yaml"
        shutil.copytree(SAMPLE.parent, directory, ignore=shutil.ignore_patterns("__pycache__"))
        self.process = subprocess.Popen(
            [*CAURI, "dev", "--template", str(self.template), "--port", "0", "--workers", "1", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.where: dict[str, Any] = json.loads(self.process.stdout.readline())

    def text(self, path: str) -> str:
        return httpx.get(self.where["api"] + path).text

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(15)


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    running = Dev(tmp_path / "sample")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_dev_says_where_everything_is_and_ends_on_ctrl_c(dev: Dev) -> None:
    assert {"api", "function_urls", "engine", "token", "tenant"} <= dev.where.keys()
    assert dev.text("/noop") == "ok"
    assert (dev.template.parent / ".cauri" / "ready.json").exists()
    assert dev.interrupt() == 0
    assert not (dev.template.parent / ".cauri" / "ready.json").exists()
    assert dev.process.stderr is not None
    assert dev.process.stderr.read() == ""


def test_dev_follows_the_code(dev: Dev) -> None:
    assert dev.text("/noop") == "ok"
    code = dev.template.parent / "lambdas" / "api.py"
    code.write_text(code.read_text().replace('"body": "ok"', '"body": "changed"'))
    deadline = time.monotonic() + 10
    while dev.text("/noop") != "changed" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert dev.text("/noop") == "changed"
