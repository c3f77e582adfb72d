"""How an order is paid: from the customer's wallet, and at providers: at one, or, when asked for, at several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cauri.checkout.model import (
    OrderCurrencyMismatch,
    TendersDoNotMatch,
    WalletNeedsCustomer,
)
from cauri.money import Money, total
from cauri.orders.model import Tender
from cauri.values import dataclass
from cauri.wallet.draws import Draw
from cauri.wallet.lots import Kind


@dataclass(frozen=True)
class TenderAsked:
    """A part of the price that the shopper wants to pay in this way. A provider's amount may be left open: the rest."""

    kind: Literal["wallet", "provider"]
    amount: Money | None = None
    provider: str | None = None
    kinds: tuple[Kind, ...] | None = None
    """With what the wallet pays, in the customer's order; None is as the tenant has it."""


def tenders(asked: Sequence[TenderAsked], price: Money, *, is_customer: bool) -> tuple[Tender, ...]:
    """The tenders that pay `price` exactly. A tender of nothing is left out.

    Raises OrderCurrencyMismatch, TendersDoNotMatch, WalletNeedsCustomer.
    """
    given = total((_in(price.currency, tender) for tender in asked if tender.amount is not None), price.currency)
    rest = price - given
    open_ended = [tender for tender in asked if tender.amount is None]
    if rest.amount < 0 or (rest and not open_ended) or len(open_ended) > 1:
        raise TendersDoNotMatch(price, given)
    if asks_wallet(asked) and not is_customer:
        raise WalletNeedsCustomer
    made = [_tender(tender, rest if tender.amount is None else tender.amount) for tender in asked]
    return tuple(tender for tender in made if tender.amount)


def _tender(asked: TenderAsked, amount: Money) -> Tender:
    draw = Draw(amount, asked.kinds) if asked.kind == "wallet" else None
    return Tender(asked.kind, amount, asked.provider, draw=draw)


def _in(currency: str, tender: TenderAsked) -> Money:
    assert tender.amount is not None
    if tender.amount.currency != currency:
        raise OrderCurrencyMismatch(currency)
    return tender.amount


def asks_wallet(asked: Sequence[TenderAsked]) -> bool:
    return any(tender.kind == "wallet" for tender in asked)
