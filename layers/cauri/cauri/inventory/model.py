"""Products, and the stock that is there, claimed, or allocated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.ids import shard_of
from cauri.values import dataclass, field, replace

CELL_UNITS: Final = 20
CELLS_MAX: Final = 40
CELL_CLAIMS_MAX: Final = 44
"""Some 2 KB: a cell with more claims is full, and new ones go elsewhere if they can."""
CATALOGUE_SHARDS: Final = 16
BACKORDER: Final = "~backorder"
"""No location: here units are claimed that are not there yet. What is available is how many more may be sold so.
No id that somebody sends has a tilde."""
BACKORDER_CELLS_MAX: Final = 8
UNLIMITED: Final = 10**12
EARMARK: Final = "backorders"
"""Who has claimed the units that came for orders which wait for them."""


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
class UnknownLocation(Refusal):
    """The tenant keeps no stock there."""

    code: ClassVar[str] = "unknown_location"
    location: str
    known: Sequence[str]

    def detail(self) -> str:
        return f"The tenant has no location {self.location!r}."

    def suggestion(self) -> str:
        return f"Use one of {', '.join(self.known)}, or add it with PUT /v1/tenant."


@dataclass
class SameLocation(Refusal):
    """A move goes from one location to another."""

    code: ClassVar[str] = "same_location"
    location: str

    def detail(self) -> str:
        return f"The units are at {self.location} already."


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
        return f"Take {self.available} or fewer." if self.available > 0 else None

    def facts(self) -> dict[str, object]:
        return {"sku": self.sku, "asked": self.asked, "available": self.available}


@dataclass
class StockCommitted(Refusal):
    """More would leave a location than is available there: the rest is promised to orders."""

    code: ClassVar[str] = "stock_committed"
    sku: str
    location: str
    asked: int
    available: int
    reserved: int
    allocated: int

    def detail(self) -> str:
        return (
            f"{self.asked} of {self.sku} can't leave {self.location}: {self.available} are available there, "
            f"{self.reserved} reserved and {self.allocated} allocated."
        )

    def facts(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "code"}


@dataclass
class NoPriceInCurrency(Refusal):
    """The product is not sold in this currency, and amounts are never converted."""

    code: ClassVar[str] = "currency_mismatch"
    sku: str
    currency: str

    def detail(self) -> str:
        return f"{self.sku} has no price in {self.currency}."


@dataclass(frozen=True)
class Place:
    """Where units of a SKU may be: a location, and how many cells it had when somebody last looked."""

    location: str
    cells: int


@dataclass(frozen=True)
class Product:
    """Something a vendor sells. `prices` are minor units by currency.

    `cells` is over how many items its stock is spread, by location.
    """

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
    low_stock: int | None = None
    """So few available units, over all locations, that somebody should hear of it."""
    is_low: bool = False
    """That it was told: it is told again only after there were more."""
    backorder: bool = False
    """Whether it is sold although it is not there."""
    backorder_limit: int | None = None
    """How many units at most, if there is a limit."""
    cells: dict[str, int] = field(default_factory=dict)
    sellers: tuple[str, ...] = ()
    """Every vendor that has sold it: their orders may have units of it."""
    version: int = 0

    def price(self, currency: str) -> int:
        """Minor units for one."""
        if currency not in self.prices:
            raise NoPriceInCurrency(self.sku, currency)
        return self.prices[currency]

    @property
    def backorder_capacity(self) -> int:
        """How many units may be sold that are not there."""
        if not self.backorder:
            return 0
        return UNLIMITED if self.backorder_limit is None else self.backorder_limit

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(Place(location, number) for location, number in self.cells.items())

    def is_low_with(self, available: int) -> bool:
        return self.low_stock is not None and available <= self.low_stock

    def with_cells(self, location: str, number: int) -> Product:
        """Cells are never taken away: somebody may just be claiming in them."""
        return replace(self, cells={**self.cells, location: max(number, self.cells.get(location, 0))})


def places_of(cells: Mapping[str, int], locations: Sequence[str]) -> tuple[Place, ...]:
    """Where a SKU is, in the tenant's order of `locations`: one that the tenant gave up serves no orders."""
    return tuple(Place(location, cells[location]) for location in locations if location in cells)


