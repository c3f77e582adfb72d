"""Put money on a customer's balance."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.ledger import cash_at, debit, entry
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.money import Money
from cauri.parties.model import UnknownTenant
from cauri.parties.store import tenant_key
from cauri.values import dataclass
from cauri.wallet.model import Balance
from cauri.wallet.store import balance_key


@dataclass(frozen=True)
class Deposit(Command):
    """Money that staff received outside (cash, bank transfer), to the customer's balance."""

    name: ClassVar = "deposit"
    customer_id: str
    amount: Money


@dataclass(frozen=True)
class Deposited:
    customer_id: str
    amount: Money
    balance: Money


@decides(Deposit)
def deposit(command: Deposit, work: Work) -> Plan:
    key = balance_key(work.tenant, command.customer_id)
    found = work.fetch(tenant_key(work.tenant), key)
    if found[tenant_key(work.tenant)] is None:
        raise UnknownTenant
    balance = (found[key] or Balance(work.tenant, command.customer_id)).deposit(command.amount)
    available = balance.available(command.amount.currency)
    return (
        Plan(Deposited(command.customer_id, command.amount, available))
        .save(balance)
        .post(entry("deposit", debit(cash_at("manual"), command.amount), balance.credited(command.amount)))
        .emit(Event("balance.deposited", command.customer_id, balance.version + 1, {"amount": command.amount}))
    )
