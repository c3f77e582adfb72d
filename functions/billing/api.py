"""Billing: what customers owe, and the invoices that say so."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.billing.allocating import AllocatePayment, ChangePayment, Mode, RollBackAllocations
from cauri.billing.commands import (
    CancelBillable,
    PutBillingRules,
    PutTerms,
    RecordDelivery,
    RecordOpeningBalance,
    RecordSale,
)
from cauri.billing.crediting import ApplyCredit, TakeCreditOff, WriteOff
from cauri.billing.invoicing import (
    CreateInvoice,
    DeleteInvoice,
    InvoicePeriod,
    IssueInvoice,
    RecoverInvoice,
    VoidInvoice,
)
from cauri.billing.model import (
    AccountInMotion,
    AlreadyBilled,
    BilledTooMuch,
    IllegalInvoiceChange,
    InvoiceCurrencyMismatch,
    InvoiceHasPayments,
    InvoiceNotOpen,
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
from cauri.billing.payments import (
    OPENING,
    AllocationExceedsTarget,
    AllocationsExceedPayment,
    AllocationsRequired,
    CreditApplied,
    InsufficientCredit,
    Meant,
    NothingToAllocate,
    OverWriteOffLimit,
    PaymentAllocated,
    Surplus,
    TargetNamedTwice,
    TooManyAllocations,
    TooManyTargets,
    UnknownAccountPayment,
    UnknownAllocation,
    UnknownCredit,
)
from cauri.billing.queries import (
    account_for,
    anomalies_found,
    billables_of,
    credits_of,
    explain_outstanding,
    invoice_for,
    invoices_of,
    payment_for,
    payments_of,
    rules_of,
)
from cauri.billing.receiving import CreditPayment, DeletePayment, ReceivePayment
from cauri.billing.verifying import ReconcileAccount, look
from cauri.billing.views import (
    AccountPaymentPage,
    AccountPaymentView,
    AccountView,
    AnomalyPage,
    BillablePage,
    BillableView,
    BillingRulesView,
    CreditPage,
    CreditView,
    InvoicePage,
    InvoiceView,
    Reconciled,
    Rollback,
    VerifiedAccountView,
    account_payment_view,
    anomaly_view,
    credit_view,
    invoice_view,
    verified_view,
)
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
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
from cauri.money import Money
from cauri.parties.limits import Tier
from cauri.parties.model import STANDARD, UnknownCustomer, UnknownTaxClass, UnknownTenant, VersionMismatch
from pydantic import Field

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, examples=["cus_amina"])]
InvoiceId = Annotated[str, Path(pattern=ID_PATTERN, examples=["inv_01JD0000000000000000000000"])]
BillableId = Annotated[str, Path(pattern=ID_PATTERN, examples=["dlv_20261005-01JD0000000000000000000000"])]
PaymentId = Annotated[str, Path(pattern=ID_PATTERN, examples=["pay_01JD0000000000000000000000"])]
CreditId = Annotated[str, Path(pattern=ID_PATTERN, examples=["crd_01JD0000000000000000000000"])]
ApplicationId = Annotated[str, Path(pattern=ID_PATTERN, examples=["apl_01JD0000000000000000000000"])]
Currency = Annotated[CurrencyCode, Path(examples=["KES"])]
Verify = Annotated[Literal["true", "false"], Query(description="Recompute it from the documents")]
CreditState = Annotated[Literal["available", "applied"], Query(description="Of which something is left, or nothing")]
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

OF_A_PAYMENT: Final = [UnknownAccountPayment, *DATED]
OF_AMOUNTS: Final = [*DATED, InvoiceCurrencyMismatch, NothingToAllocate, AllocationExceedsTarget]
OF_TARGETS: Final = [
    TooManyTargets,
    TooManyAllocations,
    TargetNamedTwice,
    UnknownInvoice,
    InvoiceNotOpen,
    InvoiceCurrencyMismatch,
    AllocationsExceedPayment,
    AllocationExceedsTarget,
]

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


class PaymentRequest(Shape):
    customer_id: Id
    amount: PositiveMoney
    method: Method
    received_on: Day | None = None
    reference: Line = ""

    def command(self) -> ReceivePayment:
        return ReceivePayment(self.customer_id, self.amount.money(), self.method, self.received_on, self.reference)


class TargetRequest(Shape):
    """So much for an invoice; or, without one, for the opening balance."""

    invoice_id: Id | None = None
    amount: PositiveMoney

    def meant(self) -> Meant:
        return Meant(self.invoice_id or OPENING, self.amount.money())


class AllocationsRequest(Shape):
    """`customer_id` is whose payment it is: whoever sends it spares the question."""

    allocations: Annotated[list[TargetRequest], Field(max_length=1000)] = Field(default_factory=list)
    mode: Literal["strict", "smart"] = "strict"
    surplus: Literal["credit", "unapplied"] = "credit"
    customer_id: Id | None = None

    def command(self, payment_id: str) -> AllocatePayment:
        targets = tuple(one.meant() for one in self.allocations)
        return AllocatePayment(payment_id, targets, Mode(self.mode), Surplus(self.surplus), self.customer_id)


class ChangeRequest(Shape):
    amount: PositiveMoney
    allocations: Annotated[list[TargetRequest], Field(max_length=1000)] | None = None


class RollbackRequest(Shape):
    """Which allocations, by their ids; without them, all."""

    allocation_ids: Annotated[list[Id], Field(max_length=1000)] | None = None


class AmountRequest(Shape):
    """So much; or, without an amount, all there is."""

    amount: PositiveMoney | None = None

    def money(self) -> Money | None:
        return self.amount.money() if self.amount else None


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


@api.read("/v1/accounts/<customer_id>", roles=HOLDERS, answer=VerifiedAccountView, refusals=[UnknownCustomer])
def get_account(customer_id: CustomerId, caller: Caller, verify: Verify = "false") -> VerifiedAccountView:
    """Get what a customer owes and has, by currency

    With `verify=true` it is recomputed from the documents as well. What does not agree is kept as an anomaly.
    """
    account = account_for(wiring.database(), caller, customer_id)
    if verify == "false":
        return verified_view(account, None)
    return verified_view(*look(wiring.books(), account))


@api.read(
    "/v1/explain/outstanding/<customer_id>/<currency>",
    roles=HOLDERS,
    answer=ExplanationPage,
    refusals=[UnknownCustomer],
)
def explain_outstanding_of(
    customer_id: CustomerId, currency: Currency, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> ExplanationPage:
    """Explain what a customer owes

    Everything that was posted on what is billed and on what is not yet, in minor units, each with the sum afterwards.
    """
    database = wiring.database()
    return explained(
        f"outstanding/{customer_id}/{currency}",
        caller,
        cursor,
        lambda position: explain_outstanding(database, caller, customer_id, currency, position=position, limit=limit),
    )


@api.command(
    "POST",
    "/v1/accounts/<customer_id>/reconcile",
    roles={"finance", "admin"},
    tier=Tier.MONEY_WRITES,
    answer=Reconciled,
    refusals=[UnknownTenant, AccountInMotion],
)
def reconcile_account(customer_id: CustomerId) -> ReconcileAccount:
    """Bring an account in step with its documents

    The answer says in which currency it was not. What had to be moved is in the books against `suspense:billing`.
    """
    return ReconcileAccount(customer_id)


@api.read("/v1/billing/anomalies", roles=STAFF, answer=AnomalyPage)
def list_anomalies(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> AnomalyPage:
    """List what was wrong with accounts, the last first"""
    cursors = cursors_of(caller, "anomalies")
    page = anomalies_found(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return AnomalyPage([anomaly_view(seen) for seen in page.items], cursors.seal(page.position))


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
    return BillablePage(page.items, cursors.seal(page.position))


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


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/credit",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=[UnknownInvoice, InvoiceNotOpen, *OF_AMOUNTS, InsufficientCredit],
)
def apply_credit(invoice_id: InvoiceId, body: AmountRequest) -> ApplyCredit:
    """Pay an invoice from its customer's credit, the oldest first

    Without an amount: all that is open, as far as the credit goes.
    """
    return ApplyCredit(invoice_id, body.money())


@api.command(
    "POST",
    "/v1/invoices/<invoice_id>/write-off",
    roles={"finance", "admin"},
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=[UnknownInvoice, InvoiceNotOpen, *OF_AMOUNTS, OverWriteOffLimit],
)
def write_off(invoice_id: InvoiceId, body: AmountRequest) -> WriteOff:
    """Wait no more for what is left of an invoice

    At most as much as the tenant's rules allow on one invoice. Without an amount: all that is open.
    """
    return WriteOff(invoice_id, body.money())


@api.read("/v1/accounts/<customer_id>/credits", roles=HOLDERS, answer=CreditPage, refusals=[UnknownCustomer])
def list_credits(
    customer_id: CustomerId,
    caller: Caller,
    state: CreditState = "available",
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> CreditPage:
    """List a customer's credit, the oldest first"""
    cursors = cursors_of(caller, "credits", customer_id, state)
    page = credits_of(
        wiring.database(), caller, customer_id, state == "available", after=cursors.open(cursor), limit=limit
    )
    return CreditPage([credit_view(made) for made in page.items], cursors.seal(page.position))


