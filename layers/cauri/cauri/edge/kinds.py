"""The kinds of a wallet's balances, as requests name them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from cauri.wallet.lots import Kind

KindAsked = Annotated[Kind, Field(strict=False)]


def _each_once(kinds: list[Kind]) -> list[Kind]:
    if len(set(kinds)) != len(kinds):
        raise PydanticCustomError("kinds", "A kind is named once")
    return kinds


Kinds = Annotated[
    list[KindAsked],
    Field(min_length=1, max_length=3, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
