"""The benchmark of the checkout, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from local.bench.prices import AS_OF, REGION
from local.terminal import out

if TYPE_CHECKING:
    from local.bench.checkout import Report, Run, Sample


def show(report: Report) -> None:
    out.print(_runs("POST /v1/checkouts alone; what follows of it is held back", report.checkouts))
    out.print(_parts("Its CPU-ms an order", report.checkouts))
    out.print(_runs("Orders whole: checkout, payment, webhook, dispatch, saga, confirmation", report.orders))
    out.print(_parts("Their CPU-ms an order", report.orders))
    out.print(_functions(report))
    out.print(_bill(report.sample))
    out.print(_aims(report))
    out.print("[dim]Orders, stock and books were looked at after each run, and everything adds up.[/]")


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(first, title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _runs(title: str, runs: list[Run]) -> Table:
    table = _table(title, "clients", "orders", "per second", "p50 ms", "p95 ms", "p99 ms", "all CPU-ms")
    for run in runs:
        figures = (run.orders, run.per_second, run.p50_ms, run.p95_ms, run.p99_ms)
        table.add_row(str(run.clients), *(f"{figure:.0f}" for figure in figures), f"{run.all_cpu_ms:.1f}")
    return table


def _parts(title: str, runs: list[Run]) -> Table:
    parts = list(runs[0].cpu)
    table = _table(title, "clients", *parts, "(the clients)")
    for run in runs:
        spent = [*(run.cpu.get(part, 0.0) for part in parts), run.clients_cpu_ms]
        table.add_row(str(run.clients), *(f"{ms:.1f}" for ms in spent))
    return table


def _functions(report: Report) -> Table:
    sample, run = report.sample, report.orders[len(report.orders) // 2]
    title = f"An order, by function (CPU with {run.clients} clients)"
    table = _table(title, "function", "invocations", "CPU-ms", "calls of DynamoDB", "waits for them")
    for name, invocations in sample.invocations.items():
        cells = (invocations, run.by_function.get(name, 0.0), sample.calls[name], sample.round_trips[name])
        table.add_row(name, *(f"{value:.1f}" for value in cells))
    units = f"{sample.write_units:.0f} write units, {sample.read_units:.0f} read units"
    table.caption = f"{units}; {sample.hottest_share:.0%} of all units at the hottest partition, {sample.hottest}"
    table.caption_justify = "left"
    return table


def _bill(sample: Sample) -> Table:
    title = f"1,000 orders on AWS, {REGION}, prices of {AS_OF}"
    table = Table("for", title=title, title_justify="left")
    for column in ("an order takes", "$ a million", "$ 1,000 orders"):
        table.add_column(column, justify="right")
    table.add_column("because")
    for item in sample.bill:
        each, total = f"{item.per_order:,.3g}", f"{item.dollars_per_1000:.4f}"
        table.add_row(item.price.what, each, f"{item.price.dollars:g}", total, item.why)
    table.add_section()
    table.add_row("together", "", "", f"{sum(item.dollars_per_1000 for item in sample.bill):.4f}", "")
    return table


def _aims(report: Report) -> Table:
    table = _table(f"{report.cores} cores, {report.engine}", "aim", "reached", "aimed at")
    for name, (reached, aim, met) in report.aims().items():
        table.add_row(name, f"[{'green' if met else 'red'}]{reached:.1f}[/]", f"{aim:g}")
    return table
