"""A log file per function, one JSON object a line, as Lambda writes with LogFormat: JSON."""

import io
import json
import logging
import time
import traceback
from pathlib import Path
from typing import Any, Final, TextIO

LAMBDA_LEVEL: Final = logging.WARNING  # what Lambda's root logger lets through


def timestamp(seconds: float | None = None) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    seconds = time.time() if seconds is None else seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


class FunctionLogs:
    """Where the running invocation writes. One invocation at a time, so the current one is a plain attribute."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, TextIO] = {}
        self._file: TextIO | None = None
        self.request_id = ""

    def begin(self, function: str, request_id: str) -> None:
        if function not in self._files:
            path = self._directory / f"{function}.jsonl"
            self._files[function] = path.open("a", encoding="utf-8", buffering=1)
        self._file = self._files[function]
        self.request_id = request_id

    def line(self, text: str) -> None:
        """A line that a handler printed: kept as it is when it is a JSON object, wrapped in one when not."""
        if text.startswith("{") and text.endswith("}"):
            self._write(text)
        elif text.strip():
            self.record("INFO", text)

    def record(self, level: str, message: str, **fields: Any) -> None:
        entry = {"timestamp": timestamp(), "level": level, "message": message, "requestId": self.request_id} | fields
        self._write(json.dumps(entry, default=str))

    def error(self, error: BaseException) -> None:
        """An exception that left the handler, with its traceback."""
        stack = "".join(traceback.format_exception(error)).splitlines()
        self.record("ERROR", str(error), errorType=type(error).__name__, stackTrace=stack)

    def report(self, status: str, milliseconds: float, **more: Any) -> None:
        """Lambda's last word on an invocation. `more` are metrics that Lambda does not tell."""
        metrics = {"durationMs": round(milliseconds, 3), **more}
        record = {"requestId": self.request_id, "status": status, "metrics": metrics}
        self._write(json.dumps({"time": timestamp(), "type": "platform.report", "record": record}))

    def _write(self, text: str) -> None:
        if self._file is not None:
            self._file.write(text + "\n")


class Printed(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr, and takes whole lines to the log."""

    def __init__(self, logs: FunctionLogs) -> None:
        self._logs = logs
        self._partial = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._logs.line(line)
        return len(text)

    def flush(self) -> None:
        if self._partial.endswith("}"):  # a whole record whose writer sends its newline apart
            self._logs.line(self._partial)
            self._partial = ""


class LambdaHandler(logging.Handler):
    """What Lambda's runtime installs on the root logger."""

    def __init__(self, logs: FunctionLogs) -> None:
        super().__init__()
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            fields["errorType"] = type(record.exc_info[1]).__name__
            fields["stackTrace"] = "".join(traceback.format_exception(*record.exc_info)).splitlines()
        self._logs.record(record.levelname, record.getMessage(), **fields)
