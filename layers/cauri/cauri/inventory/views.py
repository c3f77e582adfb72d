"""Products and stock as people and programs see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cauri.clock import Instant
from cauri.inventory.model import Cell, Product, stock_of


@dataclass(frozen=True)
class ProductView:
    """`prices` are minor units by currency; `dimensions_mm` are length, width and height."""

    sku: str
    vendor_id: str
    title: str
    prices: dict[str, int]
    tax_class: str
    weight_grams: int | None
    dimensions_mm: list[int] | None
    variant_of: str | None
    options: dict[str, str]


@dataclass(frozen=True)
class ProductPage:
    items: list[ProductView]
    next_cursor: str | None


@dataclass(frozen=True)
class ReservationView:
    """Units that wait for an order. `owner` names what claimed them; a paid order's do not expire."""

    owner: str
    quantity: int
    expires_at: Instant | None


@dataclass(frozen=True)
class StockView:
    """`on_hand = available + reserved + allocated`, in units. Allocated is what is paid and not yet shipped."""

    sku: str
    on_hand: int
    available: int
    reserved: int
    allocated: int
    reservations: list[ReservationView]


def product_view(product: Product) -> ProductView:
    return ProductView(
        product.sku,
        product.vendor_id,
        product.title,
        product.prices,
        product.tax_class,
        product.weight_grams,
        list(product.dimensions_mm) if product.dimensions_mm else None,
        product.variant_of,
        product.options,
    )


def stock_view(sku: str, cells: Iterable[Cell]) -> StockView:
    cells = list(cells)
    stock = stock_of(sku, cells)
    reservations = [
        ReservationView(owner, claim.quantity, datetime.fromtimestamp(claim.expires, UTC) if claim.held else None)
        for cell in cells
        for owner, claim in cell.claims.items()
    ]
    return StockView(sku, stock.on_hand, stock.available, stock.reserved, stock.allocated, reservations)
