"""Products, and the stock that is there, claimed, or allocated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal

MAIN: Final = "main"
CELL_UNITS: Final = 20
CELLS_MAX: Final = 40
CATALOGUE_SHARDS: Final = 16


@dataclass
class UnknownSku(Refusal):
    code: ClassVar[str] = "unknown_sku"
    sku: str

    def detail(self) -> str:
        return f"There is no product {self.sku!r}."


@dataclass
class SkuTaken(Refusal):
    """Another vendor of the tenant has a product of this SKU: a SKU means one thing in a catalogue."""

    code: ClassVar[str] = "sku_taken"
    sku: str

    def detail(self) -> str:
        return f"The SKU {self.sku!r} is not yours to use."

    def suggestion(self) -> str:
        return "Choose another SKU."


@dataclass
class OutOfStock(Refusal):
    """All cells together lack the quantity. Nothing stays claimed."""

    code: ClassVar[str] = "out_of_stock"
    sku: str
    asked: int
    available: int

    def detail(self) -> str:
        return f"{self.asked} of {self.sku} were asked for, and {self.available} are available."

    def suggestion(self) -> str | None:
        return f"Take {self.available} or fewer." if self.available else None

    def facts(self) -> dict[str, object]:
        return {"sku": self.sku, "asked": self.asked, "available": self.available}


@dataclass
class NoPriceInCurrency(Refusal):
    """The product is not sold in this currency, and amounts are never converted."""

    code: ClassVar[str] = "currency_mismatch"
    sku: str
    currency: str

    def detail(self) -> str:
        return f"{self.sku} has no price in {self.currency}."


@dataclass(frozen=True)
class Product:
    """Something a vendor sells. `prices` are minor units by currency. Its stock is spread over `cells` items."""

    tenant: str
    sku: str
    vendor_id: str
    title: str
    prices: dict[str, int]
    tax_class: str
    weight_grams: int | None = None
    dimensions_mm: tuple[int, int, int] | None = None
    variant_of: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    cells: int = 1
    version: int = 0

    def price(self, currency: str) -> int:
        """Minor units for one."""
        if currency not in self.prices:
            raise NoPriceInCurrency(self.sku, currency)
        return self.prices[currency]


def cells_for(units: int) -> int:
    """How many cells keep a SKU of so many units from being hot: one for every 20 units, 40 at the most."""
    return max(1, min(CELLS_MAX, -(-units // CELL_UNITS)))


def catalogue_shard(sku: str) -> int:
    return hashlib.blake2b(sku.encode(), digest_size=2).digest()[0] % CATALOGUE_SHARDS


@dataclass(frozen=True)
class Claim:
    """Units of one cell that wait for their order: `held` until they expire, or kept (not held) for a paid order."""

    quantity: int
    expires: int
    """Seconds since 1970."""
    held: bool

    def is_over(self, now: Instant) -> bool:
        return self.held and self.expires <= now.timestamp()


@dataclass(frozen=True)
class Cell:
    """A part of a SKU's stock at one location. `on_hand = available + reserved + allocated`."""

    tenant: str
    sku: str
    location: str
    number: int
    available: int
    allocated: int
    claims: Mapping[str, Claim]

    @property
    def reserved(self) -> int:
        return sum(claim.quantity for claim in self.claims.values())

    @property
    def on_hand(self) -> int:
        return self.available + self.reserved + self.allocated


@dataclass(frozen=True)
class Part:
    """Units that one owner has claimed in one cell."""

    sku: str
    location: str
    cell: int
    owner: str
    quantity: int


@dataclass(frozen=True)
class Stock:
    """What is there of a SKU, over all its cells."""

    sku: str
    on_hand: int
    available: int
    reserved: int
    allocated: int


def stock_of(sku: str, cells: Iterable[Cell]) -> Stock:
    cells = list(cells)
    return Stock(
        sku,
        on_hand=sum(cell.on_hand for cell in cells),
        available=sum(cell.available for cell in cells),
        reserved=sum(cell.reserved for cell in cells),
        allocated=sum(cell.allocated for cell in cells),
    )
