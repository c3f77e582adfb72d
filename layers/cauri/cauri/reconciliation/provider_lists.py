"""Our payments and refunds against what the providers list: charges, refunds, and what reached the bank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final, TypeVar

from cauri.clock import Instant
from cauri.money import Money
from cauri.payments.model import Payment
from cauri.payments.store import PAYMENTS, payment_id_of_charge, payment_key
from cauri.providers.ports import Captured, KnownRefund, Refunded
from cauri.providers.statements import KnownCharge, KnownSettlement, Page, Period, StatementProvider
from cauri.providers.unknown import Unknown
from cauri.reconciliation.looking import Sight, standing
from cauri.reconciliation.matching import Item, Match, Outcome, match
from cauri.reconciliation.model import KEPT_MAX, Difference, Looked, Repair, Severity
from cauri.reconciliation.reading import items_at, log_between
from cauri.refunds.model import PartStatus
from cauri.refunds.paying import reference_of
from cauri.refunds.store import load
from cauri.values import dataclass

T = TypeVar("T")
SLICE: Final = timedelta(hours=6)
"""Of a provider's list so much is in memory at once."""
TOOK: Final = "success"
"""The providers' word for a charge that took money."""
NOT_ENABLED: Final = "not_enabled"
OUTCOMES: Final = {
    Outcome.MISSING_HERE: "payment_missing_here",
    Outcome.MISSING_THERE: "payment_missing_at_provider",
    Outcome.AMOUNTS_DIFFER: "payment_amounts_differ",
}


class ListUnreadableError(Exception):
    """The provider did not tell."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class _Ours:
    """What the log says of one provider and time: payments that came, and payments of which some went back."""

    received: frozenset[str]
    refunded: frozenset[str]


def look_at_providers(sight: Sight, since: Instant, until: Instant) -> Looked:
    """Provider by provider, some hours at a time."""
    checked: Counter[str] = Counter()
    found: list[Difference] = []
    for name, lists in sight.statements.items():
        for period in _slices(since, until):
            try:
                ours = _ours(sight, name, period)
                found += _charges(sight, name, lists, period, ours, checked)
                found += _refunds(sight, name, ours, checked)
                found += _settlements(sight, lists, period, checked)
            except ListUnreadableError as unreadable:
                if unreadable.why != NOT_ENABLED:
                    found.append(_unreadable(name, unreadable.why, period))
                break
    return Looked(checked, tuple(found[:KEPT_MAX]))


def _slices(since: Instant, until: Instant) -> Iterator[Period]:
    while since < until:
        yield Period(since, min(until, since + SLICE))
        since += SLICE


def _ours(sight: Sight, provider: str, period: Period) -> _Ours:
    received, refunded = set[str](), set[str]()
    for chunk in log_between(sight.database, sight.tenant, period.since, period.until):
        for event in (event for one in chunk if one.record for event in one.record.events):
            if event.data.get("provider") != provider:
                continue
            if event.name in ("order.payment.received", "order.payment.mismatched"):
                received.add(event.resource)
            elif event.name == "order.payment.refunded":
                refunded.add(event.resource)
    return _Ours(frozenset(received), frozenset(refunded))


def _read(ask: Callable[[str | None], Page[T] | Unknown]) -> Iterator[T]:
    """Every page. Raises ListUnreadableError."""
    page: str | None = None
    while True:
        told = ask(page)
        if isinstance(told, Unknown):
            raise ListUnreadableError(told.why)
        yield from told.items
        if (page := told.next) is None:
            return


def _payments(sight: Sight, payment_ids: Iterable[str]) -> dict[str, Payment]:
    keys = [payment_key(sight.tenant, payment_id) for payment_id in sorted(payment_ids)]
    return {payment.id: payment for payment in PAYMENTS.from_items(items_at(sight.database, keys))}


# -- Charges


def _charges(
    sight: Sight, provider: str, lists: StatementProvider, period: Period, ours: _Ours, checked: Counter[str]
) -> Iterable[Difference]:
    """Both ways: what the provider took, and what we say that it took."""
    charges = [
        charge for charge in _read(lambda page: lists.charges(sight.tenant, period, page)) if charge.status == TOOK
    ]
    listed = {payment_id_of_charge(charge.reference) for charge in charges}
    unlisted = ours.received - listed
    checked.update(charges=len(charges), payments=len(listed | unlisted))
    found = standing(sight, lambda: _taken(sight, provider, charges))
    return (*found, *standing(sight, lambda: _unlisted(sight, provider, unlisted)))


def _taken(sight: Sight, provider: str, charges: list[KnownCharge]) -> Iterator[Difference]:
    known = _payments(sight, {payment_id_of_charge(charge.reference) for charge in charges})
    references = {charge.reference for charge in charges}
    ours = [
        Item(payment.id, payment.charge_reference, payment.received)
        for payment in known.values()
        # Of a charge that was opened again under another reference, the one that the payment is of.
        if payment.is_settled and payment.provider == provider and payment.charge_reference in references
    ]
    theirs = [
        Item(payment_id_of_charge(charge.reference), charge.provider_reference, charge.amount) for charge in charges
    ]
    for one in match(ours, theirs):
        if one.outcome is not Outcome.MATCHED:
            yield _unmatched(provider, one, known.get(one.name))


def _unmatched(provider: str, one: Match, payment: Payment | None) -> Difference:
    took = ", ".join(str(item.amount) for item in one.theirs) or "nothing"
    have = ", ".join(str(item.amount) for item in one.ours) or (str(payment.status) if payment else "no such payment")
    says = f"{provider} took {took} for {one.name}, and we have {have} ({one.shape})"
    evidence: dict[str, Any] = {
        "provider": provider,
        "theirs": [_told(item) for item in one.theirs],
        "ours": [_told(item) for item in one.ours],
        "status": str(payment.status) if payment else None,
    }
    asks = one.outcome is Outcome.MISSING_HERE and payment is not None and not payment.is_settled
    repair = Repair("ask_about_payment", one.name) if asks else None
    return Difference(OUTCOMES[one.outcome], one.name, says, evidence, repair=repair, about=provider)


def _told(item: Item) -> dict[str, Any]:
    return {"id": item.id, "amount": item.amount.amount, "currency": item.amount.currency}


def _unlisted(sight: Sight, provider: str, payment_ids: Iterable[str]) -> Iterator[Difference]:
    """What we say came in, and the list of that time does not have: the charge may be of a time before, so it is asked
    about by its name."""
    for payment in _payments(sight, payment_ids).values():
        answer = sight.books.providers[provider].verify(sight.tenant, payment.charge_reference)
        if isinstance(answer, Unknown):
            raise ListUnreadableError(answer.why)
        theirs = (Item(payment.id, answer.provider_reference, answer.amount),) if isinstance(answer, Captured) else ()
        one = Match(payment.id, (Item(payment.id, payment.charge_reference, payment.received),), theirs)
        if one.outcome is not Outcome.MATCHED:
            yield _unmatched(provider, one, payment)


# -- Refunds


def _refunds(sight: Sight, provider: str, ours: _Ours, checked: Counter[str]) -> Iterable[Difference]:
    checked.update(refunded_payments=len(ours.refunded))
    return standing(sight, lambda: _given_back(sight, provider, ours.refunded))


def _given_back(sight: Sight, provider: str, payment_ids: Iterable[str]) -> Iterator[Difference]:
    """Of each payment of which something went back: our parts of refunds, and the provider's list of them."""
    for payment in _payments(sight, payment_ids).values():
        listed = sight.books.providers[provider].list_refunds(sight.tenant, payment.charge_reference)
        if isinstance(listed, Unknown):
            raise ListUnreadableError(listed.why)
        theirs = [_refund(known) for known in listed if isinstance(known.outcome, Refunded)]
        for one in match(_parts(sight, payment), theirs):
            if one.outcome is not Outcome.MATCHED:
                yield _refund_differs(provider, payment, one)


