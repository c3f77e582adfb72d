"""One example or more of every command, and of every step of a saga: the world it needs, and what is sent.

An example prepares a world through the same commands that users send, and gives an `Act`: what one process does, with
its own books, and what it answers. Sent again it is the same act, under the same key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cauri.books.caller import Caller
from cauri.books.commit import Books
from cauri.books.work import Command
from cauri.checkout.commands import InlineLine
from cauri.checkout.opening import Contact
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import Scope
from cauri.checkout.saga import CheckoutSaga
from cauri.errors import Refusal
from cauri.orders.commands import CancelOrder, ConfirmOrder
from cauri.orders.model import CancelReason
from cauri.parties.model import ShippingRate
from cauri.payments.commands import (
    RecordPaymentSuccess,
    by_system,
    success_key,
)
from cauri.wallet.lots import Kind

from tests.shop import BY_CARD, START, Shop, from_wallet

Act = Callable[[Books], bytes]
Prepare = Callable[[Shop], Act]
KEY: Final = "the-key"
SAGA: Final = "system:checkout"


@dataclass(frozen=True)
class Example:
    """`of` is the command's name, or ``step:…`` for a step of the checkout saga."""

    of: str
    name: str
    prepare: Prepare

    def __str__(self) -> str:
        return f"{self.of}: {self.name}"


EXAMPLES: Final[list[Example]] = []


def example(of: type[Command] | str, name: str) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        EXAMPLES.append(Example(of if isinstance(of, str) else of.name, name, prepare))
        return prepare

    return register


def sent(command: Command, caller: Caller, key: str = KEY) -> Act:
    """The command, run; a refusal is an answer as well."""

    def act(books: Books) -> bytes:
        try:
            return books.run(command, caller, key).body
        except Refusal as refusal:
            return f"refused: {refusal.code}: {refusal}".encode()

    return act


class NobodyWakes:
    def wake(self, token: str) -> None:
        """Who waits is woken by others' news; here only what is stored counts."""


def step(shop: Shop, name: str, order_id: str, **more: Any) -> Act:
    """A step of the checkout saga, as the state machine calls it. What it raises makes the state machine call again."""
    payload: Mapping[str, Any] = {
        "step": name,
        "tenant": shop.tenant,
        "order_id": order_id,
        "execution": order_id,
        "key": f"{order_id}:{name}:1",
        "customer_id": shop.customer().customer_id,
        "token": "a-token",
        "wait_seconds": 900,
        "watch": shop.watch(order_id),
        "stock": {},
        "forbids": [],
    } | more
    return lambda books: json.dumps(CheckoutSaga(books, NobodyWakes()).run(payload), sort_keys=True).encode()


# -- Worlds


def market(shop: Shop) -> Shop:
    return shop.furnish(shipping={"KES": ShippingRate(30_000, 5_000)}).stock(shirt_l=50, basket=5, coffee=9)


def promoted(shop: Shop, *, uses_max: int = 30) -> Shop:
    """The market with three promotions, two of them limited."""
    market(shop)
    shop.run(PutPromotion("TEN", "Ten percent", Scope.ORDER, 1000, uses_max=uses_max))
    shop.run(PutPromotion("ONCE", "Hello", Scope.ORDER, amounts={"KES": 5_000}, uses_max_per_customer=1))
    automatic: dict[str, Any] = {"automatic": True, "uses_max": uses_max, "uses_max_per_customer": 3}
    shop.run(PutPromotion("AUTO", "Five percent", Scope.LINE, 500, **automatic))
    return shop


def a_promoted_order(shop: Shop) -> str:
    """An order that used promotions, and waits for its payment."""
    cart = promoted(shop).cart(shirt_l=2, coffee=1)
    order_id: str = shop.checkout(cart_id=cart, promotion_codes=("TEN", "ONCE"))["order"]["id"]
    return order_id


def loyal(shop: Shop, **rules: Any) -> Shop:
    """Amina has 10.00 of rewards, 30.00 and 70.00 of credit, and 500 points, which pay 50.00."""
    market(shop).programme(**rules)
    shop.credit(1_000, Kind.REWARD, days=20)
    shop.credit(3_000, days=40)
    shop.credit(7_000, days=200)
    shop.credit(500, Kind.POINTS)
    return shop


def an_order(shop: Shop, *, wallet: int = 0, **units: int) -> str:
    """An order that waits for its payment, of which `wallet` is held, of every kind of lots."""
    market(shop)
    asked = (BY_CARD,)
    if wallet:
        loyal(shop, restored_days=14)
        asked = (from_wallet(wallet), BY_CARD)
    cart = shop.cart(None, **(units or {"shirt_l": 2, "coffee": 1}))
    order_id: str = shop.checkout(cart_id=cart, tenders=asked)["order"]["id"]
    return order_id


def pay(shop: Shop, order_id: str) -> None:
    """The shopper pays at the provider, and we hear of it."""
    [payment] = shop.tree(order_id).payments
    shop.provider.pay(payment.id)
    shop.run(success(shop, order_id), by_system(shop.tenant), success_key(payment.id))


def give_up(shop: Shop, order_id: str, reason: CancelReason = CancelReason.UNPAID) -> None:
    shop.run(CancelOrder(order_id, shop.tree(order_id).order.customer_id, reason), saga(shop), f"cancel-{reason}")


def a_guests_order(shop: Shop) -> str:
    market(shop)
    lines, contact = (InlineLine("basket", 1),), Contact("amina@example.com")
    order_id: str = shop.checkout(shop.guest(), lines=lines, currency="KES", contact=contact)["order"]["id"]
    return order_id


def release(shop: Shop, order_id: str) -> None:
    """What the saga of an order that was given up gives back."""
    step(shop, "release_stock", order_id)(shop.books)


def a_paid_order(shop: Shop, *, wallet: int = 0, **units: int) -> str:
    order_id = an_order(shop, wallet=wallet, **units)
    pay(shop, order_id)
    return order_id


def a_confirmed_order(shop: Shop, *, wallet: int = 0) -> str:
    order_id = a_paid_order(shop, wallet=wallet)
    shop.run(confirmation(shop, order_id), saga(shop), "confirmed")
    return order_id


def saga(shop: Shop) -> Caller:
    return Caller(shop.tenant, SAGA)


def success(shop: Shop, order_id: str) -> RecordPaymentSuccess:
    [payment] = shop.tree(order_id).payments
    return RecordPaymentSuccess(payment.id, payment.amount, f"txn-{payment.id}", START + timedelta(minutes=1))


def confirmation(shop: Shop, order_id: str) -> ConfirmOrder:
    tree = shop.tree(order_id)
    return ConfirmOrder(order_id, tree.order.customer_id, shop.claimed(tree))
