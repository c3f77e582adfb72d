"""The commands of docs/deploying.md, as they are written there, against the local cloud with an issuer of our own."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from tests.engines import TEMPLATE

ROOT = TEMPLATE.parent
GUIDE = (ROOT / "docs/deploying.md").read_text()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def issuer_url(tmp_path: Path) -> Iterator[str]:
    """Where the bucket of the guide would be; its key is made as the guide says."""
    subprocess.run([sys.executable, ROOT / "docs/issuer.py", "keys"], cwd=tmp_path, check=True)
    (tmp_path / ".well-known").mkdir()
    (tmp_path / "jwks.json").rename(tmp_path / ".well-known/jwks.json")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def commands(heading: str) -> str:
    """The indented blocks of a section, made one script."""
    section = GUIDE.partition(f"## {heading}")[2].partition("\n## ")[0]
    return "\n".join(line.removeprefix("    ") for line in section.splitlines() if line.startswith("    "))


def test_a_newcomer_who_follows_the_guide_has_an_order_and_can_pay_it(tmp_path: Path, issuer_url: str) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    token = next(line for line in commands("1. Who may call").splitlines() if line.startswith("export ADMIN="))
    script = "set -e\n" + token + "\n" + commands("3. A first order").rpartition("\ncurl -s $API/v1/orders")[0]
    with LocalCloud(TEMPLATE, data=tmp_path / "cloud", workers=1, parameters={"TokenIssuer": issuer_url}) as cloud:
        environment = os.environ | {"API": cloud.api_url, "ISSUER_URL": issuer_url}
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    *set_up, checkout = [json.loads(answer) for answer in re.split(r"\n(?=\{)", done.stdout.strip())]
    assert len(set_up) == 4
    assert not [answer for answer in [*set_up, checkout] if "code" in answer], done.stdout
    assert checkout["order"]["status"] == "PENDING_PAYMENT"
    assert checkout["order"]["total"] == {"amount": 208800, "currency": "KES"}
    assert checkout["authorization_url"]


def test_the_guide_explains_every_parameter_of_a_stage() -> None:
    given = re.findall(r'"(\w+)=', (ROOT / "samconfig.toml").read_text())
    assert [name for name in set(given) - {"Stage"} if f"`{name}`" not in GUIDE] == []
