"""The fields that requests are made of: strict, bounded, and harmless in a key."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
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
ExpectedVersion = Annotated[
    int, Field(ge=0, le=2**53, description="The version you read: if it is another by now, nothing is changed")
]
Line = Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS)]
"""One line of text, which may be empty."""
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[!-?A-~]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+$", examples=["amina@example.com"])
]
WebUrl = Annotated[
    str, Field(max_length=2048, pattern="^https?://[!-~]+$", examples=["https://shop.example/thank-you"])
]


EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def in_our_time(moment: datetime) -> datetime:
    """In UTC. Nothing of ours was before, and nothing will be after: beyond them a moment means the same."""
    return max(EARLIEST, min(moment, LATEST)).astimezone(UTC)


def _written_as_a_moment(text: object) -> object:
    """What pydantic would read as well, a count of seconds or a bare date, is not how a moment is written."""
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise PydanticCustomError("moment", "Input should be a date and time as RFC 3339 has it")
    return text


Moment = Annotated[
    AwareDatetime,
    Field(strict=False, examples=["2027-01-31T23:59:59Z"]),
    BeforeValidator(_written_as_a_moment),
    AfterValidator(in_our_time),
]


def _written_as_a_day(text: object) -> object:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise PydanticCustomError("day", "Input should be a date as RFC 3339 has it")
    return text


Day = Annotated[date, Field(strict=False, examples=["2026-12-24"]), BeforeValidator(_written_as_a_day)]


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
