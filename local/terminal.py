"""What the commands share: their options, how they print for people and for programs, and how they fail."""

import json
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console

from local.cloud import running
from local.switchboard import Switchboard

out: Final = Console()
err: Final = Console(stderr=True)

TEMPLATE: Final = "template.yaml"
STATE: Final = ".cauri"

TemplateOption = Annotated[Path | None, typer.Option("--template", help="The template; else the one here, or above.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Its state directory; else .cauri beside the template.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def fail(text: str) -> NoReturn:
    """Say why on standard error, and end with status 1."""
    err.print(f"[red]{text}[/red]", highlight=False)
    raise typer.Exit(1)


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str))


def template_path(given: Path | None) -> Path:
    """The template that a command is about."""
    if given is not None:
        return given
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / TEMPLATE).exists():
            return directory / TEMPLATE
    fail(f"there is no {TEMPLATE} here, nor above")


def data_path(data: Path | None, template: Path | None) -> Path:
    """The state directory that a command is about."""
    return data if data is not None else template_path(template).parent / STATE


def switchboard(data: Path | None, template: Path | None) -> Switchboard:
    """The running cloud; the command ends when there is none."""
    found = running(data_path(data, template))
    if found is None:
        fail("no local cloud is running; start one with: cauri dev")
    return found
