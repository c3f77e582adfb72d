"""Billing: what customers owe, and the invoices that say so."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.billing.commands import (
    CancelBillable,
    PutBillingRules,
    PutTerms,
    RecordDelivery,
    RecordOpeningBalance,
    RecordSale,
)
from cauri.billing.invoicing import (
    CreateInvoice,
    DeleteInvoice,
    InvoicePeriod,
    IssueInvoice,
    RecoverInvoice,
    VoidInvoice,
)
from cauri.billing.model import (
    AlreadyBilled,
    BilledTooMuch,
    IllegalInvoiceChange,
    InvoiceCurrencyMismatch,
    InvoiceHasPayments,
    NothingToBill,
    OpeningBalanceSet,
    OverMethodLimit,
    PeriodBackwards,
    PeriodClosed,
    PeriodInvoiced,
    Priced,
    Rules,
    UnknownBillable,
    UnknownInvoice,
    UnknownMethod,
)
from cauri.billing.queries import account_for, billables_of, invoice_for, invoices_of, rules_of
from cauri.billing.views import (
    AccountView,
    BillablePage,
    BillableView,
    BillingRulesView,
    InvoicePage,
    InvoiceView,
    billable_view,
    invoice_view,
)
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import (
    ID_PATTERN,
    CurrencyCode,
    Day,
    ExpectedVersion,
    Id,
    Line,
    MinorUnits,
    PositiveMoney,
    Shape,
    Title,
)
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.parties.limits import Tier
from cauri.parties.model import STANDARD, UnknownCustomer, UnknownTaxClass, UnknownTenant, VersionMismatch
from pydantic import Field

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, examples=["cus_amina"])]
InvoiceId = Annotated[str, Path(pattern=ID_PATTERN, examples=["inv_01JD0000000000000000000000"])]
BillableId = Annotated[str, Path(pattern=ID_PATTERN, examples=["dlv_20261005-01JD0000000000000000000000"])]
State = Annotated[
    Literal["open", "draft", "closed"],
    Query(description="`open` ones are owed, by due date; `draft` and `closed` (paid, void, deleted) ones by age"),
]
Quantity = Annotated[int, Field(ge=1, le=10**9, examples=[12])]
TaxClass = Annotated[Id, Field(examples=[STANDARD])]
TermsDays = Annotated[int, Field(ge=0, le=365, examples=[30])]
Method = Annotated[
    str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", examples=["UPI", "gpay"])
]
MethodName = Literal["cash", "upi", "bank_transfer", "cheque", "online", "card"]
Series = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{0,15}$", examples=["INV"])]
PerCurrency = Annotated[dict[CurrencyCode, MinorUnits], Field(max_length=50)]

HOLDERS: Final = STAFF | {"customer"}
LINES_MAX: Final = 90
DATED: Final = [UnknownTenant, PeriodClosed]
PRICED: Final = [*DATED, UnknownTaxClass, BilledTooMuch]
OF_AN_INVOICE: Final = [UnknownInvoice, IllegalInvoiceChange, *DATED]

api = Api("Billing")


class AliasRequest(Shape):
    """Another name of a method, in any case."""

    name: Method
    method: MethodName


class LimitRequest(Shape):
    """The most that one payment may be, by currency."""

    method: MethodName
    most: PerCurrency


class RulesRequest(Shape):
    """How the tenant bills, whole: what is left out takes its default."""

    terms_days: TermsDays = 30
    series: Series = "INV"
    closed_until: Day | None = None
    method_limits: Annotated[list[LimitRequest], Field(max_length=6)] | None = None
    aliases: Annotated[list[AliasRequest], Field(max_length=50)] = Field(default_factory=list)
    write_off_max: PerCurrency = Field(default_factory=dict)
    apply_credit: bool = False
    suspicious: PerCurrency = Field(default_factory=dict)
    expected_version: ExpectedVersion | None = None

    def command(self) -> PutBillingRules:
        chosen = self.model_dump(exclude={"expected_version", "method_limits", "aliases"})
        if self.method_limits is not None:
            chosen["method_limits"] = {limit.method: limit.most for limit in self.method_limits}
        chosen["aliases"] = {alias.name: alias.method for alias in self.aliases}
        return PutBillingRules(Rules("", **chosen), self.expected_version)


class TermsRequest(Shape):
    terms_days: TermsDays | None


class OpeningBalanceRequest(Shape):
    amount: PositiveMoney


class DeliveryRequest(Shape):
    """So many of something, at `price` for one: with tax or without, as the tenant's prices are."""

    description: Title
    date: Day
    quantity: Quantity
    price: PositiveMoney
    tax_class: TaxClass = STANDARD

    def facts(self) -> tuple[str, Any, int, Any, str]:
        return self.description, self.date, self.quantity, self.price.money(), self.tax_class


