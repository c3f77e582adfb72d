"""Put promotions up, change and end them."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.checkout.promotions import CLAIM_LOCATION, Promotion, PromotionLimitFixed, Scope
from cauri.checkout.store import AutomaticPromotions, automatic_key, promotion_key
from cauri.checkout.views import promotion_view
from cauri.clock import Instant
from cauri.inventory.model import CellChange, cells_for
from cauri.money import split_units
from cauri.orders.model import Funding
from cauri.parties.model import UnknownTenant
from cauri.parties.store import tenant_key
from cauri.values import dataclass, field, replace


@dataclass(frozen=True)
class PutPromotion(Command):
    """A promotion, new or changed, whole: what is left out takes its default. Orders keep what they were given."""

    name: ClassVar = "put_promotion"
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


@decides(PutPromotion)
def put_promotion(command: PutPromotion, work: Work) -> Plan:
    key, of_tenant = promotion_key(work.tenant, command.code), automatic_key(work.tenant)
    found = work.fetch(tenant_key(work.tenant), key, of_tenant)
    if found[tenant_key(work.tenant)] is None:
        raise UnknownTenant
    known, automatic = found[key], found[of_tenant] or AutomaticPromotions(work.tenant)
    promotion = _limited(Promotion(work.tenant, **vars(command)), known)
    plan = Plan(promotion_view(promotion)).save(promotion, *_new_uses(promotion, known))
    changed = automatic.put(promotion, work.at)
    if changed != automatic:
        plan.save(changed)
    return plan.emit(Event("promotion.updated", promotion.code, promotion.version + 1))


def _limited(promotion: Promotion, known: Promotion | None) -> Promotion:
    """The promotion with its uses counted on from what is `known`. Raises PromotionLimitFixed.

    A limit in all can be raised, or lifted: uses that were given out to be claimed can't be taken back. How many each
    customer used is only known by the limit they were counted under.
    """
    granted, cells, fixed = (known.granted, known.cells, known.fixed_per_customer) if known else (0, 0, None)
    if (most := promotion.uses_max) is not None:
        if most < granted:
            raise PromotionLimitFixed(promotion.code, f"its limit of {granted} can be raised, and not lowered.")
        granted, cells = most, max(cells, cells_for(most))
    if (each := promotion.uses_max_per_customer) is not None:
        if fixed not in (None, each):
            raise PromotionLimitFixed(promotion.code, f"its limit of {fixed} per customer can be lifted, not changed.")
        fixed = each
    version = known.version if known else 0
    return replace(promotion, granted=granted, cells=cells, fixed_per_customer=fixed, version=version)


def _new_uses(promotion: Promotion, known: Promotion | None) -> list[CellChange]:
    """The uses that come in, spread over the cells."""
    granted, cells = (known.granted, known.cells) if known else (0, 0)
    if promotion.cells == 0:
        return []
    shares = split_units(promotion.granted - granted, [1] * promotion.cells)
    return [
        CellChange(promotion.tenant, promotion.code, CLAIM_LOCATION, cell, units)
        for cell, units in enumerate(shares)
        if units or cell >= cells
    ]
