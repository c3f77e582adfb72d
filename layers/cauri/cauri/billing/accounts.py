"""A customer's accounts in the books, and the entry that a change of its standing makes.

The account's item is itself the guarded account: the entry of a change is the difference of the standing before and
after it, against what the command says, so item and journal can't disagree.
"""

from __future__ import annotations

from typing import Final

from cauri.billing.model import Account
from cauri.books.ledger import Entry, Posting, credit, debit, entry
from cauri.money import Money

RECEIVABLE: Final = "receivable:customers"
UNAPPLIED: Final = "unapplied"
CREDIT: Final = "customer_credit"
UNBILLED: Final = "unbilled"
ACCRUED: Final = "accrued:unbilled"
"""What deliveries and credit sales will earn once they are billed: the other side of all that is unbilled."""
OF_CUSTOMERS: Final = (RECEIVABLE, UNAPPLIED, CREDIT, UNBILLED, ACCRUED)
"""With an account per customer, whose item says what it stands at, and what stands against them."""
REVENUE: Final = "revenue:billing"
OPENING: Final = "equity:opening_balances"
SUSPENSE: Final = "suspense:billing"
"""What a reconciliation moved, until somebody finds out why."""
WRITTEN_OFF: Final = "expense:write_offs"


def receivable_from(customer_id: str) -> str:
    return f"{RECEIVABLE}:{customer_id}"


def unbilled_of(customer_id: str) -> str:
    return f"{UNBILLED}:{customer_id}"


def unapplied_of(customer_id: str) -> str:
    return f"{UNAPPLIED}:{customer_id}"


def credit_of(customer_id: str) -> str:
    return f"{CREDIT}:{customer_id}"


def journal(kind: str, before: Account, after: Account, currency: str, *against: Posting) -> Entry | None:
    """The entry of a change of what the customer owes and has. Raises UnbalancedEntryError if `against` is not it."""
    was, now, who = before.of(currency), after.of(currency), after.customer_id
    moved = (
        debit(receivable_from(who), Money(now.receivable - was.receivable, currency), now.receivable),
        debit(unbilled_of(who), Money(now.unbilled - was.unbilled, currency), now.unbilled),
        credit(ACCRUED, Money(now.unbilled - was.unbilled, currency)),
        credit(unapplied_of(who), Money(now.unapplied - was.unapplied, currency), now.unapplied),
        credit(credit_of(who), Money(now.credit - was.credit, currency), now.credit),
    )
    return entry(kind, *moved, *against)