class SaleRequest(DeliveryRequest):
    """A sale on credit; or, with `paid_by`, for money that came at once."""

    paid_by: Method | None = None


class InvoiceLineRequest(Shape):
    description: Title
    quantity: Quantity
    price: PositiveMoney
    tax_class: TaxClass = STANDARD

    def priced(self) -> Priced:
        return Priced(self.description, self.quantity, self.price.money(), self.tax_class)


class InvoiceRequest(Shape):
    """A one-off invoice. As a `draft` it is owed, and numbered, once it is issued."""

    customer_id: Id
    lines: Annotated[list[InvoiceLineRequest], Field(min_length=1, max_length=LINES_MAX)]
    draft: bool = False
    due_on: Day | None = None
    note: Line = ""

    def command(self) -> CreateInvoice:
        lines = tuple(line.priced() for line in self.lines)
        return CreateInvoice(self.customer_id, lines, self.draft, self.due_on, self.note)


class PeriodRequest(Shape):
    """Both days are in the period."""

    first: Day
    last: Day
    currency: CurrencyCode


@api.read("/v1/billing/rules", roles=STAFF, answer=BillingRulesView)
def get_billing_rules(caller: Caller) -> BillingRulesView:
    """Get how the tenant bills"""
    return rules_of(wiring.database(), caller.tenant)


@api.command(
    "PUT",
    "/v1/billing/rules",
    roles={"admin", "finance"},
    tier=Tier.WRITES,
    answer=BillingRulesView,
    refusals=[UnknownTenant, VersionMismatch],
)
def put_billing_rules(body: RulesRequest) -> PutBillingRules:
    """Choose how the tenant bills

    All of it: what is left out takes its default. Days up to `closed_until` are closed for good documents.
    """
    return body.command()


@api.read("/v1/accounts/<customer_id>", roles=HOLDERS, answer=AccountView, refusals=[UnknownCustomer])
def get_account(customer_id: CustomerId, caller: Caller) -> AccountView:
    """Get what a customer owes and has, by currency"""
    return account_for(wiring.database(), caller, customer_id)


@api.command(
    "PUT",
    "/v1/accounts/<customer_id>/terms",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=AccountView,
    refusals=[UnknownTenant],
)
def put_terms(customer_id: CustomerId, body: TermsRequest) -> PutTerms:
    """Choose in how many days a customer pays"""
    return PutTerms(customer_id, body.terms_days)


@api.command(
    "POST",
    "/v1/accounts/<customer_id>/opening-balances",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=AccountView,
    status=HTTPStatus.CREATED,
    refusals=[*DATED, OpeningBalanceSet],
)
def record_opening_balance(customer_id: CustomerId, body: OpeningBalanceRequest) -> RecordOpeningBalance:
    """Record what a customer owed before, once per currency"""
    return RecordOpeningBalance(customer_id, body.amount.money())


@api.command(
    "POST",
    "/v1/accounts/<customer_id>/deliveries",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=BillableView,
    status=HTTPStatus.CREATED,
    refusals=PRICED,
)
def record_delivery(customer_id: CustomerId, body: DeliveryRequest) -> RecordDelivery:
    """Record a delivery, to be billed"""
    return RecordDelivery(customer_id, *body.facts())


@api.command(
    "POST",
    "/v1/accounts/<customer_id>/sales",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=BillableView,
    status=HTTPStatus.CREATED,
    refusals=[*PRICED, UnknownMethod, OverMethodLimit],
)
def record_sale(customer_id: CustomerId, body: SaleRequest) -> RecordSale:
    """Record a sale, on credit or paid at once"""
    return RecordSale(customer_id, *body.facts(), cash=body.paid_by)


