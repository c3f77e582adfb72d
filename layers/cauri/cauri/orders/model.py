"""Orders: what was sold, by whom, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.inventory.model import BACKORDER, Part
from cauri.money import Money, total
from cauri.payments.model import Payment
from cauri.values import dataclass, field, replace
from cauri.wallet.draws import Draw

LATE_PAYMENT: Final = timedelta(hours=24)
"""A success this long after an order was cancelled for want of payment still makes it go on. Source: SPEC 2."""


class OrderStatus(StrEnum):
    PENDING_PAYMENT = "PENDING_PAYMENT"
    CONFIRMED = "CONFIRMED"
    PROCESSING = "PROCESSING"
    PARTIALLY_FULFILLED = "PARTIALLY_FULFILLED"
    FULFILLED = "FULFILLED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    DISPUTED = "DISPUTED"


STATUS_AFTER: Final = {
    "order.created": OrderStatus.PENDING_PAYMENT,
    "order.confirmed": OrderStatus.CONFIRMED,
    "order.cancelled": OrderStatus.CANCELLED,
}
"""The status that an order has after an event of its own. Other events leave it as it is."""


class VendorOrderStatus(StrEnum):
    PENDING_CONFIRMATION = "PENDING_CONFIRMATION"
    CONFIRMED = "CONFIRMED"
    PREPARING = "PREPARING"
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    IN_TRANSIT = "IN_TRANSIT"
    DELIVERED = "DELIVERED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"
    DISPUTED = "DISPUTED"


class LineStatus(StrEnum):
    PENDING = "PENDING"
    ALLOCATED = "ALLOCATED"
    BACKORDERED = "BACKORDERED"
    """Paid, and not all there yet."""
    CANCELLED = "CANCELLED"


class CancelReason(StrEnum):
    UNPAID = "unpaid"
    """Nobody paid in time, or the provider declined: a late success may still take the order on."""
    NOT_FULFILLABLE = "not_fulfillable"
    """It was paid, and can't be made good: the money goes back."""
    PART_PAID = "part_paid"
    """Some of its payments came, too late or too few: they go back, and so does what comes now."""
    GIVEN_UP = "given_up"
    """Staff gave it up, since nobody could say whether it was paid: what was, or will be, goes back."""
    REFUNDED = "refunded"
    """It was sold, and all of its goods were given back before they were shipped."""


PENDING_CHANGES: Final = ("confirm", "cancel")

SHIPPING: Final = "shipping"
"""The piece of a vendor order that is no line."""


@dataclass
class UnknownOrder(Refusal):
    code: ClassVar[str] = "unknown_order"
    order_id: str

    def detail(self) -> str:
        return f"There is no order {self.order_id!r}."


@dataclass
class IllegalOrderChange(Refusal):
    code: ClassVar[str] = "illegal_order_change"
    order_id: str
    status: OrderStatus
    change: str
    legal: tuple[str, ...]

    def detail(self) -> str:
        legal = ", ".join(self.legal) or "nothing"
        return f"Order {self.order_id} is {self.status}: it can't {self.change}, only {legal}."


@dataclass
class OrderPaid(Refusal):
    """The payment came before the cancellation: the order goes on."""

    code: ClassVar[str] = "order_paid"
    order_id: str

    def detail(self) -> str:
        return f"Order {self.order_id} is paid; it is not cancelled for want of payment."


@dataclass
class OrderNotPaid(Refusal):
    code: ClassVar[str] = "order_not_paid"
    order_id: str

    def detail(self) -> str:
        return f"Order {self.order_id} is not paid."


@dataclass(frozen=True)
class Tender:
    """A part of the price, and what pays it: the customer's wallet, or a payment at a provider."""

    kind: str
    amount: Money
    provider: str | None = None
    payment_id: str | None = None
    refunded: int = 0
    """Minor units that were given back of it, or are on their way."""
    draw: Draw | None = None
    """What the wallet pays it with."""

    @property
    def left(self) -> int:
        """Minor units that can still be given back."""
        return self.amount.amount - self.refunded


@dataclass(frozen=True)
class Taxed:
    """Minor units of the order's currency: what something is worth, and the tax on it."""

    net: int = 0
    tax: int = 0

    @property
    def total(self) -> int:
        return self.net + self.tax

    def __add__(self, other: Taxed) -> Taxed:
        return Taxed(self.net + other.net, self.tax + other.tax)

    def __sub__(self, other: Taxed) -> Taxed:
        return Taxed(self.net - other.net, self.tax - other.tax)


