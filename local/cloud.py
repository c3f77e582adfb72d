"""A local cloud for tests, the demo and benchmarks, in a process group of its own.

with LocalCloud(Path("template.yaml"), data=tmp_path) as cloud:
    httpx.get(cloud.api_url + "/health", headers=cloud.bearer(tenant="acme", roles=["admin"]))
    cloud.idle()
    cloud.kill()
    cloud.start()
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from local.switchboard import Switchboard

if TYPE_CHECKING:
    from local.engines import Choice

START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 15


class CloudFailedError(RuntimeError):
    """The cloud did not start; the message is what it said."""


class LocalCloud:
    """Started by `with` or `start()`. Its data stay in `data`, so a cloud that was killed can be started again."""

    def __init__(
        self,
        template: Path,
        *,
        data: Path,
        port: int = 0,
        workers: int = 2,
        engine: "Choice" = "auto",
        fresh: bool = False,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """`port` is the first API's; 0 keeps the one it had, or takes any. `parameters` override the template's."""
        self.data = data
        self._options = {
            "template": str(template),
            "data": str(data),
            "port": port,
            "workers": workers,
            "engine": engine,
            "fresh": fresh,
            "parameters": dict(parameters or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._where: dict[str, Any] = {}

    def start(self) -> Self:
        """Returns when it serves. Raises CloudFailedError."""
        self.data.mkdir(parents=True, exist_ok=True)
        log = self.data / "server.log"
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.server", json.dumps(self._options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS_MAX)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self._process.kill()
            self._process.wait()
            raise CloudFailedError(log.read_text()[-4000:])
        self._where = json.loads(line)
        self._options["fresh"] = False  # once is enough
        return self

    def stop(self) -> None:
        """End in good order."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- where things are ---------------------------------------------------------------------------

    @property
    def where(self) -> Mapping[str, Any]:
        """All that the cloud says of itself: addresses, engine, tables, queues, state machines."""
        return self._where

    @property
    def api_url(self) -> str:
        return str(self._where["api"])

    def function_url(self, function: str) -> str:
        """The URL of a function (by logical id), with its slash at the end."""
        return str(self._where["function_urls"][function])

    @property
    def dynamodb_url(self) -> str:
        return str(self._where["dynamodb"])

    @property
    def switchboard(self) -> Switchboard:
        return Switchboard(self._where["control"])

    # -- what it does -------------------------------------------------------------------------------

    def token(self, *, tenant: str, roles: Sequence[str], **claims: Any) -> str:
        """A bearer token. `claims`: sub, customer_id, vendor_id, email, days."""
        return self.switchboard.token(tenant=tenant, roles=roles, **claims)

    def admit(self, party: str, tenant: str) -> str:
        """Give a tenant a key at an outside party that is played here, if it has none. The key."""
        return self.switchboard.admit(party, tenant)

    def bearer(self, *, tenant: str, roles: Sequence[str], **claims: Any) -> dict[str, str]:
        """The header that carries a token."""
        return {"Authorization": f"Bearer {self.token(tenant=tenant, roles=roles, **claims)}"}

    def invoke(self, function: str, event: Any) -> Any:
        """What `function` answers. Raises InvocationError."""
        return self.switchboard.invoke(function, event)

    def idle(self, timeout: float = 30.0, horizon: float = 0.0) -> None:
        """Return when streams, queues and runnable executions have nothing to do. Raises TimeoutError.

        Executions that wait for a token or a time do not count, nor do messages that become visible later than
        `horizon` seconds from now.
        """
        self.switchboard.idle(timeout, horizon)

    def executions(self) -> list[dict[str, Any]]:
        """Every execution, newest first: arn, machine, name, input, status, output, error, cause, times."""
        return self.switchboard.executions()

    def dead_letters(self, queue: str | None = None) -> list[dict[str, Any]]:
        """Every dead letter, oldest first: queue, message_id, kind, about, error, sent_at, source, body."""
        return self.switchboard.letters(queue)

    def replay(self, queue: str | None = None, message_id: str | None = None) -> list[dict[str, Any]]:
        """Play dead letters again; of each: the letter, and the problem or None."""
        return self.switchboard.replay(queue, message_id)


def running(data: Path) -> Switchboard | None:
    """The cloud that runs over this state directory, if one does."""
    ready = data / "ready.json"
    try:
        where = json.loads(ready.read_text())
    except FileNotFoundError:
        return None
    switchboard = Switchboard(where["control"])
    try:
        switchboard.executions()
    except httpx.TransportError:  # it was killed, and left the file
        return None
    return switchboard
