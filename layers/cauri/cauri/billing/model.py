"""What a customer owes: the account, what is not billed yet, and invoices. Source: SPEC 9."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import MINOR_UNITS_MAX, Money, tax_on, total
from cauri.values import dataclass, field, replace

SERIES_DEFAULT: Final = "INV"
ITEMS_MAX: Final = 90
"""Deliveries and sales on one invoice: they are billed in its commit, which has at most 100 actions."""


LISTS_FOLLOW: Final = timedelta(minutes=1)
"""An index is mostly a second behind its table; what differs for longer is a difference."""


@dataclass(frozen=True)
class Standing:
    """What a customer owes and has in one currency, in minor units. It is the customer's account in the books."""

    opening: int = 0
    """Unpaid, of the balance that was there before."""
    invoiced: int = 0
    """Open on invoices."""
    unbilled: int = 0
    """Deliveries and credit sales that no invoice has yet."""
    unapplied: int = 0
    """Of payments that were received."""
    credit: int = 0
    """The customer's money at the biller."""

    @property
    def receivable(self) -> int:
        return self.opening + self.invoiced

    @property
    def outstanding(self) -> int:
        return self.opening + self.invoiced + self.unbilled

    @property
    def net(self) -> int:
        return self.outstanding - self.unapplied - self.credit

    def __add__(self, other: Standing) -> Standing:
        return Standing(
            self.opening + other.opening,
            self.invoiced + other.invoiced,
            self.unbilled + other.unbilled,
            self.unapplied + other.unapplied,
            self.credit + other.credit,
        )


@dataclass(frozen=True)
class Account:
    """A customer, as a debtor: the terms, and where it stands in each currency.

    Every command that changes what the customer owes saves it, so that it is in step with the documents it sums.
    """

    tenant: str
    customer_id: str
    terms_days: int | None = None
    """Days from an invoice to its due date; None is the tenant's."""
    standing: dict[str, Standing] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    """The opening balance that was recorded, by currency: what is unpaid of it is in the standing."""
    changed_at: Instant | None = None
    version: int = 0

    def of(self, currency: str) -> Standing:
        return self.standing.get(currency, Standing())

    def is_in_motion(self, now: Instant) -> bool:
        """True if its last change is so young that the lists of its documents may not show it yet."""
        return self.changed_at is not None and now < self.changed_at + LISTS_FOLLOW

    def moved(self, currency: str, by: Standing) -> Account:
        """The account when something of it changed by so much."""
        return replace(self, standing={**self.standing, currency: self.of(currency) + by})


class BillableKind(StrEnum):
    DELIVERY = "delivery"
    SALE = "sale"


class BillableStatus(StrEnum):
    PENDING = "pending"
    """Not billed yet."""
    BILLED = "billed"
    COMPLETED = "completed"
    """Paid: at once, as a cash sale is. One that is billed is completed when its invoice is paid: see the views."""
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Billable:
    """A delivery, or a sale on credit or for cash: `quantity` of something at `price` for one, as shown."""

    tenant: str
    id: str
    kind: BillableKind
    customer_id: str
    description: str
    day: date
    quantity: int
    price: Money
    net: Money
    tax: Money
    tax_class: str
    tax_bps: int = 0
    """The rate of its day."""
    status: BillableStatus = BillableStatus.PENDING
    invoice_id: str | None = None
    """The one invoice that bills it."""
    cash: str | None = None
    """The method by which a cash sale was paid."""
    version: int = 0

    @property
    def total(self) -> Money:
        return self.net + self.tax

    @property
    def unbilled_amount(self) -> int:
        return self.total.amount if self.status is BillableStatus.PENDING else 0

    def billed(self, invoice_id: str) -> Billable:
        """Raises AlreadyBilled."""
        if self.status is not BillableStatus.PENDING:
            raise AlreadyBilled(self.id, self.invoice_id)
        return replace(self, status=BillableStatus.BILLED, invoice_id=invoice_id)

    def unbilled(self) -> Billable:
        return replace(self, status=BillableStatus.PENDING, invoice_id=None)


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"
    DELETED = "deleted"


