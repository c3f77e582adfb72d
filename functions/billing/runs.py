"""Runs over many customers or invoices: begun, followed, and listed."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.billing.model import PeriodBackwards
from cauri.billing.periods import Period
from cauri.billing.run_queries import outcomes_of, run_for, runs_of
from cauri.billing.run_views import OutcomePage, RunPage, RunView
from cauri.billing.running import StartBillingRun, StartDeletionRun
from cauri.billing.runs import NAMED_MAX, RunNotUndoable, UnknownRun
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN, CurrencyCode, Day, Id, Shape
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.parties.limits import Tier
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

RunId = Annotated[str, Path(pattern=ID_PATTERN, examples=["run_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2026-10"])]
Named = Annotated[list[Id], Field(max_length=NAMED_MAX)]

_NO_PERIOD: Final[dict[str, Any]] = {"first": {"type": "null"}, "last": {"type": "null"}}

api = Api("Invoice runs")


class BillingRunRequest(Shape):
    """A `period` as a month, or from `first` to `last`, both included. `customer_ids`: only these, and not all.

    `send`: each invoice goes to its customer by email once it has its number.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["period"], "properties": {"period": {"type": "string"}, **_NO_PERIOD}},
                {
                    "required": ["first", "last"],
                    "properties": {
                        "first": {"type": "string"},
                        "last": {"type": "string"},
                        "period": {"type": "null"},
                    },
                },
            ],
            "examples": [{"period": "2026-10", "currency": "KES"}],
        }
    )

    period: Month | None = None
    first: Day | None = None
    last: Day | None = None
    currency: CurrencyCode
    customer_ids: Named = Field(default_factory=list)
    send: bool = False

    @model_validator(mode="after")
    def _says_when_once(self) -> BillingRunRequest:
        days = self.first, self.last
        if (self.period is None) == (days == (None, None)) or (None in days and days != (None, None)):
            raise PydanticCustomError("period", "A run bills a period: a month, or else from first to last")
        return self

    def command(self) -> StartBillingRun:
        first, last = self._days()
        return StartBillingRun(first, last, self.currency, tuple(self.customer_ids), self.send)

    def _days(self) -> tuple[date, date]:
        if self.first is not None and self.last is not None:
            return self.first, self.last
        month = Period.month(self.period or "")
        return month.first, month.last


class DeletionRunRequest(Shape):
    """These invoices; or else all that a run made."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["invoice_ids"],
                    "properties": {"invoice_ids": {"type": "array", "minItems": 1}, "of_run": {"type": "null"}},
                },
                {
                    "required": ["of_run"],
                    "properties": {"of_run": {"type": "string"}, "invoice_ids": {"type": "array", "maxItems": 0}},
                },
            ]
        }
    )

    invoice_ids: Named = Field(default_factory=list)
    of_run: Annotated[Id, Field(examples=["run_01JD4W6K3M9QZ8X7V5T2R1P0N4"])] | None = None

    @model_validator(mode="after")
    def _says_which_once(self) -> DeletionRunRequest:
        if bool(self.invoice_ids) == (self.of_run is not None):
            raise PydanticCustomError("which", "A run deletes the invoices that are named, or else those of a run")
        return self


@api.command(
    "POST",
    "/v1/invoice-runs",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=RunView,
    status=HTTPStatus.ACCEPTED,
    refusals=[PeriodBackwards],
    location=lambda run: f"/v1/invoice-runs/{run['id']}",
)
def start_invoice_run(body: BillingRunRequest) -> StartBillingRun:
    """Bill a period to all customers

    One invoice per customer and period, however many runs overlap. What becomes of each customer is in the run: one
    that fails stops no other, and can be billed by another run. An account that was first used within the last second
    may be left to the next one.
    """
    return body.command()


@api.command(
    "POST",
    "/v1/invoice-runs/deletions",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=RunView,
    status=HTTPStatus.ACCEPTED,
    refusals=[UnknownRun, RunNotUndoable],
    location=lambda run: f"/v1/invoice-runs/{run['id']}",
)
def start_deletion_run(body: DeletionRunRequest) -> StartDeletionRun:
    """Delete many invoices, or all that a run made

    Each reverts what it billed, and only that. One that has payments stays, and is reported.
    """
    return StartDeletionRun(tuple(body.invoice_ids), body.of_run)


@api.read("/v1/invoice-runs", roles=STAFF, answer=RunPage)
def list_invoice_runs(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> RunPage:
    """List the runs, the last first"""
    cursors = cursors_of(caller, "invoice-runs")
    page = runs_of(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return RunPage(page.items, cursors.seal(page.position))


@api.read("/v1/invoice-runs/<run_id>", roles=STAFF, answer=RunView, refusals=[UnknownRun])
def get_invoice_run(run_id: RunId, caller: Caller) -> RunView:
    """Get a run: how far it is, and whom it failed for"""
    return run_for(wiring.database(), caller.tenant, run_id)


@api.read("/v1/invoice-runs/<run_id>/outcomes", roles=STAFF, answer=OutcomePage, refusals=[UnknownRun])
def list_run_outcomes(run_id: RunId, caller: Caller, cursor: CursorAsked = None) -> OutcomePage:
    """List what became of each, 250 on a page"""
    cursors = cursors_of(caller, "invoice-run", run_id)
    page = outcomes_of(wiring.database(), caller.tenant, run_id, after=cursors.open(cursor))
    return OutcomePage(page.items, cursors.seal(page.position))


handler = api.handler
