"""A wallet's accounts, and the entry that a change of it makes. Points are an asset of their own: PTS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cauri.books.ledger import Entry, Posting, credit, debit, entry
from cauri.clock import Instant
from cauri.money import Money
from cauri.values import dataclass
from cauri.wallet.lots import PTS, Kind, Wallet

LOYALTY: Final = "expense:loyalty"
"""What the tenant gives away: credit when it is issued, points when they pay."""
POINTS: Final = "issued:points"
"""The other side of all points there are."""
BREAKAGE: Final = "revenue:breakage"
REDEEMED: Final = "redemptions:clearing"
"""What redemptions paid for, until whoever was paid takes it from there."""


def account_of(kind: Kind, customer_id: str) -> str:
    return f"wallet:{kind}:{customer_id}"


@dataclass(frozen=True)
class Line:
    """What one account of a wallet changed by, and what it stood at afterwards."""

    kind: Kind
    change: Money
    balance_after: Money


@dataclass(frozen=True)
class Movement:
    """A line or more of a customer's statement. Written once, with the change itself.

    `number` is the wallet's version after it: the order in which the changes came.
    """

    tenant: str
    customer_id: str
    number: int
    at: Instant
    why: str
    about: str
    """The lot, the redemption or the order that it is about."""
    lines: tuple[Line, ...]
    note: str = ""
    """For people, and may name some: it stays out of the log."""
    version: int = 0


def lines(before: Wallet, after: Wallet) -> tuple[Line, ...]:
    """What the wallet's accounts changed by. What is only set aside changes none."""
    return tuple(_lines(before, after))


def _lines(before: Wallet, after: Wallet) -> Iterator[Line]:
    for kind, asset in sorted(before.accounts() | after.accounts()):
        stands = after.owed(asset, kind)
        if change := stands - before.owed(asset, kind):
            yield Line(kind, Money(change, asset), Money(stands, asset))


def journal(
    why: str, customer_id: str, moved: tuple[Line, ...], against: str, points_pay: Money | None = None
) -> Entry | None:
    """The entry of a change."""
    return entry(why, *postings(customer_id, moved, against, points_pay))


def postings(customer_id: str, moved: tuple[Line, ...], against: str, points_pay: Money | None = None) -> list[Posting]:
    """What a change posts: money against the account `against`, points against all that were issued.

    `points_pay` is what points paid, which is when they become an expense; of a reversal it is negative.
    """
    posted = [posting for line in moved for posting in _postings(line, customer_id, against)]
    if points_pay is not None:
        posted += [debit(LOYALTY, points_pay), credit(against, points_pay)]
    return posted


def _postings(line: Line, customer_id: str, against: str) -> tuple[Posting, Posting]:
    other = POINTS if line.change.currency == PTS else against
    account = account_of(line.kind, customer_id)
    return credit(account, line.change, line.balance_after.amount), debit(other, line.change)
