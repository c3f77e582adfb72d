"""What lists have in common: how many, and from where on."""

from __future__ import annotations

from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.cursors import Cursors

LIMIT_MAX: Final = 100


def _whole(text: object) -> object:
    """What is sent, if it is digits and nothing else: "5.0" and " 5" are not how a count is written."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit()):
        raise PydanticCustomError("whole_number", "Input should be a whole number")
    return text


Limit = Annotated[
    int, Field(ge=1, le=LIMIT_MAX), BeforeValidator(_whole), Query(description=f"How many; at most {LIMIT_MAX}")
]
CursorAsked = Annotated[
    str | None, Query(max_length=1024, description="The next_cursor of the page before, with the same filters")
]


def cursors_of(caller: Caller, *scope: str) -> Cursors:
    """The cursors of one list, which are its tenant's only."""
    return Cursors(wiring.edge_secret(), [caller.tenant, *scope])
