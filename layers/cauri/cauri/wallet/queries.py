"""Whose balance who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.wallet.model import Balance, UnknownCustomer
from cauri.wallet.store import balance_key
from cauri.wallet.views import BalanceView, balance_view


def balance_for(database: Database, caller: Caller, customer_id: str) -> BalanceView:
    """A customer's balance: its own, or any to staff. To others the customer does not exist: UnknownCustomer.

    Who never had anything has nothing: customers are registered elsewhere.
    """
    if not caller.is_staff and caller.customer_id != customer_id:
        raise UnknownCustomer(customer_id)
    key = balance_key(caller.tenant, customer_id)
    return balance_view(database.fetch([key])[key] or Balance(caller.tenant, customer_id))
