"""The ledger and the log, to read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.books import exporting
from cauri.books.caller import Caller
from cauri.books.chronicle import chapter
from cauri.books.exporting import Format
from cauri.books.statements import (
    StatementLine,
    TrialBalance,
    UnknownAccount,
    beginning,
    explain_account,
    statement,
    trial_balance,
)
from cauri.books.trail import SeveralLogLists, Span, TrailEntry, by_caller, by_resource, by_time
from cauri.books.verifying import Finding, verify
from cauri.clock import rfc3339
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
from cauri.edge.fields import EARLIEST, ID_PATTERN, LATEST, Day, Moment
from cauri.edge.http import Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.edge.problems import Fault, InvalidRequest
from cauri.values import dataclass
from pydantic import AfterValidator

MONTH: Final = timedelta(days=31)
JOURNAL_PAGE: Final = 1000
"""Records. Whoever wants a whole journal may ask 60 times a minute."""
SETTLES: Final = timedelta(seconds=2)
"""So long the log's index may lack what was committed."""
ACCOUNTANTS: Final = frozenset({"finance", "admin"})

Account = Annotated[
    str,
    Path(
        pattern=r"^(wallet:)?[a-z_]{1,40}(:[A-Za-z0-9._-]{1,64})?$",
        examples=["cash:demo", "wallet:points:cus_amina"],
    ),
]
Asset = Annotated[str, Query(pattern=r"^[A-Z]{3}$", examples=["KES"])]


def _in_our_days(day: date | None) -> date | None:
    return None if day is None else max(EARLIEST.date(), min(day, LATEST.date()))


Start = Annotated[Moment | None, Query(description="From this moment on")]
End = Annotated[Moment | None, Query(description="To just before this moment")]

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

    Every account, and both sides per asset. They are equal as soon as every commit is folded in: in two seconds or so.
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


@dataclass(frozen=True)
class JournalPage:
    """A piece of the file: the pieces one after the other, from the first page to the last, are the whole of it."""

    format: Format
    text: str
    entries: int
    next_cursor: str | None


FormatAsked = Annotated[Format, Query(alias="format", description="Whose file it is to be")]


@api.read("/v1/ledger/journal", roles=ACCOUNTANTS, answer=JournalPage)
def get_journal(form: FormatAsked, caller: Caller, cursor: CursorAsked = None) -> JournalPage:
    """Export the whole journal

    As hledger or Beancount read it: every entry, the oldest first, up to two seconds ago. Write the `text` of each page
    to a file, and go on until there is no `next_cursor`.
    """
    cursors = cursors_of(caller, "journal", form)
    position, until, database = cursors.open(cursor), wiring.clock()() - SETTLES, wiring.database()
    head = "" if position else exporting.head(form, caller.tenant)
    if position is None:
        position = rfc3339(beginning(database, caller.tenant) or until)
    page = chapter(database, caller.tenant, position, until, limit=JOURNAL_PAGE)
    entries = sum(record.entry is not None for record in page.records)
    return JournalPage(form, head + exporting.body(form, page.records), entries, cursors.seal(page.position))


Resource = Annotated[
    str | None, Query(pattern=ID_PATTERN, description="What was changed: an order, a payment, a SKU, a customer")
]
Subject = Annotated[str | None, Query(pattern=r"^[!-~]{1,255}$", description="Who changed it: the token's sub")]
OneDay = Annotated[Day | None, AfterValidator(_in_our_days), Query(description="On which day, in UTC")]


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
    day: OneDay = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> LogPage:
    """List the audit log, the newest first

    By resource, by caller (`by`), or all of it; of a `day`, or from `start` to just before `end`. All of it is today's,
    or that of a month at the most. A change shows up by resource and caller within two seconds or so.
    """
    if (resource and by) or (day and (start or end)):
        raise SeveralLogLists
    if start and end and end < start:
        raise InvalidRequest([Fault("The end is before the start", parameter="end")])
    cursors = cursors_of(caller, "log", str(resource), str(by), str(day), str(start), str(end))
    after, database, tenant = cursors.open(cursor), wiring.database(), caller.tenant
    if resource is not None:
        trail = by_resource(database, tenant, resource, _span(day, start, end), after=after, limit=limit)
    elif by is not None:
        trail = by_caller(database, tenant, by, _span(day, start, end), after=after, limit=limit)
    else:
        trail = by_time(database, tenant, _of_a_month(day, start, end), after=after, limit=limit)
    return LogPage(trail.entries, cursors.seal(trail.position))


@dataclass(frozen=True)
class VerificationPage:
    """What a piece of the verification looked at, and found. Go on until there is no `next_cursor`."""

    records: int
    seals: int
    findings: list[Finding]
    next_cursor: str | None


@api.read("/v1/log/verification", roles=ACCOUNTANTS, answer=VerificationPage)
def verify_log(caller: Caller, cursor: CursorAsked = None) -> VerificationPage:
    """Verify that the log is what was sealed

    Names every record that was `changed`, `removed` or `inserted` since, and every seal that is not as it was made.
    `late` proves nothing: the record became visible after its time was sealed. The last hour is not sealed yet.
    """
    cursors = cursors_of(caller, "verification")
    looked = verify(wiring.database(), wiring.vault(), caller.tenant, cursors.open(cursor))
    return VerificationPage(looked.records, looked.seals, looked.findings, cursors.seal(looked.position))


def _span(day: date | None, start: datetime | None, end: datetime | None) -> Span:
    if day is not None:
        midnight = datetime.combine(day, time.min, UTC)
        return Span.of(midnight, midnight + timedelta(days=1))
    return Span.of(start or EARLIEST, end or LATEST)


def _of_a_month(day: date | None, start: datetime | None, end: datetime | None) -> Span:
    """What can be read day by day. Raises InvalidRequest."""
    if day is not None:
        return _span(day, start, end)
    if start is None and end is None:
        return _span(wiring.clock()().date(), None, None)
    end = end or wiring.clock()() + timedelta(minutes=1)
    start = start or end - MONTH
    if end - start > MONTH:
        raise InvalidRequest([Fault("All of the log is listed by a month at the most", parameter="start")])
    return Span.of(start, end)


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
