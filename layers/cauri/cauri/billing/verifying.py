"""Is an account in step with its documents? Recomputed on demand and by schedule; a difference is recorded, and only
`ReconcileAccount` changes anything. Source: SPEC 9 and 10.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, ClassVar, Final, TypeVar

from cauri.billing.accounts import SUSPENSE, journal
from cauri.billing.desk import at_desk
from cauri.billing.model import Account, AccountInMotion, Anomaly, AnomalyKind, Rules, Standing
from cauri.billing.payments import OPENING, AccountPayment
from cauri.billing.store import (
    ACCOUNT_PAYMENTS,
    ACCOUNTS,
    CREDITS,
    INVOICES,
    SHARDS,
    account_key,
    credit_key,
    credit_list,
    invoice_key,
    invoice_list,
    payment_key,
    payment_list,
    read_billables,
    rules_key,
)
from cauri.billing.views import reconciled_view
from cauri.books.caller import Caller
from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.books.ledger import debit
from cauri.books.listing import read_page
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Shelf
from cauri.books.work import Command, Work, decides
from cauri.errors import ContendedError
from cauri.money import Money
from cauri.values import dataclass, replace

T = TypeVar("T")
EVER: Final = (date(2000, 1, 1), date(2100, 1, 1))
LOOKS_MAX: Final = 3
"""How often an account is looked at that somebody keeps changing, before it is left for the next time."""


@dataclass(frozen=True)
class RecordAnomaly(Command):
    """Keep what does not agree, for people."""

    name: ClassVar = "record_anomaly"
    customer_id: str
    currency: str
    kind: AnomalyKind
    stored: Standing
    recomputed: Standing


@dataclass(frozen=True)
class ReconcileAccount(Command):
    """Bring an account in step with its documents, and say what was not."""

    name: ClassVar = "reconcile_account"
    customer_id: str


@decides(RecordAnomaly)
def record_anomaly(command: RecordAnomaly, work: Work) -> Plan:
    facts = (command.customer_id, command.currency, command.kind, command.stored, command.recomputed)
    seen = Anomaly(work.tenant, work.ids.new("anm"), *facts, work.at)
    told = {"customer_id": command.customer_id, "currency": command.currency, "kind": command.kind}
    return Plan({"id": seen.id}).save(seen).emit(Event("account.anomaly.found", seen.id, 1, told))


@decides(ReconcileAccount)
def reconcile_account(command: ReconcileAccount, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    before, known = desk.account, desk.found[account_key(work.tenant, command.customer_id)]
    standing = recomputed(work.database, before)
    wrong = {currency: stands for currency, stands in standing.items() if stands != before.of(currency)}
    if not wrong:
        return Plan(reconciled_view(before, {}))
    if known and known.is_in_motion(work.at):
        raise AccountInMotion(command.customer_id)
    currency, stands = next(iter(sorted(wrong.items())))  # an entry is of one currency: the next run takes the next
    after = replace(before, standing={**before.standing, currency: stands})
    moved = stands.receivable - before.of(currency).receivable
    theirs = stands.unapplied + stands.credit - before.of(currency).unapplied - before.of(currency).credit
    against = debit(SUSPENSE, Money(theirs - moved, currency))
    return (
        Plan(reconciled_view(before, {currency: stands}))
        .save(after)
        .post(journal("reconciliation", before, after, currency, against))
        .emit(Event("account.reconciled", after.customer_id, after.version + 1, {"currency": currency}))
    )


def recomputed(database: Database, account: Account) -> dict[str, Standing]:
    """What the documents make of an account, by currency. Raises ContendedError if it changed meanwhile.

    Lists are behind: a document that just came onto one may be missing. See `Account.is_in_motion`.
    """
    tenant, customer = account.tenant, account.customer_id
    calls: list[Callable[[], Any]] = [
        functools.partial(_all, database, INVOICES, tenant, invoice_list(customer, "open")),
        functools.partial(_all, database, ACCOUNT_PAYMENTS, tenant, payment_list(customer)),
        functools.partial(_all, database, CREDITS, tenant, credit_list(customer, is_left=True)),
        functools.partial(read_billables, database, tenant, customer, *EVER),
    ]
    invoices, payments, credit, items = database.together(*calls)
    at_account = account_key(tenant, customer)
    of_invoices = [invoice_key(tenant, one.id) for one in invoices]
    of_payments = [payment_key(tenant, one.id) for one in payments]
    of_credit = [credit_key(tenant, one.id) for one in credit]
    found = database.fetch([at_account, *of_invoices, *of_payments, *of_credit])  # as they are now: lists are behind
    now = found[at_account]
    if (now.version if now else 0) != account.version:
        raise ContendedError("the account was changed while its documents were read")
    shares = [(currency, Standing(opening=units)) for currency, units in account.opened.items()]
    shares += [(owed.currency, Standing(invoiced=owed.open.amount)) for key in of_invoices if (owed := found[key])]
    shares += [_of_payment(paid) for key in of_payments if (paid := found[key])]
    shares += [(made.amount.currency, Standing(credit=made.left)) for key in of_credit if (made := found[key])]
    shares += [(item.price.currency, Standing(unbilled=item.unbilled_amount)) for item in items]
    standing = dict.fromkeys(account.standing, Standing())
    for currency, by in shares:
        standing[currency] = standing.get(currency, Standing()) + by
    return standing


def _of_payment(payment: AccountPayment) -> tuple[str, Standing]:
    settled = sum(one.amount for one in payment.allocations if one.target == OPENING)
    return payment.amount.currency, Standing(opening=-settled, unapplied=payment.unapplied)


def anomalies_of(account: Account, standing: dict[str, Standing], rules: Rules) -> Iterator[RecordAnomaly]:
    """What of the account does not agree, is below zero, or is suspiciously much."""
    for currency, stands in sorted(standing.items()):
        stored = account.of(currency)
        kinds = []
        if stored != stands:
            kinds.append(AnomalyKind.MISMATCH)
        if min(stored.outstanding, stored.unapplied, stored.credit) < 0:
            kinds.append(AnomalyKind.NEGATIVE)
        if (most := rules.suspicious.get(currency)) is not None and stored.outstanding > most:
            kinds.append(AnomalyKind.SUSPICIOUS)
        for kind in kinds:
            yield RecordAnomaly(account.customer_id, currency, kind, stored, stands)


def look(books: Books, account: Account) -> tuple[Account, dict[str, Standing] | None]:
    """The account, and what its documents come to: None if somebody kept changing it, or did so just now and it does
    not agree, since the lists of documents follow by a moment. What is wrong is kept.

    Each difference is kept once, however often it is seen.
    """
    key, rules = account_key(account.tenant, account.customer_id), rules_key(account.tenant)
    for _ in range(LOOKS_MAX):
        try:
            standing = recomputed(books.database, account)
        except ContendedError:
            account = books.database.fetch([key])[key] or account
            continue
        if account.is_in_motion(books.clock()) and any(account.of(one) != stands for one, stands in standing.items()):
            return account, None
        known = books.database.fetch([rules])[rules] or Rules(account.tenant)
        for one in anomalies_of(account, standing, known):
            seen = f"{one.customer_id}:{account.version}:{one.kind}:{one.currency}:{one.recomputed.outstanding}"
            books.run(one, Caller(account.tenant, "system:billing"), seen)
        return account, standing
    return account, None


def verify_all(books: Books, tenant: str) -> dict[str, int]:
    """Look at every account of a tenant: how many there are, and how many are not in step with their documents."""
    seen, wrong = 0, 0
    for shard in range(SHARDS):
        for listed in _all(books.database, ACCOUNTS, tenant, f"accounts#{shard:02d}"):
            account, standing = look(books, listed)
            seen += 1
            wrong += any(account.of(currency) != stands for currency, stands in (standing or {}).items())
    return {"accounts": seen, "wrong": wrong}


def _all(database: Database, shelf: Shelf[T], tenant: str, name: str) -> list[T]:
    items: list[T] = []
    position: str | None = None
    while True:
        page = read_page(database, shelf, tenant, name, after=position, limit=100)
        items += page.items
        position = page.position
        if position is None:
            return items
