"""Low stock: told once when what is available falls to the product's threshold, and once when it is above it again."""

from __future__ import annotations

from collections.abc import Sequence

from cauri.books.plan import Event
from cauri.inventory.model import Product
from cauri.inventory.shelves import Shelves
from cauri.values import replace


def levelled(shelves: Shelves) -> tuple[Product, Sequence[Event]]:
    """The product as it is to be saved, and what is to be told of its level."""
    product, available = shelves.product, shelves.stock.available
    is_low = product.is_low_with(available)
    if is_low == product.is_low:
        return product, ()
    name = "stock.low" if is_low else "stock.replenished"
    facts = {"available": available, "threshold": product.low_stock, "vendor_id": product.vendor_id}
    return replace(product, is_low=is_low), (Event(name, product.sku, product.version + 1, facts),)
