"""Two lists of money that should be one: ours and another's, matched by what they name. Pure.

One of ours may be several of theirs (a charge that was opened twice), and several of ours one of theirs (a settlement).
So what has one name is one group, and a group agrees when its sums do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

from cauri.money import Money, total
from cauri.values import dataclass


class Outcome(StrEnum):
    MATCHED = "matched"
    MISSING_THERE = "missing_there"
    """We have it, and they do not."""
    MISSING_HERE = "missing_here"
    AMOUNTS_DIFFER = "amounts_differ"


@dataclass(frozen=True)
class Item:
    """Money in a list. `name` is what both lists call it by, `id` what its own list does."""

    name: str
    id: str
    amount: Money


@dataclass(frozen=True)
class Match:
    """All that one name has in both lists."""

    name: str
    ours: tuple[Item, ...]
    theirs: tuple[Item, ...]

    @property
    def shape(self) -> str:
        """``1:1``, ``1:2``, ``3:1``, ``0:1`` …"""
        return f"{len(self.ours)}:{len(self.theirs)}"

    @property
    def outcome(self) -> Outcome:
        if not self.theirs:
            return Outcome.MISSING_THERE
        if not self.ours:
            return Outcome.MISSING_HERE
        return Outcome.MATCHED if sums(self.ours) == sums(self.theirs) else Outcome.AMOUNTS_DIFFER


def match(ours: Iterable[Item], theirs: Iterable[Item]) -> list[Match]:
    """What has one name belongs together, by name."""
    by_name: defaultdict[str, tuple[list[Item], list[Item]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((ours, theirs)):
        for item in items:
            by_name[item.name][side].append(item)
    return [Match(name, tuple(mine), tuple(others)) for name, (mine, others) in sorted(by_name.items())]


def sums(items: Iterable[Item]) -> dict[str, Money]:
    """What items come to, by currency: amounts of two currencies are never one sum."""
    by_currency: defaultdict[str, list[Money]] = defaultdict(list)
    for item in items:
        by_currency[item.amount.currency].append(item.amount)
    return {currency: total(amounts, currency) for currency, amounts in by_currency.items()}
