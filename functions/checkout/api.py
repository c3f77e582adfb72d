"""Carts, and the checkout that makes an order of one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.checkout.carts import OpenCart, PutCartLine, RemoveCartLine
from cauri.checkout.commands import Checkout, InlineLine
from cauri.checkout.from_quote import OrderFromQuote, QuotedLine, Selection
from cauri.checkout.model import (
    LINES_MAX,
    VENDORS_MAX,
    AmountTooLarge,
    CartCompleted,
    CartEmpty,
    EmailRequired,
    NamedTwice,
    OrderCurrencyMismatch,
    OrderTooLarge,
    PriceChanged,
    QuantityTooLarge,
    TendersDoNotMatch,
    TooManyLines,
    TooManyReserved,
    TooManyVendors,
    UnknownCart,
    WalletNeedsCustomer,
)
from cauri.checkout.opening import Contact
from cauri.checkout.promotions import (
    CODES_MAX,
    PromotionBelowMinimum,
    PromotionExpired,
    PromotionNotApplicable,
    PromotionNotInCurrency,
    PromotionNotStarted,
    PromotionUsedUp,
    UnknownPromotion,
)
from cauri.checkout.queries import cart_for
from cauri.checkout.tenders import TenderAsked
from cauri.checkout.views import CartView, CheckoutView
from cauri.edge import wiring
from cauri.edge.fields import (
    ID_PATTERN,
    AddressRequest,
    CurrencyCode,
    Day,
    Email,
    Id,
    Line,
    MinorUnits,
    Phone,
    PositiveMoney,
    Shape,
    Title,
    WebUrl,
)
from cauri.edge.http import SHOPPERS, Api
from cauri.edge.kinds import Kinds
from cauri.inventory.model import NoPriceInCurrency, OutOfStock, UnknownSku
from cauri.money import Money
from cauri.orders.model import Delivery, is_imo_number
from cauri.orders.uses import PromotionUsedByCustomer
from cauri.parties.limits import Tier
from cauri.parties.model import STANDARD, UnknownTaxClass, UnknownTenant, UnknownVendor, VendorDisabled
from cauri.payments.model import ProviderDeclined, ProviderNotEnabled, ProviderUnavailable
from cauri.wallet.depletion import BelowMinimum
from cauri.wallet.programme import NoProgramme
from cauri.wallet.proposing import InsufficientBalance
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

CartId = Annotated[str, Path(pattern=ID_PATTERN, examples=["crt_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
Sku = Annotated[str, Path(pattern=ID_PATTERN, examples=["coffee-1kg"])]
Quantity = Annotated[int, Field(ge=1, le=10**9, examples=[2])]
DemoOutcome = Annotated[str, Field(pattern=r"^[a-z_]{1,32}(-[0-9]{1,6}){0,2}$", examples=["succeed", "decline"])]

TENDERS_MAX: Final = 10
QUOTERS: Final = frozenset({"manager", "admin"})


def _is_imo(number: str) -> str:
    if not is_imo_number(number):
        raise PydanticCustomError("imo", "Input should be an IMO number, whose last digit checks the others")
    return number


VesselImo = Annotated[str, Field(pattern="^[0-9]{7}$", examples=["9074729"]), AfterValidator(_is_imo)]


def _none_of(*members: str) -> dict[str, Any]:
    return {member: {"type": "null"} for member in members}


# What the validators below hold to, for the description.
_ONE_OF_TWO: Final[dict[str, Any]] = {
    "oneOf": [
        {"required": ["cart_id"], "properties": {"cart_id": {"type": "string"}, **_none_of("lines", "currency")}},
        {
            "required": ["lines", "currency"],
            "properties": {
                **_none_of("cart_id"),
                "lines": {"type": "array"},
                "currency": {"type": "string"},
                "accepted_prices": {"maxProperties": 0},
            },
        },
    ],
    "examples": [
        {
            "lines": [{"sku": "coffee-1kg", "quantity": 2}],
            "currency": "KES",
            "tenders": [{"type": "provider", "provider": "demo"}],
            "contact": {"email": "amina@example.com"},
            "return_url": "https://shop.example/thank-you",
        }
    ],
}
_BY_TYPE: Final[dict[str, Any]] = {
    "oneOf": [
        {
            "required": ["provider"],
            "properties": {"type": {"const": "provider"}, "provider": {"type": "string"}, **_none_of("kinds")},
        },
        {"properties": {"type": {"const": "wallet"}, **_none_of("provider")}},
    ]
}

_A_QUOTE: Final[dict[str, Any]] = {
    "rfq_id": "rfq-2026-17",
    "buyer_org_id": "org-meridian",
    "currency": "KES",
    "selections": [
        {
            "vendor_id": "ven_kazi",
            "lines": [
                {
                    "name": "Mooring rope, 8 strand, 64 mm",
                    "impa_code": "211263",
                    "quantity": 2,
                    "price": {"amount": 4_500_000, "currency": "KES"},
                }
            ],
            "lead_time_days": 5,
        }
    ],
    "tenders": [{"type": "provider", "provider": "demo"}],
    "delivery": {"delivery_port": "KEMBA", "vessel_imo": "9074729", "vessel_name": "MV Amina"},
    "return_url": "https://desk.example/orders",
}

api = Api("Checkout")


class CartRequest(Shape):
    currency: CurrencyCode


class CartLineRequest(Shape):
    quantity: Quantity
    reserve: Annotated[bool, Field(description="No one else can buy the units for as long as the tenant allows")] = (
        False
    )


class Price(Shape):
    """Minor units of a currency, for one."""

    amount: MinorUnits
    currency: CurrencyCode

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class LineRequest(Shape):
    """So many of a product; with an expected price, at that price and at no other."""

    sku: Id
    quantity: Quantity
    expected_price: Price | None = None

    def line(self) -> InlineLine:
        return InlineLine(self.sku, self.quantity, self.expected_price.money() if self.expected_price else None)


class TenderRequest(Shape):
    """A way to pay a part of the price. One tender may leave its amount open: it pays the rest.

    The wallet pays with the `kinds` you name, in their order, or as the tenant has it.
    """

    model_config = ConfigDict(json_schema_extra=_BY_TYPE)

    type: Literal["wallet", "provider"]
    amount: PositiveMoney | None = None
    provider: Annotated[Id, Field(examples=["demo"])] | None = None
    kinds: Kinds | None = None

    @model_validator(mode="after")
    def _names_its_provider(self) -> TenderRequest:
        if (self.provider is None) == (self.type == "provider"):
            raise PydanticCustomError("provider", "A provider tender, and no other, names its provider")
        if self.kinds is not None and self.type != "wallet":
            raise PydanticCustomError("kinds", "A wallet tender, and no other, names kinds")
        return self

    def asked(self) -> TenderAsked:
        amount = self.amount.money() if self.amount else None
        return TenderAsked(self.type, amount, self.provider, tuple(self.kinds) if self.kinds else None)


class ContactRequest(Shape):
    """Who buys, as far as the token does not say."""

    email: Email
    name: Line = ""
    phone: Phone = ""
    address: AddressRequest | None = None

    def contact(self) -> Contact:
        return Contact(self.email, self.name, self.phone, self.address.model_dump() if self.address else {})


class CheckoutRequest(Shape):
    """What is bought, a cart or else lines in a currency; and how it is paid."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF_TWO)

    cart_id: Id | None = None
    lines: Annotated[list[LineRequest], Field(min_length=1, max_length=LINES_MAX)] | None = None
    currency: CurrencyCode | None = None
    tenders: Annotated[list[TenderRequest], Field(max_length=TENDERS_MAX)]
    contact: ContactRequest | None = None
    accepted_prices: Annotated[
        dict[Id, Price],
        Field(
            max_length=LINES_MAX,
            description="By SKU: prices that changed since the cart was filled, and that the shopper was shown",
            examples=[{"coffee-1kg": {"amount": 215_000, "currency": "KES"}}],
        ),
    ] = Field(default_factory=dict)
    promotion_codes: Annotated[
        list[Id], Field(max_length=CODES_MAX, examples=[["WELCOME10"]], description="In either case")
    ] = Field(default_factory=list)
    return_url: WebUrl
    demo_outcome: DemoOutcome | None = None

    @model_validator(mode="after")
    def _says_what_once(self) -> CheckoutRequest:
        inline = (self.lines is not None, self.currency is not None)
        if inline != ((False, False) if self.cart_id else (True, True)):
            raise PydanticCustomError("what", "A checkout has a cart_id, or else lines and a currency")
        if self.lines is not None and self.accepted_prices:
            raise PydanticCustomError("prices", "Lines say their own expected_price; accepted_prices are of a cart")
        return self

    def command(self) -> Checkout:
        return Checkout(
            tenders=tuple(tender.asked() for tender in self.tenders),
            return_url=self.return_url,
            cart_id=self.cart_id,
            lines=tuple(line.line() for line in self.lines or ()),
            currency=self.currency or "",
            contact=self.contact.contact() if self.contact else None,
            accepted_prices={sku: price.money() for sku, price in self.accepted_prices.items()},
            promotion_codes=tuple(dict.fromkeys(code.upper() for code in self.promotion_codes)),
            demo_outcome=self.demo_outcome or "",
        )


