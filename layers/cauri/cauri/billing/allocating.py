"""Allocate payments to what customers owe, and roll that back: each is one transaction. Source: SPEC 10."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final

from cauri.billing.accounts import journal
from cauri.billing.desk import Desk, desk_keys, desk_of
from cauri.billing.model import Invoice, InvoiceCurrencyMismatch, Standing
from cauri.billing.payments import (
    OPENING,
    TARGETS_MAX,
    AccountPayment,
    Allocation,
    AllocationsExceedPayment,
    AllocationsRequired,
    CustomerCredit,
    Meant,
    NothingToAllocate,
    PaymentType,
    Surplus,
    TargetNamedTwice,
    TooManyTargets,
    UnknownAccountPayment,
    UnknownAllocation,
    oldest_first,
)
from cauri.billing.receiving import found_payment, load_payment, told_of
from cauri.billing.settling import Settlement, invoices_in, require_unchanged
from cauri.billing.store import INVOICES, credit_key, invoice_key, invoice_list, payment_key
from cauri.billing.views import Rollback, account_payment_view
from cauri.books.ledger import cash_at, debit
from cauri.books.listing import Page, read_page, read_some
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Key
from cauri.books.work import Command, Work, decides
from cauri.money import Money
from cauri.values import dataclass, replace

DUE_MAX: Final = TARGETS_MAX - 1
"""Invoices that are looked for when nobody names any: the opening balance is a target, too."""


class Mode(StrEnum):
    STRICT = "strict"
    """An amount that is more than is open on its target is refused."""
    SMART = "smart"
    """Of each amount, what is open on its target and left of the payment is allocated."""


@dataclass(frozen=True)
class AllocatePayment(Command):
    """Settle `targets` with the payment; or, without any, whatever is due, the oldest first.

    `customer_id` is whose payment it is, as its sender knows: with it a round trip is spared.
    """

    name: ClassVar = "allocate_payment"
    payment_id: str
    targets: tuple[Meant, ...] = ()
    mode: Mode = Mode.STRICT
    surplus: Surplus = Surplus.CREDIT
    customer_id: str | None = None


@dataclass(frozen=True)
class RollBackAllocations(Command):
    """Take back what a payment settled: all of it, or these allocations."""

    name: ClassVar = "roll_back_allocations"
    payment_id: str
    allocation_ids: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ChangePayment(Command):
    """A payment came to another amount than was recorded; what it is allocated to is said anew."""

    name: ClassVar = "change_payment"
    payment_id: str
    amount: Money
    targets: tuple[Meant, ...] | None = None


@decides(AllocatePayment)
def allocate_payment(command: AllocatePayment, work: Work) -> Plan:
    _require_targets(command.targets)
    payment, desk, settlement = _load(command, work)
    desk.rules.require_open(desk.today)
    meant = list(command.targets) or _whatever_is_due(payment, settlement)
    smart = command.mode is Mode.SMART
    made, surpluses = _allocated(meant, payment, settlement, command.surplus if smart else None, work)
    after = payment.apply(made)
    return _settled(payment, after, surpluses, settlement, desk, "allocation", "payment.allocated")


@decides(RollBackAllocations)
def roll_back_allocations(command: RollBackAllocations, work: Work) -> Plan:
    payment = load_payment(command.payment_id, work)
    taken = _chosen(payment, command.allocation_ids)
    if not taken:
        raise NothingToAllocate
    if len(taken) > TARGETS_MAX:
        raise TooManyTargets
    desk, settlement, withdrawn = _load_taken(payment, taken, work, ())
    desk.rules.require_open(desk.today)
    after = payment.without(taken)
    plan = _settled(payment, after, withdrawn, settlement, desk, "rollback", "payment.rolled_back")
    amount = Money(sum(one.amount for one in taken), payment.amount.currency)
    invoices = [one.target for one in taken if one.target != OPENING]
    plan.answer = Rollback(account_payment_view(after), invoices, len(invoices) < len(taken), amount)
    return plan


@decides(ChangePayment)
def change_payment(command: ChangePayment, work: Work) -> Plan:
    payment = load_payment(command.payment_id, work)
    if payment.is_touched and command.targets is None:
        raise AllocationsRequired
    meant = command.targets or ()
    _require_targets(meant)
    if command.amount.currency != payment.amount.currency:
        raise InvoiceCurrencyMismatch(payment.amount.currency)
    taken = payment.allocations
    if len({one.target for one in taken} | {one.target for one in meant}) > TARGETS_MAX:
        raise TooManyTargets
    desk, settlement, withdrawn = _load_taken(payment, taken, work, meant)
    desk.rules.require_open(payment.received_on)
    desk.rules.require_within(payment.method, command.amount)
    bare = replace(payment.without(taken), amount=command.amount)
    if bare.unapplied < 0:
        raise AllocationsExceedPayment(Money(bare.credited, command.amount.currency), command.amount)
    made, _ = _allocated(meant, bare, settlement, None, work)
    more = debit(cash_at(payment.method), command.amount - payment.amount)
    after = bare.apply(made)
    return _settled(payment, after, withdrawn, settlement, desk, "payment changed", "payment.changed", more)


# -- Reading


def _require_targets(meant: Sequence[Meant]) -> None:
    """Raises TooManyTargets, TargetNamedTwice."""
    if len(meant) > TARGETS_MAX:
        raise TooManyTargets
    seen: set[str] = set()
    for one in meant:
        if one.target in seen:
            raise TargetNamedTwice(one.target)
        seen.add(one.target)


def _load(command: AllocatePayment, work: Work) -> tuple[AccountPayment, Desk, Settlement]:
    """The payment, and all that it may settle. One round trip, if the sender says whose it is and what it settles."""
    customer_id = command.customer_id or load_payment(command.payment_id, work).customer_id
    key = payment_key(work.tenant, command.payment_id)
    ids = [one.target for one in command.targets if one.target != OPENING]
    reads: list[Any] = [
        functools.partial(work.fetch, key, *desk_keys(customer_id, work), *_invoice_keys(ids, work)),
    ]
    if not command.targets:
        reads.append(functools.partial(_due, customer_id, work))
    found, *due = work.database.together(*reads)
    payment = found_payment(found[key], command.payment_id)
    if payment.customer_id != customer_id:
        raise UnknownAccountPayment(command.payment_id)
    desk = desk_of(customer_id, work, found)
    currency = payment.amount.currency
    if due and (ids := _due_in(currency, customer_id, due[0], work)):
        found = work.fetch(*_invoice_keys(ids, work))
        ids = [one for one in ids if (invoice := found[invoice_key(work.tenant, one)]) and invoice.is_owed_in(currency)]
    invoices = invoices_in(found, work.tenant, customer_id, currency, ids)
    return payment, desk, Settlement(desk.account, currency, invoices)


def _due(customer_id: str, work: Work) -> Page[Invoice]:
    """The first of a customer's open invoices, the oldest due first: mostly they are all in the payment's currency."""
    name = invoice_list(customer_id, "open")
    return read_page(work.database, INVOICES, work.tenant, name, after=None, limit=DUE_MAX)


def _due_in(currency: str, customer_id: str, first: Page[Invoice], work: Work) -> list[str]:
    """The open invoices in a currency, the oldest due first: as many as one transaction settles."""
    found = [invoice.id for invoice in first.items if invoice.currency == currency]
    if first.position is None or len(found) == DUE_MAX:
        return found
    name, wanted = invoice_list(customer_id, "open"), DUE_MAX - len(found)
    more = read_some(
        work.database,
        INVOICES,
        work.tenant,
        name,
        lambda invoice: invoice.currency == currency,
        after=first.position,
        limit=wanted,
    )
    return [*found, *(invoice.id for invoice in more)]


def _invoice_keys(ids: Iterable[str], work: Work) -> list[Key[Any]]:
    return [invoice_key(work.tenant, invoice_id) for invoice_id in ids]


def _load_taken(
    payment: AccountPayment, taken: Sequence[Allocation], work: Work, meant: Sequence[Meant]
) -> tuple[Desk, Settlement, list[CustomerCredit]]:
    """What was settled, unsettled again; the credits that were made of too much are withdrawn. Raises CreditApplied."""
    ids = ({one.target for one in taken} | {one.target for one in meant}) - {OPENING}
    surpluses = [credit_key(work.tenant, one.credit_id) for one in taken if one.credit_id]
    key = payment_key(work.tenant, payment.id)
    found = work.fetch(key, *desk_keys(payment.customer_id, work), *_invoice_keys(sorted(ids), work), *surpluses)
    require_unchanged(found, key, payment)
    desk = desk_of(payment.customer_id, work, found)
    currency = payment.amount.currency
    invoices = invoices_in(found, work.tenant, payment.customer_id, currency, sorted(ids))
    settlement = Settlement(desk.account, currency, invoices)
    for one in taken:
        if one.amount:  # all of it was too much: its invoice may be deleted by now
            settlement.settle(one.target, -one.amount)
    return desk, settlement, [made.withdraw() for one in surpluses if (made := found[one])]


# -- Deciding


def _whatever_is_due(payment: AccountPayment, settlement: Settlement) -> list[Meant]:
    opens = [(invoice.id, invoice.open.amount) for invoice in settlement.invoices.values()]
    opening = settlement.open(OPENING).amount
    shares = oldest_first(payment.unapplied, opening, opens)
    if not shares:
        raise NothingToAllocate
    return [Meant(target, Money(amount, settlement.currency)) for target, amount in shares]


def _allocated(
    meant: Sequence[Meant], payment: AccountPayment, settlement: Settlement, surplus: Surplus | None, work: Work
) -> tuple[list[Allocation], list[CustomerCredit]]:
    """The shares, settled one after the other; with `surplus`, never more than is open on each, and is left.

    Raises AllocationsExceedPayment before anything about a target, then InvoiceNotOpen, AllocationExceedsTarget.
    """
    asked, left = _total(meant, settlement.currency), payment.unapplied
    if surplus is None and asked > payment.left:
        raise AllocationsExceedPayment(asked, payment.left)
    made, surpluses = [], []
    for one in meant:
        allocation, credit = _share(one.target, min(one.amount.amount, left), payment, settlement, surplus, work)
        left -= allocation.amount + allocation.credited
        settlement.settle(one.target, allocation.amount)
        if allocation.amount or allocation.credited:
            made.append(allocation)
        surpluses += [credit] if credit else []
    if meant and not made:
        raise NothingToAllocate
    return made, surpluses


def _share(
    target: str, asked: int, payment: AccountPayment, settlement: Settlement, surplus: Surplus | None, work: Work
) -> tuple[Allocation, CustomerCredit | None]:
    open_on = settlement.open(target).amount
    amount = asked if surplus is None else min(asked, open_on)
    types = {True: PaymentType.OVERPAYMENT, False: PaymentType.EXACT if asked == open_on else PaymentType.PARTIAL}
    share = Allocation(work.ids.new("alc"), target, amount, types[asked > open_on], work.at)
    if surplus is not Surplus.CREDIT or asked <= open_on:
        return share, None
    rest = Money(asked - open_on, settlement.currency)
    made = CustomerCredit(
        work.tenant,
        work.ids.new("crd"),
        payment.customer_id,
        rest,
        work.at,
        payment.id,
        None if target == OPENING else target,
    )
    return replace(share, credit_id=made.id, credited=rest.amount), made


def _total(meant: Sequence[Meant], currency: str) -> Money:
    """Raises InvoiceCurrencyMismatch."""
    for one in meant:
        if one.amount.currency != currency:
            raise InvoiceCurrencyMismatch(currency)
    return Money(sum(one.amount.amount for one in meant), currency)


def _chosen(payment: AccountPayment, ids: Sequence[str] | None) -> list[Allocation]:
    if ids is None:
        return list(payment.allocations)
    by_id = {one.id: one for one in payment.allocations}
    for allocation_id in ids:
        if allocation_id not in by_id:
            raise UnknownAllocation(allocation_id)
    return [by_id[allocation_id] for allocation_id in dict.fromkeys(ids)]


def _settled(
    before: AccountPayment,
    after: AccountPayment,
    surpluses: Sequence[CustomerCredit],
    settlement: Settlement,
    desk: Desk,
    kind: str,
    name: str,
    *against: Any,
) -> Plan:
    """The plan of a payment that settles other things than before; `surpluses` are credits made or withdrawn."""
    currency = settlement.currency
    more = sum(made.amount.amount * (-1 if made.withdrawn else 1) for made in surpluses)
    moved = Standing(unapplied=after.unapplied - before.unapplied, credit=more)
    settlement.account = settlement.account.moved(currency, moved)
    plan = Plan(account_payment_view(after)).save(*settlement.changed, after, *surpluses)
    plan.post(journal(kind, desk.account, settlement.account, currency, *against))
    told: list[Event] = [told_of(name, after, unapplied=after.left), *settlement.events()]
    return plan.emit(*told)
