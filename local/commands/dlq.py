"""`cauri dlq`: the dead letters, and their replay. `local/letters.py` says what kinds there are."""

import time
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from local.switchboard import Switchboard
from local.terminal import DataOption, JsonOption, TemplateOption, fail, out, print_json, switchboard

QueueArgument = Annotated[str | None, typer.Argument(help="The queue's name; else every dead-letter queue.")]

group = typer.Typer(help="Messages that nothing could process.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="dlq")


@group.command(name="list")
def list_letters(
    queue: QueueArgument = None, template: TemplateOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the dead letters, oldest first."""
    letters = _ask(lambda cloud: cloud.letters(queue), switchboard(data, template))
    if as_json:
        print_json(letters)
        return
    table = Table("queue", "kind", "error", "age")
    for copied in ("about", "message"):  # whole, however narrow the terminal
        table.add_column(copied, overflow="fold")
    for letter in letters:
        age = _age(time.time() - letter["sent_at"])
        table.add_row(letter["queue"], letter["kind"], letter["error"], age, letter["about"], letter["message_id"])
    out.print(table if letters else "no dead letters")


@group.command()
def replay(
    queue: QueueArgument = None,
    message: Annotated[str | None, typer.Option(help="One message, by its id.")] = None,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play dead letters again. What succeeds leaves its queue; status 1 when anything did not."""
    replayed = _ask(lambda cloud: cloud.replay(queue, message), switchboard(data, template))
    if as_json:
        print_json(replayed)
    else:
        for each in replayed:
            letter, problem = each["letter"], each["problem"]
            verdict = "[green]replayed[/green]" if problem is None else f"[red]failed[/red]: {problem}"
            out.print(f"{letter['queue']} {letter['message_id']} {letter['about']}: {verdict}", highlight=False)
        if not replayed:
            out.print("no dead letters")
    if any(each["problem"] is not None for each in replayed):
        raise typer.Exit(1)


def _ask(question: Any, cloud: Switchboard) -> list[dict[str, Any]]:
    try:
        answer: list[dict[str, Any]] = question(cloud)
    except httpx.HTTPStatusError as refused:
        fail(refused.response.json()["message"])
    return answer


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
