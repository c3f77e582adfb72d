"""Invoices that come again: schedules begun, paused and ended."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.billing.model import InvoiceCurrencyMismatch, Priced
from cauri.billing.recurrence import Recurrence, Unit, in_months
from cauri.billing.schedule_queries import schedule_for, schedules_that_are
from cauri.billing.schedule_views import SchedulePage, ScheduleView, schedule_view
from cauri.billing.schedules import ScheduleEnded, UnknownSchedule
from cauri.billing.scheduling import CreateSchedule, EndSchedule, PauseSchedule, ResumeSchedule
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN, Day, Id, PositiveMoney, Shape, Title
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.parties.limits import Tier
from cauri.parties.model import STANDARD, UnknownTaxClass, UnknownTenant
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

ScheduleId = Annotated[str, Path(pattern=ID_PATTERN, examples=["sch_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
Status = Annotated[Literal["active", "paused", "ended"], Query(description="Only schedules that stand so")]

LINES_MAX: Final = 50
CHANGES: Final = [UnknownSchedule, ScheduleEnded]

api = Api("Invoice schedules")


def _is_timezone(name: str) -> str:
    from zoneinfo import available_timezones  # a thousand files, for those that make a schedule

    if name not in available_timezones():
        raise PydanticCustomError("timezone", "Input should be the name of a time zone")
    return name


class ScheduleLineRequest(Shape):
    description: Title
    quantity: Annotated[int, Field(ge=1, le=10**6, examples=[1])] = 1
    price: PositiveMoney
    tax_class: Annotated[Id, Field(examples=[STANDARD])] = STANDARD

    def priced(self) -> Priced:
        return Priced(self.description, self.quantity, self.price.money(), self.tax_class)


class ScheduleRequest(Shape):
    """Every `every` units from `starts_on`. With `anchored_on` the first period is shorter: it ends the day before.

    `prorated`: a shorter first period costs its share. `timezone` says where a day begins.
    """

    customer_id: Id
    lines: Annotated[list[ScheduleLineRequest], Field(min_length=1, max_length=LINES_MAX)]
    unit: Literal["day", "week", "month", "year"] = "month"
    every: Annotated[int, Field(ge=1, le=100)] = 1
    starts_on: Day
    anchored_on: Day | None = None
    ends_on: Day | None = None
    prorated: bool = False
    timezone: Annotated[
        str, Field(pattern="^[A-Za-z0-9_+/-]{1,64}$", examples=["Africa/Nairobi"]), AfterValidator(_is_timezone)
    ] = "UTC"

    @model_validator(mode="after")
    def _is_a_calendar_s(self) -> ScheduleRequest:
        if not 2000 <= self.starts_on.year <= 2090:
            raise PydanticCustomError("starts_on", "A schedule begins between the years 2000 and 2090")
        if self.anchored_on is not None and not self.starts_on <= self.anchored_on <= in_months(self.starts_on, 12):
            raise PydanticCustomError("anchored_on", "The anchor is not before the start, and within a year of it")
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise PydanticCustomError("ends_on", "A schedule does not end before it begins")
        return self

    def command(self) -> CreateSchedule:
        lines = tuple(line.priced() for line in self.lines)
        days = self.starts_on, self.anchored_on, self.ends_on
        recurrence = Recurrence(Unit(self.unit), self.every, *days, self.prorated)
        return CreateSchedule(self.customer_id, lines, recurrence, self.timezone)


@api.command(
    "POST",
    "/v1/invoice-schedules",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=ScheduleView,
    status=HTTPStatus.CREATED,
    refusals=[UnknownTenant, UnknownTaxClass, InvoiceCurrencyMismatch],
    location=lambda schedule: f"/v1/invoice-schedules/{schedule['id']}",
)
def create_schedule(body: ScheduleRequest) -> CreateSchedule:
    """Bill a customer again and again

    A period is billed within the hour in which it begins, and once: an hour that was missed is made up for. A month
    that lacks the day of the first one is billed on its last. Periods that have begun already are billed too.
    """
    return body.command()


@api.read("/v1/invoice-schedules", roles=STAFF, answer=SchedulePage)
def list_schedules(
    caller: Caller, status: Status = "active", limit: Limit = 50, cursor: CursorAsked = None
) -> SchedulePage:
    """List the schedules that stand so: active ones by when they are due"""
    cursors = cursors_of(caller, "invoice-schedules", status)
    page = schedules_that_are(wiring.database(), caller.tenant, status, after=cursors.open(cursor), limit=limit)
    return SchedulePage([schedule_view(one) for one in page.items], cursors.seal(page.position))


@api.read("/v1/invoice-schedules/<schedule_id>", roles=STAFF, answer=ScheduleView, refusals=[UnknownSchedule])
def get_schedule(schedule_id: ScheduleId, caller: Caller) -> ScheduleView:
    """Get a schedule"""
    return schedule_for(wiring.database(), caller.tenant, schedule_id)


@api.command(
    "POST",
    "/v1/invoice-schedules/<schedule_id>/pause",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=ScheduleView,
    refusals=CHANGES,
)
def pause_schedule(schedule_id: ScheduleId) -> PauseSchedule:
    """Pause a schedule: what begins in the pause is not billed"""
    return PauseSchedule(schedule_id)


@api.command(
    "POST",
    "/v1/invoice-schedules/<schedule_id>/resume",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=ScheduleView,
    refusals=CHANGES,
)
def resume_schedule(schedule_id: ScheduleId) -> ResumeSchedule:
    """Go on with a schedule, from the next period that begins"""
    return ResumeSchedule(schedule_id)


@api.command(
    "POST",
    "/v1/invoice-schedules/<schedule_id>/end",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=ScheduleView,
    refusals=CHANGES,
)
def end_schedule(schedule_id: ScheduleId) -> EndSchedule:
    """End a schedule for good"""
    return EndSchedule(schedule_id)


handler = api.handler
