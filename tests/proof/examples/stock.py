"""Stock that is adjusted, and that goes elsewhere."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.inventory.commands import AdjustStock, MoveStock, PutProduct, ReceiveStock
from cauri.inventory.movements import AdjustmentReason
from cauri.inventory.tending import NoteStockLevel, SpreadStock
from cauri.orders.repairs import RepairStock

from tests.proof.examples.worlds import Act, a_confirmed_order, example, market, sent
from tests.shop import TENANT, Shop

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
