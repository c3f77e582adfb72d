"""What partners' issuers are asked about a redemption, part by part: confirm, then capture; or release.

Source: SPEC 12.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cauri.money import Money
from cauri.providers.rewards import NOT_ENABLED
from cauri.values import dataclass, replace


class UseStatus(StrEnum):
    WAITING = "waiting"
    """Nobody has answered yet."""
    CONFIRMED = "confirmed"
    CAPTURED = "captured"
    DECLINED = "declined"
    RELEASED = "released"


FORWARD: Final = frozenset(
    {
        (UseStatus.WAITING, UseStatus.CONFIRMED),
        (UseStatus.WAITING, UseStatus.DECLINED),
        (UseStatus.CONFIRMED, UseStatus.CAPTURED),
        (UseStatus.CONFIRMED, UseStatus.DECLINED),
    }
)
"""How a part goes on. Back, everything can be released."""


@dataclass(frozen=True)
class PartnerPart:
    """What one reward of a partner pays."""

    lot_id: str
    partner: str
    amount: Money
    status: UseStatus = UseStatus.WAITING
    reason: str | None = None
    """The issuer's code, of a decline."""


Parts = tuple[PartnerPart, ...]


def first(parts: Parts, status: UseStatus) -> int | None:
    """The place of the first part that stands so."""
    return next((place for place, part in enumerate(parts) if part.status is status), None)


def next_to_release(parts: Parts) -> int | None:
    """The last part that an issuer may have set aside or taken, or be about to."""
    return next((place for place in reversed(range(len(parts))) if _may_be_known(parts, place)), None)


def with_part(parts: Parts, place: int, status: UseStatus, reason: str | None) -> Parts:
    changed = replace(parts[place], status=status, reason=reason)
    return (*parts[:place], changed, *parts[place + 1 :])


def _may_be_known(parts: Parts, place: int) -> bool:
    """Parts are asked about one after the other, and none after one that was declined. The last is released first."""
    part = parts[place]
    if part.status is UseStatus.WAITING:
        return all(one.status in (UseStatus.CONFIRMED, UseStatus.CAPTURED) for one in parts[:place])
    if part.status is UseStatus.DECLINED:  # a call that was given up on may yet come to another answer
        return part.reason != NOT_ENABLED
    return part.status is not UseStatus.RELEASED
