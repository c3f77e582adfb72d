"""Payments on account: received, changed, deleted, and made credit of. Source: SPEC 10."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from cauri.billing.accounts import journal
from cauri.billing.desk import Desk, at_desk
from cauri.billing.model import Standing
from cauri.billing.payments import (
    AccountPayment,
    AllocationsExceedPayment,
    CustomerCredit,
    NothingToAllocate,
    PaymentAllocated,
    UnknownAccountPayment,
)
from cauri.billing.store import payment_key
from cauri.billing.views import account_payment_view, credit_view
from cauri.books.ledger import cash_at, debit
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.money import Money
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class ReceivePayment(Command):
    """Money that came from a customer, to be allocated. `method` is as people call it."""

    name: ClassVar = "receive_payment"
    customer_id: str
    amount: Money
    method: str
    received_on: date | None = None
    reference: str = ""


@dataclass(frozen=True)
class DeletePayment(Command):
    """A payment that was recorded by mistake. Nothing of it may be allocated."""

    name: ClassVar = "delete_payment"
    payment_id: str


@dataclass(frozen=True)
class CreditPayment(Command):
    """Make the customer's credit of what is left of a payment, or of so much of it."""

    name: ClassVar = "credit_payment"
    payment_id: str
    amount: Money | None = None


@decides(ReceivePayment)
def receive_payment(command: ReceivePayment, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    method = desk.rules.method(command.method)
    desk.rules.require_within(method, command.amount)
    on = command.received_on or desk.today
    desk.rules.require_open(on)
    payment = AccountPayment(
        work.tenant,
        work.ids.new("pay"),
        command.customer_id,
        command.amount,
        method,
        on,
        work.at,
        command.reference,
    )
    return _received(payment, command.amount, desk, "payment received", "payment.received")


@decides(DeletePayment)
def delete_payment(command: DeletePayment, work: Work) -> Plan:
    payment = load_payment(command.payment_id, work)
    desk = at_desk(payment.customer_id, work)
    if payment.is_touched:
        raise PaymentAllocated(payment.id)
    desk.rules.require_open(payment.received_on)
    deleted = replace(payment, deleted_at=work.at)
    return _received(deleted, -payment.amount, desk, "payment deleted", "payment.deleted")


@decides(CreditPayment)
def credit_payment(command: CreditPayment, work: Work) -> Plan:
    payment = load_payment(command.payment_id, work)
    desk = at_desk(payment.customer_id, work)
    desk.rules.require_open(desk.today)
    amount = payment.left if command.amount is None else command.amount
    if not amount:
        raise NothingToAllocate
    if amount.currency != payment.amount.currency or amount > payment.left:
        raise AllocationsExceedPayment(amount, payment.left)
    after = replace(payment, credited=payment.credited + amount.amount)
    made = CustomerCredit(work.tenant, work.ids.new("crd"), payment.customer_id, amount, work.at, payment.id)
    account = desk.account.moved(amount.currency, Standing(unapplied=-amount.amount, credit=amount.amount))
    return (
        Plan(credit_view(made))
        .save(account, after, made)
        .post(journal("customer credit", desk.account, account, amount.currency))
        .emit(Event("customer_credit.issued", made.id, 1, {"customer_id": made.customer_id, "amount": amount}))
    )


def load_payment(payment_id: str, work: Work) -> AccountPayment:
    """Raises UnknownAccountPayment, also for one that was deleted."""
    key = payment_key(work.tenant, payment_id)
    return found_payment(work.fetch(key)[key], payment_id)


def found_payment(payment: AccountPayment | None, payment_id: str) -> AccountPayment:
    if payment is None or payment.deleted_at is not None:
        raise UnknownAccountPayment(payment_id)
    return payment


def told_of(name: str, payment: AccountPayment, **more: Any) -> Event:
    facts = {"customer_id": payment.customer_id, "amount": payment.amount, "method": payment.method}
    return Event(name, payment.id, payment.version + 1, {**facts, **more})


def _received(payment: AccountPayment, came: Money, desk: Desk, kind: str, name: str) -> Plan:
    account = desk.account.moved(came.currency, Standing(unapplied=came.amount))
    cash = debit(cash_at(payment.method), came)
    return (
        Plan(account_payment_view(payment))
        .save(account, payment)
        .post(journal(kind, desk.account, account, came.currency, cash))
        .emit(told_of(name, payment))
    )