@api.command(
    "POST",
    "/v1/carts",
    roles=SHOPPERS,
    tier=Tier.WRITES,
    answer=CartView,
    status=HTTPStatus.CREATED,
    refusals=[UnknownTenant],
    location=lambda cart: f"/v1/carts/{cart['id']}",
)
def open_cart(body: CartRequest) -> OpenCart:
    """Open a cart, in one currency"""
    return OpenCart(body.currency)


@api.read("/v1/carts/<cart_id>", roles=SHOPPERS, answer=CartView, refusals=[UnknownCart])
def get_cart(cart_id: CartId, caller: Caller) -> CartView:
    """Get a cart

    A cart is nobody's but the caller's who opened it.
    """
    return cart_for(wiring.database(), caller, cart_id)


@api.command(
    "PUT",
    "/v1/carts/<cart_id>/lines/<sku>",
    roles=SHOPPERS,
    tier=Tier.WRITES,
    answer=CartView,
    refusals=[
        UnknownCart,
        UnknownSku,
        NoPriceInCurrency,
        CartCompleted,
        TooManyLines,
        TooManyReserved,
        QuantityTooLarge,
        OutOfStock,
    ],
)
def put_cart_line(cart_id: CartId, sku: Sku, body: CartLineRequest) -> PutCartLine:
    """Put so many of a product into a cart

    Instead of however many there were. With `reserve` they are claimed for this cart, until `reserved_until`; putting
    the line again begins that time anew, and putting it without, or taking it out, gives them back. The checkout takes
    them over.
    """
    return PutCartLine(cart_id, sku, body.quantity, body.reserve)


