"""Promotions, as staff put them up."""

from __future__ import annotations

from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import PromotionLimitFixed, Scope, TooManyAutomaticPromotions, UnknownPromotion
from cauri.checkout.queries import promotion_of, promotions_of
from cauri.checkout.views import PromotionPage, PromotionStanding, PromotionView, promotion_view
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN, CurrencyCode, Id, MinorUnits, Moment, Shape, Title
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.money import MINOR_UNITS_MAX
from cauri.orders.model import Funding
from cauri.parties.limits import Tier
from cauri.parties.model import UnknownTenant
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

PROMOTERS: Final = frozenset({"manager", "admin"})
NAMED_MAX: Final = 100
"""SKUs and vendors that one promotion names: every checkout reads the automatic ones whole."""


Code = Annotated[str, Path(pattern=ID_PATTERN, examples=["WELCOME10"], description="In capitals, however it is sent")]
Amounts = dict[CurrencyCode, Annotated[int, Field(ge=1, le=MINOR_UNITS_MAX)]]
Named = Annotated[list[Id], Field(max_length=NAMED_MAX)]
Uses = Annotated[int, Field(ge=1, le=1_000_000)]

# What the validators below hold to, for the description.
_ONE_OF_TWO: Final[dict[str, Any]] = {
    "oneOf": [
        {"required": ["percent_bps"], "properties": {"amounts": {"maxProperties": 0}}},
        {"required": ["amounts"], "properties": {"amounts": {"minProperties": 1}, "percent_bps": {"maximum": 0}}},
    ],
    "examples": [{"title": "Welcome", "scope": "order", "percent_bps": 1000, "uses_max_per_customer": 1}],
}

api = Api("Promotions")


class PromotionRequest(Shape):
    """A promotion, whole: what is left out takes its default. It has percent_bps, or else amounts."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF_TWO)

    title: Title
    scope: Annotated[Scope, Field(strict=False, description="Off each line or unit, or off all of them together")]
    percent_bps: Annotated[int, Field(ge=0, le=10_000, description="Hundredths of a percent")] = 0
    amounts: Annotated[Amounts, Field(max_length=50, examples=[{"KES": 50_000}])] = Field(default_factory=dict)
    skus: Annotated[Named, Field(description="Those it concerns; with vendors, either")] = Field(default_factory=list)
    vendors: Named = Field(default_factory=list)
    automatic: Annotated[bool, Field(description="Applies without its code")] = False
    active: bool = True
    starts_at: Moment | None = None
    ends_at: Annotated[Moment | None, Field(description="From this moment on it is over")] = None
    minimum_spend: Annotated[
        dict[CurrencyCode, MinorUnits], Field(max_length=50, description="Of all goods, before any discount")
    ] = Field(default_factory=dict)
    uses_max: Annotated[Uses | None, Field(description="By all customers; it can be raised, or lifted")] = None
    uses_max_per_customer: Annotated[Uses | None, Field(description="It can be lifted")] = None
    funded_by: Annotated[Funding, Field(strict=False, description="Who earns less by it")] = Funding.VENDOR

    @model_validator(mode="after")
    def _takes_off_in_one_way(self) -> PromotionRequest:
        if bool(self.percent_bps) == bool(self.amounts):
            raise PydanticCustomError("off", "A promotion has percent_bps, or else amounts")
        return self

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> PromotionRequest:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise PydanticCustomError("window", "A promotion ends after it starts")
        return self

    def command(self, code: str) -> PutPromotion:
        return PutPromotion(
            code.upper(),
            self.title,
            self.scope,
            self.percent_bps,
            self.amounts,
            tuple(self.skus),
            tuple(self.vendors),
            self.automatic,
            self.active,
            self.starts_at,
            self.ends_at,
            self.minimum_spend,
            self.uses_max,
            self.uses_max_per_customer,
            self.funded_by,
        )


@api.command(
    "PUT",
    "/v1/promotions/<code>",
    roles=PROMOTERS,
    answer=PromotionView,
    tier=Tier.WRITES,
    refusals=[UnknownTenant, PromotionLimitFixed, TooManyAutomaticPromotions],
)
def put_promotion(code: Code, body: PromotionRequest) -> PutPromotion:
    """Put up a promotion

    New or changed. Orders that were placed keep the discounts they were given.
    """
    return body.command(code)


@api.read("/v1/promotions/<code>", roles=STAFF, answer=PromotionStanding, refusals=[UnknownPromotion])
def get_promotion(code: Code, caller: Caller) -> PromotionStanding:
    """Get a promotion

    Of a limited one also how many of its uses are of paid orders, wait for payment, and are left.
    """
    return promotion_of(wiring.database(), caller.tenant, code.upper(), wiring.clock()())


@api.read("/v1/promotions", roles=STAFF, answer=PromotionPage)
def list_promotions(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> PromotionPage:
    """List promotions, by code"""
    cursors = cursors_of(caller, "promotions")
    page = promotions_of(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return PromotionPage([promotion_view(promotion) for promotion in page.items], cursors.seal(page.position))


handler = api.handler
