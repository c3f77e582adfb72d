"""The benchmark of the wallet, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

from local.terminal import out

if TYPE_CHECKING:
    from local.bench.wallet import Report, Run

REDEEM: Final = "POST /v1/wallets/{customer}/redemptions, what follows of it held back"


def show(report: Report) -> None:
    for title, runs in (("GET /v1/wallets/{customer}", report.balances), (REDEEM, report.redemptions)):
        out.print(_times(f"{title}; {runs[0].clients} clients", runs))
        out.print(_parts("Its CPU-ms", runs))
    table = _table(f"{report.cores} cores, {report.engine}", "aim", "reached", "aimed at")
    for name, (reached, aim, met) in report.aims().items():
        table.add_row(name, f"[{'green' if met else 'red'}]{reached:.2f}[/]", f"{aim:g}")
    out.print(table)
    out.print("[dim]Every wallet was looked at, and has what was not spent of it.[/]")


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(first, title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _times(title: str, runs: list[Run]) -> Table:
    table = _table(title, "", "answers", "per second", "p50 ms", "p95 ms", "p99 ms")
    for run in runs:
        percentiles = (run.tally.percentile_ms(percent) for percent in (50, 95, 99))
        figures = (run.tally.done, run.per_second, *percentiles)
        table.add_row(run.subject, *(f"{figure:.0f}" for figure in figures))
    return table


def _parts(title: str, runs: list[Run]) -> Table:
    parts = list(runs[0].cpu)
    table = _table(title, "", *parts, "all", "(the clients)")
    for run in runs:
        spent = [*(run.cpu.get(part, 0.0) for part in parts), run.all_cpu_ms, run.tally.own_cpu_ms / run.tally.done]
        table.add_row(run.subject, *(f"{ms:.2f}" for ms in spent))
    return table
