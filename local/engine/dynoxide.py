"""dynoxide as a child process: a DynamoDB on a SQLite file, so that data survives kill -9."""

import http.client
import subprocess
import time
from pathlib import Path
from typing import Final, Self

from local.engine.binary import EngineUnavailableError, Say, program, to_stderr
from local.engine.lifeline import wrapped
from local.engine.ports import free_port
from local.engine.stream_file import index_stream

START_SECONDS_MAX: Final = 10
STOP_SECONDS_MAX: Final = 10
POLL_SECONDS: Final = 0.01


class Dynoxide:
    """A running engine. Use it as a context manager, or call `stop`; it ends with this process in any case."""

    def __init__(self, file: Path, port: int = 0, say: Say = to_stderr) -> None:
        """Starts the engine on `file`, made if need be, and returns when it answers.

        Port 0 takes a free one. `say` gets a line when the engine must be fetched first. Raises
        EngineUnavailableError when there is no engine for this machine, or it doesn't start.
        """
        self.file = file
        self.port = port or free_port()
        self.endpoint_url = f"http://127.0.0.1:{self.port}"
        file.parent.mkdir(parents=True, exist_ok=True)
        self._log = file.with_suffix(".log")
        self._process = self._start(program(say))
        self._wait_until_healthy()
        index_stream(file)  # nobody has the address yet, so nobody writes

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the engine in good order. Stopping twice is nothing."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, path: Path) -> "subprocess.Popen[bytes]":
        command = [str(path), "serve", "--db-path", str(self.file), "--port", str(self.port), "--host", "127.0.0.1"]
        with self._log.open("ab") as log:
            # In a process group of its own: Ctrl-C in a terminal must not stop it before those who use it.
            return subprocess.Popen(wrapped(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._healthy():
            if not self.alive():
                raise EngineUnavailableError(f"dynoxide ended at its start; {self._log} says why")
            if time.monotonic() > deadline:
                self.stop()
                raise EngineUnavailableError(f"dynoxide did not answer within {START_SECONDS_MAX} s")
            time.sleep(POLL_SECONDS)

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/")
            # Another program may have taken the port meanwhile, and answer as well.
            return connection.getresponse().getheader("server", "").startswith("Dynoxide")
        except OSError:
            return False
        finally:
            connection.close()