@api.read("/v1/accounts/<customer_id>/billables", roles=HOLDERS, answer=BillablePage, refusals=[UnknownCustomer])
def list_billables(
    customer_id: CustomerId, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> BillablePage:
    """List a customer's deliveries and sales, the last day first"""
    cursors = cursors_of(caller, "billables", customer_id)
    page = billables_of(wiring.database(), caller, customer_id, after=cursors.open(cursor), limit=limit)
    return BillablePage([billable_view(item) for item in page.items], cursors.seal(page.position))


@api.command(
    "POST",
    "/v1/accounts/<customer_id>/billables/<billable_id>/cancel",
    roles=STAFF,
    tier=Tier.WRITES,
    answer=BillableView,
    refusals=[UnknownBillable, AlreadyBilled, *DATED],
)
def cancel_billable(customer_id: CustomerId, billable_id: BillableId) -> CancelBillable:
    """Cancel a delivery or a credit sale that is not billed"""
    return CancelBillable(customer_id, billable_id)


@api.command(
    "POST",
    "/v1/accounts/<customer_id>/invoices",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    status=HTTPStatus.CREATED,
    refusals=[*DATED, PeriodBackwards, PeriodInvoiced, NothingToBill],
    location=lambda invoice: f"/v1/invoices/{invoice['id']}",
)
def invoice_period(customer_id: CustomerId, body: PeriodRequest) -> InvoicePeriod:
    """Bill a customer's deliveries and credit sales of a period

    Once: while the period has an invoice, none is made again. An invoice has 90 lines at most; a period with more
    takes several, one request after the other.
    """
    return InvoicePeriod(customer_id, body.first, body.last, body.currency)


@api.read("/v1/accounts/<customer_id>/invoices", roles=HOLDERS, answer=InvoicePage, refusals=[UnknownCustomer])
def list_invoices(
    customer_id: CustomerId, caller: Caller, state: State = "open", limit: Limit = 50, cursor: CursorAsked = None
) -> InvoicePage:
    """List a customer's invoices"""
    cursors = cursors_of(caller, "invoices", customer_id, state)
    page = invoices_of(wiring.database(), caller, customer_id, state, after=cursors.open(cursor), limit=limit)
    today = wiring.clock()().date()
    return InvoicePage([invoice_view(invoice, today) for invoice in page.items], cursors.seal(page.position))


@api.command(
    "POST",
    "/v1/invoices",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    status=HTTPStatus.CREATED,
    refusals=[*PRICED, InvoiceCurrencyMismatch],
    location=lambda invoice: f"/v1/invoices/{invoice['id']}",
)
def create_invoice(body: InvoiceRequest) -> CreateInvoice:
    """Make a one-off invoice"""
    return body.command()


@api.read("/v1/invoices/<invoice_id>", roles=HOLDERS, answer=InvoiceView, refusals=[UnknownInvoice])
def get_invoice(invoice_id: InvoiceId, caller: Caller) -> InvoiceView:
    """Get an invoice"""
    return invoice_for(wiring.database(), caller, invoice_id, wiring.clock()().date())


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/issue",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=OF_AN_INVOICE,
)
def issue_invoice(invoice_id: InvoiceId) -> IssueInvoice:
    """Issue a draft: it is owed from now on, and has a number"""
    return IssueInvoice(invoice_id)


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/void",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=[*OF_AN_INVOICE, InvoiceHasPayments],
)
def void_invoice(invoice_id: InvoiceId) -> VoidInvoice:
    """Give an invoice up

    What it bills is not billed again.
    """
    return VoidInvoice(invoice_id)


@api.command(
    "DELETE",
    "/v1/invoices/<invoice_id>",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=[*OF_AN_INVOICE, InvoiceHasPayments],
)
def delete_invoice(invoice_id: InvoiceId) -> DeleteInvoice:
    """Delete an invoice

    What it bills is to be billed again. It keeps its number, and can be recovered until then.
    """
    return DeleteInvoice(invoice_id)


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/recover",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=[*OF_AN_INVOICE, AlreadyBilled],
)
def recover_invoice(invoice_id: InvoiceId) -> RecoverInvoice:
    """Bring a deleted invoice back, unless what it bills has been billed again"""
    return RecoverInvoice(invoice_id)


handler = api.handler
