"""`cauri demo`: a day at a small market, on a cloud of its own."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.panel import Panel

from local.terminal import TemplateOption, fail, out, template_path


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    template: TemplateOption = None,
    workers: Annotated[int, typer.Option(help="Worker processes that run handlers.", min=1)] = 2,
    keep: Annotated[Path | None, typer.Option(help="Keep the cloud's data here, to look at with cauri dev.")] = None,
) -> None:
    """Play a day at the market: carts, cards, webhooks that misbehave, a rush, and the books."""
    import httpx

    from local.cloud import CloudFailedError, LocalCloud
    from local.story.acts import ACTS
    from local.story.client import RefusedError
    from local.story.stage import Stage, StoryError

    path = template_path(template)
    data = keep or Path(tempfile.mkdtemp(prefix="cauri-demo-"))
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            with out.status("Starting the local cloud"):
                cloud = stack.enter_context(LocalCloud(path, data=data, workers=workers))
            http = stack.enter_context(
                httpx.Client(timeout=60, limits=httpx.Limits(max_connections=100), trust_env=False)
            )
            out.print(
                Panel(_where(cloud.where, time.monotonic() - began), title="cauri", title_align="left", expand=False)
            )
            stage = Stage(out, http, cloud.api_url, cloud)
            for act in ACTS:
                act(stage)
    except (CloudFailedError, RefusedError, StoryError, TimeoutError) as error:
        fail(str(error))
    finally:
        if keep is None:
            shutil.rmtree(data, ignore_errors=True)
    out.print(f"\n[bold green]The day is over, and everything adds up.[/] [dim]{time.monotonic() - began:.0f} s[/]")
    out.print("[dim]Leave the cloud running with[/] make dev[dim], and open[/] /docs[dim].[/]")


def _where(where: Mapping[str, Any], seconds: float) -> str:
    return f"The local cloud is up after {seconds:.1f} s, on {where['engine']['name']}: {where['api']}"
