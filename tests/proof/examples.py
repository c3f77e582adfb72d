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

from cauri.books.commit import Books, Caller, Command
from cauri.checkout.carts import OpenCart, PutCartLine, RemoveCartLine
from cauri.checkout.commands import Checkout, Contact, InlineLine
from cauri.checkout.resuming import ResumeCheckout
from cauri.checkout.saga import CheckoutSaga
from cauri.checkout.tenders import TenderAsked
from cauri.errors import Refusal
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.inventory.sweep import sweep
from cauri.money import Money
from cauri.orders.commands import CancelOrder, ConfirmOrder
from cauri.orders.model import CancelReason
from cauri.parties.commands import PutTenant, PutVendor
from cauri.parties.model import ShippingRate
from cauri.payments.commands import (
    ReceiveWebhook,
    RecordPaymentFailure,
    RecordPaymentRefund,
    RecordPaymentSuccess,
    by_system,
    failure_key,
    refund_key,
    success_key,
)
from cauri.providers.ports import Unknown
from cauri.wallet.commands import Deposit

from tests.shop import START, Shop, a_checkout

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
        "stock": {},
        "forbids": [],
    } | more
    return lambda books: json.dumps(CheckoutSaga(books, NobodyWakes()).run(payload), sort_keys=True).encode()


# -- Worlds


def market(shop: Shop) -> Shop:
    return shop.furnish(shipping={"KES": ShippingRate(30_000, 5_000)}).stock(shirt_l=50, basket=5, coffee=9)


def an_order(shop: Shop, *, balance: int = 0, **units: int) -> str:
    """An order that waits for its payment, of which `balance` is held."""
    market(shop)
    asked: tuple[TenderAsked, ...] = (TenderAsked("provider", provider="demo"),)
    if balance:
        shop.deposit(balance + 700)
        asked = (TenderAsked("balance", Money(balance, "KES")), *asked)
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


def a_paid_order(shop: Shop, *, balance: int = 0, **units: int) -> str:
    order_id = an_order(shop, balance=balance, **units)
    pay(shop, order_id)
    return order_id


def a_confirmed_order(shop: Shop, *, balance: int = 0) -> str:
    order_id = a_paid_order(shop, balance=balance)
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


# -- Parties, products, stock, balances


@example(PutTenant, "a new one")
def _(shop: Shop) -> Act:
    return sent(PutTenant("Soko", {"standard": 1600}, demo=True), shop.admin)


@example(PutTenant, "changed")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutTenant("Soko", {"standard": 800}), shop.admin)


@example(PutVendor, "a new one")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutVendor("ven_lamu", "Lamu Boats", "KE", 500), shop.admin)


@example(PutVendor, "changed")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutVendor("ven_kazi", "Kazi", "KE", 900), shop.admin)


@example(PutVendor, "refused, since there is no tenant")
def _(shop: Shop) -> Act:
    return sent(PutVendor("ven_kazi", "Kazi", "KE", 900), shop.admin)


@example(PutProduct, "a new one")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutProduct("dhow", "ven_kazi", "Dhow", {"KES": 90_000_000}), shop.admin)


@example(PutProduct, "changed, with stock in several cells")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutProduct("shirt-l", "ven_kazi", "Shirt, large", {"KES": 140_000}), shop.admin)


@example(ReceiveStock, "the first units")
def _(shop: Shop) -> Act:
    shop.furnish()
    return sent(ReceiveStock("coffee", 7), shop.admin)


@example(ReceiveStock, "more units, and more cells")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(ReceiveStock("shirt-l", 41, "found"), shop.admin)


@example(Deposit, "the first money")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(Deposit("cus_amina", Money(5_000, "KES")), shop.admin)


@example(Deposit, "more, in another currency")
def _(shop: Shop) -> Act:
    market(shop).deposit(1_000)
    return sent(Deposit("cus_amina", Money(5_000, "USD")), shop.admin)


# -- Carts


@example(OpenCart, "a customer's")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(OpenCart("KES"), shop.customer())


@example(PutCartLine, "another quantity")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(market(shop).cart(shirt_l=1, coffee=1), "shirt-l", 3), shop.customer())