OWED: Final = frozenset({InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID})
"""An invoice that stands so is owed, in part at least."""
ISSUED: Final = OWED | {InvoiceStatus.PAID}


@dataclass(frozen=True)
class InvoiceLine:
    """`net + tax` is what the line comes to; `billable_id` is the delivery or sale that it bills."""

    description: str
    quantity: int
    price: Money
    net: Money
    tax: Money
    tax_class: str
    tax_bps: int
    billable_id: str | None = None

    @property
    def total(self) -> Money:
        return self.net + self.tax


@dataclass(frozen=True)
class Invoice:
    """A claim on a customer, in one currency.

    `number` is given once it is issued: in its commit, or, for an invoice of a run, by the sequencer a moment later.
    """

    tenant: str
    id: str
    customer_id: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    status: InvoiceStatus
    created_at: Instant
    series: str = ""
    number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    period: str | None = None
    """Of which it bills the deliveries and sales: ``2026-10-01..2026-10-31``."""
    order: str | None = None
    """The schedule's run, or whatever else asked for it."""
    paid: int = 0
    """Minor units that payments and credits settle."""
    written_off: int = 0
    deleted_at: Instant | None = None
    deleted_status: InvoiceStatus | None = None
    note: str = ""
    version: int = 0

    @property
    def net(self) -> Money:
        return total((line.net for line in self.lines), self.currency)

    @property
    def tax(self) -> Money:
        return total((line.tax for line in self.lines), self.currency)

    @property
    def total(self) -> Money:
        return self.net + self.tax

    @property
    def open(self) -> Money:
        """What is left to pay."""
        left = self.total.amount - self.paid - self.written_off if self.status in ISSUED else 0
        return Money(left, self.currency)

    @property
    def billable_ids(self) -> list[str]:
        return [line.billable_id for line in self.lines if line.billable_id]

    def is_owed_in(self, currency: str) -> bool:
        return self.status in OWED and self.currency == currency

    def require_currency(self, currency: str) -> None:
        """Raises InvoiceCurrencyMismatch."""
        if currency != self.currency:
            raise InvoiceCurrencyMismatch(self.currency)

    def is_overdue(self, today: date) -> bool:
        return self.status in OWED and self.due_on is not None and self.due_on < today

    def issue(self, series: str, number: str | None, on: date, due_on: date) -> Invoice:
        """The draft as a claim. Raises IllegalInvoiceChange."""
        if self.status is not InvoiceStatus.DRAFT:
            raise self._illegal("issue")
        issued = replace(self, status=InvoiceStatus.OPEN, series=series, number=number, issued_on=on, due_on=due_on)
        return issued.settle(0)

    def settle(self, amount: int) -> Invoice:
        """The invoice when so many more minor units of it are paid; or, below zero, are not. Raises InvoiceNotOpen."""
        if self.status not in ISSUED:
            raise InvoiceNotOpen(self.id, self.status)
        return self._settled(replace(self, paid=self.paid + amount))

    def write_off(self, amount: int) -> Invoice:
        """The invoice when nobody waits for so much of it any more."""
        if self.status not in ISSUED:
            raise InvoiceNotOpen(self.id, self.status)
        return self._settled(replace(self, written_off=self.written_off + amount))

    @staticmethod
    def _settled(invoice: Invoice) -> Invoice:
        left = invoice.total.amount - invoice.paid - invoice.written_off
        if left < 0 or invoice.paid < 0:
            raise ValueError(f"invoice {invoice.id} would be paid {invoice.paid} of {invoice.total}")
        touched = invoice.paid or invoice.written_off
        status = InvoiceStatus.PARTIALLY_PAID if touched else InvoiceStatus.OPEN
        return replace(invoice, status=InvoiceStatus.PAID if left == 0 else status)

    def delete(self, at: Instant) -> Invoice:
        """Raises InvoiceHasPayments, IllegalInvoiceChange."""
        if self.status in ISSUED and (self.paid or self.written_off):
            raise InvoiceHasPayments(self.id)
        if self.status in (InvoiceStatus.DELETED, InvoiceStatus.VOID):
            raise self._illegal("delete")
        return replace(self, status=InvoiceStatus.DELETED, deleted_status=self.status, deleted_at=at)

    def void(self) -> Invoice:
        """A claim that is given up: it keeps its number, and says so. Raises as `delete` does."""
        if self.status in ISSUED and (self.paid or self.written_off):
            raise InvoiceHasPayments(self.id)
        if self.status not in ISSUED:
            raise self._illegal("void")
        return replace(self, status=InvoiceStatus.VOID)

    def recover(self) -> Invoice:
        """As it was before it was deleted. Raises IllegalInvoiceChange."""
        if self.status is not InvoiceStatus.DELETED or self.deleted_status is None:
            raise self._illegal("recover")
        return replace(self, status=self.deleted_status, deleted_status=None, deleted_at=None)

    def _illegal(self, change: str) -> IllegalInvoiceChange:
        return IllegalInvoiceChange(self.id, self.status, change, _legal(self.status))


