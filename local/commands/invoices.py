"""`cauri invoices`: bill a period to all customers of a tenant, and follow it."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.terminal import DataOption, JsonOption, TemplateOption, data_path, err, fail, out, print_json, switchboard

Json = dict[str, Any]
TenantOption = Annotated[str, typer.Option("--tenant", help="Whose customers.")]

LOOK_SECONDS: Final = 0.5
AWAY_SECONDS_MAX: Final = 120
"""How long a cloud may be gone, killed or restarted, before nobody waits for it any more."""

group = typer.Typer(help="Invoices by the thousand.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="invoices")


@group.command()
def run(
    period: Annotated[str, typer.Option(help="The month: 2026-10.")],
    currency: Annotated[str, typer.Option(help="Of what is billed.")] = "KES",
    tenant: TenantOption = "jua",
    send: Annotated[bool, typer.Option(help="Send each invoice by email.")] = False,
    key: Annotated[str | None, typer.Option(help="The Idempotency-Key: with the same, it is the same run.")] = None,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bill a month to every customer with something unbilled. Status 1 if it failed for any."""
    body = {"period": period, "currency": currency, "send": send}
    _begin_and_follow("/v1/invoice-runs", body, _cloud(data, template, tenant), key, as_json)


@group.command()
def delete(
    run: Annotated[str, typer.Option("--run", help="The run that made them.")],
    tenant: TenantOption = "jua",
    key: Annotated[str | None, typer.Option(help="The Idempotency-Key: with the same, it is the same run.")] = None,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete the invoices that a run made: what they billed is to be billed again. Status 1 if any stayed."""
    cloud = _cloud(data, template, tenant)
    _begin_and_follow("/v1/invoice-runs/deletions", {"of_run": run}, cloud, key, as_json)


@group.command()
def follow(
    run: Annotated[str, typer.Argument(help="The run's id.")],
    tenant: TenantOption = "jua",
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a run that was begun before, to its end. Status 1 if it failed for any."""
    cloud = _cloud(data, template, tenant)
    _tell(_followed(cloud, run, quiet=as_json), as_json)


@group.command(name="runs")
def list_runs(
    tenant: TenantOption = "jua", template: TemplateOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the last runs."""
    runs = _cloud(data, template, tenant).get("/v1/invoice-runs")["items"]
    if as_json:
        print_json(runs)
        return
    table = Table("run", "kind", "period", "status", "made", "failed")
    for each in runs:
        period = f"{each['since']} to {each['until']}" if each["since"] else each["of_run"] or "named"
        counts = each["counts"]
        table.add_row(each["id"], each["kind"], period, each["status"], str(counts["made"]), str(counts["failed"]))
    out.print(table if runs else "no runs")


class Cloud:
    """The API as an administrator of the tenant asks it, wherever the cloud answers."""

    def __init__(self, api_url: str, token: str) -> None:
        self._http = httpx.Client(base_url=api_url, timeout=60, trust_env=False)
        self._http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Json:
        return self._answered(lambda: self._http.get(path))

    def post(self, path: str, body: Json, key: str) -> Json:
        return self._answered(lambda: self._http.post(path, json=body, headers={"Idempotency-Key": key}))

    def _answered(self, ask: Callable[[], httpx.Response]) -> Json:
        """A cloud that was killed is waited for: the key makes it safe to ask again."""
        gone_at: float | None = None
        while True:
            try:
                response = ask()
            except httpx.TransportError as gone:
                gone_at = gone_at or time.monotonic()
                if time.monotonic() - gone_at > AWAY_SECONDS_MAX:
                    fail(f"the local cloud does not answer: {gone}")
                time.sleep(LOOK_SECONDS)
                continue
            if response.status_code in (429, 503):
                time.sleep(int(response.headers.get("retry-after", "1")))
                continue
            answer: Json = response.json()
            if response.is_error:
                fail(f"{answer['detail']} {answer.get('suggestion', '')}".strip())
            return answer


def _cloud(data: Path | None, template: Path | None, tenant: str) -> Cloud:
    cloud = switchboard(data, template)
    where = json.loads((data_path(data, template) / "ready.json").read_text())
    return Cloud(where["api"], cloud.token(tenant=tenant, roles=["admin"], sub="command-line"))


def _begin_and_follow(path: str, body: Json, cloud: Cloud, key: str | None, as_json: bool) -> None:
    begun = cloud.post(path, body, key or str(uuid.uuid4()))
    if not as_json:
        out.print(f"run [bold]{begun['id']}[/]")
    _tell(_followed(cloud, begun["id"], quiet=as_json), as_json)


def _followed(cloud: Cloud, run_id: str, *, quiet: bool) -> Json:
    """The run as it ended. Its progress is on standard error."""
    with _progress(quiet) as show:
        while (seen := cloud.get(f"/v1/invoice-runs/{run_id}"))["status"] != "completed":
            show(seen["counts"])
            time.sleep(LOOK_SECONDS)
        show(seen["counts"])
    return seen


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Json], None]]:
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[green]{task.fields[invoices]} invoices[/] [red]{task.fields[failed]} failed[/]"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=err, disable=quiet) as progress:
        task = progress.add_task("customers", total=None, invoices=0, failed=0)

        def show(counts: Json) -> None:
            done = counts["all"] - counts["waiting"]
            known = {"invoices": counts["invoices"], "failed": counts["failed"]}
            progress.update(task, total=counts["all"] or None, completed=done, **known)

        yield show


def _tell(ended: Json, as_json: bool) -> None:
    counts = ended["counts"]
    if as_json:
        print_json(ended)
    else:
        out.print(
            f"{counts['made']} done with {counts['invoices']} invoices, {counts['skipped']} skipped,"
            f" {counts['failed']} failed"
        )
        for error in ended["errors"]:
            err.print(f"[red]{error['id']}[/red] {error['code']}: {error['detail']}", highlight=False)
    if counts["failed"]:
        raise typer.Exit(1)