@example(PutCartLine, "refused, since the cart is another's")
def _(shop: Shop) -> Act:
    return sent(PutCartLine(market(shop).cart(shirt_l=1), "shirt-l", 3), shop.customer("brian"))


@example(RemoveCartLine, "one of two")
def _(shop: Shop) -> Act:
    return sent(RemoveCartLine(market(shop).cart(shirt_l=1, coffee=1), "shirt-l"), shop.customer())


# -- Checkout


@example(Checkout, "a cart of two vendors, paid at the provider")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(shirt_l=2, coffee=1)), shop.customer())


@example(Checkout, "paid in part from the balance")
def _(shop: Shop) -> Act:
    market(shop).deposit(100_000)
    mixed = (TenderAsked("balance", Money(60_000, "KES")), TenderAsked("provider", provider="demo"))
    return sent(a_checkout(cart_id=shop.cart(shirt_l=1), tenders=mixed), shop.customer())


@example(Checkout, "paid wholly from the balance")
def _(shop: Shop) -> Act:
    market(shop).deposit(1_000_000)
    return sent(a_checkout(cart_id=shop.cart(basket=1), tenders=(TenderAsked("balance"),)), shop.customer())


@example(Checkout, "a guest's, with lines and an address")
def _(shop: Shop) -> Act:
    market(shop)
    lines = (InlineLine("basket", 1), InlineLine("coffee", 2))
    contact = Contact("wanjiru@example.com", "Wanjiru", "+254700000000", {"city": "Nairobi"})
    return sent(a_checkout(lines=lines, currency="KES", contact=contact), shop.guest())


@example(Checkout, "a line that spans cells")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(shirt_l=40)), shop.customer())


@example(Checkout, "units whose claims are over")
def _(shop: Shop) -> Act:
    market(shop).checkout(shop.customer("brian"), cart_id=shop.cart(shop.customer("brian"), basket=5))
    shop.clock.advance(minutes=30)
    return sent(a_checkout(cart_id=shop.cart(basket=3)), shop.customer())


@example(Checkout, "refused, since the last line is out of stock")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(basket=2, coffee=10)), shop.customer())


@example(Checkout, "refused, since the balance is too small")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(basket=2)
    return sent(a_checkout(cart_id=cart, tenders=(TenderAsked("balance"),)), shop.customer())


@example(Checkout, "refused, since the cart became an order")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(basket=2)
    shop.checkout(cart_id=cart)
    return sent(a_checkout(cart_id=cart), shop.customer())


@example(ResumeCheckout, "again")
def _(shop: Shop) -> Act:
    return sent(ResumeCheckout(an_order(shop), "again"), saga(shop))


# -- Payments


@example(ReceiveWebhook, "believed")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(
        ReceiveWebhook("demo", '{"event":"x"}', "charge.success", "pay_x"), Caller(shop.tenant, "system:webhooks:demo")
    )


@example(ReceiveWebhook, "not believed")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(ReceiveWebhook("demo", "{}", refusal="bad_signature"), Caller(shop.tenant, "system:webhooks:demo"))


@example(RecordPaymentSuccess, "in time")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    [payment] = shop.tree(order_id).payments
    return sent(success(shop, order_id), by_system(shop.tenant), success_key(payment.id))


@example(RecordPaymentSuccess, "after the order was given up")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, balance=10_000)
    give_up(shop, order_id)
    [payment] = shop.tree(order_id).payments
    return sent(success(shop, order_id), by_system(shop.tenant), success_key(payment.id))


@example(RecordPaymentSuccess, "of another amount than was asked")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    [payment] = shop.tree(order_id).payments
    success = RecordPaymentSuccess(payment.id, Money(1, "KES"), "txn", START)
    return sent(success, by_system(shop.tenant), success_key(payment.id))


@example(RecordPaymentFailure, "declined")
def _(shop: Shop) -> Act:
    [payment] = shop.tree(an_order(shop)).payments
    return sent(RecordPaymentFailure(payment.id, "no"), by_system(shop.tenant), failure_key(payment.id))


