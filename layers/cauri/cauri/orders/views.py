"""An order as people and programs see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cauri.clock import Instant
from cauri.money import Money, total
from cauri.orders.model import LineItem, Order, OrderTree, VendorOrder
from cauri.values import dataclass
from cauri.wallet.draws import Draw
from cauri.wallet.lots import Kind


@dataclass(frozen=True)
class DiscountView:
    """What one promotion took off a line."""

    code: str
    amount: Money
    funded_by: str


@dataclass(frozen=True)
class PromotionUse:
    """What one promotion took off the order."""

    code: str
    title: str
    discount: Money


@dataclass(frozen=True)
class DeliveryView:
    """To which vessel, and in which port. `vessel_imo` is her IMO number."""

    delivery_port: str
    vessel_imo: str
    vessel_name: str
    requested_delivery_date: date | None


@dataclass(frozen=True)
class LineView:
    """Goods of one SKU. `net + tax = total`, for the whole quantity; `price` is for one, as it was shown.

    `gross` is the price of all, and `discount` what promotions took off it, before tax.
    """

    id: str
    sku: str | None
    impa_code: str | None
    title: str
    status: str
    quantity: int
    quantity_fulfilled: int
    quantity_accepted: int
    price: Money
    gross: Money
    discount: Money
    discounts: list[DiscountView]
    net: Money
    tax: Money
    total: Money


@dataclass(frozen=True)
class VendorOrderView:
    """One vendor's share of the order. `commission` is the marketplace's, frozen at sale."""

    number: str
    vendor_id: str
    status: str
    lines: list[LineView]
    shipping: Money
    shipping_tax: Money
    commission: Money
    commission_tax: Money
    commission_bps: int
    total: Money
    confirmed_at: Instant | None
    estimated_ready_date: str | None


@dataclass(frozen=True)
class DrawView:
    """What one kind of a wallet's balances pays: `units` of it, points or minor units."""

    kind: Kind
    units: int
    pays: Money


@dataclass(frozen=True)
class PaymentView:
    """What a provider was asked to take, or a part of the price that the wallet pays: with what, `drawn` says."""

    kind: str
    amount: Money
    status: str
    provider: str | None
    payment_id: str | None
    drawn: list[DrawView]


@dataclass(frozen=True)
class FulfilmentSummary:
    """How many units were ordered, have left, and were accepted."""

    ordered: int
    fulfilled: int
    accepted: int


@dataclass(frozen=True)
class OrderView:
    """The whole order: what each vendor sells in it, how it is paid, and where it stands.

    `gross` is the price of all goods as shown, and `discount` what `promotions` took off it; `goods` is net of both
    discount and tax.
    """

    id: str
    number: str
    status: str
    customer_id: str | None
    currency: str
    gross: Money
    discount: Money
    promotions: list[PromotionUse]
    goods: Money
    shipping: Money
    tax: Money
    total: Money
    payment_status: str
    payment_method: str | None
    payment_reference: str | None
    payments: list[PaymentView]
    vendor_orders: list[VendorOrderView]
    fulfilment: FulfilmentSummary
    created_at: Instant
    expires_at: Instant
    confirmed_at: Instant | None
    cancelled_at: Instant | None
    cancel_reason: str | None
    rfq_id: str | None
    buyer_org_id: str | None
    delivery: DeliveryView | None


@dataclass(frozen=True)
class OrderSummary:
    """An order in a list."""

    id: str
    number: str
    status: str
    payment_status: str
    total: Money
    created_at: Instant


@dataclass(frozen=True)
class OrderPage:
    """A page of orders, the newest first. `next_cursor` leads to the next one, if there is one."""

    items: list[OrderSummary]
    next_cursor: str | None


@dataclass(frozen=True)
class VendorOrderSummary:
    """A vendor's share of an order, in a list."""

    order_id: str
    number: str
    status: str
    total: Money
    created_at: Instant


@dataclass(frozen=True)
class VendorOrderPage:
    items: list[VendorOrderSummary]
    next_cursor: str | None


