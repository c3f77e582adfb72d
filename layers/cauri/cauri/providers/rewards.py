"""What the issuer behind a partner's reward can be asked, and what it can answer. Words only."""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias

from cauri.money import Money
from cauri.providers.ports import Declined
from cauri.providers.unknown import Unknown
from cauri.values import dataclass

NOT_ENABLED: Final = "not_enabled"
"""The reason of a decline that is ours: the tenant has no key, so nobody was asked."""


@dataclass(frozen=True)
class RewardUse:
    """A reward, or a part of one, that somebody wants to pay with. `reference` is ours, and names the use for good.

    `reward` is the lot that the partner was told of when it issued it.
    """

    tenant: str
    reference: str
    partner: str
    reward: str
    amount: Money


@dataclass(frozen=True)
class Done:
    """The issuer has done what it was asked, now or when it was asked before."""


RewardAnswer: TypeAlias = Done | Declined | Unknown
"""`Declined` says that nothing of the use is set aside, or taken, at the issuer."""


class RewardIssuer(Protocol):
    """The party that answers for partners' rewards. Its answers to network trouble are `Unknown`, never an exception.

    Each question is asked once per reference, however often it is called.
    """

    @property
    def name(self) -> str: ...

    def confirm(self, use: RewardUse) -> RewardAnswer:
        """Whether the reward may be used so: the issuer sets it aside."""

    def capture(self, use: RewardUse) -> RewardAnswer:
        """Take what was set aside: the reward is used."""

    def release(self, use: RewardUse) -> RewardAnswer:
        """Give back what was set aside or taken, for good.

        Also of a use that the issuer never heard of: then it confirms that one no more.
        """
