"""Products and stock as people and programs see them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cauri.clock import Instant
from cauri.inventory.model import BACKORDER, Cell, LocationStock, Product, stock_of
from cauri.inventory.movements import Movement
from cauri.values import dataclass


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
    low_stock: int | None
    backorder: bool
    backorder_limit: int | None


@dataclass(frozen=True)
class ProductPage:
    items: list[ProductView]
    next_cursor: str | None


@dataclass(frozen=True)
class ReservationView:
    """Units that wait for an order. `owner` names what claimed them; a paid order's do not expire."""

    owner: str
    location: str
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
    backordered: int
    locations: list[LocationStock]
    reservations: list[ReservationView]


@dataclass(frozen=True)
class MovementView:
    """Units that came to a location, or, if negative, left it; and who said so."""

    id: str
    at: Instant
    kind: str
    location: str
    quantity: int
    reason: str
    note: str
    by: str


@dataclass(frozen=True)
class MovementPage:
    """A page of movements, the newest first. `next_cursor` leads to the next one, if there is one."""

    items: list[MovementView]
    next_cursor: str | None


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
        product.low_stock,
        product.backorder,
        product.backorder_limit,
    )


def stock_view(sku: str, cells: Iterable[Cell]) -> StockView:
    cells = list(cells)
    stock = stock_of(sku, cells)
    reservations = [
        ReservationView(
            owner,
            cell.location,
            claim.quantity,
            datetime.fromtimestamp(claim.expires, UTC) if claim.held else None,
        )
        for cell in cells
        if cell.location != BACKORDER
        for owner, claim in cell.claims.items()
    ]
    return StockView(**vars(stock), reservations=reservations)


def movement_view(movement: Movement) -> MovementView:
    return MovementView(
        movement.id,
        movement.at,
        movement.kind,
        movement.location,
        movement.quantity,
        movement.reason,
        movement.note,
        movement.by,
    )