@dataclass(frozen=True)
class Refunded:
    """What was given back of one piece of a vendor order: money, and the units that it was given back for."""

    money: Taxed = Taxed()
    quantity: int = 0
    restocked: int = 0
    """How many of the line's units are, or are about to be, for sale again: they are not the buyer's any more."""


class Funding(StrEnum):
    """Who earns less by a discount."""

    VENDOR = "vendor"
    TENANT = "tenant"


@dataclass(frozen=True)
class Discount:
    """What a promotion took off a line, of the price as it was shown. Frozen at sale."""

    code: str
    amount: Money
    funded_by: Funding


@dataclass(frozen=True)
class Use:
    """That an order used a promotion. `claimed` is its part of a limited number of uses."""

    code: str
    title: str
    claimed: tuple[Part, ...] = ()
    customer: str | None = None
    """Whose use it is, where each customer has so many: a digest."""
    customer_max: int | None = None

    @property
    def id(self) -> str:
        """Beside the ids of lines, where claims are named by what they are for."""
        return f"promotion:{self.code}"


@dataclass(frozen=True)
class Delivery:
    """Where goods go that go to a vessel. `vessel_imo` is the ship's number, whatever she is called."""

    port: str
    vessel_imo: str
    vessel_name: str
    requested_date: date | None = None


def is_imo_number(text: str) -> bool:
    """Seven digits, of which the last is that of the sum of the others, times 7 to 2. Source: IMO A.1117(30)."""
    if len(text) != 7 or not (text.isascii() and text.isdigit()):
        return False
    return sum(int(digit) * weight for digit, weight in zip(text, range(7, 1, -1), strict=False)) % 10 == int(text[6])


@dataclass(frozen=True)
class LineItem:
    """Goods of one SKU; or of none (""), where a quote named them in words.

    `net + tax = total`, for the whole quantity; `price` is for one, as it was shown.

    `gross` is the price of all before `discounts`; what is left of it is `net`, or `total` where prices include tax.
    """

    id: str
    sku: str
    title: str
    quantity: int
    price: Money
    net: Money
    tax: Money
    tax_class: str
    status: LineStatus = LineStatus.PENDING
    stock: tuple[Part, ...] = ()
    quantity_fulfilled: int = 0
    quantity_accepted: int = 0
    discounts: tuple[Discount, ...] = ()
    impa_code: str | None = None

    def with_stock(self, stock: tuple[Part, ...]) -> LineItem:
        """The line of a paid order with the units that are its own, or that it waits for."""
        waits = any(part.location == BACKORDER for part in stock)
        return replace(self, stock=stock, status=LineStatus.BACKORDERED if waits else LineStatus.ALLOCATED)

    @property
    def gross(self) -> Money:
        return self.price * self.quantity

    @property
    def discount(self) -> Money:
        return total((discount.amount for discount in self.discounts), self.price.currency)

    @property
    def total(self) -> Money:
        return self.net + self.tax


@dataclass(frozen=True)
class Backorder:
    """That a line of a confirmed order waits for units; or, if it is over, that it did."""

    tenant: str
    sku: str
    confirmed_at: Instant
    order_id: str
    line_id: str
    is_over: bool = False
    version: int = 0


