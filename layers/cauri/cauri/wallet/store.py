"""Where balances are kept: the wallet table."""

from __future__ import annotations

from typing import Final

from cauri.books.shelf import Key, Shelf, shelve
from cauri.wallet.model import Balance

BALANCES: Final = shelve(
    Shelf(
        "wallet",
        Balance,
        place=lambda balance: (f"customer#{balance.customer_id}", "balance"),
        tenant=lambda balance: balance.tenant,
    )
)


def balance_key(tenant: str, customer_id: str) -> Key[Balance]:
    return BALANCES.key(tenant, f"customer#{customer_id}", "balance")
