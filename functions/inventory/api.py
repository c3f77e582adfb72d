"""The catalogue, and the stock behind it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
from cauri.edge.fields import ID_PATTERN, CurrencyCode, Id, Line, MinorUnits, Shape, Title
from cauri.edge.http import EVERYBODY, STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.inventory.commands import AdjustStock, MoveStock, PutProduct, ReceiveStock
from cauri.inventory.model import SameLocation, SkuTaken, Stock, StockCommitted, UnknownLocation, UnknownSku
from cauri.inventory.movements import AdjustmentReason
from cauri.inventory.queries import catalogue, explain_stock, movements_of, product_of, stock_of
from cauri.inventory.views import (
    MovementPage,
    ProductPage,
    ProductView,
    StockView,
    movement_view,
    product_view,
)
from cauri.orders.repairs import RepairStock, StockRepair
from cauri.parties.limits import Tier
from cauri.parties.model import MAIN, STANDARD, UnknownTaxClass, UnknownTenant, UnknownVendor
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

UNITS_MAX: Final = 1_000_000
SELLERS: Final = frozenset({"admin", "manager", "vendor"})

Sku = Annotated[str, Path(pattern=ID_PATTERN, examples=["coffee-1kg"])]
Units = Annotated[int, Field(ge=1, le=UNITS_MAX)]
Reason = Annotated[AdjustmentReason, Field(strict=False)]
Millimetres = Annotated[int, Field(ge=1, le=100_000)]

api = Api("Inventory")


class ProductRequest(Shape):
    """A product, whole: what is left out takes its default. `prices` are minor units by currency."""

    vendor_id: Id
    title: Title
    prices: Annotated[dict[CurrencyCode, MinorUnits], Field(min_length=1, max_length=50, examples=[{"KES": 210_000}])]
    tax_class: Id = STANDARD
    weight_grams: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    dimensions_mm: Annotated[list[Millimetres], Field(min_length=3, max_length=3)] | None = None
    variant_of: Id | None = None
    options: Annotated[dict[Id, Line], Field(max_length=20, examples=[{"size": "L"}])] = Field(default_factory=dict)
    low_stock: Annotated[
        int | None, Field(ge=0, le=UNITS_MAX, description="Tell when so few units, or fewer, are available")
    ] = None
    backorder: Annotated[bool, Field(description="Sell it although it is not there")] = False
    backorder_limit: Annotated[
        int | None, Field(ge=1, le=UNITS_MAX, description="So many units at most; null, if there is no limit")
    ] = None

    def command(self, sku: str) -> PutProduct:
        length, width, height = self.dimensions_mm or (0, 0, 0)
        dimensions = (length, width, height) if self.dimensions_mm else None
        return PutProduct(sku, **(self.model_dump() | {"dimensions_mm": dimensions}))


class ReceiptRequest(Shape):
    """Units that arrived from a supplier."""

    quantity: Units
    reason: Title = "receipt"
    location: Id = MAIN


class AdjustmentRequest(Shape):
    """What is there is not what the books say: so many more, or, if negative, fewer."""

    quantity: Annotated[int, Field(ge=-UNITS_MAX, le=UNITS_MAX, json_schema_extra={"not": {"const": 0}}, examples=[-2])]
    reason: Reason
    location: Id = MAIN
    note: Line = ""

    @field_validator("quantity")
    @classmethod
    def _changes_something(cls, quantity: int) -> int:
        if quantity == 0:
            raise PydanticCustomError("quantity", "Input should not be 0")
        return quantity


class MoveRequest(Shape):
    """Units that go from one location to another."""

    quantity: Units
    from_location: Id
    to_location: Id
    note: Line = ""


@api.command(
    "PUT",
    "/v1/products/<sku>",
    roles=SELLERS,
    tier=Tier.WRITES,
    answer=ProductView,
    refusals=[UnknownTenant, UnknownVendor, SkuTaken, UnknownTaxClass],
)
def put_product(sku: Sku, body: ProductRequest) -> PutProduct:
    """Put a product into the catalogue

    New or changed. A vendor puts its own. Orders that were placed keep what was true at their time.
    """
    return body.command(sku)


@api.read("/v1/products/<sku>", roles=EVERYBODY, answer=ProductView, refusals=[UnknownSku])
def get_product(sku: Sku, caller: Caller) -> ProductView:
    """Get a product"""
    return product_of(wiring.database(), caller.tenant, sku)


@api.read("/v1/products", roles=EVERYBODY, answer=ProductPage)
def list_products(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> ProductPage:
    """List the catalogue, by SKU"""
    cursors = cursors_of(caller, "products")
    page = catalogue(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return ProductPage([product_view(product) for product in page.items], cursors.seal(page.position))


@api.command(
    "POST",
    "/v1/stock/<sku>/receipts",
    roles=SELLERS,
    tier=Tier.WRITES,
    answer=Stock,
    status=HTTPStatus.CREATED,
    refusals=[UnknownSku, UnknownLocation],
)
def receive_stock(sku: Sku, body: ReceiptRequest) -> ReceiveStock:
    """Receive stock

    Units that arrive from a supplier become available. A vendor receives its own.
    """
    return ReceiveStock(sku, body.quantity, body.reason, body.location)


@api.command(
    "POST",
    "/v1/stock/<sku>/adjustments",
    roles=SELLERS,
    tier=Tier.WRITES,
    answer=Stock,
    status=HTTPStatus.CREATED,
    refusals=[UnknownSku, UnknownLocation, StockCommitted],
)
def adjust_stock(sku: Sku, body: AdjustmentRequest) -> AdjustStock:
    """Adjust stock

    Make the books say what is there, and why it was not so. What is reserved for or allocated to orders stays:
    no more can leave than is available. A vendor adjusts its own.
    """
    return AdjustStock(sku, body.quantity, body.reason, body.location, body.note)


@api.command(
    "POST",
    "/v1/stock/<sku>/moves",
    roles=SELLERS,
    tier=Tier.WRITES,
    answer=Stock,
    status=HTTPStatus.CREATED,
    refusals=[UnknownSku, UnknownLocation, SameLocation, StockCommitted],
)
def move_stock(sku: Sku, body: MoveRequest) -> MoveStock:
    """Move stock

    Available units go from one location to another. A vendor moves its own.
    """
    return MoveStock(sku, body.quantity, body.from_location, body.to_location, body.note)


@api.command(
    "POST",
    "/v1/stock/<sku>/repair",
    roles={"admin", "manager"},
    tier=Tier.WRITES,
    answer=StockRepair,
    refusals=[UnknownSku],
)
def repair_stock(sku: Sku) -> RepairStock:
    """Repair a product's stock

    Compute its counters from the records: on hand from the movements, allocated from the orders. Every difference is
    reported, and corrected as far as units are available. With `dry_run`, only reported.
    """
    return RepairStock(sku)


@api.read("/v1/stock/<sku>/movements", roles=STAFF | {"vendor"}, answer=MovementPage, refusals=[UnknownSku])
def list_movements(sku: Sku, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> MovementPage:
    """List the movements of a product's stock, the newest first

    Every unit that came, left, or went elsewhere, and why. Their sum is what is on hand. A vendor sees its own.
    """
    cursors = cursors_of(caller, "movements", sku)
    page = movements_of(wiring.database(), caller, sku, after=cursors.open(cursor), limit=limit)
    return MovementPage([movement_view(movement) for movement in page.items], cursors.seal(page.position))


@api.read("/v1/stock/<sku>", roles=STAFF | {"vendor"}, answer=StockView, refusals=[UnknownSku])
def get_stock(sku: Sku, caller: Caller) -> StockView:
    """Get a product's stock

    What is on hand, available, reserved and by whom, and allocated to paid orders. A vendor sees its own.
    """
    return stock_of(wiring.database(), caller, sku)


@api.read("/v1/explain/stock/<sku>", roles=STAFF | {"vendor"}, answer=ExplanationPage, refusals=[UnknownSku])
def explain_stock_of(sku: Sku, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> ExplanationPage:
    """Explain a product's stock

    Every unit that came or left, each with what was on hand afterwards. A vendor sees its own.
    """
    database = wiring.database()
    return explained(
        f"stock/{sku}",
        caller,
        cursor,
        lambda position: explain_stock(database, caller, sku, position=position, limit=limit),
    )


handler = api.handler
