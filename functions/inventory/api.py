"""The catalogue, and the stock behind it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN, CurrencyCode, Id, Line, MinorUnits, Shape, Title
from cauri.edge.http import EVERYBODY, STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.inventory.model import SkuTaken, Stock, UnknownSku
from cauri.inventory.queries import catalogue, product_of, stock_of
from cauri.inventory.views import ProductPage, ProductView, StockView, product_view
from cauri.parties.model import STANDARD, UnknownTaxClass, UnknownTenant, UnknownVendor
from pydantic import Field

SELLERS: Final = frozenset({"admin", "manager", "vendor"})

Sku = Annotated[str, Path(pattern=ID_PATTERN, examples=["coffee-1kg"])]
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

    def command(self, sku: str) -> PutProduct:
        length, width, height = self.dimensions_mm or (0, 0, 0)
        dimensions = (length, width, height) if self.dimensions_mm else None
        return PutProduct(sku, **(self.model_dump() | {"dimensions_mm": dimensions}))


class ReceiptRequest(Shape):
    """Units that arrived from a supplier."""

    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    reason: Title = "receipt"


@api.command(
    "PUT",
    "/v1/products/<sku>",
    roles=SELLERS,
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
    "POST", "/v1/stock/<sku>/receipts", roles=SELLERS, answer=Stock, status=HTTPStatus.CREATED, refusals=[UnknownSku]
)
def receive_stock(sku: Sku, body: ReceiptRequest) -> ReceiveStock:
    """Receive stock

    Units that arrive from a supplier become available. A vendor receives its own.
    """
    return ReceiveStock(sku, body.quantity, body.reason)


@api.read("/v1/stock/<sku>", roles=STAFF | {"vendor"}, answer=StockView, refusals=[UnknownSku])
def get_stock(sku: Sku, caller: Caller) -> StockView:
    """Get a product's stock

    What is on hand, available, reserved and by whom, and allocated to paid orders. A vendor sees its own.
    """
    return stock_of(wiring.database(), caller, sku)


handler = api.handler