def _parts(sight: Sight, payment: Payment) -> list[Item]:
    _, refunds = load(sight.database, sight.tenant, payment.order_id)
    return [
        Item(reference_of(refund, place), refund.id, part.amount)
        for refund in refunds
        for place, part in enumerate(refund.parts)
        if part.payment_id == payment.id and part.method == "provider" and part.status is PartStatus.DONE
    ]


def _refund(known: KnownRefund) -> Item:
    return Item(known.reference or "made past us", known.reference, known.amount)


def _refund_differs(provider: str, payment: Payment, one: Match) -> Difference:
    gave = ", ".join(str(item.amount) for item in one.theirs) or "nothing"
    have = ", ".join(str(item.amount) for item in one.ours) or "nothing"
    says = f"{provider} gave {gave} of {payment.id} back as {one.name}, and we have {have} ({one.shape})"
    evidence = {
        "provider": provider,
        "payment": payment.id,
        "theirs": [_told(item) for item in one.theirs],
        "ours": [_told(item) for item in one.ours],
    }
    check = OUTCOMES[one.outcome].replace("payment", "refund")
    return Difference(check, payment.id, says, evidence, about=one.name)


# -- Settlements: many of ours are one of theirs


def _settlements(sight: Sight, lists: StatementProvider, period: Period, checked: Counter[str]) -> Iterable[Difference]:
    settlements = list(_read(lambda page: lists.settlements(sight.tenant, period, page)))
    checked.update(settlements=len(settlements))
    return standing(sight, lambda: (one for each in settlements for one in _settled(sight, lists, each)))


def _settled(sight: Sight, lists: StatementProvider, settlement: KnownSettlement) -> Iterator[Difference]:
    """What reached the bank is what we took, less fees."""
    ours: list[Item] = []
    unknown: list[str] = []
    for charge in _read(lambda page: lists.settled_charges(sight.tenant, settlement.id, page)):
        payment_id = payment_id_of_charge(charge.reference)
        payment = _payments(sight, [payment_id]).get(payment_id)
        if payment is None or not payment.is_settled:
            unknown.append(charge.reference)
        else:
            ours.append(Item(settlement.id, payment.id, payment.received))
    one = Match(settlement.id, tuple(ours), (Item(settlement.id, settlement.id, settlement.gross),))
    adds_up = settlement.gross - settlement.fees == settlement.net
    if one.outcome is Outcome.MATCHED and adds_up and not unknown:
        return
    took: dict[str, Money] = {"gross": settlement.gross, "fees": settlement.fees, "net": settlement.net}
    evidence: dict[str, Any] = {name: [money.amount, money.currency] for name, money in took.items()}
    evidence |= {"payments": [item.id for item in ours[:100]], "not_ours": unknown[:100]}
    says = (
        f"settlement {settlement.id} is of {settlement.gross} less {settlement.fees}, and {settlement.net} came; "
        f"{len(ours)} payments of ours are in it, and {len(unknown)} charges that are not ({one.shape})"
    )
    yield Difference("settlement_differs", settlement.id, says, evidence)


def _unreadable(provider: str, why: str, period: Period) -> Difference:
    says = f"{provider} does not tell what it took: {why}"
    evidence = {"since": period.since.isoformat(), "why": why}
    return Difference("provider_list_unreadable", provider, says, evidence, Severity.WARNING)
