"""`cauri reconcile`: whether everything agrees, and what does not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.terminal import DataOption, JsonOption, TemplateOption, data_path, err, fail, out, print_json, switchboard

if TYPE_CHECKING:
    from local.story.client import Client

POLL_SECONDS: Final = 0.3
SECONDS_MAX: Final = 900
FIGURES: Final = (
    ("Orders", "orders", "orders_count"),
    ("Payments", "payments", "payments_count"),
    ("Payments less orders", "payment_variance", None),
    ("Delivered", "delivered", None),
    ("Settled", "gross_settled", None),
    ("Delivered less settled", "settlement_variance", None),
    ("Commission", "commission", None),
    ("To suppliers", "net_to_suppliers", None),
)
COLOURS: Final = {"alarm": "red", "warning": "yellow", "notice": "dim"}


def register(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    tenant: Annotated[str, typer.Option(help="Whose books.")] = "jua",
    light: Annotated[bool, typer.Option("--light", help="Only what changed a moment ago, and what waits.")] = False,
    since: Annotated[
        str | None, typer.Option(help="From when on: 2026-11-20T00:00:00Z. Else today's midnight.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="To just before when. Else now.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Run the command that repairs each finding.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write the report here as CSV.")] = None,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look whether everything agrees: ledger, balances, stock, orders, refunds, providers. Status 1 if it does not."""
    import httpx

    from local.story.client import Client, RefusedError

    cloud = switchboard(data, template)
    api_url = _api_url(data_path(data, template))
    token = cloud.token(tenant=tenant, roles=["finance"], sub="cauri-reconcile", days=0.1)
    asked = {"kind": "light" if light else "full", "since": since, "until": until}
    with httpx.Client(timeout=60, trust_env=False) as http:
        client = Client(http, api_url, token)
        try:
            report = _followed(client, {name: value for name, value in asked.items() if value}, quiet=as_json)
            findings = _all(client, f"/v1/reconciliations/{report['id']}/findings")
            repaired = [_repaired(client, report, one) for one in findings if repair and one["repair"]]
            if csv is not None:
                answer = http.get(f"{api_url}/v1/reconciliations/{report['id']}/csv", headers=_bearer(token))
                csv.write_bytes(answer.raise_for_status().content)
        except RefusedError as refused:
            fail(str(refused))
    if as_json:
        print_json({"report": report, "findings": findings, "repaired": repaired})
    else:
        _show(report, findings)
        for each in repaired:
            out.print(f"[green]repaired[/green] {each['id']} by {each['command']}", highlight=False)
    if findings:
        raise typer.Exit(1)


def _api_url(directory: Path) -> str:
    url: str = json.loads((directory / "ready.json").read_text())["api"]
    return url


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _followed(client: Client, asked: dict[str, str], *, quiet: bool) -> Any:
    """The report when it is completed, with a bar while it is not."""
    report = client.post("/v1/reconciliations", asked)
    deadline = time.monotonic() + SECONDS_MAX
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=err, disable=quiet, transient=True) as progress:
        task = progress.add_task("Reconciling", total=len(report["parts"]))
        while report["status"] != "completed":
            time.sleep(POLL_SECONDS)
            report = client.get(f"/v1/reconciliations/{report['id']}")
            if time.monotonic() > deadline:
                fail(f"{report['id']} did not end in {SECONDS_MAX} s; see cauri dlq list")
            left = [part for part in report["parts"] if part not in report["done"]]
            progress.update(task, completed=len(report["done"]), description=f"Looking at {', '.join(left[:1])}")
    return report


def _all(client: Client, path: str) -> list[Any]:
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, limit=100, **cursor)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


def _repaired(client: Client, report: Any, finding: Any) -> dict[str, str]:
    client.post(f"/v1/reconciliations/{report['id']}/findings/{finding['id']}/repair", {})
    return {"id": finding["id"], "command": finding["repair"]["command"]}


def _show(report: Any, findings: list[Any]) -> None:
    looked = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in report["checked"].items())
    out.print(
        f"{report['kind']} reconciliation {report['id']}: {report['since']} to {report['until']}", highlight=False
    )
    out.print(f"[dim]Looked at {looked or 'nothing'}[/dim]", highlight=False)
    for figures in report["figures"]:
        table = Table("", figures["currency"], "count", title_justify="left")
        for label, amount, count in FIGURES:
            table.add_row(label, _money(figures[amount]), "" if count is None else str(figures[count]))
        out.print(table)
    if not findings:
        out.print("[bold green]Everything agrees.[/]")
        return
    table = Table("severity", "check", "resource")
    for copied in ("what", "repair"):
        table.add_column(copied, overflow="fold")
    for one in sorted(findings, key=lambda one: list(COLOURS).index(one["severity"])):
        colour = COLOURS[one["severity"]]
        command = "by people" if one["repair"] is None else f"{one['repair']['command']} {one['repair']['about']}"
        table.add_row(f"[{colour}]{one['severity']}[/]", one["check"], one["resource"], one["says"], command)
    out.print(table)


def _money(amount: Any) -> str:
    from cauri.money import Money

    return str(Money(amount["amount"], amount["currency"]))
