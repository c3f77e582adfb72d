"""Make invoices, issue them, and take them back: each is one commit with all that it bills. Source: SPEC 9."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Final

from cauri.billing.accounts import REVENUE, journal
from cauri.billing.crediting import told_of_uses, use_credit
from cauri.billing.desk import Desk, at_desk, desk_keys, desk_of
from cauri.billing.model import (
    ISSUED,
    ITEMS_MAX,
    SERIES_DEFAULT,
    Account,
    Billable,
    BilledPeriod,
    Invoice,
    InvoiceCurrencyMismatch,
    InvoiceLine,
    InvoiceStatus,
    NothingToBill,
    PeriodInvoiced,
    Priced,
    Series,
    Standing,
    UnknownInvoice,
    due,
    in_period,
    line_of,
    require_payable,
    taxed,
)
from cauri.billing.payments import CustomerCredit
from cauri.billing.periods import Period
from cauri.billing.settling import Settlement
from cauri.billing.store import billable_key, invoice_key, period_key, read_billables, series_key
from cauri.billing.views import invoice_view
from cauri.books.ledger import TAX, Posting, credit
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Key
from cauri.books.work import Command, Work, decides
from cauri.values import dataclass

CREDITS_MAX: Final = 4
"""Pieces of credit that pay a new invoice by themselves: beside 90 items, a commit has room for so many."""


@dataclass(frozen=True)
class CreateInvoice(Command):
    """A one-off invoice: as a draft, or issued at once."""

    name: ClassVar = "create_invoice"
    customer_id: str
    lines: tuple[Priced, ...]
    draft: bool = False
    due_on: date | None = None
    note: str = ""


@dataclass(frozen=True)
class InvoicePeriod(Command):
    """Bill what was delivered to a customer, and sold on credit, in these days and this currency.

    Once: while there is an invoice of the period, none is made again. `numbered` is False for an invoice of a run,
    which gets its number from the sequencer.
    """

    name: ClassVar = "invoice_period"
    customer_id: str
    first: date
    last: date
    currency: str
    numbered: bool = True


@dataclass(frozen=True)
class IssueInvoice(Command):
    """A draft becomes a claim."""

    name: ClassVar = "issue_invoice"
    invoice_id: str


@dataclass(frozen=True)
class VoidInvoice(Command):
    """Give a claim up. What it billed is not billed again."""

    name: ClassVar = "void_invoice"
    invoice_id: str


@dataclass(frozen=True)
class DeleteInvoice(Command):
    """Take an invoice back. What it billed is to be billed again; its number stays its own."""

    name: ClassVar = "delete_invoice"
    invoice_id: str


@dataclass(frozen=True)
class RecoverInvoice(Command):
    """Bring a deleted invoice back, unless what it bills has been billed again."""

    name: ClassVar = "recover_invoice"
    invoice_id: str


@decides(CreateInvoice)
def create_invoice(command: CreateInvoice, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work, _usual(work))
    currency = command.lines[0].price.currency
    lines = tuple(_line(priced, currency, desk) for priced in command.lines)
    draft = Invoice(
        work.tenant,
        work.ids.new("inv"),
        command.customer_id,
        currency,
        lines,
        InvoiceStatus.DRAFT,
        work.at,
        due_on=command.due_on,
        note=command.note,
    )
    require_payable(draft.total)
    if command.draft:
        return Plan(invoice_view(draft, desk.today)).save(draft).emit(_event("invoice.drafted", draft))
    return _issued(draft, desk, _series(desk, work), desk.account, work)


@decides(InvoicePeriod)
def invoice_period(command: InvoicePeriod, work: Work) -> Plan:
    period = Period.of(command.first, command.last)
    desk, marker, items = _load_period(command, period, work)
    if marker.complete:
        raise PeriodInvoiced(period.name, marker.invoices)
    due_now = in_period(items, command.currency)
    if not due_now and marker.invoices:
        raise PeriodInvoiced(period.name, marker.invoices)
    if not due_now:
        raise NothingToBill(period.name)
    billed, rest = due_now[:ITEMS_MAX], due_now[ITEMS_MAX:]
    draft = Invoice(
        work.tenant,
        work.ids.new("inv"),
        command.customer_id,
        command.currency,
        tuple(line_of(item) for item in billed),
        InvoiceStatus.DRAFT,
        work.at,
        period=period.name,
    )
    account = desk.account.moved(command.currency, Standing(unbilled=-_sum(billed)))
    plan = _issued(draft, desk, _series(desk, work) if command.numbered else None, account, work)
    return plan.save(*(item.billed(draft.id) for item in billed), marker.with_invoice(draft.id, complete=not rest))


@decides(IssueInvoice)
def issue_invoice(command: IssueInvoice, work: Work) -> Plan:
    draft = _load(command.invoice_id, work)
    desk = at_desk(draft.customer_id, work, _usual(work))
    return _issued(draft, desk, _series(desk, work), desk.account, work)


@decides(VoidInvoice)
def void_invoice(command: VoidInvoice, work: Work) -> Plan:
    invoice = _load(command.invoice_id, work)
    desk = at_desk(invoice.customer_id, work)
    desk.rules.require_open(invoice.issued_on)
    account = desk.account.moved(invoice.currency, _claim(invoice, -1))
    plan = _changed(invoice.void(), desk, "invoice.voided").save(account)
    return plan.post(journal("invoice void", desk.account, account, invoice.currency, *_earned(invoice, -1)))


@decides(DeleteInvoice)
def delete_invoice(command: DeleteInvoice, work: Work) -> Plan:
    invoice = _load(command.invoice_id, work)
    desk = at_desk(invoice.customer_id, work, *_keys_of(invoice, work))
    deleted = invoice.delete(work.at)
    desk.rules.require_open(invoice.issued_on)
    items = [item for item in _items(invoice, desk, work) if item.invoice_id == invoice.id]
    account = desk.account.moved(invoice.currency, _claim(invoice, -1) + Standing(unbilled=_sum(items)))
    plan = _changed(deleted, desk, "invoice.deleted").save(*(item.unbilled() for item in items))
    if (marker := _marker(invoice, desk, work)) is not None:
        plan.save(marker.without(invoice.id))
    return _moved(plan, invoice, desk, account, "invoice deleted", -1)


@decides(RecoverInvoice)
def recover_invoice(command: RecoverInvoice, work: Work) -> Plan:
    invoice = _load(command.invoice_id, work)
    desk = at_desk(invoice.customer_id, work, *_keys_of(invoice, work))
    back = invoice.recover()
    desk.rules.require_open(back.issued_on)
    items = _items(invoice, desk, work)
    billed = [item.billed(invoice.id) for item in items]
    account = desk.account.moved(invoice.currency, _claim(back, 1) + Standing(unbilled=-_sum(items)))
    plan = _changed(back, desk, "invoice.recovered").save(*billed)
    if (marker := _marker(invoice, desk, work)) is not None:
        plan.save(marker.with_recovered(invoice.id))
    return _moved(plan, back, desk, account, "invoice recovered", 1)


# -- Parts


def bill_lines(customer_id: str, lines: Sequence[Priced], work: Work, *, note: str, order: str) -> Plan:
    """A claim over these lines, for a command that bills by itself. `order` says what asked for it."""
    desk = at_desk(customer_id, work, _usual(work))
    currency = lines[0].price.currency
    draft = Invoice(
        work.tenant,
        work.ids.new("inv"),
        customer_id,
        currency,
        tuple(_line(priced, currency, desk) for priced in lines),
        InvoiceStatus.DRAFT,
        work.at,
        order=order,
        note=note,
    )
    require_payable(draft.total)
    return _issued(draft, desk, _series(desk, work), desk.account, work)


def _load(invoice_id: str, work: Work) -> Invoice:
    key = invoice_key(work.tenant, invoice_id)
    invoice = work.fetch(key)[key]
    if invoice is None:
        raise UnknownInvoice(invoice_id)
    return invoice


def _usual(work: Work) -> Key[Series]:
    """The series of most tenants, read with the rest."""
    return series_key(work.tenant, f"{SERIES_DEFAULT}-{work.at:%Y}")


def _series(desk: Desk, work: Work) -> Series:
    """What this year's invoices are numbered in: a round trip of its own, if it is not the usual."""
    key = series_key(work.tenant, desk.series)
    found = desk.found if key == _usual(work) else work.fetch(key)
    return found[key] or Series(work.tenant, desk.series)


