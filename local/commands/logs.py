"""`cauri logs`: what the functions wrote."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from local.terminal import DataOption, JsonOption, TemplateOption, data_path, fail, out

FOLLOW_SECONDS: Final = 0.2
COLOURS: Final = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "INFO": "green"}
SHOWN_APART: Final = {"timestamp", "level", "message", "requestId", "stackTrace", "time", "type", "record"}


def register(app: typer.Typer) -> None:
    app.command()(logs)


def logs(
    function: Annotated[str | None, typer.Argument(help="The function's logical id; else all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines to begin with.")] = 50,
    reports: Annotated[bool, typer.Option(help="Show a line for each invocation, with its duration.")] = False,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the functions' logs, the oldest of the last lines first."""
    directory = data_path(data, template) / "logs"
    if function is not None and not (directory / f"{function}.jsonl").exists():
        fail(f"{function} has written nothing")
    tail = Tail(directory, f"{function or '*'}.jsonl")
    wanted = [entry for entry in tail.read() if reports or not _is_report(entry[1])]
    _show(sorted(wanted, key=_moment)[-lines:], as_json)
    while follow:
        time.sleep(FOLLOW_SECONDS)
        _show((entry for entry in tail.read() if reports or not _is_report(entry[1])), as_json)


Entry = tuple[str, dict[str, Any]]


class Tail:
    """Reads log files on from where it was."""

    def __init__(self, directory: Path, pattern: str) -> None:
        self._directory = directory
        self._pattern = pattern
        self._offsets: dict[Path, int] = {}

    def read(self) -> Iterator[Entry]:
        """(function, record) of each whole line written since the last time."""
        for path in sorted(self._directory.glob(self._pattern)):
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # it is being written
                    self._offsets[path] = self._offsets.get(path, 0) + len(line)
                    yield path.stem, json.loads(line)


def _is_report(record: dict[str, Any]) -> bool:
    return record.get("type") == "platform.report"


def _moment(entry: Entry) -> str:
    return str(entry[1].get("timestamp") or entry[1].get("time"))


def _show(entries: Any, as_json: bool) -> None:
    for function, record in entries:
        if as_json:
            print(json.dumps({"function": function, **record}, ensure_ascii=False), flush=True)
        else:
            out.print(_line(function, record), soft_wrap=True)


def _line(function: str, record: dict[str, Any]) -> Text:
    if _is_report(record):
        details = record["record"]
        text = f"{details['status']} in {details['metrics']['durationMs']:.1f} ms"
        return Text.assemble((_moment((function, record)), "dim"), " ", (function, "cyan"), " ", (text, "dim"))
    level, text = str(record.get("level", "")), record.get("message", "")
    rest = {name: each for name, each in record.items() if name not in SHOWN_APART}
    line = Text.assemble(
        (_moment((function, record)), "dim"),
        *(" ", (function, "cyan"), " ", (level, COLOURS.get(level, "dim")), " "),
        text if isinstance(text, str) else json.dumps(text, ensure_ascii=False),
        (f"  {json.dumps(rest, ensure_ascii=False)}" if rest else "", "dim"),
    )
    for frame in record.get("stackTrace") or ():
        line.append(f"\n    {frame}", "dim")
    return line