def order_view(tree: OrderTree, vendor_id: str | None = None) -> OrderView:
    """The order as its customer and staff see it, or, for a vendor, with that vendor's share only."""
    order = tree.order
    shares = [share for share in tree.vendor_orders if vendor_id in (None, share.vendor_id)]
    lines = [line for share in shares for line in share.lines]
    return OrderView(
        id=order.id,
        number=order.number,
        status=order.status,
        customer_id=order.customer_id,
        currency=order.currency,
        gross=total((line.gross for line in lines), order.currency),
        discount=total((line.discount for line in lines), order.currency),
        promotions=_promotions(order, lines),
        goods=total((line.net for line in lines), order.currency),
        shipping=total((share.shipping for share in shares), order.currency),
        tax=total((tax for share in shares for tax in _taxes(share)), order.currency),
        total=total((share.total for share in shares), order.currency),
        payment_status=order.payment_status,
        payment_method=order.payment_method,
        payment_reference=order.payment_reference,
        payments=[] if vendor_id else _payments(tree),
        vendor_orders=[_vendor_order(share) for share in shares],
        fulfilment=FulfilmentSummary(
            ordered=sum(line.quantity for line in lines),
            fulfilled=sum(line.quantity_fulfilled for line in lines),
            accepted=sum(line.quantity_accepted for line in lines),
        ),
        created_at=order.created_at,
        expires_at=order.expires_at,
        confirmed_at=order.confirmed_at,
        cancelled_at=order.cancelled_at,
        cancel_reason=order.cancel_reason,
        rfq_id=order.rfq_id,
        buyer_org_id=order.buyer_org_id,
        delivery=_delivery(order),
    )


def order_summary(order: Order) -> OrderSummary:
    return OrderSummary(order.id, order.number, order.status, order.payment_status, order.total, order.created_at)


def vendor_order_summary(share: VendorOrder) -> VendorOrderSummary:
    return VendorOrderSummary(share.order_id, share.number, share.status, share.total, share.created_at)


def _delivery(order: Order) -> DeliveryView | None:
    to = order.delivery
    return DeliveryView(to.port, to.vessel_imo, to.vessel_name, to.requested_date) if to else None


def _promotions(order: Order, lines: Sequence[LineItem]) -> list[PromotionUse]:
    """Those that took something off `lines`."""
    discounts = [discount for line in lines for discount in line.discounts]
    used = [use for use in order.uses if any(discount.code == use.code for discount in discounts)]
    return [
        PromotionUse(
            use.code,
            use.title,
            total((discount.amount for discount in discounts if discount.code == use.code), order.currency),
        )
        for use in used
    ]


def _taxes(share: VendorOrder) -> list[Money]:
    return [share.shipping_tax, *(line.tax for line in share.lines)]


def _vendor_order(share: VendorOrder) -> VendorOrderView:
    return VendorOrderView(
        number=share.number,
        vendor_id=share.vendor_id,
        status=share.status,
        lines=[_line(line) for line in share.lines],
        shipping=share.shipping,
        shipping_tax=share.shipping_tax,
        commission=share.commission,
        commission_tax=share.commission_tax,
        commission_bps=share.commission_bps,
        total=share.total,
        confirmed_at=share.confirmed_at,
        estimated_ready_date=share.estimated_ready_date,
    )


def _line(line: LineItem) -> LineView:
    return LineView(
        id=line.id,
        sku=line.sku or None,
        impa_code=line.impa_code,
        title=line.title,
        status=line.status,
        quantity=line.quantity,
        quantity_fulfilled=line.quantity_fulfilled,
        quantity_accepted=line.quantity_accepted,
        price=line.price,
        gross=line.gross,
        discount=line.discount,
        discounts=[DiscountView(each.code, each.amount, each.funded_by) for each in line.discounts],
        net=line.net,
        tax=line.tax,
        total=line.total,
    )


def _payments(tree: OrderTree) -> list[PaymentView]:
    status = {payment.id: payment.status for payment in tree.payments}
    return [
        PaymentView(
            kind=tender.kind,
            amount=tender.amount,
            status=status[tender.payment_id] if tender.payment_id else tree.order.payment_status,
            provider=tender.provider,
            payment_id=tender.payment_id,
            drawn=_drawn(tender.draw) if tender.draw else [],
        )
        for tender in tree.order.tenders
    ]


def _drawn(draw: Draw) -> list[DrawView]:
    kinds = dict.fromkeys(one.lot.kind for one in draw.payments)
    return [DrawView(kind, draw.units_of(kind), draw.paid_by(kind)) for kind in kinds]
