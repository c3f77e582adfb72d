"""What stands, wallet by wallet and account by account, and whether all of it together agrees. For the daily look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

from cauri.billing.accounts import ACCRUED, CREDIT, OF_CUSTOMERS, RECEIVABLE, UNAPPLIED, UNBILLED
from cauri.billing.store import ACCOUNTS, SHARDS
from cauri.books.ledger import role_of
from cauri.books.statements import trial_balance
from cauri.money import exponent
from cauri.parties.store import CUSTOMER_SHARDS, PARTIES
from cauri.reconciliation.looking import Sight, standing
from cauri.reconciliation.model import KEPT_MAX, Difference, Looked, Severity
from cauri.reconciliation.reading import listed
from cauri.reconciliation.subjects import Of, Subject, look_at
from cauri.wallet.accounts import POINTS
from cauri.wallet.lots import PTS
from cauri.wallet.store import WALLETS, shards

T = TypeVar("T")
Sums = Mapping[tuple[str, str], int]
"""Minor units that are owed, by account and asset."""


def look_at_wallets(sight: Sight) -> Looked:
    """Each wallet by itself; and what all of them come to against the accounts of what is owed."""
    checked: Counter[str] = Counter()
    found: list[Difference] = []
    for wallets in listed(sight.database, WALLETS, sight.tenant, shards("wallets")):
        subjects = [Subject(Of.CUSTOMER, wallet.customer_id) for wallet in wallets]
        found += standing(sight, lambda: look_at(sight, subjects))  # noqa: B023 - looked at now
        checked.update(wallets=len(wallets))
    found += standing(sight, lambda: _liability(sight))
    return Looked(checked, tuple(found[:KEPT_MAX]))


def look_at_customers(sight: Sight) -> Looked:
    """Each customer that has a record, or an account: what it has and owes, and who holds some of it; and what all owe
    against the accounts of all."""
    checked: Counter[str] = Counter()
    found: list[Difference] = []
    parties = listed(sight.database, PARTIES, sight.tenant, _names("customers", CUSTOMER_SHARDS))
    accounts = listed(sight.database, ACCOUNTS, sight.tenant, _names("accounts", SHARDS))
    pages = chain(
        ([one.id for one in page] for page in parties), ([one.customer_id for one in page] for page in accounts)
    )
    for page in pages:
        subjects = [Subject(Of.CUSTOMER, customer_id) for customer_id in page]
        found += standing(sight, lambda: look_at(sight, subjects))  # noqa: B023 - looked at now
        checked.update(customers=len(page))
    found += standing(sight, lambda: _billed(sight))
    return Looked(checked, tuple(found[:KEPT_MAX]))


def _ids(pages: Iterable[list[T]], id_of: Callable[[T], str]) -> Iterator[list[str]]:
    return ([id_of(one) for one in page] for page in pages)


def _names(name: str, shards: int) -> list[str]:
    return [f"{name}#{shard:02d}" for shard in range(shards)]


def look_at_ledger(sight: Sight) -> Looked:
    """The trial balance: debits are credits, in every asset."""
    accounts = len(trial_balance(sight.database, sight.tenant).accounts)
    return Looked({"accounts": accounts}, standing(sight, lambda: _trial(sight)))


def _trial(sight: Sight) -> Iterator[Difference]:
    for total in trial_balance(sight.database, sight.tenant).totals:
        if total.debit != total.credit:
            says = f"debits of {total.asset} come to {total.debit}, and credits to {total.credit}"
            evidence = {"debit": total.debit, "credit": total.credit, "off": total.debit - total.credit}
            yield Difference("trial_balance", total.asset, says, evidence)


def _liability(sight: Sight) -> Iterator[Difference]:
    """What wallets come to is what their control accounts say, and all points are issued. Source: SPEC 16."""
    owed = _owed(sight)
    accounts = trial_balance(sight.database, sight.tenant).accounts
    stand = {(one.account, one.asset): one.credit - one.debit for one in accounts}
    booked = {at: units for at, units in stand.items() if role_of(at[0]) == "wallet"}
    for account, asset in sorted({*owed, *booked}):
        at = (account, asset)
        if owed.get(at, 0) != booked.get(at, 0):
            yield _off(account, asset, owed.get(at, 0), booked.get(at, 0))
    points = sum(units for (_, asset), units in owed.items() if asset == PTS)
    if (issued := -stand.get((POINTS, PTS), 0)) != points:
        yield _off(POINTS, PTS, points, issued)


def _owed(sight: Sight) -> Sums:
    owed: Counter[tuple[str, str]] = Counter()
    for wallets in listed(sight.database, WALLETS, sight.tenant, shards("wallets")):
        for wallet in wallets:
            for kind, asset in wallet.accounts():
                owed[f"wallet:{kind}", asset] += wallet.owed(asset, kind)
    return owed


def _billed(sight: Sight) -> Iterator[Difference]:
    """What all customers owe and have is what the accounts of all say."""
    owed: Counter[tuple[str, str]] = Counter()
    for accounts in listed(sight.database, ACCOUNTS, sight.tenant, _names("accounts", SHARDS)):
        for currency, stands in (each for account in accounts for each in account.standing.items()):
            owed[RECEIVABLE, currency] += stands.receivable
            owed[UNBILLED, currency] += stands.unbilled
            owed[ACCRUED, currency] -= stands.unbilled
            owed[UNAPPLIED, currency] -= stands.unapplied
            owed[CREDIT, currency] -= stands.credit
    booked = {
        (one.account, one.asset): one.debit - one.credit
        for one in trial_balance(sight.database, sight.tenant).accounts
        if one.account in OF_CUSTOMERS
    }
    for account, currency in sorted({*owed, *booked}):
        units, ledger = owed.get((account, currency), 0), booked.get((account, currency), 0)
        if units != ledger:
            says = f"customers come to {units} {currency} on {account}, and it stands at {ledger}"
            evidence = {"customers": units, "ledger": ledger, "asset": currency}
            yield Difference("accounts_of_customers", account, says, evidence, about=currency)


def _off(account: str, asset: str, units: int, booked: int) -> Difference:
    """More than 0.01 of a unit is an alarm."""
    severity = Severity.ALARM if 100 * abs(units - booked) > 10 ** exponent(asset) else Severity.WARNING
    says = f"wallets come to {units} {asset}, and {account} stands at {booked}"
    evidence = {"wallets": units, "ledger": booked, "asset": asset}
    return Difference("liability_of_wallets", account, says, evidence, severity, about=asset)
