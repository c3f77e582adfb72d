"""Reading what outside parties write: strict about what we need, and silent about what we do not."""

from __future__ import annotations

import hmac
import re
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from cauri.money import Money, exponent
from cauri.providers.unknown import Unknown

S = TypeVar("S")


class Shape(BaseModel):
    """Strict, so that ``"12"`` is no amount; other members are ignored, since providers add them."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)  # built when one is read


def _whole(value: object) -> object:
    """``"5000"`` as 5000; what is neither digits nor a whole number stays what it is, and is refused."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number that some parties write as text."""


def _text(value: object) -> object:
    return str(value) if type(value) is int else value


Id = Annotated[str, BeforeValidator(_text)]
"""An id that some parties write as a number."""


def shape_of(shape: type[S], said: object) -> S | Unknown:
    """`said` if it has the shape. Tells which members are wrong, and not what they hold: it may be personal."""
    try:
        return TypeAdapter(shape).validate_python(said)
    except ValidationError as wrong:
        return Unknown(where(wrong))


def where(wrong: ValidationError) -> str:
    members = {
        ".".join(map(str, error["loc"])) or "body" for error in wrong.errors(include_url=False, include_input=False)
    }
    return f"not as agreed: {', '.join(sorted(members))}"


def same_text(claimed: str, right: str) -> bool:
    """In constant time, and of any text: compare_digest refuses to compare str outside ASCII."""
    return hmac.compare_digest(claimed.encode(errors="replace"), right.encode())


class Exponents:
    """A provider's own digits after the point, by currency, where they are not those of ISO 4217."""

    def __init__(self, **digits: int) -> None:
        self._digits: Final = digits

    def to_wire(self, money: Money) -> int:
        """What the provider calls the amount. Raises ValueError for one that it can't express."""
        more = self._more(money.currency)
        if more >= 0:
            return int(money.amount * 10**more)
        whole, rest = divmod(money.amount, 10**-more)
        if rest:
            raise ValueError(f"{money} has more digits than the provider")
        return int(whole)

    def from_wire(self, amount: int, currency: str) -> Money | Unknown:
        """The amount as money. Unknown for a currency that is none, or a fraction of its smallest unit."""
        try:
            more = self._more(currency)
        except ValueError:
            return Unknown("not as agreed: currency")
        if more <= 0:
            return Money(int(amount * 10**-more), currency)
        whole, rest = divmod(amount, 10**more)
        return Unknown("not as agreed: amount") if rest else Money(int(whole), currency)

    def _more(self, currency: str) -> int:
        return self._digits.get(currency, exponent(currency)) - exponent(currency)
