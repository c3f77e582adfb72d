"""What is billed, as people and programs see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cauri.billing.model import (
    METHODS,
    Account,
    Anomaly,
    Billable,
    BillableStatus,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Rules,
    Standing,
)
from cauri.billing.payments import OPENING, AccountPayment, Allocation, CustomerCredit
from cauri.clock import Instant
from cauri.money import Money
from cauri.values import dataclass


@dataclass(frozen=True)
class StandingView:
    """What a customer owes and has in one currency.

    `outstanding` is the unpaid opening balance, open invoices, and what is not billed yet; `net` is that less payments
    that are not applied and credit.
    """

    currency: str
    opening_balance: Money
    invoiced: Money
    unbilled: Money
    outstanding: Money
    unapplied: Money
    credit: Money
    net: Money


@dataclass(frozen=True)
class AccountView:
    """A customer as a debtor."""

    customer_id: str
    terms_days: int | None
    standing: list[StandingView]
    version: int


@dataclass(frozen=True)
class AnomalyView:
    """What was wrong with an account: what it said, and what its documents came to."""

    customer_id: str
    currency: str
    kind: str
    stored: StandingView
    recomputed: StandingView
    seen_at: Instant


@dataclass(frozen=True)
class AnomalyPage:
    items: list[AnomalyView]
    next_cursor: str | None


@dataclass(frozen=True)
class VerifiedAccountView:
    """An account and, where it was asked for, what its documents come to: `verified` is null if it was not."""

    customer_id: str
    terms_days: int | None
    standing: list[StandingView]
    version: int
    verified: bool | None
    recomputed: list[StandingView] | None


@dataclass(frozen=True)
class Reconciled:
    """In which currencies an account was not in step with its documents, and what it stands at now."""

    customer_id: str
    was: list[StandingView]
    now: list[StandingView]


@dataclass(frozen=True)
class BillableView:
    """A delivery or a sale."""

    id: str
    kind: str
    customer_id: str
    description: str
    date: date
    quantity: int
    price: Money
    net: Money
    tax: Money
    total: Money
    tax_class: str
    status: str
    invoice_id: str | None
    paid_by: str | None


@dataclass(frozen=True)
class BillablePage:
    items: list[BillableView]
    next_cursor: str | None


@dataclass(frozen=True)
class InvoiceLineView:
    description: str
    quantity: int
    price: Money
    net: Money
    tax: Money
    total: Money
    tax_class: str
    tax_bps: int
    billable_id: str | None


@dataclass(frozen=True)
class InvoiceView:
    """An invoice. `overdue` follows from its due date; `number` of an invoice of a run comes a moment later."""

    id: str
    number: str | None
    customer_id: str
    status: str
    overdue: bool
    currency: str
    lines: list[InvoiceLineView]
    net: Money
    tax: Money
    total: Money
    paid: Money
    written_off: Money
    open: Money
    created_at: Instant
    issued_on: date | None
    due_on: date | None
    period: str | None
    note: str
    version: int


@dataclass(frozen=True)
class InvoicePage:
    items: list[InvoiceView]
    next_cursor: str | None


@dataclass(frozen=True)
class AllocationView:
    """What a payment settles of a target: an invoice, or (`invoice_id` is null) the opening balance.

    `credited` was meant for it and was too much: it is the customer's credit `credit_id`.
    """

    id: str
    invoice_id: str | None
    amount: Money
    payment_type: str
    at: Instant
    credited: Money
    credit_id: str | None


@dataclass(frozen=True)
class AccountPaymentView:
    """Money that came from a customer, and what it settles."""

    id: str
    purpose: str
    customer_id: str
    amount: Money
    method: str
    received_on: date
    reference: str
    allocation_status: str
    allocations: list[AllocationView]
    credited: Money
    unapplied: Money
    created_at: Instant
    deleted_at: Instant | None
    version: int


@dataclass(frozen=True)
class AccountPaymentPage:
    items: list[AccountPaymentView]
    next_cursor: str | None


@dataclass(frozen=True)
class Rollback:
    """What a rollback took back: of which invoices, whether of the opening balance, and how much in all."""

    payment: AccountPaymentView
    invoices: list[str]
    opening_balance: bool
    amount: Money


@dataclass(frozen=True)
class ApplicationView:
    id: str
    invoice_id: str
    amount: Money
    at: Instant


@dataclass(frozen=True)
class CreditView:
    """A customer's money at the biller: of which payment and invoice it is, and which invoices it pays."""

    id: str
    customer_id: str
    amount: Money
    available: Money
    status: str
    payment_id: str | None
    from_invoice: str | None
    applied: list[ApplicationView]
    created_at: Instant


@dataclass(frozen=True)
class CreditPage:
    items: list[CreditView]
    next_cursor: str | None


@dataclass(frozen=True)
class BillingRulesView:
    """How the tenant bills. Limits are in minor units, by currency."""

    terms_days: int
    series: str
    closed_until: date | None
    method_limits: dict[str, dict[str, int]]
    aliases: dict[str, str]
    write_off_max: dict[str, int]
    apply_credit: bool
    suspicious: dict[str, int]
    version: int


