"""`cauri dev`: the whole cloud, until Ctrl-C."""

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.logging import RichHandler
from rich.panel import Panel
from rich.table import Table

from local.issuer import Bearer
from local.story.market import TENANT
from local.terminal import DataOption, JsonOption, TemplateOption, data_path, err, fail, out, print_json, template_path

if TYPE_CHECKING:
    from local.assembly import Cloud, Options

PORT: Final = 8000
PAGES: Final = ("/docs", "/console", "/wallet", "/vendor")  # what a browser can open, if the template has the route


def register(app: typer.Typer) -> None:
    app.command()(dev)


def dev(
    template: TemplateOption = None,
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="The API's port; the others follow it. 0: any.")] = PORT,
    workers: Annotated[int, typer.Option(help="Worker processes that run handlers.", min=1)] = os.cpu_count() or 1,
    engine: Annotated[str, typer.Option(help="auto, dynoxide (keeps its data) or moto (in memory).")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget everything and begin anew.")] = False,
    reload: Annotated[bool, typer.Option(help="Follow changes of the code.")] = True,
    tenant: Annotated[str, typer.Option(help="The tenant of the token that is printed.")] = TENANT,
    parameter: Annotated[list[str] | None, typer.Option(help="Name=Value, in place of the template's default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run everything the template declares on this machine, until Ctrl-C."""
    from local.assembly import Options

    if engine not in ("auto", "dynoxide", "moto"):
        fail("--engine is auto, dynoxide or moto")
    path = template_path(template)
    options = Options(
        template=path,
        data=data_path(data, template),
        port=port,
        workers=workers,
        fresh=fresh,
        engine=engine,  # type: ignore[arg-type]
        parameters=_parameters(parameter or []),
    )
    _run(options, reload, tenant, as_json)


def _run(options: "Options", reload: bool, tenant: str, as_json: bool) -> None:
    import uvloop

    from local.addresses import PortTakenError
    from local.engine.binary import EngineUnavailableError
    from local.state import StateInUseError
    from local.template import UnsupportedIntrinsicError
    from local.template.sam import TemplateError

    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)]
    )
    try:
        uvloop.run(_serve(options, reload, tenant, as_json))
    except PortTakenError as problem:
        fail(f"{problem.strerror}; choose another with --port")
    except (StateInUseError, EngineUnavailableError, TemplateError, UnsupportedIntrinsicError) as problem:
        fail(str(problem))


async def _serve(options: "Options", reload: bool, tenant: str, as_json: bool) -> None:
    from local.server import serve, stop_on_signals

    began = time.monotonic()
    stop = asyncio.Event()
    stop_on_signals(stop)

    def ready(cloud: "Cloud") -> None:
        token = cloud.issuer.token(Bearer(tenant, ("admin",), subject="developer"), days=1)
        if as_json:
            print_json({**cloud.describe(), "tenant": tenant, "token": token})
        else:
            _welcome(cloud.describe(), _docs(cloud), tenant, token, time.monotonic() - began)

    def reloaded(changed: list[str]) -> None:
        if not as_json:
            out.print(f"[dim]reloaded:[/dim] {', '.join(changed)}")

    await serve(options, ready, stop, reloaded if reload else None)
    if not as_json:
        out.print("[dim]stopped[/dim]")


def _docs(cloud: "Cloud") -> list[str]:
    """What of the API a browser can open."""
    open_paths = {route.path for route in cloud.template.routes if route.method in ("GET", "ANY")}
    return [cloud.describe()["api"] + path for path in PAGES if path in open_paths]


def _welcome(where: dict[str, Any], docs: list[str], tenant: str, token: str, seconds: float) -> None:
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim")
    lines.add_column(overflow="fold")
    lines.add_row("API", where["api"])
    for page in docs:
        lines.add_row("open", page)
    for function, url in where["function_urls"].items():
        lines.add_row(function, url)
    lines.add_row("inbox", where["inbox"])
    for party, url in where["outside"].items():
        lines.add_row(f"{party} (a fake)", url)
    lines.add_row("AWS and token issuer", where["control"])
    lines.add_row("DynamoDB", f"{where['dynamodb']}  {where['engine']['name']} {where['engine']['note']}")
    lines.add_row("workers", str(where["workers"]))
    lines.add_row("logs", "cauri logs --follow")
    out.print(Panel(lines, title=f"cauri is up, after {seconds:.1f} s", title_align="left", expand=False))
    out.print(f"[dim]a token of an admin of the tenant {tenant}, for a day:[/dim]")
    print(f"export TOKEN={token}", flush=True)  # one line, however narrow the terminal


def _parameters(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if any(not equals for _, equals, _ in pairs):
        fail("--parameter is Name=Value")
    return {name: value for name, _, value in pairs}
