"""Schedules: an invoice that comes again, once for each of its periods. Source: SPEC 9.

A period is billed on the day it begins, where the schedule's clock goes. Its key is the schedule and that day, so that
nothing is billed twice; and a schedule remembers which period comes next, so that a run that was missed is made up for.
What lies in a pause is not billed.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

from cauri.billing.model import Priced
from cauri.billing.recurrence import ONE_DAY, Period, Recurrence, begins_at
from cauri.billing.store import SHARDS, TABLE
from cauri.books.shelf import Key, Shelf, shelve
from cauri.clock import Instant, rfc3339
from cauri.errors import Refusal
from cauri.ids import shard_of
from cauri.values import dataclass, replace


@dataclass
class UnknownSchedule(Refusal):
    code: ClassVar[str] = "unknown_schedule"
    schedule_id: str

    def detail(self) -> str:
        return f"There is no invoice schedule {self.schedule_id!r}."


@dataclass
class ScheduleEnded(Refusal):
    code: ClassVar[str] = "schedule_ended"
    schedule_id: str

    def detail(self) -> str:
        return f"The schedule {self.schedule_id} has ended, and bills nothing any more."

    def suggestion(self) -> str:
        return "Make a new schedule."


@dataclass(frozen=True)
class Schedule:
    """`lines` are billed to the customer for every period; `next_on` is when the next begins, None after the last."""

    tenant: str
    id: str
    customer_id: str
    lines: tuple[Priced, ...]
    recurrence: Recurrence
    timezone: str
    next_on: date | None
    paused: bool = False
    billed: int = 0
    """How many periods were."""
    version: int = 0

    @property
    def state(self) -> str:
        if self.next_on is None:
            return "ended"
        return "paused" if self.paused else "active"

    @property
    def due_at(self) -> Instant | None:
        """When the next period begins."""
        return begins_at(self.next_on, self.timezone) if self.next_on else None

    def after(self, period: Period) -> Schedule:
        """When that period is billed."""
        return replace(self, next_on=self._first_from(period.since + ONE_DAY), billed=self.billed + 1)

    def pause(self) -> Schedule:
        """Raises ScheduleEnded."""
        self._require_going_on()
        return replace(self, paused=True)

    def resume(self, day: date) -> Schedule:
        """From the first period that begins on `day` or later. Raises ScheduleEnded."""
        self._require_going_on()
        if not self.paused or self.next_on is None:
            return self
        return replace(self, paused=False, next_on=self._first_from(max(day, self.next_on)))

    def end(self) -> Schedule:
        """Raises ScheduleEnded."""
        self._require_going_on()
        return replace(self, next_on=None, paused=False)

    def _first_from(self, day: date) -> date | None:
        period = next(self.recurrence.periods(day), None)
        return period.since if period else None

    def _require_going_on(self) -> None:
        if self.next_on is None:
            raise ScheduleEnded(self.id)


def schedule_list(state: str, schedule_id: str) -> str:
    """The list of schedules in a state; those that are active are spread over partitions."""
    return f"schedules-{state}#{shard_of(schedule_id, SHARDS):02d}"


def place_of(schedule: Schedule) -> str:
    """An active schedule's place is when it is due next."""
    due = rfc3339(schedule.due_at) if schedule.state == "active" and schedule.due_at else ""
    return f"{due}#{schedule.id}"


SCHEDULES: Final = shelve(
    Shelf(
        TABLE,
        Schedule,
        place=lambda schedule: (f"schedule#{schedule.id}", "schedule"),
        tenant=lambda schedule: schedule.tenant,
        listed=lambda schedule: (schedule_list(schedule.state, schedule.id), place_of(schedule)),
    )
)


def schedule_key(tenant: str, schedule_id: str) -> Key[Schedule]:
    return SCHEDULES.key(tenant, f"schedule#{schedule_id}", "schedule")
