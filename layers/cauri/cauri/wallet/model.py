"""A customer's prepaid balance, per currency: available, and held for orders that are not settled yet."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.ledger import Posting, credit, debit, prepaid_of
from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass, field, replace
from cauri.wallet.proposing import InsufficientBalance


@dataclass
class HoldGone(Refusal):
    """The hold was released, and what it held is spent: the order can't be paid from it any more."""

    code: ClassVar[str] = "hold_gone"
    order_id: str

    def detail(self) -> str:
        return f"The balance holds nothing for {self.order_id} any more."


@dataclass(frozen=True)
class Funds:
    """Minor units of one currency."""

    available: int = 0
    holds: dict[str, int] = field(default_factory=dict)
    """What is held, by order id."""

    @property
    def held(self) -> int:
        return sum(self.holds.values())

    @property
    def total(self) -> int:
        return self.available + self.held


@dataclass(frozen=True)
class Balance:
    """Everything a customer has prepaid. The item is itself the account: nothing else says what it stands at."""

    tenant: str
    customer_id: str
    funds: dict[str, Funds] = field(default_factory=dict)
    version: int = 0

    def of(self, currency: str) -> Funds:
        return self.funds.get(currency, Funds())

    def available(self, currency: str) -> Money:
        return Money(self.of(currency).available, currency)

    def deposit(self, money: Money) -> Balance:
        funds = self.of(money.currency)
        return self._with(money.currency, replace(funds, available=funds.available + money.amount))

    def hold(self, order_id: str, money: Money) -> Balance:
        """Set `money` aside for an order. Holding again for the same order changes nothing."""
        funds = self.of(money.currency)
        if order_id in funds.holds:
            return self
        if funds.available < money.amount:
            raise InsufficientBalance(money, self.available(money.currency))
        holds = {**funds.holds, order_id: money.amount}
        return self._with(money.currency, Funds(funds.available - money.amount, holds))

    def release(self, order_id: str, currency: str) -> Balance:
        """Make available again what was set aside, if it was."""
        funds = self.of(currency)
        holds = dict(funds.holds)
        amount = holds.pop(order_id, 0)
        return self._with(currency, Funds(funds.available + amount, holds))

    def capture(self, order_id: str, money: Money) -> Balance:
        """Spend what was set aside for an order, or, if the hold is gone, what is available. Raises HoldGone."""
        try:
            funds = self.hold(order_id, money).of(money.currency)
        except InsufficientBalance:
            raise HoldGone(order_id) from None
        holds = {owner: amount for owner, amount in funds.holds.items() if owner != order_id}
        return self._with(money.currency, Funds(funds.available, holds))

    def debited(self, money: Money) -> Posting:
        """The posting of `money` that this balance, as it is afterwards, has spent."""
        return debit(prepaid_of(self.customer_id), money, self.of(money.currency).total)

    def credited(self, money: Money) -> Posting:
        return credit(prepaid_of(self.customer_id), money, self.of(money.currency).total)

    def _with(self, currency: str, funds: Funds) -> Balance:
        return replace(self, funds={**self.funds, currency: funds})