def _legal(status: InvoiceStatus) -> tuple[str, ...]:
    if status is InvoiceStatus.DRAFT:
        return ("issue", "delete")
    if status in ISSUED:
        return ("pay", "void", "delete")
    return ("recover",) if status is InvoiceStatus.DELETED else ()


@dataclass(frozen=True)
class BilledPeriod:
    """Which invoices bill a customer's period in a currency. While there is one, none is made again."""

    tenant: str
    customer_id: str
    currency: str
    period: str
    invoices: tuple[str, ...] = ()
    complete: bool = False
    """False while the period has more items than one invoice holds, and they are not all billed."""
    version: int = 0

    def with_invoice(self, invoice_id: str, *, complete: bool) -> BilledPeriod:
        return replace(self, invoices=(*self.invoices, invoice_id), complete=complete)

    def with_recovered(self, invoice_id: str) -> BilledPeriod:
        """As it may have been incomplete before, whoever bills it next looks whether something is left."""
        return self.with_invoice(invoice_id, complete=False)

    def without(self, invoice_id: str) -> BilledPeriod:
        """When that invoice is deleted: what it billed is to be billed again."""
        return replace(self, invoices=tuple(one for one in self.invoices if one != invoice_id), complete=False)


@dataclass(frozen=True)
class Series:
    """The numbers of a series of invoices, without a gap. `last` is the last that was given."""

    tenant: str
    name: str
    last: int = 0
    version: int = 0

    def next(self) -> tuple[Series, str]:
        after = replace(self, last=self.last + 1)
        return after, number_of(self.name, after.last)


def number_of(series: str, number: int) -> str:
    """``INV-2026-000042``."""
    return f"{series}-{number:06d}"


class AnomalyKind(StrEnum):
    MISMATCH = "mismatch"
    """The account does not say what its documents come to."""
    NEGATIVE = "negative"
    SUSPICIOUS = "suspicious"
    """More is outstanding than the tenant thinks likely."""


@dataclass(frozen=True)
class Anomaly:
    """What was wrong with an account when somebody looked. It is kept, and changes nothing."""

    tenant: str
    id: str
    customer_id: str
    currency: str
    kind: AnomalyKind
    stored: Standing
    recomputed: Standing
    seen_at: Instant
    version: int = 0


METHODS: Final = {
    "cash": "Cash",
    "upi": "UPI",
    "bank_transfer": "Bank Transfer",
    "cheque": "Cheque",
    "online": "Online",
    "card": "Card",
}
"""Ways in which money comes, by the name that programs use."""

ALIASES: Final = {
    "gpay": "upi",
    "google pay": "upi",
    "phonepe": "upi",
    "paytm": "upi",
    "bhim": "upi",
    "bank": "bank_transfer",
    "banktransfer": "bank_transfer",
    "wire": "bank_transfer",
    "neft": "bank_transfer",
    "rtgs": "bank_transfer",
    "imps": "bank_transfer",
    "check": "cheque",
    "credit card": "card",
    "debit card": "card",
}

LIMITS: Final = {"cash": {"INR": 50_000_00}, "upi": {"INR": 1_00_000_00}}
"""The most that comes in one payment, by method and currency. Source: SPEC 10."""


