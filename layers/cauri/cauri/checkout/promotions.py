"""Promotions: what they take off which lines, in which order, and why one is refused. Pure. Source: SPEC 3, step 1.

The order of application, whatever the order in which codes were given:

1. what is taken off lines, before what is taken off the whole order;
2. of these, percentages before fixed amounts;
3. then by code.

Each is computed on what those before it left, and takes at most that: a line never costs less than nothing. Discounts
come off prices as they are shown, before tax is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import ClassVar, Final

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money, total
from cauri.orders.model import Discount, Funding
from cauri.values import dataclass, field

CODES_MAX: Final = 5
"""Of one checkout."""
AUTOMATIC_MAX: Final = 20
"""Of one tenant: every checkout reads them."""
CLAIM_LOCATION: Final = ":promotion"
"""Where the uses of promotions are kept among the stock. Nobody can name a location so."""


class Scope(StrEnum):
    LINE = "line"
    """Each line by itself: a percentage of it, or an amount off each unit."""
    ORDER = "order"
    """The lines together, over which the discount is shared out in proportion to their prices."""


@dataclass(frozen=True)
class Promotion:
    """Less money for some goods. Either `percent_bps`, or `amounts` in minor units by currency.

    It concerns the lines of its `skus` and of its `vendors`; all lines, if it names none. An automatic one needs no
    code to be given. `minimum_spend` is by currency, and is compared with the price of the whole order's goods.
    """

    tenant: str
    code: str
    title: str
    scope: Scope
    percent_bps: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    skus: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    automatic: bool = False
    active: bool = True
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    minimum_spend: dict[str, int] = field(default_factory=dict)
    uses_max: int | None = None
    uses_max_per_customer: int | None = None
    funded_by: Funding = Funding.VENDOR
    granted: int = 0
    """How many uses were ever given out to be claimed, over `cells` items."""
    cells: int = 0
    fixed_per_customer: int | None = None
    """The limit per customer that was once set, and by which uses were counted."""
    version: int = 0

    @property
    def cells_there(self) -> dict[str, int]:
        """Over how many items its uses are spread, by location, as stock would be."""
        return {CLAIM_LOCATION: self.cells}

    def concerns(self, line: Offer) -> bool:
        return not (self.skus or self.vendors) or line.sku in self.skus or line.vendor_id in self.vendors

    def works_by_itself(self, at: Instant) -> bool:
        """True if it needs no code, now or later on."""
        return self.automatic and self.active and (self.ends_at is None or at < self.ends_at)

    def require_usable(self, lines: Sequence[Offer], currency: str, at: Instant) -> None:
        """Raises UnknownPromotion, PromotionNotStarted, PromotionExpired, PromotionNotApplicable,
        PromotionNotInCurrency, PromotionBelowMinimum: in this order."""
        if not self.active:
            raise UnknownPromotion(self.code)
        if self.starts_at is not None and at < self.starts_at:
            raise PromotionNotStarted(self.code, self.starts_at)
        if self.ends_at is not None and at >= self.ends_at:
            raise PromotionExpired(self.code, self.ends_at)
        if not any(self.concerns(line) for line in lines):
            raise PromotionNotApplicable(self.code)
        if currency not in (self.amounts or [currency]) or currency not in (self.minimum_spend or [currency]):
            raise PromotionNotInCurrency(self.code, currency)
        spend = total((line.gross for line in lines), currency)
        minimum = Money(self.minimum_spend.get(currency, 0), currency)
        if spend < minimum:
            raise PromotionBelowMinimum(self.code, minimum, spend)


@dataclass(frozen=True)
class Offer:
    """A line of goods before any discount. `price` is for one, as shown."""

    sku: str
    vendor_id: str
    quantity: int
    price: Money

    @property
    def gross(self) -> Money:
        return self.price * self.quantity


def usable(
    by_code: Sequence[Promotion], automatic: Sequence[Promotion], lines: Sequence[Offer], currency: str, at: Instant
) -> list[Promotion]:
    """The promotions that take something off `lines`. Raises why one that was asked for by its code does not."""
    chosen = {promotion.code: promotion for promotion in automatic if _is_usable(promotion, lines, currency, at)}
    for promotion in by_code:
        promotion.require_usable(lines, currency, at)
        chosen[promotion.code] = promotion
    given = {discount.code for line in discounts(lines, list(chosen.values())) for discount in line}
    for promotion in by_code:
        if promotion.code not in given:  # others took everything before
            raise PromotionNotApplicable(promotion.code)
    return [promotion for code, promotion in chosen.items() if code in given]


def _is_usable(promotion: Promotion, lines: Sequence[Offer], currency: str, at: Instant) -> bool:
    try:
        promotion.require_usable(lines, currency, at)
    except Refusal:
        return False
    return True


def discounts(lines: Sequence[Offer], promotions: Iterable[Promotion]) -> list[tuple[Discount, ...]]:
    """What is taken off each line, in the order above. A discount of nothing is left out."""
    left = [line.gross for line in lines]
    taken: list[list[Discount]] = [[] for _ in lines]
    for promotion in sorted(promotions, key=_place):
        concerned = [place for place, line in enumerate(lines) if promotion.concerns(line)]
        for place, amount in zip(concerned, _off(promotion, concerned, lines, left), strict=True):
            if amount:
                taken[place].append(Discount(promotion.code, amount, promotion.funded_by))
                left[place] -= amount
    return [tuple(each) for each in taken]


def _place(promotion: Promotion) -> tuple[bool, bool, str]:
    return (promotion.scope is Scope.ORDER, not promotion.percent_bps, promotion.code)


def _off(promotion: Promotion, places: Sequence[int], lines: Sequence[Offer], left: Sequence[Money]) -> list[Money]:
    """What one promotion takes off the lines at `places`, of which so much is `left`."""
    rest = [left[place] for place in places]
    if promotion.scope is Scope.ORDER:
        return _shared(promotion, rest)
    if promotion.percent_bps:
        return [amount.basis_points(promotion.percent_bps) for amount in rest]
    offs = [
        _amount(promotion, amount.currency) * lines[place].quantity for place, amount in zip(places, rest, strict=True)
    ]
    return [min(off, amount) for off, amount in zip(offs, rest, strict=True)]


def _shared(promotion: Promotion, rest: Sequence[Money]) -> list[Money]:
    """By largest remainder: no part is more than its line, since the whole is no more than all lines."""
    whole = sum(rest[1:], rest[0]) if rest else None
    if not whole:
        return list(rest)
    off = whole.basis_points(promotion.percent_bps) if promotion.percent_bps else _amount(promotion, whole.currency)
    return min(off, whole).split([amount.amount for amount in rest])


def _amount(promotion: Promotion, currency: str) -> Money:
    return Money(promotion.amounts.get(currency, 0), currency)


# -- Why not


@dataclass
class UnknownPromotion(Refusal):
    code: ClassVar[str] = "unknown_promotion"
    promotion: str

    def detail(self) -> str:
        return f"There is no promotion {self.promotion!r}."


@dataclass
class PromotionNotStarted(Refusal):
    code: ClassVar[str] = "promotion_not_started"
    promotion: str
    starts_at: Instant

    def detail(self) -> str:
        return f"{self.promotion} begins at {self.starts_at:%Y-%m-%d %H:%M} UTC."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion, "starts_at": self.starts_at}


@dataclass
class PromotionExpired(Refusal):
    code: ClassVar[str] = "promotion_expired"
    promotion: str
    ended_at: Instant

    def detail(self) -> str:
        return f"{self.promotion} ended at {self.ended_at:%Y-%m-%d %H:%M} UTC."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion, "ended_at": self.ended_at}


@dataclass
class PromotionNotApplicable(Refusal):
    """It concerns nothing that is bought, or what it concerns costs nothing (any more)."""

    code: ClassVar[str] = "promotion_not_applicable"
    promotion: str

    def detail(self) -> str:
        return f"{self.promotion} takes nothing off what is bought here."

    def suggestion(self) -> str:
        return "Check out without it."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion}


@dataclass
class PromotionNotInCurrency(Refusal):
    code: ClassVar[str] = "promotion_not_in_currency"
    promotion: str
    currency: str

    def detail(self) -> str:
        return f"{self.promotion} is not offered in {self.currency}, and amounts are never converted."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion}


@dataclass
class PromotionBelowMinimum(Refusal):
    code: ClassVar[str] = "promotion_below_minimum"
    promotion: str
    minimum: Money
    spend: Money

    def detail(self) -> str:
        return f"{self.promotion} is for goods of {self.minimum} or more, and these come to {self.spend}."

    def suggestion(self) -> str:
        return f"Spend {self.minimum - self.spend} more to use {self.promotion}."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion, "minimum": self.minimum, "missing": self.minimum - self.spend}


@dataclass
class PromotionUsedUp(Refusal):
    code: ClassVar[str] = "promotion_used_up"
    promotion: str

    def detail(self) -> str:
        return f"{self.promotion} was used as often as it can be."

    def suggestion(self) -> str:
        return "Check out without it. It may come back if an order that used it is not paid."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion}


@dataclass
class PromotionLimitFixed(Refusal):
    """Limits are promises and counts at once: they can be raised or lifted where that keeps the count true."""

    code: ClassVar[str] = "promotion_limit_fixed"
    promotion: str
    why: str

    def detail(self) -> str:
        return f"{self.promotion}: {self.why}"

    def suggestion(self) -> str:
        return "End this promotion, and make another under a new code."


@dataclass
class TooManyAutomaticPromotions(Refusal):
    code: ClassVar[str] = "too_many_automatic_promotions"

    def detail(self) -> str:
        return f"A tenant has at most {AUTOMATIC_MAX} automatic promotions at a time."
