"""What a guarded item says against what was posted: the accounts of wallets, and what customers owe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cauri.billing.accounts import credit_of, receivable_from, unapplied_of, unbilled_of
from cauri.books.database import Database
from cauri.books.fold import TABLE, rows_pk
from cauri.books.statements import balance
from cauri.reconciliation.invariants import stands_as_posted
from cauri.reconciliation.model import Difference
from cauri.reconciliation.picture import Picture
from cauri.wallet.accounts import account_of

LAST: Final = 25
"""Postings of which one must say what the account stands at. They are listed by time, and committed in an order that
differs from it by a race."""


def guarded_accounts(database: Database, tenant: str, picture: Picture) -> Iterator[Difference]:
    """Each account of the picture's items is the sum of its postings, the last of which says so."""
    for (account, asset), (stands, sign) in _accounts(picture).items():
        posted, after = balance(database, tenant, account, asset), _said(database, tenant, account, asset)
        if not stands and not after:
            continue  # nothing was ever there
        for says in stands_as_posted(account, asset, stands, -sign * posted, after):
            last_said = after[-1] if after else None
            evidence = {"asset": asset, "stands": stands, "posted": sign * posted, "last_said": last_said}
            yield Difference("guarded_balances", account, says, evidence, about=asset)


def _accounts(picture: Picture) -> dict[tuple[str, str], tuple[int, int]]:
    """What each account stands at, and which sign that has in the books: what a customer owes us is a debit."""
    wallets = {
        (account_of(kind, wallet.customer_id), asset): (wallet.owed(asset, kind), -1)
        for wallet in picture.wallets
        for kind, asset in wallet.accounts()
    }
    owed = {
        (name, currency): (units, sign)
        for account in picture.accounts
        for currency, stands in account.standing.items()
        for name, units, sign in (
            (receivable_from(account.customer_id), stands.receivable, 1),
            (unbilled_of(account.customer_id), stands.unbilled, 1),
            (unapplied_of(account.customer_id), stands.unapplied, -1),
            (credit_of(account.customer_id), stands.credit, -1),
        )
    }
    return wallets | owed


def _said(database: Database, tenant: str, account: str, asset: str) -> list[int]:
    """What the last postings said that there was after them, the oldest first."""
    request: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": rows_pk(tenant, account, asset, 0)}},
        "ScanIndexForward": False,
        "Limit": LAST,
    }
    rows = database.query(TABLE, request)["Items"]
    return [int(row["balance_after"]["N"]) for row in reversed(rows) if "balance_after" in row]
