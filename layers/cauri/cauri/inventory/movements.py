"""Movements of stock: the record of every unit that came, left, or went elsewhere. What is on hand is their sum."""

from __future__ import annotations

from enum import StrEnum

from cauri.clock import Instant
from cauri.values import dataclass


class MovementKind(StrEnum):
    RECEIPT = "receipt"
    """From a supplier."""
    ADJUSTMENT = "adjustment"
    """What is there is not what the books say."""
    MOVE = "move"
    """From one location to another: two movements, which sum to nothing."""


class AdjustmentReason(StrEnum):
    COUNT = "count"
    """A stocktake found more or fewer."""
    DAMAGE = "damage"
    EXPIRED = "expired"
    LOSS = "loss"
    THEFT = "theft"
    FOUND = "found"
    SAMPLE = "sample"
    """Given away, or used up."""
    SUPPLIER_RETURN = "supplier_return"
    OTHER = "other"


@dataclass(frozen=True)
class Movement:
    """Units that came to a location (positive) or left it (negative). Written once, beside its log record.

    The note is for people, and may name some: it stays out of the log.
    """

    tenant: str
    sku: str
    id: str
    at: Instant
    kind: MovementKind
    location: str
    quantity: int
    by: str
    reason: str = ""
    note: str = ""
    version: int = 0
