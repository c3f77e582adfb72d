"""Reading the accounts: what each stands at, and how it came to that. Reads the rows and sums of the fold."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step
from cauri.books.fold import MINUTE, TABLE, accounts_pk, rows_pk, slices_of, sums_pk
from cauri.books.shelf import Wire
from cauri.clock import Instant, from_rfc3339, rfc3339
from cauri.errors import Refusal
from cauri.values import dataclass

END_OF_TIME: Final = "~"


@dataclass
class UnknownAccount(Refusal):
    """No posting was ever made on this account in this asset."""

    code: ClassVar[str] = "unknown_account"
    account: str
    asset: str

    def detail(self) -> str:
        return f"There is no account {self.account!r} in {self.asset}."


@dataclass(frozen=True)
class AccountBalance:
    """What an account stands at, in minor units, on the side where it stands; the other side is 0."""

    account: str
    asset: str
    debit: int
    credit: int


@dataclass(frozen=True)
class AssetTotal:
    asset: str
    debit: int
    credit: int


@dataclass(frozen=True)
class TrialBalance:
    """Every account, and per asset both sides, which are equal as soon as the fold has seen every commit."""

    accounts: list[AccountBalance]
    totals: list[AssetTotal]
    balanced: bool


@dataclass(frozen=True)
class StatementLine:
    """One posting. `amount` in minor units, a debit positive; `balance` is the account's afterwards."""

    at: str
    kind: str
    amount: int
    balance: int
    log_id: str


@dataclass(frozen=True)
class Statement:
    """A page of postings, the oldest first, with the balances before and after them. Minor units, debits positive."""

    account: str
    asset: str
    opening_balance: int
    closing_balance: int
    lines: list[StatementLine]
    last: str | None
    """Where the next page begins, if there is one."""


def trial_balance(database: Database, tenant: str) -> TrialBalance:
    names = [item["sk"]["S"].rpartition("#") for item in database.query_all(TABLE, _partition(accounts_pk(tenant)))]
    reads = [functools.partial(balance, database, tenant, account, asset) for account, _, asset in names]
    amounts = database.together(*reads) if reads else []
    accounts = [
        AccountBalance(account, asset, max(amount, 0), max(-amount, 0))
        for (account, _, asset), amount in zip(names, amounts, strict=True)
    ]
    sides: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in accounts:
        sides[one.asset][0] += one.debit
        sides[one.asset][1] += one.credit
    totals = [AssetTotal(asset, debit, credit) for asset, (debit, credit) in sorted(sides.items())]
    return TrialBalance(accounts, totals, all(total.debit == total.credit for total in totals))


def balance(database: Database, tenant: str, account: str, asset: str, at: Instant | None = None) -> int:
    """What an account stands at, or stood at just before `at`: debits less credits, in minor units."""
    moment = END_OF_TIME if at is None else rfc3339(at)
    sums = database.query_all(TABLE, _partition(sums_pk(tenant, account, asset), below=moment[:MINUTE]))
    whole_minutes = sum(int(item["sum"]["N"]) for item in sums)
    if at is None:
        return whole_minutes
    rows = _rows(database, tenant, account, asset, since=moment[:MINUTE], below=moment)
    return whole_minutes + sum(int(row["amount"]["N"]) for row in rows)


def statement(
    database: Database,
    tenant: str,
    account: str,
    asset: str,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    after: str = "",
    limit: int = 100,
) -> Statement:
    """At most `limit` postings from `start` to just before `end`, going on after `after` (a page's `last`).

    Raises UnknownAccount.
    """
    opening = _balance_before(database, tenant, account, asset, start, after)
    since = after + "!" if after else rfc3339(start) if start else ""
    below = rfc3339(end) if end else END_OF_TIME
    rows = _rows(database, tenant, account, asset, since=since, below=below, limit=limit + 1)
    if not rows and not after and not _exists(database, tenant, account, asset):
        raise UnknownAccount(account, asset)
    page = rows[:limit]
    lines = list(_lines(page, opening))
    return Statement(
        account,
        asset,
        opening_balance=opening,
        closing_balance=lines[-1].balance if lines else opening,
        lines=lines,
        last=page[-1]["sk"]["S"] if len(rows) > limit else None,
    )


