"""Record what customers owe: terms, opening balances, deliveries and sales. Source: SPEC 9."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from cauri.billing.accounts import OPENING, REVENUE, journal
from cauri.billing.desk import Desk, at_desk
from cauri.billing.model import (
    METHODS,
    Account,
    AlreadyBilled,
    Billable,
    BillableKind,
    BillableStatus,
    OpeningBalanceSet,
    Priced,
    Rules,
    Standing,
    UnknownBillable,
    UnknownMethod,
    require_payable,
    taxed,
)
from cauri.billing.store import billable_key, rules_key
from cauri.billing.views import account_view, billable_view, rules_view
from cauri.books.ledger import TAX, cash_at, credit, debit, entry
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.money import Money
from cauri.parties.model import UnknownTenant, VersionMismatch
from cauri.parties.store import tenant_key
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class PutBillingRules(Command):
    """How the tenant bills, whole. The version and the tenant in `rules` do not count."""

    name: ClassVar = "put_billing_rules"
    rules: Rules
    expected_version: int | None = None


@dataclass(frozen=True)
class PutTerms(Command):
    """In how many days a customer pays; None is as the tenant's rules say."""

    name: ClassVar = "put_terms"
    customer_id: str
    terms_days: int | None


@dataclass(frozen=True)
class RecordOpeningBalance(Command):
    """What a customer owed before."""

    name: ClassVar = "record_opening_balance"
    customer_id: str
    amount: Money


@dataclass(frozen=True)
class RecordDelivery(Command):
    """Goods that went to a customer, to be billed."""

    name: ClassVar = "record_delivery"
    customer_id: str
    description: str
    day: date
    quantity: int
    price: Money
    tax_class: str


@dataclass(frozen=True)
class RecordSale(Command):
    """A sale to a customer: on credit, to be billed; or paid at once by the method `cash`."""

    name: ClassVar = "record_sale"
    customer_id: str
    description: str
    day: date
    quantity: int
    price: Money
    tax_class: str
    cash: str | None = None


@dataclass(frozen=True)
class CancelBillable(Command):
    """A delivery or a credit sale that was recorded by mistake, and is not billed."""

    name: ClassVar = "cancel_billable"
    customer_id: str
    billable_id: str


@decides(PutBillingRules)
def put_billing_rules(command: PutBillingRules, work: Work) -> Plan:
    key = rules_key(work.tenant)
    found = work.fetch(tenant_key(work.tenant), key)
    if found[tenant_key(work.tenant)] is None:
        raise UnknownTenant
    version = known.version if (known := found[key]) else 0
    if command.expected_version not in (None, version):
        raise VersionMismatch(command.expected_version or 0, version)
    for method in [*command.rules.method_limits, *command.rules.aliases.values()]:
        if method not in METHODS:
            raise UnknownMethod(method)
    rules = replace(command.rules, tenant=work.tenant, version=version)
    told = Event("billing.rules.updated", work.tenant, version + 1)
    return Plan(rules_view(replace(rules, version=version + 1))).save(rules).emit(told)


@decides(PutTerms)
def put_terms(command: PutTerms, work: Work) -> Plan:
    account = replace(at_desk(command.customer_id, work).account, terms_days=command.terms_days)
    return Plan(account_view(account)).save(account).emit(_told("account.terms.updated", account))


@decides(RecordOpeningBalance)
def record_opening_balance(command: RecordOpeningBalance, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    before, amount, currency = desk.account, command.amount.amount, command.amount.currency
    desk.rules.require_open(desk.today)
    if currency in before.opened:
        raise OpeningBalanceSet(currency)
    after = replace(before, opened={**before.opened, currency: amount}).moved(currency, Standing(opening=amount))
    return (
        Plan(account_view(after))
        .save(after)
        .post(journal("opening balance", before, after, currency, credit(OPENING, command.amount)))
        .emit(_told("account.opened", after, amount=command.amount))
    )


@decides(RecordDelivery)
def record_delivery(command: RecordDelivery, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    item = _priced(command, BillableKind.DELIVERY, desk, work)
    return _to_be_billed(item, desk)


@decides(RecordSale)
def record_sale(command: RecordSale, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    item = _priced(command, BillableKind.SALE, desk, work)
    if command.cash is None:
        return _to_be_billed(item, desk)
    method = desk.rules.method(command.cash)
    desk.rules.require_within(method, item.total)
    paid = replace(item, status=BillableStatus.COMPLETED, cash=method)
    sold = entry("cash sale", debit(cash_at(method), paid.total), credit(REVENUE, paid.net), credit(TAX, paid.tax))
    return Plan(billable_view(paid)).save(paid).post(sold).emit(_recorded(paid))


@decides(CancelBillable)
def cancel_billable(command: CancelBillable, work: Work) -> Plan:
    key = billable_key(work.tenant, command.customer_id, command.billable_id)
    desk = at_desk(command.customer_id, work, key)
    item = desk.found[key]
    if item is None or item.id != command.billable_id:
        raise UnknownBillable(command.billable_id)
    desk.rules.require_open(item.day)
    if item.status is not BillableStatus.PENDING:
        raise AlreadyBilled(item.id, item.invoice_id)
    cancelled = replace(item, status=BillableStatus.CANCELLED)
    account = desk.account.moved(item.price.currency, Standing(unbilled=-item.total.amount))
    told = Event(f"{item.kind}.cancelled", item.id, item.version + 1, {"customer_id": item.customer_id})
    moved = journal(f"{item.kind} cancelled", desk.account, account, item.price.currency)
    return Plan(billable_view(cancelled)).save(account, cancelled).post(moved).emit(told)


def _priced(command: RecordDelivery | RecordSale, kind: BillableKind, desk: Desk, work: Work) -> Billable:
    """Raises PeriodClosed, UnknownTaxClass."""
    desk.rules.require_open(command.day)
    rate = desk.tenant.tax_rate(command.tax_class)
    priced = Priced(command.description, command.quantity, command.price, command.tax_class)
    net, tax = taxed(priced, rate, included=desk.tenant.prices_include_tax)
    require_payable(net + tax)
    prefix, unique = ("dlv", "sal")[kind is BillableKind.SALE], work.ids.new("x").partition("_")[2]
    return Billable(
        tenant=work.tenant,
        id=f"{prefix}_{command.day:%Y%m%d}-{unique}",
        kind=kind,
        customer_id=command.customer_id,
        description=command.description,
        day=command.day,
        quantity=command.quantity,
        price=command.price,
        net=net,
        tax=tax,
        tax_class=command.tax_class,
        tax_bps=rate,
    )


def _to_be_billed(item: Billable, desk: Desk) -> Plan:
    account = desk.account.moved(item.price.currency, Standing(unbilled=item.total.amount))
    moved = journal(item.kind, desk.account, account, item.price.currency)
    return Plan(billable_view(item)).save(account, item).post(moved).emit(_recorded(item))


def _recorded(item: Billable) -> Event:
    facts = {"customer_id": item.customer_id, "total": item.total, "day": item.day.isoformat()}
    return Event(f"{item.kind}.recorded", item.id, 1, facts)


def _told(name: str, account: Account, **facts: Any) -> Event:
    return Event(name, account.customer_id, account.version + 1, facts)
