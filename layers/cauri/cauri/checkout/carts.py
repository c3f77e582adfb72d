"""Commands on carts."""

from __future__ import annotations

from typing import Any, ClassVar

from cauri.books.caller import Caller
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Key
from cauri.books.work import AlreadyDone, Command, Work, decides
from cauri.checkout.cart_reservation import given_back, reserve
from cauri.checkout.model import QUANTITY_MAX, Cart, CartLine, QuantityTooLarge, UnknownCart
from cauri.checkout.store import cart_key
from cauri.checkout.views import cart_view
from cauri.inventory.model import UnknownSku
from cauri.inventory.store import product_key
from cauri.parties.model import UnknownTenant
from cauri.parties.store import tenant_key
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class OpenCart(Command):
    """A new, empty cart in one currency."""

    name: ClassVar = "open_cart"
    currency: str


@dataclass(frozen=True)
class PutCartLine(Command):
    """So many of a SKU, instead of however many there were; if `reserve`, no one else can buy them for a while."""

    name: ClassVar = "put_cart_line"
    cart_id: str
    sku: str
    quantity: int
    reserve: bool = False


@dataclass(frozen=True)
class RemoveCartLine(Command):
    name: ClassVar = "remove_cart_line"
    cart_id: str
    sku: str


@decides(OpenCart)
def open_cart(command: OpenCart, work: Work) -> Plan:
    if work.fetch(tenant_key(work.tenant))[tenant_key(work.tenant)] is None:
        raise UnknownTenant
    cart = Cart(work.tenant, work.ids.new("crt"), owner_of(work.caller), command.currency, (), work.at)
    return _changed(cart)


@decides(PutCartLine)
def put_cart_line(command: PutCartLine, work: Work) -> Plan:
    key, product = cart_key(work.tenant, command.cart_id), product_key(work.tenant, command.sku)
    acting: list[Key[Any]] = [tenant_key(work.tenant), work.record_key] if command.reserve else []
    found = work.fetch(key, product, *acting)
    if command.reserve and (done := found[work.record_key]) is not None:
        raise AlreadyDone(done)
    cart = own(found[key], work.caller, command.cart_id)
    if (known := found[product]) is None:
        raise UnknownSku(command.sku)
    if command.quantity > QUANTITY_MAX:
        raise QuantityTooLarge(command.sku)
    line = CartLine(known.sku, command.quantity, known.vendor_id, known.cells, known.price(cart.currency))
    before, changed = cart.line(line.sku), cart.put(line)
    if not command.reserve:
        return _changed(changed).save(*given_back(before, work))
    if (tenant := found[tenant_key(work.tenant)]) is None:
        raise UnknownTenant
    reservation = reserve(line, before, tenant, work)
    line = replace(line, reserved=reservation.parts, reserved_until=reservation.until)
    return _changed(cart.put(line)).save(*reservation.changes)


@decides(RemoveCartLine)
def remove_cart_line(command: RemoveCartLine, work: Work) -> Plan:
    key = cart_key(work.tenant, command.cart_id)
    cart = own(work.fetch(key)[key], work.caller, command.cart_id)
    changed = cart.remove(command.sku)
    return _changed(changed).save(*given_back(cart.line(command.sku), work))


def owner_of(caller: Caller) -> str:
    return caller.customer_id or caller.subject


def own(cart: Cart | None, caller: Caller, cart_id: str) -> Cart:
    """The cart, if it is the caller's: to others it does not exist."""
    if cart is None or cart.owner != owner_of(caller):
        raise UnknownCart(cart_id)
    return cart


def _changed(cart: Cart) -> Plan:
    return Plan(cart_view(cart)).save(cart).emit(Event("cart.updated", cart.id, cart.version + 1))
