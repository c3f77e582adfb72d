"""Carts, and what a checkout is refused for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.inventory.model import Part
from cauri.money import Money
from cauri.values import dataclass, replace

LINES_MAX: Final = 100
VENDORS_MAX: Final = 50
"""In one order, whose tree is written in one transaction of at most 100 items."""
QUANTITY_MAX: Final = 100_000
ORDER_PARTS_MAX: Final = 500
"""Over all lines of an order. Each is some 250 bytes of a vendor order, which is one item of at most 400 KB."""
RESERVED_PARTS_MAX: Final = 25
"""Of one cart: as many as a checkout takes over in its transaction, beside an order of the most vendors."""


@dataclass
class UnknownCart(Refusal):
    code: ClassVar[str] = "unknown_cart"
    cart_id: str

    def detail(self) -> str:
        return f"There is no cart {self.cart_id!r}."


@dataclass
class CartCompleted(Refusal):
    """The cart became an order."""

    code: ClassVar[str] = "cart_completed"
    cart_id: str
    order_id: str

    def detail(self) -> str:
        return f"Cart {self.cart_id} is completed: it became order {self.order_id}."

    def facts(self) -> dict[str, object]:
        return {"order_id": self.order_id}


@dataclass
class CartEmpty(Refusal):
    code: ClassVar[str] = "cart_empty"

    def detail(self) -> str:
        return "There is nothing to buy."


@dataclass
class TooManyLines(Refusal):
    code: ClassVar[str] = "too_many_lines"

    def detail(self) -> str:
        return f"A cart holds at most {LINES_MAX} lines."


@dataclass
class TooManyReserved(Refusal):
    """The checkout takes all reservations over in one transaction, which has its limits."""

    code: ClassVar[str] = "too_many_reserved"

    def detail(self) -> str:
        return f"A cart reserves stock in at most {RESERVED_PARTS_MAX} places."

    def suggestion(self) -> str:
        return "Put the line without reserving it, or check out first."


@dataclass
class TooManyVendors(Refusal):
    code: ClassVar[str] = "too_many_vendors"

    def detail(self) -> str:
        return f"An order has at most {VENDORS_MAX} vendors."

    def suggestion(self) -> str:
        return "Order in parts."


@dataclass
class OrderTooLarge(Refusal):
    """The order would not fit the items that keep it, or the one transaction that writes them."""

    code: ClassVar[str] = "order_too_large"

    def detail(self) -> str:
        return "The order has more to write than one commit can hold."

    def suggestion(self) -> str:
        return "Order in parts."


@dataclass
class QuantityTooLarge(Refusal):
    code: ClassVar[str] = "quantity_too_large"
    sku: str

    def detail(self) -> str:
        return f"At most {QUANTITY_MAX:,} of {self.sku} can be bought at once."


@dataclass
class NamedTwice(Refusal):
    """A quote has one selection per vendor, and one line per SKU."""

    code: ClassVar[str] = "named_twice"
    name: str

    def detail(self) -> str:
        return f"{self.name} is named twice: a quote has one selection per vendor, and one line per SKU."


@dataclass
class AmountTooLarge(Refusal):
    """The order comes to more than one command may carry."""

    code: ClassVar[str] = "amount_too_large"

    def detail(self) -> str:
        return "The order comes to more than can be sold at once."


@dataclass
class TendersDoNotMatch(Refusal):
    """The tenders do not sum to the total exactly."""

    code: ClassVar[str] = "tenders_do_not_match"
    total: Money
    tendered: Money

    def detail(self) -> str:
        return f"The tenders come to {self.tendered}, and the order to {self.total}."

    def facts(self) -> dict[str, object]:
        return {"total": self.total, "tendered": self.tendered}


@dataclass
class OrderCurrencyMismatch(Refusal):
    code: ClassVar[str] = "currency_mismatch"
    currency: str

    def detail(self) -> str:
        return f"The order is in {self.currency}, and amounts are never converted."


@dataclass
class WalletNeedsCustomer(Refusal):
    """A guest has no wallet."""

    code: ClassVar[str] = "wallet_needs_customer"

    def detail(self) -> str:
        return "Only a customer who is signed in can pay from a wallet."


@dataclass
class EmailRequired(Refusal):
    code: ClassVar[str] = "email_required"

    def detail(self) -> str:
        return "A guest gives an email address, so that the order can be found again."


@dataclass(frozen=True)
class PriceChange:
    """What one of a SKU cost when the shopper last saw its price, and what it costs now."""

    sku: str
    old_price: Money
    new_price: Money


@dataclass
class PriceChanged(Refusal):
    """What the shopper saw is not what it costs any more: nobody is charged what nobody was shown."""

    code: ClassVar[str] = "price_changed"
    changes: Sequence[PriceChange]

    def detail(self) -> str:
        told = (f"{each.sku} was {each.old_price}, and is {each.new_price}" for each in self.changes[:3])
        more = f", and {len(self.changes) - 3} more" if len(self.changes) > 3 else ""
        return f"Prices have changed: {'; '.join(told)}{more}."

    def suggestion(self) -> str:
        return "Show the new prices, and send them as accepted_prices (or as each line's expected_price)."

    def facts(self) -> dict[str, object]:
        return {"lines": list(self.changes)}


class CartStatus(StrEnum):
    OPEN = "open"
    COMPLETED = "completed"


@dataclass(frozen=True)
class CartLine:
    """What somebody wants. `vendor_id` and `cells` are remembered so that a checkout need not look them up first.

    `price` is for one, in minor units of the cart's currency, as the shopper last saw it.
    """

    sku: str
    quantity: int
    vendor_id: str
    cells: dict[str, int]
    """The product's, by location."""
    price: int
    reserved: tuple[Part, ...] = ()
    """The units that wait for this cart, all of the quantity; none, if nobody asked for that."""
    reserved_until: Instant | None = None

    def has_reserved(self, now: Instant) -> bool:
        """True while its units surely are there: nobody but the cart's own commands takes them before that time."""
        return self.reserved_until is not None and now < self.reserved_until


@dataclass(frozen=True)
class Cart:
    tenant: str
    id: str
    owner: str
    """The caller who made it: a cart is nobody else's."""
    currency: str
    lines: tuple[CartLine, ...]
    created_at: Instant
    status: CartStatus = CartStatus.OPEN
    order_id: str | None = None
    version: int = 0

    def require_open(self) -> None:
        if self.status is CartStatus.COMPLETED:
            raise CartCompleted(self.id, self.order_id or "")

    def put(self, line: CartLine) -> Cart:
        """The cart with so many of the SKU, instead of how many there were. Raises TooManyLines, CartCompleted."""
        self.require_open()
        others = {known.sku: known for known in self.lines}
        lines = tuple({**others, line.sku: line}.values())
        if len(lines) > LINES_MAX:
            raise TooManyLines
        if line.reserved and sum(len(each.reserved) for each in lines) > RESERVED_PARTS_MAX:
            raise TooManyReserved
        return replace(self, lines=lines)

    def line(self, sku: str) -> CartLine | None:
        return next((line for line in self.lines if line.sku == sku), None)

    def remove(self, sku: str) -> Cart:
        """The cart without the SKU. Removing what is not there changes nothing."""
        self.require_open()
        return replace(self, lines=tuple(line for line in self.lines if line.sku != sku))

    def complete(self, order_id: str) -> Cart:
        self.require_open()
        return replace(self, status=CartStatus.COMPLETED, order_id=order_id)
