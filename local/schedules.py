"""Schedules: `rate(5 minutes)`, `cron(0 9 ? * MON-FRI *)` and `at(2026-12-31T23:59:00)`, as EventBridge reads them.

The last firing is kept, so that a restart neither fires twice nor forgets: what fell due while the cloud was down
fires once when it is up again.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from croniter import croniter

from local.queues import Queue
from local.state import State
from local.template import Schedule

log = logging.getLogger(__name__)

EXPRESSION: Final = re.compile(r"(rate|cron|at)\((.+)\)")
RATE: Final = re.compile(r"(\d+) (minute|hour|day)s?")
UNIT_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
DAY_NUMBER: Final = re.compile(r"(?<![\d#/])[1-7](?!\d)")
SLEEP_SECONDS_MAX: Final = 60.0  # so that a clock that is set, or a laptop that slept, is noticed
RETRY_SECONDS: Final = 1.0
RETRY_SECONDS_MAX: Final = 60.0

Fire = Callable[[bytes], Awaitable[str | None]]


class UnsupportedExpressionError(ValueError):
    """Not a schedule expression."""


def next_firing(expression: str, timezone: str, after: float) -> float | None:
    """The first time (Unix seconds) after `after`, or None when there is none any more.

    A rate is counted from `after` itself. Raises UnsupportedExpressionError.
    """
    found = EXPRESSION.fullmatch(expression)
    if found is None:
        raise UnsupportedExpressionError(expression)
    kind, text = found.groups()
    zone: tzinfo = ZoneInfo(timezone)
    if kind == "rate":
        rate = RATE.fullmatch(text)
        if rate is None:
            raise UnsupportedExpressionError(expression)
        return after + int(rate[1]) * UNIT_SECONDS[rate[2]]
    if kind == "at":
        once = datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
        return once if once > after else None
    begin = datetime.fromtimestamp(after, zone)
    firing: datetime = croniter(_standard(text), begin).get_next(datetime)
    return firing.timestamp()


def _standard(fields: str) -> str:
    """AWS's `minute hour day month weekday year` as croniter's, which has seconds before the year and Sunday as 0."""
    try:
        minute, hour, day, month, weekday, year = fields.split()
    except ValueError:
        raise UnsupportedExpressionError(fields) from None
    numbered = DAY_NUMBER.sub(lambda number: str(int(number[0]) - 1), weekday)
    return f"{minute} {hour} {day} {month} {numbered} 0 {year}".replace("?", "*")


class ScheduleRunner:
    """Fires one schedule. `fire` gives the event to the target, and answers the error's name, or None."""

    def __init__(
        self, schedule: Schedule, event: str | None, fire: Fire, state: State, dead_letters: Queue | None
    ) -> None:
        self._schedule = schedule
        self._event = event
        self._fire = fire
        self._state = state
        self._dead_letters = dead_letters

    async def run(self) -> None:
        """Returns when the schedule has no time left, which only `at` comes to."""
        last = self._last()
        while (due := next_firing(self._schedule.expression, self._schedule.timezone, last)) is not None:
            await _sleep_until(due)
            last = time.time()
            self._state.execute("insert or replace into schedules values (?, ?)", self._schedule.logical_id, last)
            await self._fire_with_retries(due)

    def _last(self) -> float:
        """The last firing; at the first start of all, now."""
        row = self._state.row("select fired_at from schedules where name = ?", self._schedule.logical_id)
        if row is not None:
            return float(row["fired_at"])
        now = time.time()
        self._state.execute("insert or replace into schedules values (?, ?)", self._schedule.logical_id, now)
        return now

    async def _fire_with_retries(self, due: float) -> None:
        payload = (self._event or json.dumps(scheduled_event(self._schedule, due))).encode()
        pause = RETRY_SECONDS
        for attempt in range(self._schedule.retries_max + 1):
            if attempt:
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_SECONDS_MAX)
            failure = await self._fire(payload)
            if failure is None:
                return
            log.warning("%s failed: %s", self._schedule.logical_id, failure)
            if time.time() - due > self._schedule.event_age_max:
                break
        if self._dead_letters is not None:
            self._dead_letters.send(payload.decode())


async def _sleep_until(due: float) -> None:
    while (rest := due - time.time()) > 0:
        await asyncio.sleep(min(rest, SLEEP_SECONDS_MAX))


def scheduled_event(schedule: Schedule, due: float) -> dict[str, Any]:
    """What a target gets when the template gives no input of its own."""
    return {
        "version": "0",
        "source": "aws.scheduler",
        "detail-type": "Scheduled Event",
        "time": datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resources": [schedule.logical_id],
        "detail": "{}",
    }
