"""A customer's credit pays invoices; and what is too small to wait for is written off. Source: SPEC 10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cauri.billing.accounts import WRITTEN_OFF, journal
from cauri.billing.desk import Desk, at_desk
from cauri.billing.model import Invoice, Standing, UnknownInvoice
from cauri.billing.payments import (
    TARGETS_MAX,
    AllocationExceedsTarget,
    Application,
    CustomerCredit,
    InsufficientCredit,
    NothingToAllocate,
    OverWriteOffLimit,
    UnknownAllocation,
    UnknownCredit,
)
from cauri.billing.settling import Settlement, require_unchanged
from cauri.billing.store import CREDITS, credit_key, credit_list, invoice_key
from cauri.billing.views import invoice_view
from cauri.books.ledger import debit
from cauri.books.listing import read_some
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.money import Money
from cauri.values import dataclass


@dataclass(frozen=True)
class ApplyCredit(Command):
    """Pay an invoice from its customer's credit, the oldest first: all that is open, or so much."""

    name: ClassVar = "apply_credit"
    invoice_id: str
    amount: Money | None = None


@dataclass(frozen=True)
class TakeCreditOff(Command):
    """A credit that was applied to an invoice is available again."""

    name: ClassVar = "take_credit_off"
    credit_id: str
    application_id: str


@dataclass(frozen=True)
class WriteOff(Command):
    """Wait no more for what is left of an invoice, if it is as little as the tenant's rules allow."""

    name: ClassVar = "write_off"
    invoice_id: str
    amount: Money | None = None


@decides(ApplyCredit)
def apply_credit(command: ApplyCredit, work: Work) -> Plan:
    invoice = _load(command.invoice_id, work)
    desk = at_desk(invoice.customer_id, work)
    desk.rules.require_open(desk.today)
    settlement = Settlement(desk.account, invoice.currency, {invoice.id: invoice})
    asked = settlement.open(invoice.id) if command.amount is None else command.amount
    invoice.require_currency(asked.currency)
    available = Money(desk.account.of(invoice.currency).credit, invoice.currency)
    if command.amount is None:
        asked = min(asked, available)
    if not asked:
        raise NothingToAllocate
    if asked > settlement.open(invoice.id):
        raise AllocationExceedsTarget(invoice.id, asked, settlement.open(invoice.id))
    if asked > available:
        raise InsufficientCredit(asked, available)
    amount, used = use_credit(asked.amount, invoice, work, TARGETS_MAX)
    if amount < asked.amount:
        raise InsufficientCredit(asked, Money(amount, invoice.currency))
    settlement.settle(invoice.id, asked.amount)
    return _credited(settlement, used, -asked.amount, desk, "credit applied", *told_of_uses(used, invoice))


@decides(TakeCreditOff)
def take_credit_off(command: TakeCreditOff, work: Work) -> Plan:
    key = credit_key(work.tenant, command.credit_id)
    credit = work.fetch(key)[key]
    if credit is None:
        raise UnknownCredit(command.credit_id)
    taken = next((one for one in credit.applied if one.id == command.application_id), None)
    if taken is None:
        raise UnknownAllocation(command.application_id)
    at_invoice = invoice_key(work.tenant, taken.invoice_id)
    desk = at_desk(credit.customer_id, work, key, at_invoice)
    require_unchanged(desk.found, key, credit)
    desk.rules.require_open(desk.today)
    invoice = desk.found[at_invoice]
    if invoice is None:
        raise UnknownInvoice(taken.invoice_id)
    settlement = Settlement(desk.account, invoice.currency, {invoice.id: invoice})
    settlement.settle(invoice.id, -taken.amount)
    back = credit.without(taken.id)
    told = _told("customer_credit.returned", back, invoice, taken.amount)
    return _credited(settlement, [back], taken.amount, desk, "credit taken off", told)


@decides(WriteOff)
def write_off(command: WriteOff, work: Work) -> Plan:
    invoice = _load(command.invoice_id, work)
    desk = at_desk(invoice.customer_id, work)
    open_on = invoice.settle(0).open
    amount = open_on if command.amount is None else command.amount
    invoice.require_currency(amount.currency)
    desk.rules.require_open(desk.today)
    if not amount:
        raise NothingToAllocate
    if amount > open_on:
        raise AllocationExceedsTarget(invoice.id, amount, open_on)
    most = Money(desk.rules.write_off_max.get(invoice.currency, 0), invoice.currency)
    if amount.amount + invoice.written_off > most.amount:
        raise OverWriteOffLimit(amount, most)
    after = invoice.write_off(amount.amount)
    account = desk.account.moved(invoice.currency, Standing(invoiced=-amount.amount))
    return (
        Plan(invoice_view(after, desk.today))
        .save(account, after)
        .post(journal("write-off", desk.account, account, invoice.currency, debit(WRITTEN_OFF, amount)))
        .emit(Event("invoice.written_off", after.id, after.version + 1, {"amount": amount}))
    )


def use_credit(amount: int, invoice: Invoice, work: Work, pieces_max: int) -> tuple[int, list[CustomerCredit]]:
    """So much of `amount` as the customer's oldest credits come to, and those credits when they pay the invoice.

    Where credit is in more pieces than `pieces_max`, or so new that the list has it not yet, it is less than there is.
    """
    left, used = amount, []
    for credit in _available(invoice, work, pieces_max):
        if share := min(left, credit.left):
            used.append(credit.apply(Application(work.ids.new("apl"), invoice.id, share, work.at)))
            left -= share
    return amount - left, used


def told_of_uses(used: Sequence[CustomerCredit], invoice: Invoice) -> list[Event]:
    """That each piece of credit pays the invoice, by its last use."""
    return [_told("customer_credit.applied", piece, invoice, piece.applied[-1].amount) for piece in used]


def _available(invoice: Invoice, work: Work, pieces_max: int) -> Sequence[CustomerCredit]:
    """As they are now: the list follows the credits by a moment."""
    name = credit_list(invoice.customer_id, is_left=True)
    listed = read_some(
        work.database,
        CREDITS,
        work.tenant,
        name,
        lambda credit: credit.amount.currency == invoice.currency,
        limit=pieces_max,
    )
    keys = [credit_key(work.tenant, credit.id) for credit in listed]
    found = work.fetch(*keys) if keys else None
    return [credit for key in keys if found and (credit := found[key]) and credit.is_usable]


def _load(invoice_id: str, work: Work) -> Invoice:
    key = invoice_key(work.tenant, invoice_id)
    invoice = work.fetch(key)[key]
    if invoice is None:
        raise UnknownInvoice(invoice_id)
    return invoice


def _credited(
    settlement: Settlement,
    pieces: Sequence[CustomerCredit],
    change: int,
    desk: Desk,
    kind: str,
    *told: Event,
) -> Plan:
    currency = settlement.currency
    settlement.account = settlement.account.moved(currency, Standing(credit=change))
    [invoice] = settlement.invoices.values()
    return (
        Plan(invoice_view(invoice, desk.today))
        .save(*settlement.changed, *pieces)
        .post(journal(kind, desk.account, settlement.account, currency))
        .emit(*told, *settlement.events())
    )


def _told(name: str, piece: CustomerCredit, invoice: Invoice, amount: int) -> Event:
    facts = {"customer_id": invoice.customer_id, "invoice_id": invoice.id, "amount": Money(amount, invoice.currency)}
    return Event(name, piece.id, piece.version + 1, facts)
