"""Which schedules there are."""

from __future__ import annotations

from cauri.billing.schedule_views import ScheduleView, schedule_view
from cauri.billing.schedules import SCHEDULES, Schedule, UnknownSchedule, place_of, schedule_key
from cauri.billing.store import SHARDS
from cauri.books.database import Database
from cauri.books.listing import Page, read_sharded


def schedule_for(database: Database, tenant: str, schedule_id: str) -> ScheduleView:
    """Raises UnknownSchedule."""
    key = schedule_key(tenant, schedule_id)
    schedule = database.fetch([key])[key]
    if schedule is None:
        raise UnknownSchedule(schedule_id)
    return schedule_view(schedule)


def schedules_that_are(database: Database, tenant: str, state: str, *, after: str | None, limit: int) -> Page[Schedule]:
    """The schedules of a tenant that stand so: active ones by when they are due, others by age."""
    name = f"schedules-{state}"
    return read_sharded(database, SCHEDULES, tenant, name, SHARDS, place_of, after=after, limit=limit)
