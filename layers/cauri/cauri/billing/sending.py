"""Send an invoice to its customer, remind of it, and note when it is seen. Source: SPEC 9."""

from __future__ import annotations

from typing import ClassVar, Final

from cauri.billing.model import ISSUED, OWED, Invoice, InvoiceStatus, UnknownInvoice
from cauri.billing.store import TABLE, invoice_key
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Key, Shelf, shelve
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.notices.commands import tell
from cauri.notices.model import Kind, Message
from cauri.notices.views import message_view
from cauri.parties.model import UnknownCustomer
from cauri.parties.store import party_key
from cauri.values import dataclass, replace

SENDS_MAX: Final = 20
"""Messages about one invoice: more are a mistake, or a nuisance."""


@dataclass
class InvoiceNotSendable(Refusal):
    """A draft, or an invoice that waits for its number, or that is void or deleted, goes to nobody."""

    code: ClassVar[str] = "invoice_not_sendable"
    invoice_id: str
    status: InvoiceStatus

    def detail(self) -> str:
        return f"Invoice {self.invoice_id} is {self.status}, or has no number yet, and is not sent."

    def suggestion(self) -> str:
        return "Issue it first; one that a run made has its number within seconds."


@dataclass
class CustomerHasNoAddress(Refusal):
    code: ClassVar[str] = "customer_has_no_address"
    customer_id: str

    def detail(self) -> str:
        return f"No email address of {self.customer_id} is known."

    def suggestion(self) -> str:
        return "Put the customer with an email address first."


@dataclass
class SentTooOften(Refusal):
    code: ClassVar[str] = "sent_too_often"
    invoice_id: str

    def detail(self) -> str:
        return f"Invoice {self.invoice_id} was sent {SENDS_MAX} times."


@dataclass(frozen=True)
class Tracking:
    """How often an invoice went out, and when it was seen. Apart from the invoice, so that nobody's payment waits."""

    tenant: str
    invoice_id: str
    sent: int = 0
    last_sent_at: Instant | None = None
    reminded: int = 0
    last_reminded_at: Instant | None = None
    views: int = 0
    first_viewed_at: Instant | None = None
    last_viewed_at: Instant | None = None
    version: int = 0

    def after(self, kind: Kind, at: Instant) -> Tracking:
        """When a message of this kind is on its way. Raises SentTooOften."""
        if self.sent + self.reminded >= SENDS_MAX:
            raise SentTooOften(self.invoice_id)
        if kind is Kind.INVOICE_SENT:
            return replace(self, sent=self.sent + 1, last_sent_at=at)
        return replace(self, reminded=self.reminded + 1, last_reminded_at=at)

    def seen(self, at: Instant) -> Tracking:
        return replace(self, views=self.views + 1, first_viewed_at=self.first_viewed_at or at, last_viewed_at=at)


TRACKINGS: Final = shelve(
    Shelf(
        TABLE,
        Tracking,
        place=lambda tracking: (f"invoice#{tracking.invoice_id}", "tracking"),
        tenant=lambda tracking: tracking.tenant,
    )
)


def tracking_key(tenant: str, invoice_id: str) -> Key[Tracking]:
    return TRACKINGS.key(tenant, f"invoice#{invoice_id}", "tracking")


@dataclass(frozen=True)
class SendInvoice(Command):
    """Send an invoice by email; or, if it was sent before and `remind`, remind of it."""

    name: ClassVar = "send_invoice"
    invoice_id: str
    remind: bool = False


@dataclass(frozen=True)
class RecordView(Command):
    """Somebody with its link looked at an invoice."""

    name: ClassVar = "record_invoice_view"
    invoice_id: str


@dataclass(frozen=True)
class Viewed:
    invoice_id: str
    views: int


@decides(SendInvoice)
def send_invoice(command: SendInvoice, work: Work) -> Plan:
    invoice_at, tracking_at = (
        invoice_key(work.tenant, command.invoice_id),
        tracking_key(work.tenant, command.invoice_id),
    )
    found = work.fetch(invoice_at, tracking_at)
    invoice = found[invoice_at]
    if invoice is None:
        raise UnknownInvoice(command.invoice_id)
    kind = _kind(invoice, command, work)
    person_at = party_key(work.tenant, invoice.customer_id)
    person = work.fetch(person_at)[person_at]
    if person is None:
        raise UnknownCustomer(invoice.customer_id)
    if not person.email:
        raise CustomerHasNoAddress(invoice.customer_id)
    tracking = found[tracking_at] or Tracking(work.tenant, invoice.id)
    message = Message(work.tenant, work.ids.new("msg"), kind, invoice.customer_id, invoice.id, work.at)
    return _plan(message, tracking.after(kind, work.at))


def _kind(invoice: Invoice, command: SendInvoice, work: Work) -> Kind:
    """Raises InvoiceNotSendable."""
    legal = OWED if command.remind else ISSUED
    if invoice.status not in legal or invoice.number is None:
        raise InvoiceNotSendable(invoice.id, invoice.status)
    if not command.remind:
        return Kind.INVOICE_SENT
    return Kind.INVOICE_OVERDUE if invoice.is_overdue(work.at.date()) else Kind.INVOICE_DUE


def _plan(message: Message, tracking: Tracking) -> Plan:
    return tell(Plan(message_view(message)).save(tracking), message)


@decides(RecordView)
def record_view(command: RecordView, work: Work) -> Plan:
    invoice_at, tracking_at = (
        invoice_key(work.tenant, command.invoice_id),
        tracking_key(work.tenant, command.invoice_id),
    )
    found = work.fetch(invoice_at, tracking_at)
    if found[invoice_at] is None:
        raise UnknownInvoice(command.invoice_id)
    tracking = (found[tracking_at] or Tracking(work.tenant, command.invoice_id)).seen(work.at)
    told = Event("invoice.viewed", command.invoice_id, tracking.version + 1, {"views": tracking.views})
    return Plan(Viewed(command.invoice_id, tracking.views)).save(tracking).emit(told)