@dataclass(frozen=True)
class VendorOrder:
    """One vendor's share of an order, with its lines. Commission is frozen at sale."""

    tenant: str
    order_id: str
    id: str
    number: str
    vendor_id: str
    lines: tuple[LineItem, ...]
    shipping: Money
    shipping_tax: Money
    commission_bps: int
    commission: Money
    commission_tax: Money
    created_at: Instant
    said: VendorOrderStatus = VendorOrderStatus.PENDING_CONFIRMATION
    """What the vendor last said; `status` is what follows from it and the lines."""
    confirmed_at: Instant | None = None
    estimated_ready_date: str | None = None
    subsidy: Money | None = None
    """What the tenant adds to the goods' net price, for discounts that it funds. Commission is on it too."""
    earned: dict[str, Taxed] = field(default_factory=dict)
    """What is earned, since its goods were accepted: by piece, which is a line's id or SHIPPING."""
    refunded: dict[str, Refunded] = field(default_factory=dict)
    """What was given back, by piece. A piece of which nothing was is not there."""
    version: int = 0

    @property
    def status(self) -> VendorOrderStatus:
        return vendor_order_status(self.said, [line.status for line in self.lines])

    @property
    def total(self) -> Money:
        goods = total((line.total for line in self.lines), self.shipping.currency)
        return goods + self.shipping + self.shipping_tax

    @property
    def pieces(self) -> dict[str, Taxed]:
        """What it is made of: the lines, by id, and the shipping."""
        lines = {line.id: Taxed(line.net.amount, line.tax.amount) for line in self.lines}
        return {**lines, SHIPPING: Taxed(self.shipping.amount, self.shipping_tax.amount)}

    def given_back(self, piece: str) -> Refunded:
        return self.refunded.get(piece, Refunded())

    def left(self, piece: str) -> Taxed:
        """What can still be given back of a piece."""
        return self.pieces[piece] - self.given_back(piece).money

    def with_lines(self, status: LineStatus) -> VendorOrder:
        return replace(self, lines=tuple(replace(line, status=status) for line in self.lines))


@dataclass(frozen=True)
class Order:
    """The root: whose it is, what it comes to, how it is paid. Its version guards the whole tree."""

    tenant: str
    id: str
    number: str
    customer_id: str | None
    party_id: str | None
    placed_by: str
    currency: str
    total: Money
    tax: Money
    shipping: Money
    tenders: tuple[Tender, ...]
    status: OrderStatus
    created_at: Instant
    expires_at: Instant
    payment_status: str = "pending"
    payment_method: str | None = None
    payment_reference: str | None = None
    cancel_reason: CancelReason | None = None
    cancelled_at: Instant | None = None
    confirmed_at: Instant | None = None
    guest: str | None = None
    """Who bought without signing in: the keyed digest of an email address."""
    rfq_id: str | None = None
    buyer_org_id: str | None = None
    delivery: Delivery | None = None
    uses: tuple[Use, ...] = ()
    """The promotions that took something off it."""
    version: int = 0

    @property
    def draws(self) -> list[Draw]:
        """What its customer's wallet pays, by tender."""
        return [tender.draw for tender in self.tenders if tender.draw is not None]

    @property
    def drawn(self) -> Money:
        """What its customer's wallet pays of it."""
        return total((draw.amount for draw in self.draws), self.currency)

    @property
    def payment_ids(self) -> list[str]:
        return [tender.payment_id for tender in self.tenders if tender.payment_id]

    def may_go_on(self, at: Instant) -> bool:
        """True while a success takes it on: it waits for payment, or was given up as unpaid less than 24 h ago."""
        if self.status is OrderStatus.PENDING_PAYMENT:
            return True
        gave_up = self.status is OrderStatus.CANCELLED and self.cancel_reason is CancelReason.UNPAID
        return gave_up and self.cancelled_at is not None and at < self.cancelled_at + LATE_PAYMENT


