"""`cauri bench`: what the functions cost."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from local.terminal import JsonOption, TemplateOption, err, fail, out, print_json, template_path

group = typer.Typer(help="Measure what the functions cost.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="bench")


@group.command()
def init(
    functions: Annotated[list[str] | None, typer.Argument(help="Logical ids; else all functions.")] = None,
    repeats: Annotated[int, typer.Option(help="Of which the median is taken.", min=1)] = 7,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare each function's init with importing its third-party packages alone."""
    from local.bench.init import RATIO_AIM, measure
    from local.template import read

    declared = read(template_path(template))
    if unknown := set(functions or ()) - declared.functions.keys():
        fail(f"no such function: {', '.join(sorted(unknown))}")
    chosen = [each for name, each in declared.functions.items() if not functions or name in functions]
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("Importing", total=repeats * len(chosen))
        measured = measure(declared, chosen, repeats, lambda: progress.advance(task))
    if as_json:
        print_json({"repeats": repeats, "ratio_aim": RATIO_AIM, "functions": [each.as_json() for each in measured]})
        return
    table = Table("function", title="Init in fresh processes, ms", title_justify="left")
    for column in ("CPU", "wall", "packages alone: CPU", "wall", "ratio of CPU"):
        table.add_column(column, justify="right")
    for each in measured:
        colour = "green" if each.ratio <= RATIO_AIM else "red"
        costs = (each.handler.cpu_ms, each.handler.wall_ms, each.packages.cpu_ms, each.packages.wall_ms)
        table.add_row(each.function, *(f"{cost:.0f}" for cost in costs), f"[{colour}]{each.ratio:.2f}[/{colour}]")
    out.print(table)


@group.command()
def checkout(
    clients: Annotated[list[int] | None, typer.Option(min=1, help="At once; may be given several times.")] = None,
    seconds: Annotated[float, typer.Option(help="For each number of clients.", min=1, max=300)] = 10,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place orders, and tell what each costs: time, CPU, round trips, capacity units, dollars."""
    import tempfile

    from local.bench.checkout import DoesNotAddUpError, measure
    from local.bench.tables import show
    from local.cloud import CloudFailedError
    from local.story.client import RefusedError

    if not Path("/proc/self/stat").exists():
        fail("only Linux tells here what a process has spent")
    directory = tempfile.TemporaryDirectory(prefix="cauri-bench-", ignore_cleanup_errors=True)
    with directory as data, err.status("") as status:
        try:
            measured = measure(template_path(template), Path(data), clients or [1, 16, 64], seconds, status.update)
        except (CloudFailedError, DoesNotAddUpError, RefusedError, TimeoutError, OSError) as error:
            fail(str(error))
    if as_json:
        print_json(measured.as_json())
        return
    show(measured)


@group.command()
def wallet(
    clients: Annotated[int, typer.Option(min=1, max=2000, help="At once, each with a customer of its own.")] = 1_000,
    lookups: Annotated[int, typer.Option(min=30, help="Of each that is measured, at most.")] = 100_000,
    redemptions: Annotated[int, typer.Option(min=30, help="Of each that is measured, at most.")] = 10_000,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="For each that is measured, at most.")] = 30,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read balances and redeem, and tell what each costs, beside a bare function that makes the same calls."""
    import tempfile

    from local.bench.checkout import DoesNotAddUpError
    from local.bench.wallet import measure
    from local.bench.wallet_tables import show
    from local.cloud import CloudFailedError
    from local.story.client import RefusedError

    if not Path("/proc/self/stat").exists():
        fail("only Linux tells here what a process has spent")
    directory = tempfile.TemporaryDirectory(prefix="cauri-bench-", ignore_cleanup_errors=True)
    with directory as data, err.status("") as status:
        try:
            path = template_path(template)
            measured = measure(path, Path(data), clients, lookups, redemptions, seconds, status.update)
        except (CloudFailedError, DoesNotAddUpError, RefusedError, TimeoutError, OSError) as error:
            fail(str(error))
    if as_json:
        print_json(measured.as_json())
        return
    show(measured)


@group.command()
def packages(
    build: Annotated[Path, typer.Option(help="The build directory of SAM: make build.")] = Path(".aws-sam/build"),
    as_json: JsonOption = False,
) -> None:
    """Show how large the layers and functions are, and how much of Lambda's limit they take."""
    from dataclasses import asdict

    from local.bench.packages import UNZIPPED_BYTES_MAX, sizes, together

    if not (build / "template.yaml").exists():
        fail(f"nothing is built in {build}; make build does it")
    found = sizes(build)
    whole = together(found, build)
    if as_json:
        listed = [asdict(each) | {"with_layers": whole.get(each.name)} for each in found]
        print_json({"unzipped_bytes_max": UNZIPPED_BYTES_MAX, "packages": listed})
        return
    table = Table("package", title="Packages, kB", title_justify="left")
    for column in ("files", "unzipped", "zipped", "with its layers", "of 250 MB"):
        table.add_column(column, justify="right")
    for each in found:
        total = whole.get(each.name)
        sums = ("", "") if total is None else (f"{total / 1024:,.0f}", f"{total / UNZIPPED_BYTES_MAX:.0%}")
        table.add_row(each.name, f"{each.files}", f"{each.unzipped / 1024:,.1f}", f"{each.zipped / 1024:,.1f}", *sums)
    out.print(table)