def cells_for(units: int) -> int:
    """How many cells keep a SKU of so many units from being hot: one for every 20 units, 40 at the most."""
    return max(1, min(CELLS_MAX, -(-units // CELL_UNITS)))


def catalogue_shard(sku: str) -> int:
    return shard_of(sku, CATALOGUE_SHARDS)


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
    available: int = 0
    allocated: int = 0
    claims: Mapping[str, Claim] = field(default_factory=dict)
    settled: int = 0
    """When the claim that was allocated last would have expired; seconds since 1970."""

    @property
    def reserved(self) -> int:
        return sum(claim.quantity for claim in self.claims.values())

    @property
    def on_hand(self) -> int:
        return self.available + self.reserved + self.allocated

    @property
    def is_owed(self) -> bool:
        """Whether a paid order has units of it, or is about to."""
        return self.allocated > 0 or any(not claim.held for claim in self.claims.values())

    def available_at(self, now: Instant) -> int:
        """With the units whose claims are over, which are for whoever comes first.

        None, if more is promised than there may be: a limit of what is sold ahead was lowered.
        """
        over = sum(claim.quantity for claim in self.claims.values() if claim.is_over(now))
        return max(0, self.available + over)


@dataclass(frozen=True)
class CellChange:
    """Units that come into a cell, which is made if it is not there; or leave it, if it has them.

    `ends` are claims that end, if they still are as they were seen; `begins` are those that begin, or come in their
    place. What becomes of their units is in the numbers.
    """

    tenant: str
    sku: str
    location: str
    cell: int
    available: int
    allocated: int = 0
    ends: Mapping[str, Claim] = field(default_factory=dict)
    begins: Mapping[str, Claim] = field(default_factory=dict)
    is_new: bool = False
    """That the cell was not there when somebody looked."""
    was: Cell | None = None
    """As the cell was seen: refused, if an order has allocated or returned units of it since."""

    def applied(self, cell: Cell) -> Cell:
        return replace(
            cell,
            available=cell.available + self.available,
            allocated=cell.allocated + self.allocated,
            claims={owner: claim for owner, claim in cell.claims.items() if owner not in self.ends} | dict(self.begins),
        )


@dataclass(frozen=True)
class Part:
    """Units that one owner has claimed in one cell."""

    sku: str
    location: str
    cell: int
    owner: str
    quantity: int


@dataclass(frozen=True)
class Hold:
    """What becomes of a claim that is held: so many of its units stay, until then. The others are available again."""

    part: Part
    stays: int
    expires: Instant


@dataclass(frozen=True)
class CellHolds:
    """What becomes of claims in one cell, all at once: a commit writes an item once."""

    tenant: str
    holds: tuple[Hold, ...]


def by_cell(tenant: str, holds: Iterable[Hold]) -> list[CellHolds]:
    cells: dict[tuple[str, str, int], list[Hold]] = {}
    for hold in holds:
        cells.setdefault((hold.part.sku, hold.part.location, hold.part.cell), []).append(hold)
    return [CellHolds(tenant, tuple(there)) for there in cells.values()]


@dataclass(frozen=True)
class LocationStock:
    """What is there of a SKU at one location."""

    location: str
    on_hand: int
    available: int
    reserved: int
    allocated: int


@dataclass(frozen=True)
class Stock:
    """What is there of a SKU, over all its locations. `on_hand = available + reserved + allocated`, in units.

    `backordered` are sold, or about to be, and not there yet.
    """

    sku: str
    on_hand: int
    available: int
    reserved: int
    allocated: int
    backordered: int
    locations: list[LocationStock]


def stock_of(sku: str, cells: Iterable[Cell]) -> Stock:
    by_location: dict[str, list[Cell]] = {}
    backordered = 0
    for cell in cells:
        if cell.location == BACKORDER:
            backordered += cell.reserved + cell.allocated
            continue
        by_location.setdefault(cell.location, []).append(cell)
    locations = [stock_at(location, there) for location, there in by_location.items()]
    return Stock(
        sku,
        on_hand=sum(each.on_hand for each in locations),
        available=sum(each.available for each in locations),
        reserved=sum(each.reserved for each in locations),
        allocated=sum(each.allocated for each in locations),
        backordered=backordered,
        locations=locations,
    )


def stock_at(location: str, cells: Sequence[Cell]) -> LocationStock:
    return LocationStock(
        location,
        on_hand=sum(cell.on_hand for cell in cells),
        available=sum(cell.available for cell in cells),
        reserved=sum(cell.reserved for cell in cells),
        allocated=sum(cell.allocated for cell in cells),
    )