def _load_period(command: InvoicePeriod, period: Period, work: Work) -> tuple[Desk, BilledPeriod, Sequence[Billable]]:
    marker = period_key(work.tenant, command.customer_id, period.name, command.currency)
    keys = [*desk_keys(command.customer_id, work), marker, _usual(work)]
    calls: list[Any] = [
        functools.partial(work.fetch, *keys),
        functools.partial(read_billables, work.database, work.tenant, command.customer_id, command.first, command.last),
    ]
    found, items = work.database.together(*calls)
    desk = desk_of(command.customer_id, work, found)
    known = found[marker] or BilledPeriod(work.tenant, command.customer_id, command.currency, period.name)
    return desk, known, items


def _line(priced: Priced, currency: str, desk: Desk) -> InvoiceLine:
    """Raises InvoiceCurrencyMismatch, UnknownTaxClass."""
    if priced.price.currency != currency:
        raise InvoiceCurrencyMismatch(currency)
    rate = desk.tenant.tax_rate(priced.tax_class)
    net, tax = taxed(priced, rate, included=desk.tenant.prices_include_tax)
    return InvoiceLine(priced.description, priced.quantity, priced.price, net, tax, priced.tax_class, rate)


def _issued(draft: Invoice, desk: Desk, series: Series | None, account: Account, work: Work) -> Plan:
    """The plan that makes the draft a claim on `account`, numbered in `series`, or later. Raises PeriodClosed."""
    desk.rules.require_open(desk.today)
    after, number = series.next() if series else (None, None)
    due_on = draft.due_on or due(desk.today, account, desk.rules)
    invoice = draft.issue(desk.series, number, desk.today, due_on)
    owing = account.moved(invoice.currency, _claim(invoice, 1))
    settlement, used = _paid_from_credit(invoice, owing, desk, work)
    invoice = settlement.invoices[invoice.id]
    plan = Plan(invoice_view(invoice, desk.today)).save(settlement.account, invoice, *used)
    if after is not None:
        plan.save(after)
    plan.post(journal("invoice", desk.account, settlement.account, invoice.currency, *_earned(invoice, 1)))
    return plan.emit(_event("invoice.generated", invoice), *told_of_uses(used, invoice), *settlement.events())


