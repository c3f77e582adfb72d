"""The fold: postings of the log become rows per account, and the rows become sums.

It never adds to a sum. It puts rows that are the same whenever they are written, then recomputes each touched
(account, minute, slice) from its rows and keeps the sum that saw the most rows. So batches may come twice, cut in
two, out of order and at the same time (DESIGN 2).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Final

from cauri.books.database import ConditionFailed, Database
from cauri.books.ledger import Posting, books_of, is_owned
from cauri.books.log import Record
from cauri.books.shelf import Wire, Write, item_of
from cauri.clock import rfc3339
from cauri.values import dataclass

TABLE: Final = "ledger"
SLICES: Final = 16
MINUTE: Final = len("2026-11-20T10:55")


@dataclass(frozen=True)
class Slot:
    """The rows that one sum is made of: a slice of an account's minute."""

    tenant: str
    account: str
    asset: str
    minute: str
    slice: int

    @property
    def rows_pk(self) -> str:
        return rows_pk(self.tenant, self.account, self.asset, self.slice)

    @property
    def sum_place(self) -> tuple[str, str]:
        """Where its sum is: pk and sk."""
        return sums_pk(self.tenant, self.account, self.asset), f"{self.minute}#{self.slice:02d}"


def rows_pk(tenant: str, account: str, asset: str, slice_: int) -> str:
    return f"{tenant}#rows#{account}#{asset}#{slice_:02d}"


def sums_pk(tenant: str, account: str, asset: str) -> str:
    return f"{tenant}#sums#{account}#{asset}"


def accounts_pk(tenant: str) -> str:
    return f"{tenant}#accounts"


def slices_of(account: str) -> int:
    """Everybody's accounts are spread over slices; an owner's own is never hot."""
    return 1 if is_owned(account) else SLICES


def rows_and_slots(records: Iterable[Record]) -> tuple[dict[tuple[str, str], Wire], set[Slot]]:
    """The rows that `records` are, by their keys, and the slots that these are in."""
    rows: dict[tuple[str, str], Wire] = {}
    touched: set[Slot] = set()
    for record in records:
        for place, posting in enumerate(record.entry.postings if record.entry else ()):
            for account in books_of(posting.account):
                slot = _slot(record, account, posting.asset)
                row = _row(record, slot, place, posting)
                rows[(row["pk"]["S"], row["sk"]["S"])] = row
                touched.add(slot)
    return rows, touched


def counted(database: Database, slot: Slot) -> tuple[int, int]:
    """How many rows a slot has, and what they come to."""
    rows = database.query_all(TABLE, _rows_of(slot))
    return len(rows), sum(int(row["amount"]["N"]) for row in rows)


class Fold:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._listed: set[tuple[str, str]] = set()

    def fold(self, records: Iterable[Record], others: Iterable[Wire] = ()) -> None:
        """Take `records` into the accounts. Safe to repeat, in any order, beside any other fold.

        `others` are rows of other kinds that the same batch makes: they go with the first rows, in fewer calls.
        """
        rows, touched = rows_and_slots(records)
        if written := [*rows.values(), *self._new_accounts(touched), *others]:
            self._database.write_rows(TABLE, written)
        if touched:
            self._database.together(*(functools.partial(self._recompute, slot) for slot in touched))
        self._listed.update((slot.tenant, f"{slot.account}#{slot.asset}") for slot in touched)

    def _recompute(self, slot: Slot) -> None:
        """Runs after the rows are in, so whoever is last sees them all, and has the highest count."""
        try:
            self._database.write(_sum_of(slot, *counted(self._database, slot)))
        except ConditionFailed:
            return  # another fold saw more rows, or the same

    def _new_accounts(self, touched: Iterable[Slot]) -> Sequence[Wire]:
        names = {(s.tenant, f"{s.account}#{s.asset}") for s in touched if not is_owned(s.account)} - self._listed
        return [item_of(pk=accounts_pk(tenant), sk=name) for tenant, name in sorted(names)]


def _slot(record: Record, account: str, asset: str) -> Slot:
    slice_ = int(record.log_id[-4:], 16) % slices_of(account)
    return Slot(record.tenant, account, asset, rfc3339(record.at)[:MINUTE], slice_)


def _row(record: Record, slot: Slot, place: int, posting: Posting) -> Wire:
    at = rfc3339(record.at)
    owned = slot.account == posting.account
    return item_of(
        pk=slot.rows_pk,
        sk=f"{at}#{record.log_id}#{place:02d}",
        amount=posting.amount,
        kind=record.entry.kind if record.entry else "",
        at=at,
        log_id=record.log_id,
        balance_after=posting.balance_after if owned else None,
    )


def _sum_of(slot: Slot, rows: int, amount: int) -> Write:
    """What the rows of a slot come to, unless a sum is there that saw more, or says the same already.

    Rows are only ever added. So a sum of as many rows that says something else is of the moment before, or was
    tampered with: either way the last to look at all of them has the last word.
    """
    pk, sk = slot.sum_place
    request = {
        "TableName": TABLE,
        "Item": item_of(pk=pk, sk=sk, rows=rows, sum=amount),
        "ConditionExpression": "attribute_not_exists(pk) OR #rows < :rows OR (#rows = :rows AND #sum <> :sum)",
        "ExpressionAttributeNames": {"#rows": "rows", "#sum": "sum"},  # reserved words
        "ExpressionAttributeValues": {":rows": {"N": str(rows)}, ":sum": {"N": str(amount)}},
    }
    return Write("Put", request)


def _rows_of(slot: Slot) -> Wire:
    return {
        "KeyConditionExpression": "pk = :pk and begins_with(sk, :minute)",
        "ExpressionAttributeValues": {":pk": {"S": slot.rows_pk}, ":minute": {"S": slot.minute}},
        "ProjectionExpression": "amount",
    }
