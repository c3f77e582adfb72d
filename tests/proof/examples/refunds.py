"""Refunds: asked for, granted, on their way, and settled."""

from __future__ import annotations

from typing import Any

from cauri.books.caller import Caller
from cauri.inventory.claims import Claims
from cauri.money import Money
from cauri.orders.model import CancelReason
from cauri.refunds.commands import ApproveRefund, RejectRefund, RequestRefund, ReturnPayments
from cauri.refunds.model import Asked, LineAsked, PartStatus
from cauri.refunds.paying import ContinueRefund, RecordRefundPart, SendRefundPart, by_system
from cauri.refunds.resolving import ResolveRefund, Way
from cauri.refunds.restocking import RestockLine

from tests.proof.examples.worlds import Act, a_confirmed_order, a_paid_order, example, give_up, saga, sent
from tests.shop import Shop

DRAWN = 10_000


def finance(shop: Shop, name: str = "zawadi") -> Caller:
    return Caller(shop.tenant, f"usr_{name}", frozenset({"finance"}), ip="192.0.2.2")


def a_sold_order(shop: Shop, wallet: int = 0) -> str:
    """Confirmed, and its stock allocated."""
    order_id = a_confirmed_order(shop, wallet=wallet)
    claims, parts = Claims(shop.database, shop.tenant), shop.tree(order_id).parts
    claims.keep(parts)
    claims.allocate(parts)
    return order_id


def a_refund(shop: Shop, *, wallet: int = 0, **asked: Any) -> str:
    """Granted, and nothing of it given back yet."""
    refund_id: str = shop.run(RequestRefund(a_sold_order(shop, wallet), Asked(**asked), "Damaged"))["id"]
    return refund_id


def a_request(shop: Shop) -> str:
    """A refund over the tenant's limit, which waits for its approval."""
    order_id = a_sold_order(shop)
    shop.furnish(refund_approval={"KES": 1_000})
    refund_id: str = shop.run(RequestRefund(order_id, Asked(), "Damaged"))["id"]
    return refund_id


def send_part(shop: Shop, refund_id: str, place: int = 0) -> None:
    shop.run(SendRefundPart(refund_id, place), by_system(shop.tenant))


def record(shop: Shop, refund_id: str, status: PartStatus, place: int = 0) -> None:
    shop.run(RecordRefundPart(refund_id, place, status, "rfd-1", "why"), by_system(shop.tenant))


@example(RequestRefund, "all of it, and its goods are for sale again")
def _(shop: Shop) -> Act:
    return sent(RequestRefund(a_sold_order(shop, DRAWN), Asked(restock=True), "Changed her mind"), shop.admin)


@example(RequestRefund, "one unit of a line")
def _(shop: Shop) -> Act:
    asked = Asked(lines=(LineAsked("1", 1, restock=True),))
    return sent(RequestRefund(a_sold_order(shop), asked, "Damaged"), shop.admin)


@example(RequestRefund, "an amount, of the wallet first")
def _(shop: Shop) -> Act:
    asked = Asked(amount=Money(12_345, "KES"), tenders=("wallet",))
    return sent(RequestRefund(a_sold_order(shop, DRAWN), asked, "Goodwill"), shop.admin)


@example(RequestRefund, "over the tenant's limit")
def _(shop: Shop) -> Act:
    order_id = a_sold_order(shop)
    shop.furnish(refund_approval={"KES": 1_000})
    return sent(RequestRefund(order_id, Asked(), "Damaged"), shop.admin)


@example(RequestRefund, "refused, since nothing is left")
def _(shop: Shop) -> Act:
    order_id = a_sold_order(shop)
    shop.run(RequestRefund(order_id, Asked(), "Damaged"))
    return sent(RequestRefund(order_id, Asked(amount=Money(1, "KES")), "Damaged"), shop.admin)


@example(ApproveRefund, "by somebody else")
def _(shop: Shop) -> Act:
    return sent(ApproveRefund(a_request(shop)), finance(shop))


@example(ApproveRefund, "refused, since it is one's own")
def _(shop: Shop) -> Act:
    return sent(ApproveRefund(a_request(shop)), shop.admin)


@example(RejectRefund, "not damaged at all")
def _(shop: Shop) -> Act:
    return sent(RejectRefund(a_request(shop), "It is whole"), finance(shop))