@example(RecordPaymentRefund, "of an order that could not be made good")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    give_up(shop, order_id, CancelReason.NOT_FULFILLABLE)
    [payment] = shop.tree(order_id).payments
    return sent(RecordPaymentRefund(payment.id, "rfd"), by_system(shop.tenant), refund_key(payment.id))


# -- Orders


@example(ConfirmOrder, "paid at the provider")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "paid in part from the balance")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, balance=10_000)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "paid after it was given up, from a balance that was released")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, balance=10_000)
    give_up(shop, order_id)
    pay(shop, order_id)
    return sent(confirmation(shop, order_id), saga(shop))


@example(ConfirmOrder, "refused, since it is not paid")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    return sent(confirmation(shop, order_id), saga(shop))


@example(CancelOrder, "nobody paid, and the balance is released")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, balance=10_000)
    return sent(CancelOrder(order_id, "cus_amina", CancelReason.UNPAID), saga(shop))


@example(CancelOrder, "paid, and it can't be made good; its confirmation is forbidden")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, balance=10_000)
    command = CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, ("confirm-1", "confirm-2"))
    return sent(command, saga(shop))


@example(CancelOrder, "refused, since the step that it undoes had committed")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    command = CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, ("confirmed",))
    shop.run(ResumeCheckout(order_id, "again"), saga(shop), "confirmed")
    return sent(command, saga(shop))


@example(CancelOrder, "refused, since it is paid")
def _(shop: Shop) -> Act:
    return sent(CancelOrder(a_paid_order(shop), "cus_amina", CancelReason.UNPAID), saga(shop))


# -- The steps of the checkout saga


@example("step:begin", "it waits")
def _(shop: Shop) -> Act:
    return step(shop, "begin", an_order(shop))


@example("step:await_payment", "a token is left")
def _(shop: Shop) -> Act:
    return step(shop, "await_payment", an_order(shop))


@example("step:ask_provider", "it has the money")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    shop.provider.pay(shop.tree(order_id).payments[0].id)
    return step(shop, "ask_provider", order_id)


@example("step:ask_provider", "it declined")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    shop.provider.decline(shop.tree(order_id).payments[0].id)
    return step(shop, "ask_provider", order_id)


@example("step:ask_provider", "it does not know, so the claims live longer")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    shop.provider.truth[shop.tree(order_id).payments[0].id] = Unknown("a timeout")
    shop.clock.advance(minutes=16)
    return step(shop, "ask_provider", order_id)


@example("step:secure_stock", "the claims are kept")
def _(shop: Shop) -> Act:
    return step(shop, "secure_stock", a_paid_order(shop, shirt_l=40, coffee=2))


@example("step:secure_stock", "the claims are gone, and stock is claimed again")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, shirt_l=3, coffee=2)
    shop.clock.advance(minutes=25)
    sweep(shop.database, shop.tenant, shop.clock())
    return step(shop, "secure_stock", order_id)


@example("step:secure_stock", "the claims of one line are gone, and so is the stock")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, shirt_l=2, basket=3)
    shop.clock.advance(minutes=25)
    shop.checkout(shop.customer("brian"), cart_id=shop.cart(shop.customer("brian"), basket=5))
    return step(shop, "secure_stock", order_id)


@example("step:confirm_order", "paid")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop, balance=10_000)
    return step(shop, "confirm_order", order_id, stock={})


@example("step:settle_stock", "claims become allocations")
def _(shop: Shop) -> Act:
    return step(shop, "settle_stock", a_confirmed_order(shop))


@example("step:cancel_order", "nobody paid")
def _(shop: Shop) -> Act:
    return step(shop, "cancel_order", an_order(shop, balance=10_000), reason="unpaid")


@example("step:refund_payment", "all of it")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    give_up(shop, order_id, CancelReason.NOT_FULFILLABLE)
    return step(shop, "refund_payment", order_id)


@example("step:release_stock", "in several cells")
def _(shop: Shop) -> Act:
    order_id = an_order(shop, shirt_l=40, coffee=2)
    give_up(shop, order_id)
    return step(shop, "release_stock", order_id)


@example("step:resume", "another execution")
def _(shop: Shop) -> Act:
    return step(shop, "resume", an_order(shop))
