"""Whose balance who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step
from cauri.books.ledger import prepaid_of
from cauri.books.statements import UnknownAccount, statement
from cauri.clock import from_rfc3339
from cauri.parties.model import UnknownCustomer
from cauri.wallet.model import Balance
from cauri.wallet.store import balance_key
from cauri.wallet.views import BalanceView, balance_view


def balance_for(database: Database, caller: Caller, customer_id: str) -> BalanceView:
    """A customer's balance: its own, or any to staff. To others the customer does not exist: UnknownCustomer.

    Who never had anything has nothing: customers are registered elsewhere.
    """
    return balance_view(_balance(database, caller, customer_id))


def explain_balance(
    database: Database, caller: Caller, customer_id: str, currency: str, *, position: str | None, limit: int
) -> Explanation:
    """Why a customer has so much, available and held together: what was posted. Raises UnknownCustomer."""
    total = _balance(database, caller, customer_id).of(currency).total
    account = prepaid_of(customer_id)
    try:
        page = statement(database, caller.tenant, account, currency, after=position or "", limit=limit)
    except UnknownAccount:
        return Explanation(total, [], None)
    # What we owe the customer is a credit to us, and a balance to them.
    steps = [Step(from_rfc3339(it.at), it.kind, it.log_id, -it.amount, -it.balance) for it in page.lines]
    return Explanation(total, steps, page.last)


def _balance(database: Database, caller: Caller, customer_id: str) -> Balance:
    if not caller.is_staff and caller.customer_id != customer_id:
        raise UnknownCustomer(customer_id)
    key = balance_key(caller.tenant, customer_id)
    return database.fetch([key])[key] or Balance(caller.tenant, customer_id)
