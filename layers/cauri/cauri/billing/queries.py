"""Whose account, invoices and deliveries who may see."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from cauri.billing.accounts import receivable_from, unbilled_of
from cauri.billing.model import Account, Anomaly, Invoice, Rules, UnknownInvoice
from cauri.billing.payments import AccountPayment, CustomerCredit, UnknownAccountPayment
from cauri.billing.store import (
    ACCOUNT_PAYMENTS,
    ANOMALIES,
    ANOMALY_LIST,
    BILLABLES,
    CREDITS,
    INVOICES,
    account_key,
    credit_list,
    invoice_key,
    invoice_list,
    payment_key,
    payment_list,
    rules_key,
)
from cauri.billing.views import (
    AccountPaymentView,
    BillableView,
    BillingRulesView,
    InvoiceView,
    account_payment_view,
    billable_view,
    invoice_view,
    rules_view,
)
from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step
from cauri.books.listing import Page, read_page, read_partition
from cauri.books.statements import Statement, UnknownAccount, statement
from cauri.clock import from_rfc3339, rfc3339
from cauri.parties.model import UnknownCustomer


def account_for(database: Database, caller: Caller, customer_id: str) -> Account:
    """A customer's account: its own, or any to staff. One read. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    key = account_key(caller.tenant, customer_id)
    return database.fetch([key])[key] or Account(caller.tenant, customer_id)


def explain_outstanding(
    database: Database, caller: Caller, customer_id: str, currency: str, *, position: str | None, limit: int
) -> Explanation:
    """Why a customer owes so much, billed and not: what was posted. Raises UnknownCustomer."""
    value = account_for(database, caller, customer_id).of(currency).outstanding
    pages = []
    for account in (receivable_from(customer_id), unbilled_of(customer_id)):
        with suppress(UnknownAccount):
            pages.append(statement(database, caller.tenant, account, currency, after=position or "", limit=limit))
    return Explanation(value, *_merged(pages))


def _merged(pages: Sequence[Statement]) -> tuple[list[Step], str | None]:
    """The lines of several statements as one: up to the moment at which some page ends before its account does."""
    ends = [page.lines[-1].at for page in pages if page.last]
    running = sum(page.opening_balance for page in pages)
    lines = sorted((line for page in pages for line in page.lines), key=lambda line: (line.at, line.log_id))
    steps: list[Step] = []
    for line in lines:
        if not ends or line.at < min(ends):
            running += line.amount
            steps.append(Step(from_rfc3339(line.at), line.kind, line.log_id, line.amount, running))
    return steps, f"{rfc3339(steps[-1].at)}~" if ends and steps else None


def anomalies_found(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Anomaly]:
    """What was wrong with accounts, the last first."""
    return read_page(database, ANOMALIES, tenant, ANOMALY_LIST, after=after, limit=limit, newest_first=True)


def invoice_for(database: Database, caller: Caller, invoice_id: str, today: date) -> InvoiceView:
    """An invoice, to staff and to the customer whose it is. To all others there is none: UnknownInvoice."""
    key = invoice_key(caller.tenant, invoice_id)
    invoice = database.fetch([key])[key]
    if invoice is None or not _may_see(caller, invoice.customer_id):
        raise UnknownInvoice(invoice_id)
    return invoice_view(invoice, today)


def invoices_of(
    database: Database, caller: Caller, customer_id: str, state: str, *, after: str | None, limit: int
) -> Page[Invoice]:
    """A customer's invoices: the open ones by due date, drafts and the rest by age. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    name = invoice_list(customer_id, state)
    return read_page(database, INVOICES, caller.tenant, name, after=after, limit=limit)


def billables_of(
    database: Database, caller: Caller, customer_id: str, *, after: str | None, limit: int
) -> Page[BillableView]:
    """A customer's deliveries and sales, the last day first. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    partition = f"{caller.tenant}#billables#{customer_id}"
    page = read_partition(database, BILLABLES, partition, after=after, limit=limit, newest_first=True)
    keys = {item.id: invoice_key(caller.tenant, item.invoice_id) for item in page.items if item.invoice_id}
    found = database.fetch(list(keys.values())) if keys else None
    invoices = {item_id: found[key] for item_id, key in keys.items()} if found else {}
    return Page([billable_view(item, invoices.get(item.id)) for item in page.items], page.position)


def payment_for(database: Database, caller: Caller, payment_id: str) -> AccountPaymentView:
    """A payment on account, to staff and to the customer whose it is. Raises UnknownAccountPayment."""
    key = payment_key(caller.tenant, payment_id)
    payment = database.fetch([key])[key]
    if payment is None or not _may_see(caller, payment.customer_id):
        raise UnknownAccountPayment(payment_id)
    return account_payment_view(payment)


def payments_of(
    database: Database, caller: Caller, customer_id: str, *, after: str | None, limit: int
) -> Page[AccountPayment]:
    """A customer's payments on account, the last first. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    name = payment_list(customer_id)
    return read_page(database, ACCOUNT_PAYMENTS, caller.tenant, name, after=after, limit=limit, newest_first=True)


def credits_of(
    database: Database, caller: Caller, customer_id: str, is_left: bool, *, after: str | None, limit: int
) -> Page[CustomerCredit]:
    """A customer's credits, of which something is left or nothing, the oldest first. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    name = credit_list(customer_id, is_left=is_left)
    return read_page(database, CREDITS, caller.tenant, name, after=after, limit=limit)


def rules_of(database: Database, tenant: str) -> BillingRulesView:
    key = rules_key(tenant)
    return rules_view(database.fetch([key])[key] or Rules(tenant))


def _require_own(caller: Caller, customer_id: str) -> None:
    if not _may_see(caller, customer_id):
        raise UnknownCustomer(customer_id)


def _may_see(caller: Caller, customer_id: str) -> bool:
    return caller.is_staff or caller.customer_id == customer_id
