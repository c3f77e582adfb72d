"""Points that an order earns: pending until its delivery is accepted, and clawed back with what is refunded.

Source: SPEC 11.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass, replace


class EarningStatus(StrEnum):
    PENDING = "pending"
    EARNED = "earned"


@dataclass
class UnknownEarning(Refusal):
    code: ClassVar[str] = "unknown_earning"
    order_id: str

    def detail(self) -> str:
        return f"The order {self.order_id!r} has earned this customer no points."


@dataclass
class AlreadyEarned(Refusal):
    """An order earns once, and its points mature once."""

    code: ClassVar[str] = "already_earned"
    order_id: str

    def detail(self) -> str:
        return f"The order {self.order_id} has earned its points."


@dataclass
class NothingEarned(Refusal):
    """The programme has no rule for the currency, or the amount is too small."""

    code: ClassVar[str] = "nothing_earned"
    amount: Money

    def detail(self) -> str:
        return f"{self.amount} earn no points."


@dataclass
class EarningExceeded(Refusal):
    """More is refunded than the order came to, or in another currency."""

    code: ClassVar[str] = "earning_exceeded"
    refunded: Money
    amount: Money

    def detail(self) -> str:
        return f"{self.refunded} can't be refunded of {self.amount}."


@dataclass(frozen=True)
class Earning:
    """What an order of `amount` earned. An order earns once, so its id is the key."""

    tenant: str
    order_id: str
    customer_id: str
    amount: Money
    points: int
    lot_id: str
    refunded: Money
    status: EarningStatus = EarningStatus.PENDING
    clawed_back: int = 0
    version: int = 0

    def matured(self) -> Earning:
        """Raises AlreadyEarned."""
        if self.status is not EarningStatus.PENDING:
            raise AlreadyEarned(self.order_id)
        return replace(self, status=EarningStatus.EARNED)

    def refund(self, money: Money) -> tuple[Earning, int]:
        """With `money` more refunded, and how many points go with it. Raises EarningExceeded.

        The points that are left are those that what was not refunded would have earned; of the whole, none is left.
        """
        if money.currency != self.amount.currency or self.refunded + money > self.amount:
            raise EarningExceeded(money, self.amount)
        refunded = self.refunded + money
        kept = self.points * (self.amount.amount - refunded.amount) // self.amount.amount
        owed = self.points - kept - self.clawed_back
        return replace(self, refunded=refunded, clawed_back=self.clawed_back + owed), owed
