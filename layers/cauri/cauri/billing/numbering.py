"""Numbers without a gap for the invoices of runs: many at once, so that their counter is no bottleneck.

Whoever bills a period leaves its invoice without a number, and asks for one by an event; the queue behind it keeps a
tenant's in order, and one commit moves the series by as many as it numbers. An invoice has its number on the condition
that it had none when it was read, so asking twice is no harm. Source: DESIGN 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from cauri.billing.model import ISSUED, SERIES_DEFAULT, Invoice, InvoiceStatus, Series, number_of
from cauri.billing.running import by_run
from cauri.billing.sending import Tracking
from cauri.billing.store import invoice_key, series_key
from cauri.books.commit import Books
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.ids import digest
from cauri.notices.commands import tell
from cauri.notices.model import Kind, Message
from cauri.values import dataclass, replace

NUMBERED_MAX: Final = 90
"""So many invoices, their series and the record are one commit; a third of that, where each takes a message along."""


@dataclass(frozen=True)
class NumberInvoices(Command):
    """Give those of these invoices numbers that have none."""

    name: ClassVar = "number_invoices"
    invoice_ids: tuple[str, ...]
    send: bool = False
    """Whether each goes to its customer by email."""


@dataclass(frozen=True)
class Numbered:
    """The numbers that were given, by invoice."""

    numbers: dict[str, str]


@decides(NumberInvoices)
def number_invoices(command: NumberInvoices, work: Work) -> Plan:
    keys = [invoice_key(work.tenant, invoice_id) for invoice_id in command.invoice_ids]
    usual = series_key(work.tenant, f"{SERIES_DEFAULT}-{work.at:%Y}")
    found = work.fetch(usual, *keys)
    waiting = [invoice for key in keys if (invoice := found[key]) is not None and _lacks_number(invoice)]
    names = sorted({invoice.series for invoice in waiting})
    others = {name: series_key(work.tenant, name) for name in names}
    more = work.fetch(*others.values()) if set(others.values()) - {usual} else found
    plan = Plan(Numbered({}))
    for name, key in others.items():
        series = more[key] or Series(work.tenant, name)
        _number(plan, series, [invoice for invoice in waiting if invoice.series == name])
    if command.send:
        for invoice in waiting:
            _send(plan, invoice, work)
    return plan


def _lacks_number(invoice: Invoice) -> bool:
    """Also one that was deleted meanwhile: it was issued, and keeps its place."""
    return invoice.number is None and bool(invoice.series) and invoice.status is not InvoiceStatus.DRAFT


def _number(plan: Plan, series: Series, invoices: Sequence[Invoice]) -> None:
    for count, invoice in enumerate(invoices, start=1):
        number = number_of(series.name, series.last + count)
        plan.save(replace(invoice, number=number))
        plan.emit(Event("invoice.numbered", invoice.id, invoice.version + 1, {"number": number}))
        plan.answer.numbers[invoice.id] = number
    plan.save(replace(series, last=series.last + len(invoices)))


def _send(plan: Plan, invoice: Invoice, work: Work) -> None:
    """Whom it can't reach is found out by whoever sends it. What was deleted meanwhile is not sent."""
    if invoice.status in ISSUED:
        message = Message(work.tenant, work.ids.new("msg"), Kind.INVOICE_SENT, invoice.customer_id, invoice.id, work.at)
        tell(plan.save(Tracking(work.tenant, invoice.id).after(Kind.INVOICE_SENT, work.at)), message)


def number(books: Books, news: Iterable[Mapping[str, Any]]) -> None:
    """Number what these events ask numbers for, tenant by tenant, as many in a commit as fit."""
    asked: dict[tuple[str, bool], list[str]] = {}
    for one in news:
        asked.setdefault((one["tenant"], one["data"].get("send", False)), []).extend(one["data"]["invoices"])
    for (tenant, send), ids in asked.items():
        for some in _batches(list(dict.fromkeys(ids)), NUMBERED_MAX // 3 if send else NUMBERED_MAX):
            books.run(NumberInvoices(some, send), by_run(tenant), f"number:{digest(str(send), *some)}")


def _batches(ids: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    for at in range(0, len(ids), size):
        yield tuple(ids[at : at + size])
