"""Where what belongs to billing is kept: the billing table."""

from __future__ import annotations

from datetime import date
from typing import Final

from cauri.billing.model import (
    OWED,
    Account,
    Anomaly,
    Billable,
    BilledPeriod,
    Invoice,
    InvoiceStatus,
    Rules,
    Series,
)
from cauri.billing.payments import AccountPayment, CustomerCredit
from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, shelve
from cauri.ids import shard_of

TABLE: Final = "billing"
SHARDS: Final = 16
"""Over how many partitions the list of accounts is spread."""
ANOMALY_LIST: Final = "anomalies"


def invoice_list(customer_id: str, state: str) -> str:
    """The list of a customer's invoices that are ``open`` (by due date), ``draft`` or ``closed`` (by id)."""
    return f"invoices-{state}#{customer_id}"


def _listed(invoice: Invoice) -> tuple[str, str]:
    if invoice.status in OWED:
        return invoice_list(invoice.customer_id, "open"), f"{invoice.due_on}#{invoice.id}"
    state = "draft" if invoice.status is InvoiceStatus.DRAFT else "closed"
    return invoice_list(invoice.customer_id, state), invoice.id


RULES: Final = shelve(Shelf(TABLE, Rules, place=lambda _: ("rules", "rules"), tenant=lambda rules: rules.tenant))
ACCOUNTS: Final = shelve(
    Shelf(
        TABLE,
        Account,
        place=lambda account: (f"account#{account.customer_id}", "account"),
        tenant=lambda account: account.tenant,
        listed=lambda account: (f"accounts#{shard_of(account.customer_id, SHARDS):02d}", account.customer_id),
    )
)
BILLABLES: Final = shelve(
    Shelf(
        TABLE,
        Billable,
        place=lambda item: (f"billables#{item.customer_id}", place_of(item.id)),
        tenant=lambda item: item.tenant,
    )
)
INVOICES: Final = shelve(
    Shelf(
        TABLE,
        Invoice,
        place=lambda invoice: (f"invoice#{invoice.id}", "invoice"),
        tenant=lambda invoice: invoice.tenant,
        listed=_listed,
    )
)
PERIODS: Final = shelve(
    Shelf(
        TABLE,
        BilledPeriod,
        place=lambda period: (f"periods#{period.customer_id}", f"{period.period}#{period.currency}"),
        tenant=lambda period: period.tenant,
    )
)
ACCOUNT_PAYMENTS: Final = shelve(
    Shelf(
        TABLE,
        AccountPayment,
        place=lambda payment: (f"payment#{payment.id}", "payment"),
        tenant=lambda payment: payment.tenant,
        listed=lambda payment: (payment_list(payment.customer_id), payment.id),
    )
)
CREDITS: Final = shelve(
    Shelf(
        TABLE,
        CustomerCredit,
        place=lambda made: (f"credit#{made.id}", "credit"),
        tenant=lambda made: made.tenant,
        listed=lambda made: (credit_list(made.customer_id, is_left=made.left > 0), made.id),
    )
)
ANOMALIES: Final = shelve(
    Shelf(
        TABLE,
        Anomaly,
        place=lambda seen: (f"anomaly#{seen.id}", "anomaly"),
        tenant=lambda seen: seen.tenant,
        listed=lambda seen: (ANOMALY_LIST, seen.id),
    )
)
SERIES: Final = shelve(
    Shelf(TABLE, Series, place=lambda series: (f"series#{series.name}", "series"), tenant=lambda series: series.tenant)
)


def payment_list(customer_id: str) -> str:
    return f"payments#{customer_id}"


def credit_list(customer_id: str, *, is_left: bool) -> str:
    return f"credits-{'available' if is_left else 'applied'}#{customer_id}"


def payment_key(tenant: str, payment_id: str) -> Key[AccountPayment]:
    return ACCOUNT_PAYMENTS.key(tenant, f"payment#{payment_id}", "payment")


def credit_key(tenant: str, credit_id: str) -> Key[CustomerCredit]:
    return CREDITS.key(tenant, f"credit#{credit_id}", "credit")


def place_of(billable_id: str) -> str:
    """An item's place among its customer's: ids are the kind, the day, and what makes them unique."""
    return billable_id.partition("_")[2]


def rules_key(tenant: str) -> Key[Rules]:
    return RULES.key(tenant, "rules", "rules")


def account_key(tenant: str, customer_id: str) -> Key[Account]:
    return ACCOUNTS.key(tenant, f"account#{customer_id}", "account")


def billable_key(tenant: str, customer_id: str, billable_id: str) -> Key[Billable]:
    return BILLABLES.key(tenant, f"billables#{customer_id}", place_of(billable_id) or "-")


def invoice_key(tenant: str, invoice_id: str) -> Key[Invoice]:
    return INVOICES.key(tenant, f"invoice#{invoice_id}", "invoice")


def period_key(tenant: str, customer_id: str, period: str, currency: str) -> Key[BilledPeriod]:
    return PERIODS.key(tenant, f"periods#{customer_id}", f"{period}#{currency}")


def series_key(tenant: str, name: str) -> Key[Series]:
    return SERIES.key(tenant, f"series#{name}", "series")


def read_billables(database: Database, tenant: str, customer_id: str, first: date, last: date) -> list[Billable]:
    """A customer's deliveries and sales of these days, in order: as they are now."""
    request = {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": f"{tenant}#billables#{customer_id}"},
            ":first": {"S": f"{first:%Y%m%d}"},
            ":last": {"S": f"{last:%Y%m%d}~"},
        },
    }
    return BILLABLES.from_items(database.query_all(TABLE, request))
