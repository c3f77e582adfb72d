"""The fields that requests are made of: strict, bounded, and harmless in a key."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from cauri.money import MINOR_UNITS_MAX, Money, currencies, is_currency

ID_PATTERN: Final = r"^[A-Za-z0-9._-]{1,64}$"
"""Of every id that somebody sends. Keys are joined with #, which an id can therefore not hold."""
_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"


def _is_currency(code: str) -> str:
    if not is_currency(code):
        raise PydanticCustomError("currency", "Input should be the ISO 4217 code of a currency in use")
    return code


def _list_currencies(schema: dict[str, Any]) -> None:
    schema["enum"] = currencies()


Id = TypeAliasType("Id", Annotated[str, Field(pattern=ID_PATTERN)])
CurrencyCode = TypeAliasType(
    "CurrencyCode",
    Annotated[str, Field(description="ISO 4217", json_schema_extra=_list_currencies), AfterValidator(_is_currency)],
)
CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["KE"], description="ISO 3166-1 alpha-2")]
MinorUnits = Annotated[int, Field(ge=0, le=MINOR_UNITS_MAX)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000, description="Hundredths of a percent")]
Line = Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS)]
"""One line of text, which may be empty."""
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[!-?A-~]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+$", examples=["amina@example.com"])
]
WebUrl = Annotated[
    str, Field(max_length=2048, pattern="^https?://[!-~]+$", examples=["https://shop.example/thank-you"])
]


class Shape(BaseModel):
    """The body of a request, or a part of one: no member too many, no type bent into another."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class PositiveMoney(Shape):
    """Minor units of a currency: 1250 KES is 12.50 shillings."""

    amount: Annotated[int, Field(ge=1, le=MINOR_UNITS_MAX, examples=[1250])]
    currency: CurrencyCode

    def money(self) -> Money:
        return Money(self.amount, self.currency)


Phone = Annotated[str, Field(pattern=r"^(\+?[0-9 ()-]{3,30})?$", examples=["+254 20 1234567"])]
"""It may be empty."""


class AddressRequest(Shape):
    line1: Line
    line2: Line = ""
    city: Line = ""
    region: Line = ""
    postcode: Line = ""
    country: CountryCode
