"""`cauri verify-log`: whether the log is what was sealed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any, Final

import typer
from cauri.clock import rfc3339, system_clock
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.story.market import TENANT
from local.terminal import DataOption, JsonOption, TemplateOption, data_path, err, fail, out, print_json, switchboard

PROOFLESS: Final = "late"
SETTLES: Final = timedelta(seconds=2)


def register(app: typer.Typer) -> None:
    app.command(name="verify-log")(verify_log)


def verify_log(
    tenant: Annotated[str, typer.Option(help="Whose log.")] = TENANT,
    seal: Annotated[bool, typer.Option("--seal", help="Seal first what is older than two seconds.")] = False,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look whether records were changed, removed or inserted since they were sealed. Status 1 if any was."""
    import httpx

    from local.story.client import Client, RefusedError

    cloud = switchboard(data, template)
    if seal:
        cloud.invoke("BooksSeal", {"through": rfc3339(system_clock() - SETTLES)})
    token = cloud.token(tenant=tenant, roles=["finance"], sub="cauri-verify-log", days=0.1)
    api_url = json.loads((data_path(data, template) / "ready.json").read_text())["api"]
    looked: dict[str, Any] = {"tenant": tenant, "records": 0, "seals": 0, "findings": []}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        with (
            httpx.Client(timeout=60, trust_env=False) as http,
            Progress(*columns, console=err, disable=as_json, transient=True) as progress,
        ):
            client, task, query = Client(http, api_url, token), progress.add_task("Verifying"), dict[str, str]()
            while True:
                page = client.get("/v1/log/verification", **query)
                for counted in ("records", "seals"):
                    # The log is gone through twice: from the seals, and from its days.
                    looked[counted] += page[counted] if page["seals"] or counted == "seals" else 0
                looked["findings"] += page["findings"]
                says = f"Verifying: {looked['records']:,} records under {looked['seals']:,} seals"
                progress.update(task, description=says)
                if page["next_cursor"] is None:
                    break
                query["cursor"] = page["next_cursor"]
    except RefusedError as refused:
        fail(str(refused))
    _show(looked, as_json)
    if any(one["trouble"] != PROOFLESS for one in looked["findings"]):
        raise typer.Exit(1)


def _show(looked: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(looked)
        return
    out.print(f"{looked['records']:,} records of {looked['tenant']} under {looked['seals']:,} seals", highlight=False)
    if not looked["findings"]:
        out.print("[bold green]Nothing was touched.[/]")
        return
    table = Table("trouble", "seal")
    for copied in ("record", "what"):
        table.add_column(copied, overflow="fold")
    for one in looked["findings"]:
        colour = "yellow" if one["trouble"] == PROOFLESS else "red"
        table.add_row(f"[{colour}]{one['trouble']}[/]", one["seal"] or "", one["record"] or "", one["says"])
    out.print(table)