@dataclass(frozen=True)
class Rules:
    """How a tenant bills."""

    tenant: str
    terms_days: int = 30
    series: str = SERIES_DEFAULT
    """Numbers begin with it, and with the year: ``INV-2026-000042``."""
    closed_until: date | None = None
    """Nothing that is dated on this day or before is recorded, issued or deleted any more."""
    method_limits: dict[str, dict[str, int]] = field(default_factory=lambda: dict(LIMITS))
    """The most that one payment may be, by method and currency, in minor units."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Names of methods that the tenant's people use, beside those that are known anyway."""
    write_off_max: dict[str, int] = field(default_factory=dict)
    """What may be left unpaid and forgotten of one invoice, in minor units, by currency."""
    apply_credit: bool = False
    """Whether a customer's credit pays new invoices by itself."""
    suspicious: dict[str, int] = field(default_factory=dict)
    """An outstanding amount above it, in minor units by currency, is looked at."""
    version: int = 0

    def require_open(self, *days: date | None) -> None:
        """Raises PeriodClosed."""
        for day in days:
            if day is not None and self.closed_until is not None and day <= self.closed_until:
                raise PeriodClosed(day, self.closed_until)

    def method(self, name: str) -> str:
        """The method that people call `name`. Raises UnknownMethod."""
        said = " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
        known = {**ALIASES, **{alias.casefold(): method for alias, method in self.aliases.items()}}
        method = known.get(said, said.replace(" ", "_"))
        if method not in METHODS:
            raise UnknownMethod(name)
        return method

    def require_within(self, method: str, amount: Money) -> None:
        """Raises OverMethodLimit."""
        most = self.method_limits.get(method, {}).get(amount.currency)
        if most is not None and amount.amount > most:
            raise OverMethodLimit(method, amount, Money(most, amount.currency))


@dataclass(frozen=True)
class Priced:
    """So many of something, at a price for one, before it is split into net and tax."""

    description: str
    quantity: int
    price: Money
    tax_class: str


def taxed(priced: Priced, rate_bps: int, *, included: bool) -> tuple[Money, Money]:
    """Net and tax of the whole quantity; the tax is rounded half even, once."""
    shown = priced.price * priced.quantity
    tax = tax_on(shown, rate_bps, included=included)
    return (shown - tax if included else shown), tax


def line_of(item: Billable) -> InvoiceLine:
    """The line that bills a delivery or a sale, at what it came to on its day."""
    facts = (item.quantity, item.price, item.net, item.tax, item.tax_class, item.tax_bps, item.id)
    return InvoiceLine(item.description, *facts)


def in_period(items: Iterable[Billable], currency: str) -> list[Billable]:
    """Those of the items that an invoice in this currency may bill."""
    return [item for item in items if item.status is BillableStatus.PENDING and item.price.currency == currency]


def due(on: date, account: Account, rules: Rules) -> date:
    return on + timedelta(days=rules.terms_days if account.terms_days is None else account.terms_days)


def require_payable(amount: Money) -> None:
    """Raises BilledTooMuch."""
    if amount.amount > MINOR_UNITS_MAX:
        raise BilledTooMuch


# -- Refusals


@dataclass
class UnknownInvoice(Refusal):
    code: ClassVar[str] = "unknown_invoice"
    invoice_id: str

    def detail(self) -> str:
        return f"There is no invoice {self.invoice_id!r}."


@dataclass
class UnknownBillable(Refusal):
    code: ClassVar[str] = "unknown_billable"
    billable_id: str

    def detail(self) -> str:
        return f"The customer has no delivery or sale {self.billable_id!r}."


@dataclass
class IllegalInvoiceChange(Refusal):
    code: ClassVar[str] = "illegal_invoice_change"
    invoice_id: str
    status: InvoiceStatus
    change: str
    legal: tuple[str, ...]

    def detail(self) -> str:
        legal = ", ".join(self.legal) or "nothing"
        return f"Invoice {self.invoice_id} is {self.status}: it can't {self.change}, only {legal}."