@api.command(
    "DELETE",
    "/v1/carts/<cart_id>/lines/<sku>",
    roles=SHOPPERS,
    tier=Tier.WRITES,
    answer=CartView,
    refusals=[UnknownCart, CartCompleted],
)
def remove_cart_line(cart_id: CartId, sku: Sku) -> RemoveCartLine:
    """Take a product out of a cart

    Taking out what is not in it changes nothing.
    """
    return RemoveCartLine(cart_id, sku)


class QuotedLineRequest(Shape):
    """So many of something at the price agreed for one: a product by its SKU, or anything by its name."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["sku"], "properties": {"sku": {"type": "string"}}},
                {"required": ["name"], "properties": {"name": {"pattern": r"\S"}}},
            ]
        }
    )

    quantity: Quantity
    price: Price
    sku: Id | None = None
    name: Annotated[Line, Field(description="Instead of the product's own, where there is a SKU")] = ""
    impa_code: Annotated[str, Field(pattern="^[0-9]{6}$", examples=["450101"])] | None = None
    tax_class: Annotated[Id, Field(description="Of what has no SKU; a product has its own")] = STANDARD

    @model_validator(mode="after")
    def _says_what(self) -> QuotedLineRequest:
        if self.sku is None and not self.name.strip():
            raise PydanticCustomError("what", "A line has a sku, or else a name")
        return self

    def line(self) -> QuotedLine:
        return QuotedLine(self.quantity, self.price.money(), self.sku, self.name, self.impa_code, self.tax_class)


class SelectionRequest(Shape):
    """What is taken of one supplier's quote. It is ready on a date, or so many days after the order."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["estimated_ready_date", "lead_time_days"],
                "properties": {"estimated_ready_date": {"type": "string"}, "lead_time_days": {"type": "integer"}},
            }
        }
    )

    vendor_id: Id
    lines: Annotated[list[QuotedLineRequest], Field(min_length=1, max_length=LINES_MAX)]
    estimated_ready_date: Day | None = None
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None

    @model_validator(mode="after")
    def _is_ready_once(self) -> SelectionRequest:
        if self.estimated_ready_date is not None and self.lead_time_days is not None:
            raise PydanticCustomError("ready", "A selection has an estimated_ready_date, or else lead_time_days")
        return self

    def selection(self) -> Selection:
        lines = tuple(line.line() for line in self.lines)
        return Selection(self.vendor_id, lines, self.estimated_ready_date, self.lead_time_days)


class DeliveryRequest(Shape):
    """To a vessel in a port. The last digit of an IMO number checks the others."""

    delivery_port: Annotated[Title, Field(examples=["KEMBA"])]
    vessel_imo: VesselImo
    vessel_name: Annotated[Title, Field(examples=["MV Amina"])]
    requested_delivery_date: Day | None = None

    def delivery(self) -> Delivery:
        return Delivery(self.delivery_port, self.vessel_imo, self.vessel_name, self.requested_delivery_date)


