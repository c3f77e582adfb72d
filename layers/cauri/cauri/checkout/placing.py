"""The order that a priced and tendered checkout makes: the whole tree, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from cauri.books.work import Work
from cauri.checkout.pricing import PricedLine, Quote, VendorShare
from cauri.clock import Instant
from cauri.inventory.model import OutOfStock, Part
from cauri.orders.model import Delivery, LineItem, Order, OrderStatus, OrderTree, Tender, Use, VendorOrder
from cauri.payments.model import Payment, PaymentStatus
from cauri.payments.store import payment_id_of
from cauri.values import dataclass, field, replace


@dataclass(frozen=True)
class Placing:
    """What an order is made from. `stock` is by SKU; `number` is unique in the tenant's year.

    `ready` is the day on which a vendor says to be ready, by vendor.
    """

    quote: Quote
    tenders: Sequence[Tender]
    stock: Mapping[str, Sequence[Part] | OutOfStock]
    number: int
    has_contact: bool
    expires_at: Instant
    uses: tuple[Use, ...] = ()
    guest: str | None = None
    customer_id: str | None = None
    rfq_id: str | None = None
    buyer_org_id: str | None = None
    delivery: Delivery | None = None
    ready: Mapping[str, str] = field(default_factory=dict)


def place(placing: Placing, work: Work) -> OrderTree:
    """The tree as it is first saved: waiting for its payment."""
    order_id = work.ids.new("ord")
    number = f"ORD-{work.at:%Y}-{placing.number:06d}"
    tenders = _with_payments(placing.tenders, order_id)
    lines = iter(range(1, 1 + sum(len(share.lines) for share in placing.quote.shares)))
    vendor_orders = tuple(
        _vendor_order(share, letter, order_id, number, [str(next(lines)) for _ in share.lines], placing, work)
        for share, letter in zip(placing.quote.shares, _letters(len(placing.quote.shares)), strict=True)
    )
    payments = tuple(
        Payment(
            work.tenant,
            tender.payment_id,
            order_id,
            tender.provider or "",
            tender.amount,
            PaymentStatus.PENDING,
            work.at,
        )
        for tender in tenders
        if tender.payment_id
    )
    return OrderTree(_order(placing, tenders, order_id, number, work), vendor_orders, payments)


def _order(placing: Placing, tenders: tuple[Tender, ...], order_id: str, number: str, work: Work) -> Order:
    quote = placing.quote
    by_provider = [tender for tender in tenders if tender.payment_id]
    return Order(
        tenant=work.tenant,
        id=order_id,
        number=number,
        customer_id=placing.customer_id,
        party_id=work.ids.new("pty") if placing.has_contact else None,
        placed_by=work.caller.subject,
        currency=quote.currency,
        total=quote.total,
        tax=quote.tax,
        shipping=quote.shipping,
        tenders=tenders,
        status=OrderStatus.PENDING_PAYMENT,
        created_at=work.at,
        expires_at=placing.expires_at,
        payment_method=by_provider[0].provider if by_provider else tenders[0].kind if tenders else None,
        payment_reference=by_provider[0].payment_id if by_provider else None,
        uses=placing.uses,
        guest=placing.guest,
        rfq_id=placing.rfq_id,
        buyer_org_id=placing.buyer_org_id,
        delivery=placing.delivery,
    )


def _vendor_order(
    share: VendorShare, letter: str, order_id: str, number: str, line_ids: Sequence[str], placing: Placing, work: Work
) -> VendorOrder:
    return VendorOrder(
        tenant=work.tenant,
        order_id=order_id,
        id=letter,
        number=f"{number}-{letter}",
        vendor_id=share.vendor.id,
        lines=tuple(_line(line, line_id, placing) for line, line_id in zip(share.lines, line_ids, strict=True)),
        shipping=share.shipping,
        shipping_tax=share.shipping_tax,
        commission_bps=share.vendor.commission_bps,
        commission=share.commission,
        commission_tax=share.commission_tax,
        created_at=work.at,
        subsidy=share.subsidy or None,
        estimated_ready_date=placing.ready.get(share.vendor.id),
    )


def _line(line: PricedLine, line_id: str, placing: Placing) -> LineItem:
    product = line.item.product
    parts = placing.stock[product.sku] if product.sku else ()
    return LineItem(
        id=line_id,
        sku=product.sku,
        title=product.title,
        quantity=line.item.quantity,
        price=line.price,
        net=line.net,
        tax=line.tax,
        tax_class=product.tax_class,
        discounts=line.discounts,
        impa_code=line.item.impa_code,
        stock=() if isinstance(parts, OutOfStock) else tuple(parts),
    )


def _with_payments(tenders: Sequence[Tender], order_id: str) -> tuple[Tender, ...]:
    numbered = iter(range(1, 1 + len(tenders)))
    return tuple(
        replace(tender, payment_id=payment_id_of(order_id, next(numbered))) if tender.kind == "provider" else tender
        for tender in tenders
    )


def _letters(count: int) -> list[str]:
    """A, B, … Z, AA, AB, …"""
    singles = list(ascii_uppercase)
    return (singles + [first + second for first in singles for second in singles])[:count]
