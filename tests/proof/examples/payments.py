"""Payments and their webhooks."""

from __future__ import annotations

from dataclasses import replace

from cauri.books.caller import Caller
from cauri.money import Money
from cauri.payments.commands import (
    ReceiveWebhook,
    RecordPaymentFailure,
    RecordPaymentSuccess,
    by_system,
    failure_key,
    success_key,
)
from cauri.payments.disputes import RecordDispute
from cauri.payments.manual import Method, RecordReceipt
from cauri.payments.store import PAYMENTS

from tests.proof.examples.worlds import Act, a_paid_order, an_order, example, give_up, market, sent, success
from tests.shop import START, Shop


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
    order_id = an_order(shop, wallet=10_000)
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


@example(RecordDispute, "opened")
def _(shop: Shop) -> Act:
    [payment] = shop.tree(a_paid_order(shop)).payments
    money = Money(100, "KES")
    command = RecordDispute(payment.id, "demo", "dsp_1", "awaiting-merchant-feedback", money, START, None, False)
    return sent(command, by_system(shop.tenant))


@example(RecordReceipt, "cash, of an order that waits for it")
def _(shop: Shop) -> Act:
    order_id = an_order(shop)
    [payment] = shop.tree(order_id).payments
    shop.database.transact([PAYMENTS.write(replace(payment, provider="manual"))])
    return sent(RecordReceipt(payment.id, payment.amount, Method.CASH, "417"), shop.admin)
