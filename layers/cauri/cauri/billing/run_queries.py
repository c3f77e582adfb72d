"""How runs stand."""

from __future__ import annotations

from typing import Final

from cauri.billing.run_store import ALL_RUNS, RUNS, read_run, read_shards, run_key
from cauri.billing.run_views import OutcomeView, RunView, outcome_views, run_view
from cauri.billing.runs import UnknownRun
from cauri.books.database import Database
from cauri.books.listing import Page, read_page

SHARDS_ON_A_PAGE: Final = 10


def run_for(database: Database, tenant: str, run_id: str) -> RunView:
    """A run as it stands now: its shards are counted. Raises UnknownRun."""
    run, shards = read_run(database, tenant, run_id)
    if run is None:
        raise UnknownRun(run_id)
    return run_view(run, shards)


def runs_of(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[RunView]:
    """The tenant's runs, the last first, as they began or ended."""
    page = read_page(database, RUNS, tenant, ALL_RUNS, after=after, limit=limit, newest_first=True)
    return Page([run_view(run) for run in page.items], page.position)


def outcomes_of(database: Database, tenant: str, run_id: str, *, after: str | None) -> Page[OutcomeView]:
    """What became of each, some shards at a time. Raises UnknownRun."""
    key = run_key(tenant, run_id)
    if database.fetch([key])[key] is None:
        raise UnknownRun(run_id)
    first = int(after or 0)
    shards = read_shards(database, tenant, run_id, first, SHARDS_ON_A_PAGE)
    more = len(shards) == SHARDS_ON_A_PAGE
    outcomes = [view for shard in shards for view in outcome_views(shard)]
    return Page(outcomes, str(first + SHARDS_ON_A_PAGE) if more else None)
