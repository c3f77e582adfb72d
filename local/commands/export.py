"""`cauri export`: the whole journal, as hledger or Beancount read it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from cauri.books.exporting import Format
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.story.market import TENANT
from local.terminal import DataOption, JsonOption, TemplateOption, data_path, err, fail, out, print_json, switchboard


def register(app: typer.Typer) -> None:
    app.command()(export)


def export(
    form: Annotated[Format, typer.Argument(metavar="FORMAT", help="hledger or beancount.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; else standard output.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose journal.")] = TENANT,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the whole journal, every entry of it, for hledger or Beancount."""
    import httpx

    from local.story.client import Client, RefusedError

    if as_json and output is None:
        fail("--json tells of the file that --output names")
    token = switchboard(data, template).token(tenant=tenant, roles=["finance"], sub="cauri-export", days=0.1)
    api_url = json.loads((data_path(data, template) / "ready.json").read_text())["api"]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    entries, pieces = 0, 0
    try:
        with (
            httpx.Client(timeout=60, trust_env=False) as http,
            output.open("w", encoding="utf-8") if output else _StandardOutput() as file,
            Progress(*columns, console=err, disable=as_json, transient=True) as progress,
        ):
            client, task = Client(http, api_url, token), progress.add_task("Exporting")
            query: dict[str, str] = {"format": form}
            while True:
                page = client.get("/v1/ledger/journal", **query)
                file.write(page["text"])
                entries, pieces = entries + page["entries"], pieces + 1
                progress.update(task, description=f"Exporting: {entries:,} entries")
                if page["next_cursor"] is None:
                    break
                query["cursor"] = page["next_cursor"]
    except RefusedError as refused:
        fail(str(refused))
    if as_json:
        print_json({"format": form, "tenant": tenant, "entries": entries, "file": str(output)})
    elif output is not None:
        out.print(f"{entries:,} entries of {tenant} in {output}", highlight=False)


class _StandardOutput:
    """Not ours to close."""

    def __enter__(self) -> _StandardOutput:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def write(self, text: str) -> int:
        return sys.stdout.write(text)