class QuoteRequest(Shape):
    """A quote that was accepted: what is taken of which supplier, at which prices; and how it is paid."""

    model_config = ConfigDict(json_schema_extra={"examples": [_A_QUOTE]})

    rfq_id: Id
    buyer_org_id: Id | None = None
    customer_id: Annotated[Id | None, Field(description="Whose order it is; the wallet is theirs")] = None
    currency: CurrencyCode
    selections: Annotated[list[SelectionRequest], Field(min_length=1, max_length=VENDORS_MAX)]
    tenders: Annotated[list[TenderRequest], Field(max_length=TENDERS_MAX)]
    contact: ContactRequest | None = None
    delivery: DeliveryRequest | None = None
    return_url: WebUrl
    demo_outcome: DemoOutcome | None = None

    def command(self) -> OrderFromQuote:
        return OrderFromQuote(
            rfq_id=self.rfq_id,
            currency=self.currency,
            selections=tuple(selection.selection() for selection in self.selections),
            tenders=tuple(tender.asked() for tender in self.tenders),
            return_url=self.return_url,
            customer_id=self.customer_id,
            buyer_org_id=self.buyer_org_id,
            contact=self.contact.contact() if self.contact else None,
            delivery=self.delivery.delivery() if self.delivery else None,
            demo_outcome=self.demo_outcome or "",
        )


REFUSALS: Final[list[Any]] = [
    UnknownTenant,
    UnknownCart,
    UnknownSku,
    UnknownVendor,
    VendorDisabled,
    CartCompleted,
    CartEmpty,
    TooManyVendors,
    QuantityTooLarge,
    OrderTooLarge,
    AmountTooLarge,
    NoPriceInCurrency,
    UnknownTaxClass,
    EmailRequired,
    PriceChanged,
    UnknownPromotion,
    PromotionNotStarted,
    PromotionExpired,
    PromotionNotApplicable,
    PromotionNotInCurrency,
    PromotionBelowMinimum,
    PromotionUsedUp,
    PromotionUsedByCustomer,
    OrderCurrencyMismatch,
    WalletNeedsCustomer,
    TendersDoNotMatch,
    NoProgramme,
    BelowMinimum,
    InsufficientBalance,
    ProviderNotEnabled,
    OutOfStock,
]


FROM_QUOTE_REFUSALS: Final[list[Any]] = [
    TooManyLines,
    NamedTwice,
    UnknownTenant,
    UnknownVendor,
    VendorDisabled,
    UnknownSku,
    QuantityTooLarge,
    OrderTooLarge,
    AmountTooLarge,
    UnknownTaxClass,
    OrderCurrencyMismatch,
    WalletNeedsCustomer,
    TendersDoNotMatch,
    NoProgramme,
    BelowMinimum,
    InsufficientBalance,
    ProviderNotEnabled,
    ProviderDeclined,
    ProviderUnavailable,
    OutOfStock,
]


@api.command(
    "POST",
    "/v1/checkouts",
    roles=SHOPPERS,
    tier=Tier.MONEY_WRITES,
    answer=CheckoutView,
    status=HTTPStatus.CREATED,
    refusals=REFUSALS,
    location=lambda checkout: f"/v1/orders/{checkout['order']['id']}",
)
def checkout(body: CheckoutRequest) -> Checkout:
    """Check out: make an order of a cart, or of lines

    Prices are ours. Stock is reserved, what the wallet pays is held, and the answer says where to pay the rest: at its
    `authorization_url`, unless that is null. With several provider tenders (a deposit and the rest) `to_pay` has a
    place for each: the order is confirmed when all are paid. One that is not paid whole in time is cancelled, and what
    was paid of it goes back.
    """
    return body.command()


@api.command(
    "POST",
    "/v1/orders/from-quote",
    roles=QUOTERS,
    answer=CheckoutView,
    status=HTTPStatus.CREATED,
    tier=Tier.MONEY_WRITES,
    refusals=FROM_QUOTE_REFUSALS,
    location=lambda checkout: f"/v1/orders/{checkout['order']['id']}",
)
def order_from_quote(body: QuoteRequest) -> OrderFromQuote:
    """Make an order of a quote that was accepted

    The same hierarchy as a checkout's, at the prices that the suppliers agreed to. Staff send it, or the system in
    which the buyer accepted: whoever does says what everything costs. Lines without a SKU have no stock to reserve.
    """
    return body.command()


handler = api.handler
