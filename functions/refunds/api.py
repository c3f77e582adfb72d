"""Refunds: asked for by staff, granted by a second person where the tenant wants one, and followed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN, Id, PositiveMoney, Shape, Title
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.orders.model import UnknownOrder
from cauri.parties.limits import Tier
from cauri.parties.model import UnknownTenant
from cauri.refunds.commands import ApproveRefund, RejectRefund, RequestRefund
from cauri.refunds.model import (
    ApprovalNeedsAnother,
    Asked,
    IllegalRefundChange,
    LineAsked,
    MoneyBackNeedsCustomer,
    MoneyMayHaveMoved,
    NothingToRefund,
    OrderNotRefundable,
    RefundCurrencyMismatch,
    RefundStatus,
    RefundTooLarge,
    ShippingAsked,
    TooManyUnits,
    UnknownLine,
    UnknownRefund,
)
from cauri.refunds.queries import refund_for, refunds_of, refunds_that_are
from cauri.refunds.resolving import ResolveRefund, Way
from cauri.refunds.views import RefundList, RefundPage, RefundView, refund_view
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

OrderId = Annotated[str, Path(pattern=ID_PATTERN, examples=["ord_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
RefundId = Annotated[str, Path(pattern=ID_PATTERN, examples=["rfd_01JD4W6K3M9QZ8X7V5T2R1P0N4-1"])]
Status = Annotated[
    Literal["requested", "approved", "processing", "succeeded", "failed", "needs_attention", "rejected"],
    Query(description="Only refunds that stand so"),
]

APPROVERS: Final = frozenset({"finance", "admin"})
LINES_MAX: Final = 100
VENDORS_MAX: Final = 50
TENDERS_MAX: Final = 10

api = Api("Refunds")


class LineRequest(Shape):
    """So many units of a line, or an amount of its price, tax included. `restock`: the units are for sale again."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["quantity"], "properties": {"quantity": {"type": "integer"}, "amount": {"type": "null"}}},
                {
                    "required": ["amount"],
                    "properties": {
                        "amount": {"type": "object"},
                        "quantity": {"type": "null"},
                        "restock": {"const": False},
                    },
                },
            ]
        }
    )

    line_id: Id
    quantity: Annotated[int, Field(ge=1, le=10**9, examples=[1])] | None = None
    amount: PositiveMoney | None = None
    restock: bool = False

    @model_validator(mode="after")
    def _says_how_much(self) -> LineRequest:
        if (self.quantity is None) == (self.amount is None):
            raise PydanticCustomError("how_much", "A line is refunded by quantity, or else by amount")
        if self.restock and self.quantity is None:
            raise PydanticCustomError("restock", "Only units go back on sale, and an amount is of none")
        return self

    def asked(self) -> LineAsked:
        amount = self.amount.money() if self.amount else None
        return LineAsked(self.line_id, self.quantity or 0, amount, self.restock)


class ShippingRequest(Shape):
    """The shipping of one vendor order: an amount of it, or all that is left."""

    vendor_order: Annotated[Id, Field(examples=["ORD-2026-000123-A"])]
    amount: PositiveMoney | None = None

    def asked(self) -> ShippingAsked:
        return ShippingAsked(self.vendor_order, self.amount.money() if self.amount else None)


_NO_LINES: Final[dict[str, Any]] = {
    "lines": {"type": "array", "maxItems": 0},
    "shipping": {"type": "array", "maxItems": 0},
}
_NOT_BACK: Final[dict[str, Any]] = {"restock": {"const": False}}


def _some(member: str) -> dict[str, Any]:
    return {"required": [member], "properties": {member: {"type": "array", "minItems": 1}}}