@dataclass
class InvoiceNotOpen(Refusal):
    """Only an invoice that was issued, and is not void or deleted, is paid."""

    code: ClassVar[str] = "invoice_not_open"
    invoice_id: str
    status: InvoiceStatus

    def detail(self) -> str:
        return f"Invoice {self.invoice_id} is {self.status}, and takes no payment."


@dataclass
class InvoiceHasPayments(Refusal):
    code: ClassVar[str] = "invoice_has_payments"
    invoice_id: str

    def detail(self) -> str:
        return f"Invoice {self.invoice_id} is paid in part or whole."

    def suggestion(self) -> str:
        return "Roll back what was allocated to it first."


@dataclass
class AlreadyBilled(Refusal):
    """A delivery or a sale that is billed, completed or cancelled is not billed or changed again."""

    code: ClassVar[str] = "already_billed"
    billable_id: str
    invoice_id: str | None

    def detail(self) -> str:
        return f"{self.billable_id} is billed already, or is not to be billed."

    def facts(self) -> dict[str, object]:
        return {"invoice_id": self.invoice_id}


@dataclass
class NothingToBill(Refusal):
    code: ClassVar[str] = "nothing_to_bill"
    period: str

    def detail(self) -> str:
        return f"Nothing of {self.period} is left to bill."


@dataclass
class PeriodInvoiced(Refusal):
    """The customer's period has its invoice."""

    code: ClassVar[str] = "period_invoiced"
    period: str
    invoices: tuple[str, ...]

    def detail(self) -> str:
        return f"{self.period} is billed by {', '.join(self.invoices)}."

    def facts(self) -> dict[str, object]:
        return {"invoices": list(self.invoices)}


@dataclass
class PeriodClosed(Refusal):
    """The books of that day are closed."""

    code: ClassVar[str] = "period_closed"
    day: date
    closed_until: date

    def detail(self) -> str:
        return f"The books are closed until {self.closed_until}, and this is dated {self.day}."


@dataclass
class PeriodBackwards(Refusal):
    code: ClassVar[str] = "period_backwards"

    def detail(self) -> str:
        return "A period ends on the day it begins, or later, and has at most 366 days."


@dataclass
class InvoiceCurrencyMismatch(Refusal):
    """An invoice is in one currency, and is paid in it: nothing is converted."""

    code: ClassVar[str] = "invoice_currency_mismatch"
    currency: str

    def detail(self) -> str:
        return f"This is in {self.currency}: amounts of another currency are not converted."


@dataclass
class AccountInMotion(Refusal):
    """The account does not agree with its documents, but changed so lately that their lists may be behind."""

    code: ClassVar[str] = "account_in_motion"
    customer_id: str

    def detail(self) -> str:
        return f"The account of {self.customer_id} was changed within the last minute."

    def suggestion(self) -> str:
        return "Ask again in a minute. Nothing was changed."


@dataclass
class OpeningBalanceSet(Refusal):
    code: ClassVar[str] = "opening_balance_set"
    currency: str

    def detail(self) -> str:
        return f"The opening balance in {self.currency} is recorded already."

    def suggestion(self) -> str:
        return "Record what was missing as a one-off invoice."


@dataclass
class UnknownMethod(Refusal):
    code: ClassVar[str] = "unknown_payment_method"
    method: str

    def detail(self) -> str:
        return f"{self.method!r} is no payment method."

    def suggestion(self) -> str:
        return f"It is one of {', '.join(METHODS.values())}."


@dataclass
class OverMethodLimit(Refusal):
    """The tenant takes no payment so large by this method."""

    code: ClassVar[str] = "over_method_limit"
    method: str
    amount: Money
    most: Money

    def detail(self) -> str:
        return f"{METHODS[self.method]} takes {self.most} at most, and this is {self.amount}."

    def suggestion(self) -> str:
        return "Record it in parts, or by another method."


@dataclass
class BilledTooMuch(Refusal):
    """More than any payment may be."""

    code: ClassVar[str] = "billed_too_much"

    def detail(self) -> str:
        return f"This comes to more than {MINOR_UNITS_MAX:,} minor units."
