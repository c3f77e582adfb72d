"""How often a tenant lets its callers ask, per minute. Source: SPEC 1."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cauri.values import dataclass


class Tier(StrEnum):
    """What a request is to the limits. Every operation names its own."""

    READS = "reads"
    WRITES = "writes"
    """What moves no money: carts, the catalogue, settings."""
    MONEY_WRITES = "money_writes"
    STAFF_ISSUANCE = "staff_issuance"
    """Staff who give value to customers."""


@dataclass(frozen=True)
class Quota:
    """Requests per minute, of one caller and from one address. None is no limit."""

    per_caller: int | None
    per_ip: int | None


Quotas = Mapping[Tier, Quota]

DEFAULT_QUOTAS: Final[Quotas] = {
    Tier.READS: Quota(60, 300),
    Tier.WRITES: Quota(60, 300),
    Tier.MONEY_WRITES: Quota(10, 50),
    Tier.STAFF_ISSUANCE: Quota(30, None),  # staff share an address: their office's
}