@api.command(
    "DELETE",
    "/v1/credits/<credit_id>/applications/<application_id>",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=InvoiceView,
    refusals=[UnknownCredit, UnknownAllocation, UnknownInvoice, InvoiceNotOpen, *DATED],
)
def take_credit_off(credit_id: CreditId, application_id: ApplicationId) -> TakeCreditOff:
    """Take a credit off the invoice that it pays: it is available again"""
    return TakeCreditOff(credit_id, application_id)


@api.command(
    "POST",
    "/v1/payments",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=AccountPaymentView,
    status=HTTPStatus.CREATED,
    refusals=[*DATED, UnknownMethod, OverMethodLimit],
    location=lambda payment: f"/v1/payments/{payment['id']}",
)
def receive_payment(body: PaymentRequest) -> ReceivePayment:
    """Record money that a customer paid on account

    It is allocated by itself; until then it is unapplied. The method may be said as people say it.
    """
    return body.command()


@api.read("/v1/accounts/<customer_id>/payments", roles=HOLDERS, answer=AccountPaymentPage, refusals=[UnknownCustomer])
def list_account_payments(
    customer_id: CustomerId, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> AccountPaymentPage:
    """List a customer's payments on account, the last first"""
    cursors = cursors_of(caller, "account-payments", customer_id)
    page = payments_of(wiring.database(), caller, customer_id, after=cursors.open(cursor), limit=limit)
    return AccountPaymentPage([account_payment_view(one) for one in page.items], cursors.seal(page.position))


@api.read("/v1/payments/<payment_id>", roles=HOLDERS, answer=AccountPaymentView, refusals=[UnknownAccountPayment])
def get_account_payment(payment_id: PaymentId, caller: Caller) -> AccountPaymentView:
    """Get a payment on account, with what it settles"""
    return payment_for(wiring.database(), caller, payment_id)


@api.command(
    "PUT",
    "/v1/payments/<payment_id>",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=AccountPaymentView,
    refusals=[*OF_A_PAYMENT, AllocationsRequired, OverMethodLimit, CreditApplied, *OF_TARGETS],
)
def change_payment(payment_id: PaymentId, body: ChangeRequest) -> ChangePayment:
    """Change the amount of a payment on account

    One that is allocated needs new allocations, which fit the new amount and take the place of the old ones.
    """
    targets = None if body.allocations is None else tuple(one.meant() for one in body.allocations)
    return ChangePayment(payment_id, body.amount.money(), targets)


@api.command(
    "DELETE",
    "/v1/payments/<payment_id>",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=AccountPaymentView,
    refusals=[*OF_A_PAYMENT, PaymentAllocated],
)
def delete_payment(payment_id: PaymentId) -> DeletePayment:
    """Delete a payment on account of which nothing is allocated"""
    return DeletePayment(payment_id)


@api.command(
    "POST",
    "/v1/payments/<payment_id>/allocations",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=AccountPaymentView,
    status=HTTPStatus.CREATED,
    refusals=[*OF_A_PAYMENT, NothingToAllocate, *OF_TARGETS],
)
def allocate_payment(payment_id: PaymentId, body: AllocationsRequest) -> AllocatePayment:
    """Allocate a payment, in one transaction

    To the targets that are named; or, when none is, to the opening balance and then to open invoices, the oldest due
    first, 40 at most. `mode: smart` allocates of each amount what is open on its target and left of the payment;
    `surplus` says what becomes of what was too much for a target.
    """
    return body.command(payment_id)


@api.command(
    "POST",
    "/v1/payments/<payment_id>/rollback",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=Rollback,
    refusals=[*OF_A_PAYMENT, UnknownAllocation, NothingToAllocate, TooManyTargets, CreditApplied, UnknownInvoice],
)
def roll_back(payment_id: PaymentId, body: RollbackRequest) -> RollBackAllocations:
    """Roll back what a payment settles, all of it or some allocations"""
    return RollBackAllocations(payment_id, None if body.allocation_ids is None else tuple(body.allocation_ids))


@api.command(
    "POST",
    "/v1/payments/<payment_id>/credit",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=CreditView,
    status=HTTPStatus.CREATED,
    refusals=[*OF_A_PAYMENT, NothingToAllocate, AllocationsExceedPayment],
)
def credit_payment(payment_id: PaymentId, body: AmountRequest) -> CreditPayment:
    """Make the customer's credit of what is left of a payment, or of so much of it"""
    return CreditPayment(payment_id, body.money())


handler = api.handler
