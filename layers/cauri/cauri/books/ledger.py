"""Double entry: postings that sum to zero per asset, on accounts named by role and owner."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from cauri.money import Money

RECEIVABLE: Final = "receivable:orders"
DEFERRED_REVENUE: Final = "deferred_revenue:orders"
COMMISSION: Final = "revenue:commission"
TAX: Final = "tax:payable"
PROMOTIONS: Final = "expense:promotions"
"""What the tenant pays vendors in the stead of shoppers, whom its promotions let pay less."""


def cash_at(provider: str) -> str:
    return f"cash:{provider}"


def payable_to(vendor_id: str) -> str:
    return f"payable:{vendor_id}"


OWNED: Final = {"wallet": 2, "receivable": 2, "unbilled": 1, "unapplied": 1, "customer_credit": 1}
"""Roles with an account per owner, whose id is the so-manieth part of the name. The owners' accounts sum to the control
account, which has the name without the owner: ``wallet:points``."""

NORMAL_CREDIT: Final = frozenset(
    {
        "wallet",
        "deferred_revenue",
        "payable",
        "tax",
        "revenue",
        "unapplied",
        "customer_credit",
        "equity",
        "accrued",
    }
)
"""Roles whose balance people read as a credit."""


class UnbalancedEntryError(ValueError):
    """Debits and credits differ: the entry can't be written."""


@dataclass(frozen=True, slots=True)
class Posting:
    """`amount` in minor units of `asset`: a debit is positive, a credit negative."""

    account: str
    amount: int
    asset: str
    balance_after: int | None = None
    """For an account whose item is guarded by the commit: what it stood at afterwards."""


def debit(account: str, money: Money, balance_after: int | None = None) -> Posting:
    return Posting(account, money.amount, money.currency, balance_after)


def credit(account: str, money: Money, balance_after: int | None = None) -> Posting:
    return Posting(account, -money.amount, money.currency, balance_after)


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced journal entry."""

    kind: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        sums: defaultdict[str, int] = defaultdict(int)
        for posting in self.postings:
            sums[posting.asset] += posting.amount
        if any(sums.values()) or not self.postings:
            raise UnbalancedEntryError(f"{self.kind}: {dict(sums)}")


def entry(kind: str, *postings: Posting) -> Entry | None:
    """An entry of the postings that move something; none, if nothing moves (a gift has no journal)."""
    moving = tuple(posting for posting in postings if posting.amount)
    return Entry(kind, moving) if moving else None


def role_of(account: str) -> str:
    return account.partition(":")[0]


def is_owned(account: str) -> bool:
    """True for ``wallet:points:cus_1``: an owner's account, which is not listed, since its control account is."""
    return account.count(":") == OWNED.get(role_of(account))


def books_of(account: str) -> tuple[str, ...]:
    """The accounts that a posting on `account` is kept under: itself, and its control account if it has one."""
    return (account, account.rpartition(":")[0]) if is_owned(account) else (account,)