@example(ReturnPayments, "of an order that could not be made good")
def _(shop: Shop) -> Act:
    order_id = a_paid_order(shop)
    give_up(shop, order_id, CancelReason.NOT_FULFILLABLE)
    payments = tuple(payment.id for payment in shop.tree(order_id).payments)
    return sent(ReturnPayments(order_id, payments), saga(shop))


@example(SendRefundPart, "the charge is free")
def _(shop: Shop) -> Act:
    return sent(SendRefundPart(a_refund(shop), 0), by_system(shop.tenant))


@example(SendRefundPart, "refused, since another refund of the charge is on its way")
def _(shop: Shop) -> Act:
    first = a_refund(shop, amount=Money(500, "KES"))
    order_id = shop.run(SendRefundPart(first, 0), by_system(shop.tenant))["order_id"]
    second = shop.run(RequestRefund(order_id, Asked(), "Damaged"))["id"]
    return sent(SendRefundPart(second, 0), by_system(shop.tenant))


@example(RecordRefundPart, "the provider gave it back")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, amount=Money(500, "KES"))
    send_part(shop, refund_id)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.DONE, "rfd-1"), by_system(shop.tenant))


@example(RecordRefundPart, "the provider gave all of the charge back")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop)
    send_part(shop, refund_id)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.DONE, "rfd-1"), by_system(shop.tenant))


@example(RecordRefundPart, "the wallet has it, as the lots that it was")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, wallet=14_000)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.DONE), by_system(shop.tenant))


@example(RecordRefundPart, "the wallet has a part, some of whose lots had expired")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, wallet=14_000, amount=Money(13_555, "KES"), tenders=("wallet",))
    shop.clock.advance(days=60)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.DONE), by_system(shop.tenant))


@example(RecordRefundPart, "what was declined is credit in the wallet")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, wallet=14_000)
    record(shop, refund_id, PartStatus.DONE)
    send_part(shop, refund_id, 1)
    record(shop, refund_id, PartStatus.DECLINED, 1)
    shop.run(ResolveRefund(refund_id, Way.TO_WALLET), finance(shop))
    return sent(RecordRefundPart(refund_id, 1, PartStatus.DONE), by_system(shop.tenant))


@example(RecordRefundPart, "declined: no money moved")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop)
    send_part(shop, refund_id)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.DECLINED, None, "too_old"), by_system(shop.tenant))


@example(RecordRefundPart, "declined, after the wallet had its part")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, wallet=DRAWN)
    record(shop, refund_id, PartStatus.DONE)
    send_part(shop, refund_id, 1)
    return sent(RecordRefundPart(refund_id, 1, PartStatus.DECLINED, None, "too_old"), by_system(shop.tenant))


@example(RecordRefundPart, "the provider is at it")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop)
    send_part(shop, refund_id)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.PENDING, "rfd-1"), by_system(shop.tenant))


@example(RecordRefundPart, "somebody heard it before")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop)
    send_part(shop, refund_id)
    record(shop, refund_id, PartStatus.DONE)
    return sent(RecordRefundPart(refund_id, 0, PartStatus.DONE, "rfd-1"), by_system(shop.tenant))


@example(ContinueRefund, "again")
def _(shop: Shop) -> Act:
    return sent(ContinueRefund(a_refund(shop), "again"), by_system(shop.tenant))


@example(ResolveRefund, "what was declined goes to the wallet")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, wallet=DRAWN)
    record(shop, refund_id, PartStatus.DONE)
    send_part(shop, refund_id, 1)
    record(shop, refund_id, PartStatus.DECLINED, 1)
    return sent(ResolveRefund(refund_id, Way.TO_WALLET), finance(shop))


@example(ResolveRefund, "refused, since it may have moved")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop)
    send_part(shop, refund_id)
    record(shop, refund_id, PartStatus.NEEDS_ATTENTION)
    return sent(ResolveRefund(refund_id, Way.OUTSIDE), finance(shop))


@example(RestockLine, "some of its units")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, lines=(LineAsked("1", 1, restock=True),))
    send_part(shop, refund_id)
    record(shop, refund_id, PartStatus.DONE)
    return sent(RestockLine(refund_id, "1"), by_system(shop.tenant))


@example(RestockLine, "all of them, and the other line is cancelled already")
def _(shop: Shop) -> Act:
    refund_id = a_refund(shop, restock=True)
    send_part(shop, refund_id)
    record(shop, refund_id, PartStatus.DONE)
    shop.run(RestockLine(refund_id, "1"), by_system(shop.tenant))
    return sent(RestockLine(refund_id, "2"), by_system(shop.tenant))
