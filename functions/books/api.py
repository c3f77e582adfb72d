"""The ledger and the log, to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.books.caller import Caller
from cauri.books.statements import (
    StatementLine,
    TrialBalance,
    UnknownAccount,
    explain_account,
    statement,
    trial_balance,
)
from cauri.books.trail import SeveralLogLists, TrailEntry, by_caller, by_day, by_resource
from cauri.clock import rfc3339
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
from cauri.edge.fields import ID_PATTERN
from cauri.edge.http import Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from pydantic import AfterValidator, AwareDatetime

ACCOUNTANTS: Final = frozenset({"finance", "admin"})
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

Account = Annotated[
    str, Path(pattern=r"^[a-z_]{1,40}(:[A-Za-z0-9._-]{1,64})?$", examples=["cash:demo", "prepaid:cus_amina"])
]
Asset = Annotated[str, Query(pattern=r"^[A-Z]{3}$", examples=["KES"])]


def _in_our_time(moment: datetime | None) -> datetime | None:
    """Nothing was posted before, and nothing will be after: beyond them a moment means the same."""
    return None if moment is None else max(EARLIEST, min(moment, LATEST))


Moment = Annotated[AwareDatetime | None, AfterValidator(_in_our_time)]
Start = Annotated[Moment, Query(description="From this moment on")]
End = Annotated[Moment, Query(description="To just before this moment")]

api = Api("Books")


@dataclass(frozen=True)
class StatementPage:
    """Postings, the oldest first, with the balances before and after them. Minor units, debits positive."""

    account: str
    asset: str
    opening_balance: int
    closing_balance: int
    lines: list[StatementLine]
    next_cursor: str | None


@api.read("/v1/ledger/trial-balance", roles=ACCOUNTANTS, answer=TrialBalance)
def get_trial_balance(caller: Caller) -> TrialBalance:
    """Get the trial balance

    Every account, and both sides per asset. They are equal as soon as every commit is folded in.
    """
    return trial_balance(wiring.database(), caller.tenant)


@api.read(
    "/v1/ledger/accounts/<account>/statement",
    roles=ACCOUNTANTS,
    answer=StatementPage,
    refusals=[UnknownAccount],
)
def get_statement(
    account: Account,
    asset: Asset,
    caller: Caller,
    start: Start = None,
    end: End = None,
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> StatementPage:
    """Get an account's statement

    What was posted, the oldest first, each with the balance afterwards.
    """
    cursors = cursors_of(caller, "statement", account, asset, str(start), str(end))
    after = cursors.open(cursor) or ""
    page = statement(wiring.database(), caller.tenant, account, asset, start=start, end=end, after=after, limit=limit)
    return StatementPage(
        account, asset, page.opening_balance, page.closing_balance, page.lines, cursors.seal(page.last)
    )


Resource = Annotated[
    str | None, Query(pattern=ID_PATTERN, description="What was changed: an order, a payment, a SKU, a customer")
]
Subject = Annotated[str | None, Query(pattern=r"^[!-~]{1,255}$", description="Who changed it: the token's sub")]
Day = Annotated[str | None, Query(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]$", description="On which day, in UTC")]


@dataclass(frozen=True)
class LogPage:
    """Changes, the newest first."""

    items: list[TrailEntry]
    next_cursor: str | None


@api.read("/v1/log", roles=ACCOUNTANTS, answer=LogPage, refusals=[SeveralLogLists])
def list_log(
    caller: Caller,
    resource: Resource = None,
    by: Subject = None,
    day: Day = None,
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> LogPage:
    """List the audit log, the newest first

    By one of: resource, caller (`by`), day; else today's. A change shows up by resource and caller within a second
    or so.
    """
    asked = [("resource", resource, by_resource), ("by", by, by_caller), ("day", day, by_day)]
    lists = [(name, what, find) for name, what, find in asked if what is not None]
    if len(lists) > 1:
        raise SeveralLogLists
    [(name, what, find)] = lists or [("day", rfc3339(wiring.clock()())[:10], by_day)]
    cursors = cursors_of(caller, "log", name, what)
    trail = find(wiring.database(), caller.tenant, what, after=cursors.open(cursor), limit=limit)
    return LogPage(trail.entries, cursors.seal(trail.position))


@api.read("/v1/explain/account/<account>", roles=ACCOUNTANTS, answer=ExplanationPage, refusals=[UnknownAccount])
def explain_account_of(
    account: Account, asset: Asset, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> ExplanationPage:
    """Explain an account's balance

    What was posted on it in one asset, in minor units, debits positive, each with the balance afterwards.
    """
    database, tenant = wiring.database(), caller.tenant
    return explained(
        f"account/{account}/{asset}",
        caller,
        cursor,
        lambda position: explain_account(database, tenant, account, asset, position=position, limit=limit),
    )


handler = api.handler
