"""How a wallet would pay an amount, and what it is refused for."""

from __future__ import annotations

from typing import ClassVar

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass
from cauri.wallet.depletion import Split, split
from cauri.wallet.lots import PTS, Kind, Wallet
from cauri.wallet.programme import Programme
from cauri.wallet.redemption import RedemptionCurrencyMismatch, TaxTooLarge


@dataclass
class InsufficientBalance(Refusal):
    """The wallet does not cover what is asked of it. Nothing moved."""

    code: ClassVar[str] = "insufficient_balance"
    asked: Money
    available: Money

    def detail(self) -> str:
        return f"{self.asked} were asked of the wallet, and it can pay {self.available}."

    def suggestion(self) -> str:
        if not self.available:
            return "Pay another way."
        return f"Pay {self.available} or less from the wallet, and the rest another way."


def proposal(
    programme: Programme,
    wallet: Wallet,
    amount: Money,
    tax: Money,
    kinds: tuple[Kind, ...] | None,
    at: Instant,
    *,
    outside: bool = False,
) -> Split:
    """The best way to pay; with `outside`, also with rewards that a partner's issuer must confirm.

    Raises RedemptionCurrencyMismatch, TaxTooLarge, BelowMinimum.
    """
    if tax.currency != amount.currency:
        raise RedemptionCurrencyMismatch(tax.currency, (amount.currency,))
    if tax > amount:
        raise TaxTooLarge(tax, amount)
    made = split(wallet, amount, programme.spending, at, tax=tax, kinds=kinds, outside=outside)
    if not made.payments:
        _require_currency(programme, wallet, amount.currency, at)
    return made


def _require_currency(programme: Programme, wallet: Wallet, currency: str, at: Instant) -> None:
    """Who has nothing in this currency, and something in others, is told that."""
    payable = {lot.asset for lot in wallet.lots.values() if lot.units and lot.is_spendable(at)}
    if PTS in payable:
        payable = (payable - {PTS}) | set(programme.spending.per_1000_points)
    if payable and currency not in payable:
        raise RedemptionCurrencyMismatch(currency, tuple(sorted(payable)))
