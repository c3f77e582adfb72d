"""An issuer of partners' rewards in memory: it does what the test says, and remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from cauri.providers.ports import Declined
from cauri.providers.rewards import Done, RewardAnswer, RewardUse
from cauri.providers.unknown import Unknown


@dataclass
class ScriptedIssuer:
    """By reference, ``confirmed``, ``captured`` or ``released``. Partners may be told to decline, or to be silent."""

    name: str = "rewards"
    uses: dict[str, str] = field(default_factory=dict)
    declines: set[tuple[str, str]] = field(default_factory=set)
    """(partner, ``confirm`` or ``capture``)."""
    refuses_as: str = "reward_not_valid"
    silent: set[str] = field(default_factory=set)

    def confirm(self, use: RewardUse) -> RewardAnswer:
        return self._go_on(use, "confirm", "confirmed")

    def capture(self, use: RewardUse) -> RewardAnswer:
        if use.reference not in self.uses:
            return Declined("not_confirmed")
        return self._go_on(use, "capture", "captured")

    def release(self, use: RewardUse) -> RewardAnswer:
        if use.partner in self.silent:
            return Unknown("the connection timed out")
        self.uses[use.reference] = "released"
        return Done()

    def _go_on(self, use: RewardUse, question: str, stands: str) -> RewardAnswer:
        if use.partner in self.silent:
            return Unknown("the connection timed out")
        if self.uses.get(use.reference) == "released" or (use.partner, question) in self.declines:
            return Declined("released" if use.reference in self.uses else self.refuses_as)
        if self.uses.get(use.reference) != "captured":
            self.uses[use.reference] = stands
        return Done()
