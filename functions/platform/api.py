"""Tenants and vendors; and the API's own pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import (
    ID_PATTERN,
    AddressRequest,
    BasisPoints,
    CountryCode,
    CurrencyCode,
    Email,
    ExpectedVersion,
    Id,
    Line,
    MinorUnits,
    Phone,
    Shape,
    Title,
)
from cauri.edge.http import STAFF, Api
from cauri.edge.pages import page, swagger_ui
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.parties.commands import EraseCustomer, PutCustomer, PutTenant, PutVendor, SetVendorDisabled
from cauri.parties.limits import DEFAULT_QUOTAS, Quota, Tier
from cauri.parties.model import (
    MAIN,
    STANDARD,
    CustomerErased,
    ShippingRate,
    UnknownCustomer,
    UnknownTaxClass,
    UnknownTenant,
    UnknownVendor,
    VersionMismatch,
)
from cauri.parties.queries import customer_for, customers_of, tenant_of, vendor_for, vendors_of
from cauri.parties.views import (
    CustomerChanged,
    CustomerErasure,
    CustomerPage,
    CustomerView,
    TenantView,
    VendorPage,
    VendorView,
    customer_view,
    vendor_view,
)
from cauri.values import replace
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, examples=["cus_amina"])]
VendorId = Annotated[str, Path(pattern=ID_PATTERN, examples=["ven_kazi"])]
Locations = Annotated[list[Id], Field(min_length=1, max_length=20, json_schema_extra={"uniqueItems": True})]
TaxRates = Annotated[dict[Id, BasisPoints], Field(min_length=1, max_length=50, examples=[{STANDARD: 1600}])]
Minutes = Annotated[
    int,
    Field(
        ge=1,
        le=24 * 60,
        description="How long an unpaid order keeps its stock; else the deployment says",
        examples=[15],
    ),
]
PerMinute = Annotated[int, Field(ge=1, le=1_000_000, examples=[60])]

api = Api("Platform")


class ShippingRateRequest(Shape):
    """What shipping an order costs, in minor units: `base` once, and `per_kg` for each kilogram begun."""

    base: MinorUnits = 0
    per_kg: MinorUnits = 0


class QuotaRequest(Shape):
    """Requests per minute, of one caller and from one address. null is no limit; what is left out takes its default."""

    per_caller: PerMinute | None = None
    per_ip: PerMinute | None = None

    def quota(self, otherwise: Quota) -> Quota:
        return replace(otherwise, **{name: getattr(self, name) for name in self.model_fields_set})


class LimitsRequest(Shape):
    """The rate limits that differ from the default ones, by tier."""

    reads: QuotaRequest = QuotaRequest()
    writes: QuotaRequest = QuotaRequest()
    money_writes: QuotaRequest = QuotaRequest()
    staff_issuance: QuotaRequest = QuotaRequest()

    def quotas(self) -> dict[Tier, Quota]:
        return {Tier(name): getattr(self, name).quota(DEFAULT_QUOTAS[Tier(name)]) for name in self.model_fields_set}


class TenantRequest(Shape):
    """The tenant's rules, whole: what is left out takes its default. Tax rates are basis points by tax class."""

    name: Title
    tax_rates: TaxRates = Field(default_factory=lambda: {STANDARD: 0})
    prices_include_tax: bool = False
    shipping: Annotated[dict[CurrencyCode, ShippingRateRequest], Field(max_length=50)] = Field(default_factory=dict)
    shipping_tax_class: Id = STANDARD
    demo: Annotated[bool, Field(description="Payments are played by the demo provider")] = False
    locations: Annotated[
        Locations, Field(description="Where stock is kept, in the order in which orders are served from there")
    ] = Field(default_factory=lambda: [MAIN])
    cart_reservation_minutes: Annotated[int, Field(ge=1, le=120)] = 10

    reservation_minutes: Minutes | None = None
    limits: LimitsRequest = LimitsRequest()
    expected_version: ExpectedVersion | None = None
    refund_approval: Annotated[
        dict[CurrencyCode, MinorUnits],
        Field(max_length=50, description="A refund of more, in minor units, is approved by a second person"),
    ] = Field(default_factory=dict)

    @field_validator("locations")
    @classmethod
    def _names_each_once(cls, locations: list[str]) -> list[str]:
        if len(set(locations)) != len(locations):
            raise PydanticCustomError("locations", "A location is named once")
        return locations

    def command(self) -> PutTenant:
        return PutTenant(
            self.name,
            self.tax_rates,
            self.prices_include_tax,
            {currency: ShippingRate(rate.base, rate.per_kg) for currency, rate in self.shipping.items()},
            self.shipping_tax_class,
            self.demo,
            tuple(self.locations),
            self.cart_reservation_minutes,
            self.reservation_minutes,
            self.limits.quotas(),
            self.expected_version,
            self.refund_approval,
        )


class VendorRequest(Shape):
    """A vendor, whole. The commission is the tenant's, on the goods' net price."""

    name: Title
    country: CountryCode
    commission_bps: BasisPoints


class CustomerRequest(Shape):
    """Who a customer is, whole: what is left out is unknown."""

    name: Line = ""
    email: Email
    phone: Phone = ""
    address: AddressRequest | None = None

    def command(self, customer_id: str) -> PutCustomer:
        address = self.address.model_dump() if self.address else {}
        return PutCustomer(customer_id, self.name, self.email, self.phone, address)


@api.command(
    "PUT",
    "/v1/tenant",
    roles={"admin"},
    tier=Tier.WRITES,
    answer=TenantView,
    refusals=[UnknownTaxClass, VersionMismatch],
)
def put_tenant(body: TenantRequest) -> PutTenant:
    """Set up the tenant, or change its rules"""
    return body.command()


