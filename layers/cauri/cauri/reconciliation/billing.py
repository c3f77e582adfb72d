"""What is true of accounts, invoices, deliveries and sales."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from cauri.billing.accounts import OPENING, REVENUE, WRITTEN_OFF, credit_of, receivable_from, unapplied_of, unbilled_of
from cauri.billing.model import ISSUED, Account, BillableStatus, InvoiceStatus, number_of
from cauri.billing.payments import OPENING as OPENING_BALANCE
from cauri.books.ledger import TAX, cash_at
from cauri.money import Money
from cauri.reconciliation.picture import Picture

Differences = Iterator[str]


def customers_owe_what_was_posted(picture: Picture) -> Differences:
    """An account's standing is the sum of its postings, of which the last says so; nothing of it is below zero."""
    posted: defaultdict[tuple[str, str], list[tuple[int, int | None]]] = defaultdict(list)
    for record in picture.records:
        for posting in record.entry.postings if record.entry else ():
            posted[posting.account, posting.asset].append((posting.amount, posting.balance_after))
    for account in picture.accounts:
        for currency, stands in account.standing.items():
            if min(stands.opening, stands.invoiced, stands.unbilled, stands.unapplied, stands.credit) < 0:
                yield f"{account.customer_id} stands below zero: {stands} {currency}"
            accounts = (
                (receivable_from(account.customer_id), stands.receivable, 1),
                (unbilled_of(account.customer_id), stands.unbilled, 1),
                (unapplied_of(account.customer_id), stands.unapplied, -1),
                (credit_of(account.customer_id), stands.credit, -1),
            )
            for name, balance, sign in accounts:
                rows = posted[name, currency]
                if sign * sum(amount for amount, _ in rows) != balance:
                    yield f"{name} stands at {balance} {currency}, and {rows} were posted"
                if rows and all(after != balance for _, after in rows):
                    yield f"no posting on {name} left {balance} {currency}"


def outstanding_is_what_the_documents_say(picture: Picture) -> Differences:
    """What an account says is open and not billed is the sum of the invoices, deliveries and sales."""
    invoiced, unbilled = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for invoice in picture.invoices:
        invoiced[invoice.customer_id, invoice.currency] += invoice.open.amount
    for item in picture.billables:
        if item.status is BillableStatus.PENDING:
            unbilled[item.customer_id, item.price.currency] += item.total.amount
    by_customer = {account.customer_id: account for account in picture.accounts}
    standing = {(account.customer_id, currency) for account in picture.accounts for currency in account.standing}
    for customer, currency in sorted(invoiced.keys() | unbilled.keys() | standing):
        stands = by_customer.get(customer, Account("", customer)).of(currency)
        if stands.invoiced != invoiced[customer, currency]:
            yield f"{customer} owes {stands.invoiced} {currency} on invoices, which say {invoiced[customer, currency]}"
        if stands.unbilled != unbilled[customer, currency]:
            yield f"{customer} has {stands.unbilled} {currency} unbilled, and items {unbilled[customer, currency]}"
        if stands.opening > by_customer.get(customer, Account("", customer)).opened.get(currency, 0):
            yield f"{customer} owes more than the opening balance of {currency}"


def what_is_paid_is_what_was_allocated(picture: Picture) -> Differences:
    """What is paid of an invoice, and of an opening balance, is what payments and credits are allocated to it."""
    settled, opening = _settled(picture)
    for invoice in picture.invoices:
        if invoice.paid != settled[invoice.id]:
            yield f"{invoice.id} is paid {invoice.paid}, and {settled[invoice.id]} are allocated to it"
    for account in picture.accounts:
        for currency, stands in account.standing.items():
            paid = opening[account.customer_id, currency]
            if stands.opening != account.opened.get(currency, 0) - paid:
                yield f"{account.customer_id} has {stands.opening} open from before, and {paid} is paid"


def _settled(picture: Picture) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """What is settled, by invoice; and of opening balances, by customer and currency."""
    settled, opening = Counter[str](), Counter[tuple[str, str]]()
    for payment in picture.account_payments:
        for one in payment.allocations:
            settled[one.target] += one.amount
            if one.target == OPENING_BALANCE:
                opening[payment.customer_id, payment.amount.currency] += one.amount
    for made in picture.credits:
        for application in made.applied:
            settled[application.invoice_id] += application.amount
    return settled, opening


def what_was_received_is_unapplied_allocated_or_credit(picture: Picture) -> Differences:
    """And an account has just what its payments leave, and its credits; neither is below zero."""
    unapplied, credit = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for payment in picture.account_payments:
        unapplied[payment.customer_id, payment.amount.currency] += payment.unapplied
        if payment.unapplied < 0:
            yield f"{payment.id} is allocated beyond its {payment.amount}"
    for made in picture.credits:
        credit[made.customer_id, made.amount.currency] += made.left
        if made.left < 0:
            yield f"{made.id} is applied beyond its {made.amount}"
    for account in picture.accounts:
        for currency, stands in account.standing.items():
            of = account.customer_id, currency
            if (stands.unapplied, stands.credit) != (unapplied[of], credit[of]):
                yield f"{account.customer_id} stands at {stands}; payments leave {unapplied[of]}, credits {credit[of]}"


def items_are_billed_by_one_invoice(picture: Picture) -> Differences:
    """A billed item names the one live invoice that has it as a line; no other has."""
    bills: defaultdict[str, list[str]] = defaultdict(list)
    for invoice in picture.invoices:
        if invoice.status is not InvoiceStatus.DELETED:
            for billable_id in invoice.billable_ids:
                bills[billable_id].append(invoice.id)
    for item in picture.billables:
        wanted = [item.invoice_id] if item.invoice_id else []
        if bills[item.id] != wanted:
            yield f"{item.id} is {item.status} by {item.invoice_id}, and is on {bills[item.id]}"
        if (item.status is BillableStatus.BILLED) and item.invoice_id is None:
            yield f"{item.id} is billed by nobody"


def numbers_of_invoices_have_no_gap(picture: Picture) -> Differences:
    """The numbers of a series are 1 to its last, each once; only an invoice of a run waits for its number."""
    given: defaultdict[str, list[str]] = defaultdict(list)
    for invoice in picture.invoices:
        if invoice.number is not None:
            given[invoice.series].append(invoice.number)
        elif invoice.status in ISSUED and invoice.period is None:
            yield f"{invoice.id} is issued and has no number"
    last = {series.name: series.last for series in picture.series}
    for name in sorted(given.keys() | last.keys()):
        wanted = [number_of(name, number) for number in range(1, last.get(name, 0) + 1)]
        if sorted(given[name]) != wanted:
            yield f"the series {name} is at {last.get(name, 0)}, and has {sorted(given[name])}"


def what_billing_comes_to(picture: Picture) -> Iterator[tuple[str, Money]]:
    """What invoices, cash sales and opening balances make of accounts that are nobody's own. Debits are positive."""
    for account in picture.accounts:
        for currency, opened in account.opened.items():
            yield OPENING, Money(-opened, currency)
    for invoice in picture.invoices:
        if invoice.status in ISSUED:
            yield REVENUE, -invoice.net
            yield TAX, -invoice.tax
        if invoice.written_off:
            yield WRITTEN_OFF, Money(invoice.written_off, invoice.currency)
    for payment in picture.account_payments:
        if payment.deleted_at is None:
            yield cash_at(payment.method), payment.amount
    for item in picture.billables:
        if item.cash is not None:
            yield cash_at(item.cash), item.total
            yield REVENUE, -item.net
            yield TAX, -item.tax
