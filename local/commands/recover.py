"""`cauri recover`: what is stuck past its deadline, and having it finished or undone. The table of deadlines is in
`cauri/recovery/deadlines.py`."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from local.switchboard import InvocationError
from local.terminal import DataOption, JsonOption, TemplateOption, fail, out, print_json, switchboard

TenantOption = Annotated[str | None, typer.Option(help="One tenant; else all.")]
FUNCTION: Final = "OrderRecovery"

group = typer.Typer(help="Orders and refunds that are stuck past their deadline.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="recover")


@group.command()
def show(
    tenant: TenantOption = None, template: TemplateOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List what is stuck, since when, and what a run does about it. Nothing changes."""
    found = _ask("show", tenant, template, data)
    if as_json:
        print_json(found)
        return
    table = _table("remedy")
    for each in found:
        table.add_row(*_cells(each), each["remedy"])
    out.print(table if found else "nothing is stuck")


@group.command()
def run(
    tenant: TenantOption = None, template: TemplateOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Finish or undo what is stuck, as the schedule does. Status 1 when anything failed."""
    found = _ask("run", tenant, template, data)
    if as_json:
        print_json(found)
    else:
        table = _table("outcome")
        for each in found:
            table.add_row(*_cells(each), _verdict(each))
        out.print(table if found else "nothing is stuck")
    if any(each["outcome"] == "failed" for each in found):
        raise typer.Exit(1)


def _ask(act: str, tenant: str | None, template: Path | None, data: Path | None) -> list[dict[str, Any]]:
    cloud = switchboard(data, template)
    try:
        found: list[dict[str, Any]] = cloud.invoke(FUNCTION, {"act": act, "tenant": tenant})
    except InvocationError as failed:
        fail(json.loads(str(failed))["errorMessage"])
    return found


def _table(last: str) -> Table:
    table = Table("tenant", "state", "since", "tries")
    table.add_column("resource", overflow="fold")  # copied, so whole, however narrow the terminal
    table.add_column(last, overflow="fold")
    return table


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    return each["tenant"], each["state"] or "?", each["since"][:19] + "Z", str(each["tries"]), each["resource"]


def _verdict(each: dict[str, Any]) -> str:
    if each["problem"] is not None:
        return f"[red]failed[/red]: {each['problem']}"
    return f"[green]{each['outcome']}[/green]" + (f" as {each['execution']}" if each["execution"] else "")