@api.read("/v1/tenant", roles=STAFF, answer=TenantView, refusals=[UnknownTenant])
def get_tenant(caller: Caller) -> TenantView:
    """Get the tenant's rules"""
    return tenant_of(wiring.database(), caller.tenant)


@api.command(
    "PUT",
    "/v1/vendors/<vendor_id>",
    roles={"admin", "manager"},
    tier=Tier.WRITES,
    answer=VendorView,
    refusals=[UnknownTenant],
)
def put_vendor(vendor_id: VendorId, body: VendorRequest) -> PutVendor:
    """Put a vendor

    New or changed. Orders that were placed keep the commission of their day.
    """
    return PutVendor(vendor_id, body.name, body.country, body.commission_bps)


@api.read("/v1/vendors/<vendor_id>", roles=STAFF | {"vendor"}, answer=VendorView, refusals=[UnknownVendor])
def get_vendor(vendor_id: VendorId, caller: Caller) -> VendorView:
    """Get a vendor

    With its commission; a vendor sees itself.
    """
    return vendor_for(wiring.database(), caller, vendor_id)


@api.read("/v1/vendors", roles=STAFF, answer=VendorPage)
def list_vendors(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> VendorPage:
    """List the vendors, by id"""
    cursors = cursors_of(caller, "vendors")
    page = vendors_of(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    after = page.items[-1].id if page.position else None
    return VendorPage([vendor_view(vendor) for vendor in page.items], cursors.seal(after))


@api.command(
    "POST",
    "/v1/vendors/<vendor_id>/disable",
    roles={"admin", "manager"},
    tier=Tier.WRITES,
    answer=VendorView,
    refusals=[UnknownVendor],
)
def disable_vendor(vendor_id: VendorId) -> SetVendorDisabled:
    """Stop selling a vendor's products

    A checkout of any of them is refused. Orders that were placed go on.
    """
    return SetVendorDisabled(vendor_id, disabled=True)


@api.command(
    "POST",
    "/v1/vendors/<vendor_id>/enable",
    roles={"admin", "manager"},
    tier=Tier.WRITES,
    answer=VendorView,
    refusals=[UnknownVendor],
)
def enable_vendor(vendor_id: VendorId) -> SetVendorDisabled:
    """Sell a vendor's products again"""
    return SetVendorDisabled(vendor_id, disabled=False)


@api.command(
    "PUT",
    "/v1/customers/<customer_id>",
    roles=STAFF | {"customer"},
    tier=Tier.WRITES,
    answer=CustomerChanged,
    refusals=[UnknownCustomer, CustomerErased],
)
def put_customer(customer_id: CustomerId, body: CustomerRequest) -> PutCustomer:
    """Put a customer's record

    Name, email, phone and address, whole. A customer puts its own. The answer, and the log, say that it changed, and
    not to what.
    """
    return body.command(customer_id)


@api.read("/v1/customers/<customer_id>", roles=STAFF | {"customer"}, answer=CustomerView, refusals=[UnknownCustomer])
def get_customer(customer_id: CustomerId, caller: Caller) -> CustomerView:
    """Get a customer's record

    A customer gets its own.
    """
    return customer_for(wiring.database(), caller, customer_id)


@api.read("/v1/customers", roles=STAFF, answer=CustomerPage)
def list_customers(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> CustomerPage:
    """List the customers that have a record, by id"""
    cursors = cursors_of(caller, "customers")
    page = customers_of(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return CustomerPage([customer_view(party) for party in page.items], cursors.seal(page.position))


@api.command(
    "DELETE",
    "/v1/customers/<customer_id>",
    roles={"admin", "customer"},
    tier=Tier.WRITES,
    answer=CustomerErasure,
    refusals=[UnknownCustomer],
)
def erase_customer(customer_id: CustomerId) -> EraseCustomer:
    """Erase a customer's personal data

    Name, email, phone and address are gone, here and in the contacts of its orders. Orders and books stay: they know
    the id alone. A customer erases itself.
    """
    return EraseCustomer(customer_id)


@api.open("/health")
def health() -> Response[str]:
    """Whether the API answers"""
    return Response(HTTPStatus.OK, "application/json", '{"status":"ok"}', headers={"Cache-Control": "no-store"})


@api.open("/openapi.json")
def openapi() -> Response[str]:
    """This description"""
    return page("openapi.json", "application/json")


@api.open("/docs")
def docs() -> Response[str]:
    """This description, to browse"""
    return page("docs.html", "text/html; charset=utf-8")


@api.open("/docs/errors")
def errors() -> Response[str]:
    """Every error code, and what to do about it"""
    return page("errors.html", "text/html; charset=utf-8")


@api.open("/docs/page.css", described=False)
def page_style() -> Response[str]:
    """How our pages look"""
    return page("page.css", "text/css; charset=utf-8")


@api.open("/docs/docs.js", described=False)
def docs_script() -> Response[str]:
    """What starts Swagger UI"""
    return page("docs.js", "text/javascript; charset=utf-8")


@api.open("/docs/swagger-ui.css", described=False)
def swagger_style() -> Response[str]:
    """How Swagger UI looks"""
    return swagger_ui("swagger-ui.min.css", "text/css; charset=utf-8")


@api.open("/docs/swagger-ui.js", described=False)
def swagger_script() -> Response[str]:
    """Swagger UI"""
    return swagger_ui("swagger-ui-bundle.min.js", "text/javascript; charset=utf-8")


handler = api.handler