def beginning(database: Database, tenant: str) -> Instant | None:
    """The minute of the first entry that is folded in; None, if none is."""
    accounts = database.query_all(TABLE, _partition(accounts_pk(tenant)))
    firsts = [
        functools.partial(_first, database, _partition(sums_pk(tenant, *item["sk"]["S"].rsplit("#", 1))), limit=1)
        for item in accounts
    ]
    pages: Sequence[list[Wire]] = database.together(*firsts) if firsts else []
    minutes = [row["sk"]["S"][:MINUTE] for page in pages for row in page]
    return from_rfc3339(f"{min(minutes)}:00Z") if minutes else None


def explain_account(
    database: Database, tenant: str, account: str, asset: str, *, position: str | None, limit: int
) -> Explanation:
    """Why an account stands where it does, debits positive. Raises UnknownAccount."""
    page = statement(database, tenant, account, asset, after=position or "", limit=limit)
    steps = [Step(from_rfc3339(it.at), it.kind, it.log_id, it.amount, it.balance) for it in page.lines]
    return Explanation(balance(database, tenant, account, asset), steps, page.last)


def _balance_before(
    database: Database, tenant: str, account: str, asset: str, start: Instant | None, after: str
) -> int:
    """What the account stood at before the page that begins at `start`, or behind the row `after`."""
    if not after:
        return balance(database, tenant, account, asset, start) if start else 0
    minute = after[:MINUTE]
    sums = database.query_all(TABLE, _partition(sums_pk(tenant, account, asset), below=minute))
    rows = _rows(database, tenant, account, asset, since=minute, below=after + "!")
    return sum(int(item["sum"]["N"]) for item in sums) + sum(int(row["amount"]["N"]) for row in rows)


def _lines(rows: Iterable[Wire], opening: int) -> Iterator[StatementLine]:
    running = opening
    for row in rows:
        amount = int(row["amount"]["N"])
        running += amount
        yield StatementLine(row["at"]["S"], row["kind"]["S"], amount, running, row["log_id"]["S"])


def _rows(
    database: Database, tenant: str, account: str, asset: str, *, since: str, below: str, limit: int | None = None
) -> list[Wire]:
    """The postings of all slices in their order, from `since` to just before `below`; the first `limit` of them."""
    if below < since:  # there are none, and to DynamoDB the question would be an error
        return []
    requests = [
        _partition(rows_pk(tenant, account, asset, slice_), since=since, below=below)
        for slice_ in range(slices_of(account))
    ]
    read = functools.partial(_first, database, limit=limit)
    pages: Sequence[list[Wire]] = database.together(*(functools.partial(read, request) for request in requests))
    rows = sorted((row for page in pages for row in page), key=lambda row: str(row["sk"]["S"]))
    return rows[:limit]


def _first(database: Database, request: dict[str, Any], *, limit: int | None) -> list[Wire]:
    if limit is None:
        return database.query_all(TABLE, request)
    page: list[Wire] = database.query(TABLE, {**request, "Limit": limit})["Items"]
    return page


def _exists(database: Database, tenant: str, account: str, asset: str) -> bool:
    return bool(database.query(TABLE, {**_partition(sums_pk(tenant, account, asset)), "Limit": 1})["Items"])


def _partition(pk: str, *, since: str = "", below: str = "") -> dict[str, Any]:
    if not since and not below:
        return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
    # `between` takes its ends in: no row's key equals `below`, which is a moment, a minute, or a row's key and more.
    values = {":pk": {"S": pk}, ":since": {"S": since or "0"}, ":below": {"S": below or END_OF_TIME}}
    return {
        "KeyConditionExpression": "pk = :pk and sk between :since and :below",
        "ExpressionAttributeValues": values,
    }
