"""By schedule: what nobody spent becomes the tenant's again, and what is owed is counted.

It begins anew whenever it is called, and finds what is left: a wallet leaves the range that is looked through as soon
as nothing of it is over. So it may be killed anywhere, and run beside itself.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, ClassVar, Final, TypeVar

from cauri.books.caller import Caller
from cauri.books.commit import Books, Contended
from cauri.books.database import Database
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Key, Shelf
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant, rfc3339
from cauri.money import Money
from cauri.values import dataclass, replace
from cauri.wallet.accounts import BREAKAGE
from cauri.wallet.breakage import Breakage, Liability, Sums, liability, period_of, sums_of
from cauri.wallet.changes import at_desk, change
from cauri.wallet.lots import Wallet
from cauri.wallet.programme import Programme
from cauri.wallet.store import (
    BREAKAGES,
    TABLE,
    WALLETS,
    breakage_list,
    liability_key,
    programme_key,
    shards,
)

T = TypeVar("T")
PAGE: Final = 100


@dataclass(frozen=True)
class LapseCredit(Command):
    """The lots of a customer whose grace is over are the tenant's again."""

    name: ClassVar = "lapse_credit"
    customer_id: str


@dataclass(frozen=True)
class Lapsed:
    customer_id: str
    lots: int


@dataclass(frozen=True)
class RecordLiability(Command):
    """What was owed when somebody counted. Of a day, the last count stays."""

    name: ClassVar = "record_liability"
    counted: Liability


@decides(LapseCredit)
def lapse_credit(command: LapseCredit, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    after, parts = desk.wallet.lapse(work.at, desk.programme.grace)
    plan = Plan(Lapsed(command.customer_id, len(parts)))
    if not parts:  # somebody extended them meanwhile
        return plan
    worth = sum(desk.programme.worth_of(part, part.units).amount for part in parts)
    broken = Breakage(
        work.tenant,
        work.ids.new("brk"),
        command.customer_id,
        work.at,
        period_of(work.at),
        work.log_id,
        parts,
        Money(worth, desk.programme.reporting_currency),
    )
    plan.save(broken)
    return change(plan, desk.wallet, after, work, why="lapsed", about=broken.id, against=BREAKAGE)


@decides(RecordLiability)
def record_liability(command: RecordLiability, work: Work) -> Plan:
    key = liability_key(work.tenant, command.counted.day)
    known = work.fetch(key)[key]
    counted = replace(command.counted, tenant=work.tenant, version=known.version if known else 0)
    told = Event("loyalty_programme.counted", work.tenant, counted.version + 1, {"day": counted.day})
    return Plan(counted.worth).save(counted).emit(told)


def by_schedule(tenant: str) -> Caller:
    return Caller(tenant, "system:wallet")


def expire(books: Books, tenant: str) -> int:
    """Let every lot of the tenant lapse whose grace is over; how many did."""
    programme = _programme(books, tenant)
    if programme is None:
        return 0
    work = [functools.partial(_expire_shard, books, programme, name) for name in shards("wallets")]
    return sum(books.database.together(*work))


def count_liability(books: Books, tenant: str) -> None:
    """Count what the tenant owes its customers, and keep it as the day's."""
    programme = _programme(books, tenant)
    if programme is None:
        return
    database, now = books.database, books.clock()
    count = [functools.partial(_count_shard, database, programme, name) for name in shards("wallets")]
    sums = sum(database.together(*count), Sums())
    lists = shards(breakage_list(period_of(now)))
    recognized = sum(database.together(*(functools.partial(_recognized, database, tenant, name) for name in lists)))
    counted = liability(programme, sums, recognized, now)
    books.run(RecordLiability(counted), by_schedule(tenant), f"liability:{rfc3339(now)}")


def _expire_shard(books: Books, programme: Programme, name: str) -> int:
    before = books.clock() - programme.grace
    lapsed = 0
    for wallet in _members(books.database, WALLETS, programme.tenant, name, before):
        if wallet.live(books.clock()).lapse(books.clock(), programme.grace)[1]:
            lapsed += _lapse(books, wallet)
    return lapsed


def _lapse(books: Books, wallet: Wallet) -> int:
    # The key names the wallet as it is: what changed meanwhile is other work.
    key = f"lapse:{wallet.customer_id}:{wallet.version}"
    try:
        books.run(LapseCredit(wallet.customer_id), by_schedule(wallet.tenant), key)
    except Contended:
        return 0  # its customer is busy with it, and the next run finds it
    return 1


def _count_shard(database: Database, programme: Programme, name: str) -> Sums:
    return sums_of(_members(database, WALLETS, programme.tenant, name), programme)


def _recognized(database: Database, tenant: str, name: str) -> int:
    return sum(broken.worth.amount for broken in _members(database, BREAKAGES, tenant, name))


def _programme(books: Books, tenant: str) -> Programme | None:
    key = programme_key(tenant)
    return books.database.fetch([key])[key]


def _members(database: Database, shelf: Shelf[T], tenant: str, name: str, before: Instant | None = None) -> Iterator[T]:
    """The members of a list, or those whose place is then or before: as they are now, page by page."""
    request: dict[str, Any] = {
        "IndexName": "by_list",
        "KeyConditionExpression": "#list = :list AND list_at < :before",
        "ExpressionAttributeNames": {"#list": "list"},
        "ExpressionAttributeValues": {
            ":list": {"S": f"{tenant}#{name}"},
            ":before": {"S": f"{rfc3339(before) if before else ''}~"},
        },
        "Limit": PAGE,
    }
    while True:
        page = database.query(TABLE, request)
        keys = [Key(shelf, item["pk"]["S"], item["sk"]["S"]) for item in page["Items"]]
        found = database.fetch(keys) if keys else None
        yield from (member for key in keys if found and (member := found[key]) is not None)
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
