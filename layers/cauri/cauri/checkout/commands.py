"""Checkout: a cart, or inline lines, becomes one order. Source: SPEC 3."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import cauri.orders.store  # noqa: F401 - knows how the tree is written
from cauri.books.plan import Plan
from cauri.books.shelf import Found, Key
from cauri.books.work import AlreadyDone, Command, Work, decides
from cauri.checkout.carts import own
from cauri.checkout.model import (
    QUANTITY_MAX,
    VENDORS_MAX,
    Cart,
    CartEmpty,
    CartLine,
    EmailRequired,
    OrderCurrencyMismatch,
    PriceChange,
    PriceChanged,
    QuantityTooLarge,
    TooManyVendors,
)
from cauri.checkout.opening import Contact, Payer, known_contact, opened, order_number
from cauri.checkout.placing import Placing, place
from cauri.checkout.pricing import Item, Quote, quote
from cauri.checkout.promotions import Offer, PromotionNotApplicable, UnknownPromotion, usable
from cauri.checkout.reservation import CLAIM_GRACE, Reserved, reservations, taken_over
from cauri.checkout.store import automatic_key, cart_key, promotion_key
from cauri.checkout.tenders import TenderAsked, asks_wallet, tenders
from cauri.checkout.uses import Uses
from cauri.clock import Instant
from cauri.ids import digest
from cauri.inventory.model import OutOfStock, Product, UnknownSku
from cauri.inventory.store import product_key
from cauri.money import Money
from cauri.orders.drawing import drawn
from cauri.orders.model import OrderTree, Use
from cauri.orders.uses import counted
from cauri.parties.emails import email_digest
from cauri.parties.model import Tenant, UnknownTenant, UnknownVendor, Vendor, VendorDisabled
from cauri.parties.store import tenant_key, vendor_key
from cauri.providers.ports import PaymentProvider
from cauri.values import dataclass, field, replace
from cauri.wallet.changes import Desk, desk_keys, desk_of


@dataclass(frozen=True)
class InlineLine:
    """So many of a SKU; with `expected_price`, at that price for one and at no other."""

    sku: str
    quantity: int
    expected_price: Money | None = None


@dataclass(frozen=True)
class Checkout(Command):
    """Buy what is in the cart, or else `lines` in `currency`."""

    name: ClassVar = "checkout"
    tenders: tuple[TenderAsked, ...]
    return_url: str
    cart_id: str | None = None
    lines: tuple[InlineLine, ...] = ()
    currency: str = ""
    contact: Contact | None = None
    accepted_prices: dict[str, Money] = field(default_factory=dict)
    """What the shopper was shown since the cart was filled: for one, by SKU."""
    promotion_codes: tuple[str, ...] = ()
    demo_outcome: str = ""
    """What the demo provider shall play, where the tenant is in demo mode."""


@dataclass(frozen=True)
class _Start:
    """What the first round trip brought."""

    tenant: Tenant
    cart: Cart | None
    desk: Desk | None
    """Of the customer whose wallet pays."""
    lines: Sequence[CartLine]
    products: Mapping[str, Product]
    currency: str
    number: int
    expires_at: Instant
    uses: Uses


@dataclass(frozen=True)
class _Claimed:
    """What the second one brought, by SKU: products and stock; by code: uses of promotions; and who sells."""

    products: Mapping[str, Product]
    vendors: Mapping[str, Vendor]
    stock: Mapping[str, Reserved]
    uses: Mapping[str, Use]
    used: Sequence[Reserved]


@decides(Checkout)
def checkout(command: Checkout, work: Work) -> Plan:
    start = _load(command, work)
    claimed = _claim(start, work)
    _require_prices([(line.sku, line.price) for line in start.lines], claimed.products, start.currency)
    priced = _quote(start, claimed)
    uses = _applied(start, claimed, priced, work)
    asked = tenders(command.tenders, priced.total, is_customer=work.caller.customer_id is not None)
    paid_by = drawn(asked, priced.total - priced.tax, start.desk, work.at)
    guest = None if work.caller.customer_id else start.uses.customer
    has_contact = command.contact is not None
    placing = Placing(
        priced,
        paid_by,
        claimed.stock,
        start.number,
        has_contact,
        start.expires_at,
        uses,
        guest,
        work.caller.customer_id,
    )
    tree = place(placing, work)
    saves = _saves(command, tree, start, work)
    refusals = [parts for parts in claimed.stock.values() if isinstance(parts, OutOfStock)]
    if refusals:  # the last in the ladder: what is wrong with the request tells more
        raise refusals[0]
    payer = Payer(command.return_url, command.contact.email if command.contact else "", command.demo_outcome)
    return opened(tree, saves, payer, start.tenant, start.desk, work)


def _load(command: Checkout, work: Work) -> _Start:
    """Everything whose key follows from the request. Raises AlreadyDone, since a checkout acts before its commit."""
    reads: list[Any] = [
        functools.partial(work.fetch, *_keys(command, work)),
        functools.partial(order_number, work),
        *(functools.partial(provider.get_ready, work.tenant) for provider in _named(command, work)),
    ]
    found, number, *_ = work.database.together(*reads)
    if (done := found[work.record_key]) is not None:
        raise AlreadyDone(done)
    tenant = found[tenant_key(work.tenant)]
    if tenant is None:
        raise UnknownTenant
    customer_id = work.caller.customer_id
    if customer_id is None and command.contact is None:
        raise EmailRequired
    desk = desk_of(found, customer_id, work) if customer_id and asks_wallet(command.tenders) else None
    expires_at = work.at + tenant.reservation(work.books.settings.reservation)
    if command.cart_id is None:
        cart, currency = None, command.currency
        products = _found_products(found, [product_key(work.tenant, line.sku) for line in command.lines])
        lines = _inline_lines(command, products)
    else:
        cart = own(found[cart_key(work.tenant, command.cart_id)], work.caller, command.cart_id)
        cart.require_open()
        currency, products = cart.currency, {}
        lines = _as_shown(cart, command.accepted_prices)
    if not lines:
        raise CartEmpty
    if len({line.vendor_id for line in lines}) > VENDORS_MAX:
        raise TooManyVendors
    uses = _uses(command, found, lines, currency, work)
    return _Start(tenant, cart, desk, lines, products, currency, number, expires_at, uses)


def _uses(command: Checkout, found: Found, lines: Sequence[CartLine], currency: str, work: Work) -> Uses:
    """The promotions for what is bought, at the prices that the shopper saw: others are refused later on."""
    keys = [promotion_key(work.tenant, code) for code in command.promotion_codes]
    asked = [promotion for key in keys if (promotion := found[key])]
    if len(asked) < len(keys):
        known = {promotion.code for promotion in asked}
        raise UnknownPromotion(next(code for code in command.promotion_codes if code not in known))
    automatic = found[automatic_key(work.tenant)]
    offers = [Offer(line.sku, line.vendor_id, line.quantity, Money(line.price, currency)) for line in lines]
    offered = usable(asked, automatic.promotions if automatic else (), offers, currency, work.at)
    return Uses(offered, frozenset(command.promotion_codes), *_customer(command, work))


def _customer(command: Checkout, work: Work) -> tuple[str, str | None]:
    """Who buys, as far as uses are counted, and who that is as a guest: digests, of an address only with a key."""
    secret, proven = work.books.settings.party_secret, work.caller.proven_email
    if work.caller.customer_id is not None:
        as_guest = email_digest(secret, work.tenant, proven) if proven else None
        return digest(work.tenant, "customer", work.caller.customer_id), as_guest
    assert command.contact is not None  # or it was refused
    return email_digest(secret, work.tenant, command.contact.email), None


def _named(command: Checkout, work: Work) -> list[PaymentProvider]:
    """The providers that the tenders name, as far as there are such."""
    names = {tender.provider for tender in command.tenders if tender.provider}
    return [work.books.providers[name] for name in sorted(names) if name in work.books.providers]


def _keys(command: Checkout, work: Work) -> list[Key[Any]]:
    keys: list[Key[Any]] = [work.record_key, tenant_key(work.tenant), automatic_key(work.tenant)]
    keys += [promotion_key(work.tenant, code) for code in command.promotion_codes]
    if command.cart_id is not None:
        keys.append(cart_key(work.tenant, command.cart_id))
    if work.caller.customer_id is not None and asks_wallet(command.tenders):
        keys += desk_keys(work.caller.customer_id, work)
    return keys + [product_key(work.tenant, line.sku) for line in command.lines]


def _claim(start: _Start, work: Work) -> _Claimed:
    """Claim stock for every line and the uses of promotions, and meanwhile read what else is still missing."""
    lines = sorted(start.lines, key=lambda line: line.sku)
    missing = [product_key(work.tenant, line.sku) for line in lines if line.sku not in start.products]
    vendors = [vendor_key(work.tenant, vendor_id) for vendor_id in sorted({line.vendor_id for line in lines})]
    calls: list[Any] = [
        functools.partial(work.fetch, *missing, *vendors, *start.uses.keys(work.tenant)),
        *start.uses.claims(start.expires_at + CLAIM_GRACE, work),
        *reservations(lines, start.tenant, work),
    ]
    found, *claimed = work.database.together(*calls)
    used, reserved = claimed[: len(start.uses.limited)], claimed[len(start.uses.limited) :]
    products = {**start.products, **_found_products(found, missing)}
    stock = {line.sku: parts for line, parts in zip(lines, reserved, strict=True)}
    sellers = _sellers(products, {key: found[key] for key in vendors}, work)
    return _Claimed(products, sellers, stock, start.uses.made(found, used, work), used)


def _quote(start: _Start, claimed: _Claimed) -> Quote:
    items = [Item(_known(claimed.products, line.sku), line.quantity) for line in start.lines]
    promotions = [promotion for promotion in start.uses.offered if promotion.code in claimed.uses]
    return quote(items, claimed.vendors, start.tenant, start.currency, promotions)


def _applied(start: _Start, claimed: _Claimed, priced: Quote, work: Work) -> tuple[Use, ...]:
    """The uses of promotions that did take something off. Raises PromotionNotApplicable.

    All that were offered mostly do. Not when a product changed hands since it was put into the cart.
    """
    applied = {code: use for code, use in claimed.uses.items() if code in priced.promotions}
    for code in sorted(start.uses.asked - applied.keys()):
        raise PromotionNotApplicable(code)
    start.uses.give_back_all_but(applied.values(), claimed.used, work)
    return tuple(applied.values())


def _sellers(
    products: Mapping[str, Product], found: Mapping[Key[Vendor], Vendor | None], work: Work
) -> dict[str, Vendor]:
    """Who sells the products now, which may not be who did when they were put into the cart."""
    sellers = {vendor.id: vendor for vendor in found.values() if vendor is not None}
    keys = {product.vendor_id: vendor_key(work.tenant, product.vendor_id) for product in products.values()}
    if others := [key for vendor_id, key in keys.items() if vendor_id not in sellers]:
        read = work.fetch(*others)
        sellers |= {vendor.id: vendor for key in others if (vendor := read[key])}
    for vendor_id in keys:
        if vendor_id not in sellers:
            raise UnknownVendor(vendor_id)
        if sellers[vendor_id].disabled:
            raise VendorDisabled(vendor_id)
    return sellers


def _found_products(found: Found, keys: Sequence[Key[Product]]) -> dict[str, Product]:
    return {product.sku: product for key in keys if (product := found[key])}


def _inline_lines(command: Checkout, products: Mapping[str, Product]) -> list[CartLine]:
    """One line per SKU, however often it was named."""
    wanted = Counter({line.sku: 0 for line in command.lines})
    for line in command.lines:
        wanted[line.sku] += line.quantity
    lines = [_inline(_known(products, sku), quantity, command.currency) for sku, quantity in wanted.items()]
    expected = [(line.sku, line.expected_price) for line in command.lines if line.expected_price is not None]
    _require_prices([(sku, _units(price, command.currency)) for sku, price in expected], products, command.currency)
    return lines


def _inline(product: Product, quantity: int, currency: str) -> CartLine:
    if quantity > QUANTITY_MAX:
        raise QuantityTooLarge(product.sku)
    return CartLine(product.sku, quantity, product.vendor_id, product.cells, product.price(currency))


def _as_shown(cart: Cart, accepted: Mapping[str, Money]) -> list[CartLine]:
    """The lines of the cart, at the prices that the shopper was shown last."""
    shown = {sku: _units(price, cart.currency) for sku, price in accepted.items()}
    return [replace(line, price=shown.get(line.sku, line.price)) for line in cart.lines]


def _units(price: Money, currency: str) -> int:
    if price.currency != currency:
        raise OrderCurrencyMismatch(currency)
    return price.amount


def _require_prices(seen: Iterable[tuple[str, int]], products: Mapping[str, Product], currency: str) -> None:
    """Nothing is sold at another price than was `seen`, by SKU. Raises PriceChanged, NoPriceInCurrency."""
    now = [(sku, price, _known(products, sku).price(currency)) for sku, price in seen]
    changes = [PriceChange(sku, Money(old, currency), Money(new, currency)) for sku, old, new in now if old != new]
    if changes:
        raise PriceChanged(changes)


def _known(products: Mapping[str, Product], sku: str) -> Product:
    if sku not in products:
        raise UnknownSku(sku)
    return products[sku]


def _saves(command: Checkout, tree: OrderTree, start: _Start, work: Work) -> list[Any]:
    order = tree.order
    saves: list[Any] = [order, *tree.vendor_orders, *taken_over(start.lines, start.tenant, work)]
    if start.cart is not None:
        saves.append(start.cart.complete(order.id))
    saves += counted(order)
    return saves + known_contact(order, command.contact)