class RefundRequest(Shape):
    """What is given back: `lines` and `shipping`; or else an `amount` of the order; or else all that is left of it.

    `tenders` says which tenders give first, by payment id or `wallet`; without it each gives in proportion.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"properties": {"amount": {"type": "null"}, **_NOT_BACK}, "anyOf": [_some("lines"), _some("shipping")]},
                {"required": ["amount"], "properties": {"amount": {"type": "object"}, **_NO_LINES, **_NOT_BACK}},
                {"properties": {"amount": {"type": "null"}, **_NO_LINES}},
            ],
            "examples": [
                {"reason": "Damaged", "lines": [{"line_id": "1", "quantity": 1, "restock": False}]},
                {"reason": "Goodwill", "amount": {"amount": 50000, "currency": "KES"}},
                {"reason": "Changed her mind", "restock": True},
            ],
        }
    )

    reason: Title
    lines: Annotated[list[LineRequest], Field(max_length=LINES_MAX)] = Field(default_factory=list)
    shipping: Annotated[list[ShippingRequest], Field(max_length=VENDORS_MAX)] = Field(default_factory=list)
    amount: PositiveMoney | None = None
    restock: Annotated[bool, Field(description="Of a refund of all that is left: its units are for sale again")] = False
    tenders: Annotated[list[Id], Field(max_length=TENDERS_MAX)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_what_once(self) -> RefundRequest:
        if self.amount is not None and (self.lines or self.shipping):
            raise PydanticCustomError("what", "A refund is of lines and shipping, or else of an amount")
        if self.restock and (self.amount is not None or self.lines or self.shipping):
            raise PydanticCustomError("restock", "The restock of the whole is for a refund of the whole")
        return self

    def asked(self) -> Asked:
        return Asked(
            tuple(line.asked() for line in self.lines),
            tuple(shipping.asked() for shipping in self.shipping),
            self.amount.money() if self.amount else None,
            self.restock,
            tuple(self.tenders),
        )


class RejectRequest(Shape):
    reason: Title


class ResolveRequest(Shape):
    """`again`: ask the provider again. `to_wallet`, `outside`: what it declined goes another way."""

    way: Literal["again", "to_wallet", "outside"]


OF_WHAT_IS_ASKED: Final[list[Any]] = [
    OrderNotRefundable,
    UnknownLine,
    TooManyUnits,
    RefundTooLarge,
    RefundCurrencyMismatch,
    NothingToRefund,
]


@api.command(
    "POST",
    "/v1/orders/<order_id>/refunds",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=RefundView,
    status=HTTPStatus.CREATED,
    refusals=[UnknownTenant, UnknownOrder, *OF_WHAT_IS_ASKED],
    location=lambda refund: f"/v1/refunds/{refund['id']}",
)
def request_refund(order_id: OrderId, body: RefundRequest) -> RequestRefund:
    """Refund an order, in whole or in part

    Granted at once, unless the tenant wants a second person for the amount: then it is `requested`. Once granted it
    has a credit note, and the money is on its way through the tenders that it came by.
    """
    return RequestRefund(order_id, body.asked(), body.reason)


@api.read("/v1/orders/<order_id>/refunds", roles=STAFF | {"customer"}, answer=RefundList, refusals=[UnknownOrder])
def list_refunds_of_order(order_id: OrderId, caller: Caller) -> RefundList:
    """List the refunds of an order, the oldest first"""
    return refunds_of(wiring.database(), caller, order_id)


@api.read("/v1/refunds/<refund_id>", roles=STAFF | {"customer"}, answer=RefundView, refusals=[UnknownRefund])
def get_refund(refund_id: RefundId, caller: Caller) -> RefundView:
    """Get a refund, with its credit note"""
    return refund_for(wiring.database(), caller, refund_id)


@api.read("/v1/refunds", roles=STAFF, answer=RefundPage)
def list_refunds(caller: Caller, status: Status, limit: Limit = 50, cursor: CursorAsked = None) -> RefundPage:
    """List the refunds that stand so, the oldest first

    Those that wait for somebody are `requested` or `needs_attention`. Their credit notes are with each refund.
    """
    cursors = cursors_of(caller, "refunds", status)
    page = refunds_that_are(
        wiring.database(), caller.tenant, RefundStatus(status), after=cursors.open(cursor), limit=limit
    )
    return RefundPage([refund_view(refund) for refund in page.items], cursors.seal(page.position))


@api.command(
    "POST",
    "/v1/refunds/<refund_id>/approve",
    roles=APPROVERS,
    tier=Tier.MONEY_WRITES,
    answer=RefundView,
    refusals=[UnknownRefund, IllegalRefundChange, ApprovalNeedsAnother, *OF_WHAT_IS_ASKED],
)
def approve_refund(refund_id: RefundId) -> ApproveRefund:
    """Approve a refund

    By somebody else than who asked for it. It comes to what was asked for, of what is left now.
    """
    return ApproveRefund(refund_id)


@api.command(
    "POST",
    "/v1/refunds/<refund_id>/reject",
    roles=APPROVERS,
    tier=Tier.MONEY_WRITES,
    answer=RefundView,
    refusals=[UnknownRefund, IllegalRefundChange],
)
def reject_refund(refund_id: RefundId, body: RejectRequest) -> RejectRefund:
    """Reject a refund that waits for its approval"""
    return RejectRefund(refund_id, body.reason)


@api.command(
    "POST",
    "/v1/refunds/<refund_id>/resolve",
    roles=APPROVERS,
    tier=Tier.MONEY_WRITES,
    answer=RefundView,
    refusals=[UnknownRefund, IllegalRefundChange, MoneyMayHaveMoved, MoneyBackNeedsCustomer],
)
def resolve_refund(refund_id: RefundId, body: ResolveRequest) -> ResolveRefund:
    """Let a refund that needs attention go on

    The provider is asked again; or what it declined is credit in the customer's wallet, or was given back by hand.
    """
    return ResolveRefund(refund_id, Way(body.way))


handler = api.handler
