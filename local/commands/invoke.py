"""`cauri invoke`: one event through one function."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from local.cloud import LocalCloud, running
from local.switchboard import InvocationError, Switchboard
from local.terminal import DataOption, JsonOption, TemplateOption, data_path, err, fail, out, print_json, template_path


def register(app: typer.Typer) -> None:
    app.command()(invoke)


def invoke(
    function: Annotated[str, typer.Argument(help="The function's logical id in the template.")],
    event: Annotated[Path, typer.Argument(help="A file with the event, JSON. `-` is standard input.")],
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run an event through a function of the running cloud; when none runs, of one that is started for this call."""
    parsed = _event(event)
    with _cloud(data, template) as cloud:
        try:
            answer = cloud.invoke(function, parsed)
        except LookupError:
            fail(f"the template has no function {function}")
        except InvocationError as failed:
            _show_failure(json.loads(str(failed)), as_json)
            raise typer.Exit(1) from failed
    if as_json:
        print_json(answer)
    else:
        out.print_json(json.dumps(answer))


def _event(path: Path) -> Any:
    try:
        return json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))
    except OSError as problem:
        fail(f"{path}: {problem.strerror}")
    except ValueError as problem:
        fail(f"{path} is not JSON: {problem}")


@contextlib.contextmanager
def _cloud(data: Path | None, template: Path | None) -> Iterator[Switchboard]:
    directory = data_path(data, template)
    found = running(directory)
    if found is not None:
        yield found
        return
    with LocalCloud(template_path(template), data=directory, workers=1) as cloud:
        yield cloud.switchboard


def _show_failure(failure: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(failure)
        return
    err.print(f"[red]{failure['errorType']}[/red]: {failure['errorMessage']}", highlight=False)
    for frame in failure.get("stackTrace", ()):
        err.print(frame.rstrip(), style="dim", markup=False, highlight=False)
