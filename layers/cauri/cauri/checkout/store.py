"""Where carts and promotions are kept: the commerce table."""

from __future__ import annotations

from typing import Final

from cauri.books.shelf import Key, Shelf, shelve
from cauri.checkout.model import Cart
from cauri.checkout.promotions import AUTOMATIC_MAX, Promotion, TooManyAutomaticPromotions
from cauri.clock import Instant
from cauri.values import dataclass, replace

CARTS: Final = shelve(
    Shelf("commerce", Cart, place=lambda cart: (f"cart#{cart.id}", "cart"), tenant=lambda c: c.tenant)
)


@dataclass(frozen=True)
class AutomaticPromotions:
    """Those that need no code, together, so that every checkout finds them without a search."""

    tenant: str
    promotions: tuple[Promotion, ...] = ()
    version: int = 0

    def put(self, promotion: Promotion, at: Instant) -> AutomaticPromotions:
        """With the promotion if it is automatic, and without those that are over. Raises TooManyAutomaticPromotions."""
        others = [known for known in self.promotions if known.code != promotion.code]
        promotions = tuple(known for known in [*others, promotion] if known.works_by_itself(at))
        if len(promotions) > AUTOMATIC_MAX:
            raise TooManyAutomaticPromotions
        return replace(self, promotions=promotions)


PROMOTIONS: Final = shelve(
    Shelf(
        "commerce",
        Promotion,
        place=lambda promotion: (f"promotion#{promotion.code}", "promotion"),
        tenant=lambda promotion: promotion.tenant,
        listed=lambda promotion: ("promotions", promotion.code),
    )
)
AUTOMATIC: Final = shelve(
    Shelf(
        "commerce", AutomaticPromotions, place=lambda _: ("promotions", "automatic"), tenant=lambda these: these.tenant
    )
)


def promotion_key(tenant: str, code: str) -> Key[Promotion]:
    return PROMOTIONS.key(tenant, f"promotion#{code}", "promotion")


def automatic_key(tenant: str) -> Key[AutomaticPromotions]:
    return AUTOMATIC.key(tenant, "promotions", "automatic")


def cart_key(tenant: str, cart_id: str) -> Key[Cart]:
    return CARTS.key(tenant, f"cart#{cart_id}", "cart")