def account_view(account: Account) -> AccountView:
    return AccountView(account.customer_id, account.terms_days, standings(account.standing), account.version)


def verified_view(account: Account, recomputed: Mapping[str, Standing] | None) -> VerifiedAccountView:
    verified = None if recomputed is None else all(account.of(one) == stands for one, stands in recomputed.items())
    return VerifiedAccountView(
        account.customer_id,
        account.terms_days,
        standings(account.standing),
        account.version,
        verified,
        None if recomputed is None else standings(recomputed),
    )


def reconciled_view(before: Account, changed: Mapping[str, Standing]) -> Reconciled:
    was = {currency: before.of(currency) for currency in changed}
    return Reconciled(before.customer_id, standings(was), standings(changed))


def anomaly_view(seen: Anomaly) -> AnomalyView:
    said, made = (_standing(seen.currency, stands) for stands in (seen.stored, seen.recomputed))
    return AnomalyView(seen.customer_id, seen.currency, seen.kind, said, made, seen.seen_at)


def standings(standing: Mapping[str, Standing]) -> list[StandingView]:
    return [_standing(currency, standing[currency]) for currency in sorted(standing)]


def _standing(currency: str, stands: Standing) -> StandingView:
    amounts = (stands.opening, stands.invoiced, stands.unbilled, stands.outstanding)
    theirs = (stands.unapplied, stands.credit, stands.net)
    return StandingView(currency, *(Money(units, currency) for units in (*amounts, *theirs)))


def billable_view(item: Billable, invoice: Invoice | None = None) -> BillableView:
    """A delivery or a sale that is billed is completed as soon as its `invoice` is paid."""
    is_paid = invoice is not None and invoice.status is InvoiceStatus.PAID
    return BillableView(
        id=item.id,
        kind=item.kind,
        customer_id=item.customer_id,
        description=item.description,
        date=item.day,
        quantity=item.quantity,
        price=item.price,
        net=item.net,
        tax=item.tax,
        total=item.total,
        tax_class=item.tax_class,
        status=BillableStatus.COMPLETED if is_paid else item.status,
        invoice_id=item.invoice_id,
        paid_by=item.cash,
    )


def invoice_view(invoice: Invoice, today: date) -> InvoiceView:
    return InvoiceView(
        id=invoice.id,
        number=invoice.number,
        customer_id=invoice.customer_id,
        status=invoice.status,
        overdue=invoice.is_overdue(today),
        currency=invoice.currency,
        lines=[_line(line) for line in invoice.lines],
        net=invoice.net,
        tax=invoice.tax,
        total=invoice.total,
        paid=Money(invoice.paid, invoice.currency),
        written_off=Money(invoice.written_off, invoice.currency),
        open=invoice.open,
        created_at=invoice.created_at,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        period=invoice.period,
        note=invoice.note,
        version=invoice.version,
    )


def _line(line: InvoiceLine) -> InvoiceLineView:
    return InvoiceLineView(
        description=line.description,
        quantity=line.quantity,
        price=line.price,
        net=line.net,
        tax=line.tax,
        total=line.total,
        tax_class=line.tax_class,
        tax_bps=line.tax_bps,
        billable_id=line.billable_id,
    )


def rules_view(rules: Rules) -> BillingRulesView:
    return BillingRulesView(
        terms_days=rules.terms_days,
        series=rules.series,
        closed_until=rules.closed_until,
        method_limits=rules.method_limits,
        aliases=rules.aliases,
        write_off_max=rules.write_off_max,
        apply_credit=rules.apply_credit,
        suspicious=rules.suspicious,
        version=rules.version,
    )


def account_payment_view(payment: AccountPayment) -> AccountPaymentView:
    currency = payment.amount.currency
    return AccountPaymentView(
        id=payment.id,
        purpose="account",
        customer_id=payment.customer_id,
        amount=payment.amount,
        method=METHODS[payment.method],
        received_on=payment.received_on,
        reference=payment.reference,
        allocation_status=payment.status,
        allocations=[_allocation(one, currency) for one in payment.allocations],
        credited=Money(payment.credited, currency),
        unapplied=payment.left,
        created_at=payment.created_at,
        deleted_at=payment.deleted_at,
        version=payment.version,
    )


def _allocation(one: Allocation, currency: str) -> AllocationView:
    return AllocationView(
        id=one.id,
        invoice_id=None if one.target == OPENING else one.target,
        amount=Money(one.amount, currency),
        payment_type=one.payment_type,
        at=one.at,
        credited=Money(one.credited, currency),
        credit_id=one.credit_id,
    )


def credit_view(made: CustomerCredit) -> CreditView:
    currency = made.amount.currency
    status = "withdrawn" if made.withdrawn else "available" if made.left else "applied"
    return CreditView(
        id=made.id,
        customer_id=made.customer_id,
        amount=made.amount,
        available=Money(made.left, currency),
        status=status,
        payment_id=made.payment_id,
        from_invoice=made.from_invoice,
        applied=[ApplicationView(one.id, one.invoice_id, Money(one.amount, currency), one.at) for one in made.applied],
        created_at=made.created_at,
    )