@dataclass(frozen=True)
class OrderTree:
    """An order with all that is below it: one partition, one read."""

    order: Order
    vendor_orders: tuple[VendorOrder, ...]
    payments: tuple[Payment, ...] = ()

    @property
    def lines(self) -> list[LineItem]:
        return [line for vendor_order in self.vendor_orders for line in vendor_order.lines]

    @property
    def claims(self) -> dict[str, tuple[Part, ...]]:
        """The stock of its lines, and the uses of promotions, that it has claimed or been allocated: by what for."""
        return {line.id: line.stock for line in self.lines} | {use.id: use.claimed for use in self.order.uses}

    @property
    def parts(self) -> list[Part]:
        """All that it has claimed or been allocated."""
        return [part for parts in self.claims.values() for part in parts]

    def confirm(self, stock: Mapping[str, Sequence[Part]], at: Instant) -> OrderTree:
        """The tree once it is paid; `stock` is what was claimed anew, by what for. Raises IllegalOrderChange."""
        if not self.order.may_go_on(at):
            raise self._illegal("confirm")
        secured = tuple(
            replace(
                vendor_order,
                lines=tuple(line.with_stock(tuple(stock.get(line.id, line.stock))) for line in vendor_order.lines),
            )
            for vendor_order in self.vendor_orders
        )
        own = set(self.parts)
        is_back = self.order.status is OrderStatus.CANCELLED
        if is_back and any(own.intersection(line.stock) for share in secured for line in share.lines):
            raise self._illegal("confirm")  # its own claims were given back, or are about to be
        uses = tuple(replace(use, claimed=tuple(stock.get(use.id, use.claimed))) for use in self.order.uses)
        if is_back and any(own.intersection(use.claimed) for use in uses):
            raise self._illegal("confirm")
        paid = replace(self.order, payment_status="succeeded", confirmed_at=at, cancel_reason=None, cancelled_at=None)
        return self._rolled_up(replace(paid, uses=uses), secured)

    def cancel(self, reason: CancelReason, at: Instant) -> OrderTree:
        """The tree with every line given up. Raises IllegalOrderChange.

        One that was given up as unpaid is given up for good when its late money can't be used.
        """
        if self.order.cancel_reason is CancelReason.UNPAID and reason is CancelReason.NOT_FULFILLABLE:
            return replace(self, order=replace(self.order, cancel_reason=reason))
        if self.order.status is not OrderStatus.PENDING_PAYMENT:
            raise self._illegal("cancel")
        given_up = tuple(vendor_order.with_lines(LineStatus.CANCELLED) for vendor_order in self.vendor_orders)
        order = replace(self.order, payment_status="failed", cancel_reason=reason, cancelled_at=at)
        return self._rolled_up(order, given_up)

    def restock(self, line_id: str, stock: Sequence[Part], at: Instant) -> OrderTree:
        """The tree when a line has only `stock` left; a line of which nothing is left to ship is cancelled."""
        shares = tuple(
            replace(
                share, lines=tuple(_with_stock(line, stock) if line.id == line_id else line for line in share.lines)
            )
            for share in self.vendor_orders
        )
        after = self._rolled_up(self.order, shares)
        if after.order.status is not OrderStatus.CANCELLED:
            return after
        return replace(after, order=replace(after.order, cancel_reason=CancelReason.REFUNDED, cancelled_at=at))

    def _rolled_up(self, order: Order, vendor_orders: tuple[VendorOrder, ...]) -> OrderTree:
        waits = order.payment_status == "pending"
        status = order_status([vendor_order.status for vendor_order in vendor_orders], waits_for_payment=waits)
        return replace(self, order=replace(order, status=status), vendor_orders=vendor_orders)

    def _illegal(self, change: str) -> IllegalOrderChange:
        pending = self.order.status is OrderStatus.PENDING_PAYMENT
        return IllegalOrderChange(self.order.id, self.order.status, change, PENDING_CHANGES if pending else ())


def _with_stock(line: LineItem, stock: Sequence[Part]) -> LineItem:
    if not stock and not line.quantity_fulfilled:
        return replace(line, stock=(), status=LineStatus.CANCELLED)
    return line.with_stock(tuple(stock))


def vendor_order_status(said: VendorOrderStatus, lines: Sequence[LineStatus]) -> VendorOrderStatus:
    """What a vendor order's lines make of it; else what the vendor last said. First match wins. Source: SPEC 5."""
    if all(line is LineStatus.CANCELLED for line in lines):
        return VendorOrderStatus.CANCELLED
    return said


def order_status(
    vendor_orders: Sequence[VendorOrderStatus], *, waits_for_payment: bool, window_closed: bool = False
) -> OrderStatus:
    """What an order's vendor orders make of it. Total, and the first match wins. Source: SPEC 5."""
    v = VendorOrderStatus
    if waits_for_payment:
        return OrderStatus.PENDING_PAYMENT
    left = [status for status in vendor_orders if status is not v.CANCELLED]
    if not left:
        return OrderStatus.CANCELLED
    if v.DISPUTED in left:
        return OrderStatus.DISPUTED
    if all(status is v.FULFILLED for status in left):
        return OrderStatus.COMPLETED if window_closed else OrderStatus.FULFILLED
    there = [status in (v.DELIVERED, v.FULFILLED) for status in left]
    if any(there) and not all(there):
        return OrderStatus.PARTIALLY_FULFILLED
    if any(status not in (v.PENDING_CONFIRMATION, v.CONFIRMED) for status in left):
        return OrderStatus.PROCESSING
    return OrderStatus.CONFIRMED
