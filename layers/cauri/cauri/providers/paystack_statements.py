"""What Paystack lists: transactions, settlements, disputes. Source: https://paystack.com/docs/api."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar
from urllib.parse import quote

from pydantic import AliasChoices, AwareDatetime, Field

from cauri.clock import rfc3339
from cauri.providers.paystack_api import PaystackApi, Said, from_wire, money_of
from cauri.providers.ports import Declined, KnownDispute, NotFound, Unknown
from cauri.providers.statements import (
    Charges,
    Disputes,
    KnownCharge,
    KnownSettlement,
    Page,
    Period,
    Settlements,
)
from cauri.providers.wire import Id, Shape, Whole, shape_of

PAGE: Final = 100
S = TypeVar("S")
T = TypeVar("T")
Time = Annotated[AwareDatetime, Field(strict=False)]


class ListedCharge(Shape):
    id: Id
    reference: str
    status: str
    amount: Whole
    currency: str
    fees: Whole | None = None
    created_at: Annotated[Time, Field(validation_alias=AliasChoices("created_at", "createdAt"))]


class ListedSettlement(Shape):
    id: Id
    status: str
    currency: str
    total_processed: Whole
    total_fees: Whole
    effective_amount: Whole
    settlement_date: Time


class _Disputed(Shape):
    reference: str
    currency: str


class ListedDispute(Shape):
    id: Id
    status: str
    resolution: str | None = None
    refund_amount: Whole | None = None
    transaction: _Disputed
    due_at: Annotated[Time | None, Field(validation_alias=AliasChoices("dueAt", "due_at"))] = None
    resolved_at: Annotated[Time | None, Field(validation_alias=AliasChoices("resolvedAt", "resolved_at"))] = None


class PaystackStatements:
    """See `StatementProvider`. Pages are numbered."""

    def __init__(self, api: PaystackApi) -> None:
        self._api = api

    def charges(self, tenant: str, period: Period, page: str | None = None) -> Charges | Unknown:
        return self._page(tenant, "transaction", _within(period), page, ListedCharge, _charge)

    def settlements(self, tenant: str, period: Period, page: str | None = None) -> Settlements | Unknown:
        return self._page(tenant, "settlement", _within(period), page, ListedSettlement, _settlement)

    def settled_charges(self, tenant: str, settlement_id: str, page: str | None = None) -> Charges | Unknown:
        path = f"settlement/{quote(settlement_id, safe='')}/transactions"
        return self._page(tenant, path, {}, page, ListedCharge, _charge)

    def disputes(self, tenant: str, period: Period, page: str | None = None) -> Disputes | Unknown:
        return self._page(tenant, "dispute", _within(period), page, ListedDispute, _dispute)

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        said = self._api.get(tenant, f"dispute/{quote(dispute_id, safe='')}")
        match said:
            case Said(good=True):
                found = shape_of(ListedDispute, said.data)
                return found if isinstance(found, Unknown) else _dispute(found)
            case Said(status=404):
                return NotFound()
            case Said():
                return Unknown(f"status {said.status}")
            case Declined():
                return Unknown(said.reason)
            case Unknown():
                return said

    def _page(
        self,
        tenant: str,
        path: str,
        query: dict[str, str | int],
        page: str | None,
        shape: type[S],
        meaning: Callable[[S], T | Unknown],
    ) -> Page[T] | Unknown:
        number = int(page or 1)
        said = self._api.get(tenant, path, **query, perPage=PAGE, page=number)
        match said:
            case Said(good=True):
                shapes = shape_of(list[shape], said.data)  # type: ignore[valid-type]
            case Said():
                return Unknown(f"status {said.status}")
            case Declined():
                return Unknown(said.reason)
            case Unknown():
                return said
        if isinstance(shapes, Unknown):
            return shapes
        items: list[T] = []
        for each in shapes:
            meant = meaning(each)
            if isinstance(meant, Unknown):
                return meant
            items.append(meant)
        # A full page may have another behind it, whatever `meta` says: it differs from list to list.
        return Page(tuple(items), str(number + 1) if len(items) == PAGE else None)


def _within(period: Period) -> dict[str, str | int]:
    return {"from": rfc3339(period.since), "to": rfc3339(period.until)}


def _charge(listed: ListedCharge) -> KnownCharge | Unknown:
    amount = money_of(listed.amount, listed.currency)
    fee = None if listed.fees is None else money_of(listed.fees, listed.currency)
    if isinstance(amount, Unknown) or isinstance(fee, Unknown):
        return Unknown("not as agreed: amount")
    return KnownCharge(from_wire(listed.reference), listed.id, listed.status, amount, fee, listed.created_at)


def _settlement(listed: ListedSettlement) -> KnownSettlement | Unknown:
    gross = money_of(listed.total_processed, listed.currency)
    fees = money_of(listed.total_fees, listed.currency)
    net = money_of(listed.effective_amount, listed.currency)
    if isinstance(gross, Unknown) or isinstance(fees, Unknown) or isinstance(net, Unknown):
        return Unknown("not as agreed: amount")
    return KnownSettlement(listed.id, listed.status, gross, fees, net, listed.settlement_date)


def _dispute(listed: ListedDispute) -> KnownDispute | Unknown:
    amount = None
    if listed.refund_amount is not None:
        amount = money_of(listed.refund_amount, listed.transaction.currency)
    if isinstance(amount, Unknown):
        return amount
    return KnownDispute(
        listed.id,
        from_wire(listed.transaction.reference),
        listed.status,
        listed.resolution,
        amount,
        listed.due_at,
        listed.resolved_at,
    )
