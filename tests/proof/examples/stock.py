"""Stock that is adjusted, and that goes elsewhere."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.checkout.commands import Checkout, InlineLine
from cauri.inventory.claims import Claims
from cauri.inventory.commands import AdjustStock, MoveStock, PutProduct, ReceiveStock
from cauri.inventory.movements import AdjustmentReason
from cauri.inventory.tending import NoteStockLevel, SpreadStock
from cauri.orders.backorders import AllocateBackorders, remember_backorders
from cauri.orders.repairs import RepairStock

from tests.proof.examples.worlds import Act, a_confirmed_order, confirmation, example, market, pay, saga, sent, step
from tests.shop import TENANT, Shop, a_checkout

SYSTEM = Caller(TENANT, "system:stock")


def two_stores(shop: Shop) -> Shop:
    """50 shirts in the main store, and 30 in Mombasa, of which somebody hears when ten are left."""
    market(shop).furnish(locations=("main", "mombasa"))
    shop.run(PutProduct("shirt-l", "ven_kazi", "Shirt, L", {"KES": 150_000}, low_stock=10))
    return shop.stock("mombasa", shirt_l=30)


@example(ReceiveStock, "the first units at another location")
def _(shop: Shop) -> Act:
    two_stores(shop)
    return sent(ReceiveStock("coffee", 41, location="mombasa"), shop.admin)


@example(AdjustStock, "some were found")
def _(shop: Shop) -> Act:
    two_stores(shop)
    return sent(AdjustStock("shirt-l", 25, AdjustmentReason.FOUND, "mombasa"), shop.admin)


@example(AdjustStock, "so many are damaged that few are left")
def _(shop: Shop) -> Act:
    two_stores(shop).run(AdjustStock("shirt-l", -30, AdjustmentReason.DAMAGE, "mombasa"))
    return sent(AdjustStock("shirt-l", -40, AdjustmentReason.DAMAGE, note="the roof leaked"), shop.admin)


@example(AdjustStock, "refused, since they are promised")
def _(shop: Shop) -> Act:
    two_stores(shop).checkout(cart_id=shop.cart(shirt_l=45))
    return sent(AdjustStock("shirt-l", -6, AdjustmentReason.LOSS), shop.admin)


@example(SpreadStock, "over twice as many cells")
def _(shop: Shop) -> Act:
    two_stores(shop).checkout(cart_id=shop.cart(shirt_l=20))
    return sent(SpreadStock("shirt-l", "main", 6), SYSTEM)


@example(NoteStockLevel, "few are left")
def _(shop: Shop) -> Act:
    two_stores(shop).checkout(cart_id=shop.cart(shirt_l=72))
    return sent(NoteStockLevel("shirt-l"), SYSTEM)


@example(RepairStock, "nothing is wrong but a claim that was never settled")
def _(shop: Shop) -> Act:
    a_confirmed_order(shop)
    return sent(RepairStock("shirt-l"), shop.admin)


@example(RepairStock, "refused, since there is no such product")
def _(shop: Shop) -> Act:
    return sent(RepairStock("unicorn"), market(shop).admin)


@example(MoveStock, "to a location that has some")
def _(shop: Shop) -> Act:
    two_stores(shop)
    return sent(MoveStock("shirt-l", 45, "main", "mombasa"), shop.admin)


@example(MoveStock, "refused, since there are not so many")
def _(shop: Shop) -> Act:
    two_stores(shop)
    return sent(MoveStock("coffee", 10, "main", "mombasa"), shop.admin)


def a_confirmed_backorder(shop: Shop, quantity: int = 14) -> str:
    """Nine bags of coffee are there, and an order of 14 is paid and confirmed."""
    market(shop)
    shop.run(a_roast(100))
    order_id: str = shop.checkout(lines=(InlineLine("coffee", quantity),), currency="KES")["order"]["id"]
    pay(shop, order_id)
    assert Claims(shop.database, shop.tenant).keep(shop.tree(order_id).parts) == []
    shop.run(confirmation(shop, order_id), saga(shop), f"confirm-{order_id}")
    return order_id


def a_backorder(shop: Shop, quantity: int = 14) -> str:
    """It is settled as well: what is there is allocated, and the rest waits."""
    order_id = a_confirmed_backorder(shop, quantity)
    claims = Claims(shop.database, shop.tenant)
    assert claims.allocate(shop.tree(order_id).parts) == []
    remember_backorders(claims, shop.tree(order_id))
    return order_id


@example("step:settle_stock", "and it is remembered what waits")
def _(shop: Shop) -> Act:
    return step(shop, "settle_stock", a_confirmed_backorder(shop))


def a_roast(limit: int | None) -> PutProduct:
    """Coffee that is sold before it is roasted."""
    return PutProduct("coffee", "ven_buna", "Coffee", {"KES": 210_000}, "zero", backorder=True, backorder_limit=limit)


@example(PutProduct, "sold before it is there")
def _(shop: Shop) -> Act:
    return sent(a_roast(100), market(shop).admin)


@example(PutProduct, "sold ahead no more, with a backorder")
def _(shop: Shop) -> Act:
    a_backorder(shop)
    return sent(PutProduct("coffee", "ven_buna", "Coffee", {"KES": 210_000}, "zero"), shop.admin)


@example(ReceiveStock, "units that somebody waits for")
def _(shop: Shop) -> Act:
    a_backorder(shop)
    return sent(ReceiveStock("coffee", 7), shop.admin)


@example(AllocateBackorders, "a part of what is waited for")
def _(shop: Shop) -> Act:
    a_backorder(shop)
    shop.stock(coffee=3)
    return sent(AllocateBackorders("coffee"), SYSTEM)


@example(AllocateBackorders, "all that is waited for, of two orders")
def _(shop: Shop) -> Act:
    a_backorder(shop)
    shop.clock.advance(seconds=1)
    a_backorder(shop, 3)
    shop.stock(coffee=40)
    return sent(AllocateBackorders("coffee"), SYSTEM)


@example(Checkout, "of what is there in part")
def _(shop: Shop) -> Act:
    market(shop).run(a_roast(None))
    return sent(a_checkout(lines=(InlineLine("coffee", 14),), currency="KES"), shop.customer())
