"""What a snapshot of a function holds, and what its copies do not share. Each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.bench.init import environment_of
from local.template import read

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = read(ROOT / "template.yaml")

INIT = """
import importlib, json, os, random, stat, sys
importlib.import_module(sys.argv[1])
from cauri.edge import wiring
import snapshot_restore_py as runtime

def sockets():
    found = 0
    for descriptor in range(3, 256):
        try:
            found += stat.S_ISSOCK(os.fstat(descriptor).st_mode)
        except OSError:
            pass
    return found

def run(hooks):
    for hook, args, kwargs in hooks:
        hook(*args, **kwargs)
"""

SNAPSHOT = """
run(runtime.get_before_snapshot())
ready = {"sockets": sockets()}
ready |= {"client": wiring.database()._wire.ready, "tokens": "cauri.edge.auth" in sys.modules}
state = random.getstate()
copies = []
for _ in range(2):
    random.setstate(state)
    run(runtime.get_after_restore())
    copies.append(random.random())
print(json.dumps(ready | {"copies": copies, "keys": wiring.verifier.cache_info().currsize}))
"""

ORDINARY = """
print(json.dumps({"hooks": len(runtime.get_before_snapshot()) + len(runtime.get_after_restore())}))
"""


def run(function: str, script: str, **environment: str) -> Any:
    declared = TEMPLATE.functions[function]
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    ended = subprocess.run(
        [sys.executable, "-c", INIT + script, declared.module],
        env=environment_of(TEMPLATE, declared) | credentials | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("function", ["CheckoutApi", "BooksApi"])
def test_a_snapshot_is_ready_for_requests_and_its_copies_share_nothing(function: str) -> None:
    told = run(function, SNAPSHOT, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert told["client"], "the first request does not wait for botocore"
    assert told["tokens"], "nor for cryptography"
    assert told["sockets"] == 0, "no connection is in a snapshot"
    assert told["keys"] == 0, "whoever wakes up asks for the issuer's keys again"
    assert told["copies"][0] != told["copies"][1]


def test_a_function_without_tokens_can_be_in_a_snapshot_too() -> None:
    assert not run("PaymentsWebhook", SNAPSHOT, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")["tokens"]


def test_where_there_are_no_snapshots_nothing_waits_for_one() -> None:
    assert run("CheckoutApi", ORDINARY, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand") == {"hooks": 0}


def test_without_the_runtime_s_package_a_function_starts_all_the_same() -> None:
    script = "import sys; sys.modules['snapshot_restore_py'] = None; import functions.checkout.api"
    environment = environment_of(TEMPLATE, TEMPLATE.functions["CheckoutApi"])
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, check=True)
    assert "AWS_LAMBDA_INITIALIZATION_TYPE" not in os.environ
