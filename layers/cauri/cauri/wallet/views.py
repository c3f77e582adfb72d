"""Balances as people and programs see them."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.money import Money
from cauri.wallet.model import Balance


@dataclass(frozen=True)
class FundsView:
    """What can be spent, and what is set aside for orders that are not settled yet."""

    available: Money
    held: Money


@dataclass(frozen=True)
class BalanceView:
    customer_id: str
    balances: list[FundsView]


def balance_view(balance: Balance) -> BalanceView:
    return BalanceView(
        balance.customer_id,
        [
            FundsView(Money(funds.available, currency), Money(funds.held, currency))
            for currency, funds in sorted(balance.funds.items())
        ],
    )