def _paid_from_credit(
    invoice: Invoice, owing: Account, desk: Desk, work: Work
) -> tuple[Settlement, list[CustomerCredit]]:
    """The new invoice as far as the customer's credit pays it, where the tenant wants that."""
    settlement = Settlement(owing, invoice.currency, {invoice.id: invoice})
    asked = min(owing.of(invoice.currency).credit, invoice.open.amount) if desk.rules.apply_credit else 0
    amount, used = use_credit(asked, invoice, work, CREDITS_MAX) if asked else (0, [])
    settlement.settle(invoice.id, amount)
    settlement.account = settlement.account.moved(invoice.currency, Standing(credit=-amount))
    return settlement, used


def _claim(invoice: Invoice, sign: int) -> Standing:
    """What the claim is, if it is one."""
    return Standing(invoiced=sign * invoice.total.amount if invoice.status in ISSUED else 0)


def _earned(invoice: Invoice, sign: int) -> tuple[Posting, ...]:
    if invoice.status not in ISSUED:
        return ()
    return credit(REVENUE, invoice.net * sign), credit(TAX, invoice.tax * sign)


def _changed(invoice: Invoice, desk: Desk, name: str) -> Plan:
    return Plan(invoice_view(invoice, desk.today)).save(invoice).emit(_event(name, invoice))


def _moved(plan: Plan, invoice: Invoice, desk: Desk, account: Account, kind: str, sign: int) -> Plan:
    """`plan` with the account, and what the claim earned; of a draft nothing moves."""
    if account != desk.account:
        plan.save(account)
    return plan.post(journal(kind, desk.account, account, invoice.currency, *_earned(invoice, sign)))


def _keys_of(invoice: Invoice, work: Work) -> list[Key[Any]]:
    """What an invoice billed, and the period that says so."""
    keys: list[Key[Any]] = [billable_key(work.tenant, invoice.customer_id, one) for one in invoice.billable_ids]
    if invoice.period:
        keys.append(period_key(work.tenant, invoice.customer_id, invoice.period, invoice.currency))
    return keys


def _items(invoice: Invoice, desk: Desk, work: Work) -> list[Billable]:
    keys = [billable_key(work.tenant, invoice.customer_id, one) for one in invoice.billable_ids]
    return [item for key in keys if (item := desk.found[key])]


def _marker(invoice: Invoice, desk: Desk, work: Work) -> BilledPeriod | None:
    if invoice.period is None:
        return None
    return desk.found[period_key(work.tenant, invoice.customer_id, invoice.period, invoice.currency)]


def _sum(items: Sequence[Billable]) -> int:
    return sum(item.total.amount for item in items)


def _event(name: str, invoice: Invoice) -> Event:
    facts: dict[str, Any] = {
        "customer_id": invoice.customer_id,
        "number": invoice.number,
        "series": invoice.series,
        "total": invoice.total,
        "due_on": invoice.due_on.isoformat() if invoice.due_on else None,
        "period": invoice.period,
    }
    return Event(name, invoice.id, invoice.version + 1, facts)
