"""What a shopper, or a tester, can make happen at the demo provider. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, Literal

from cauri.providers.demo_wire import ChargeStatus, Shape
from pydantic import Field

DAY_SECONDS: Final = 24 * 60 * 60

EventName = Literal["charge.success", "charge.failed", "charge.pending"]


class Outcome(StrEnum):
    SUCCEED = "succeed"
    DECLINE = "decline"
    TIME_OUT = "time_out"
    SUCCEED_LATE = "succeed_late"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    UNKNOWN_THEN_KNOWN = "unknown_then_known"
    WEBHOOK_LOST = "webhook_lost"


class News(Shape):
    """One webhook to come: `copies` of it leave at the same moment, `after_seconds` from now."""

    event: EventName
    after_seconds: int = 0
    copies: int = 1


class Play(Shape):
    """An outcome, and its numbers where it has some.

    `after_seconds` is for a late success. Questions go unanswered (503) for the first `asks`, and for
    `silent_seconds`, of unknown_then_known.
    """

    # Lax, since JSON and the wire name an outcome by its text.
    outcome: Annotated[Outcome, Field(strict=False)] = Outcome.SUCCEED
    after_seconds: Annotated[int, Field(ge=0, le=3 * DAY_SECONDS)] = 5
    asks: Annotated[int, Field(ge=0, le=100)] = 2
    silent_seconds: Annotated[int, Field(ge=0, le=DAY_SECONDS)] = 0

    @property
    def status(self) -> ChargeStatus:
        """What the charge is, once this has been played."""
        return _STATUS.get(self.outcome, "success")

    @property
    def news(self) -> tuple[News, ...]:
        if self.outcome is Outcome.SUCCEED_LATE:
            return (News(event="charge.success", after_seconds=self.after_seconds),)
        return _NEWS.get(self.outcome, (News(event="charge.success"),))

    @property
    def unanswered_asks(self) -> int:
        return self.asks if self.outcome is Outcome.UNKNOWN_THEN_KNOWN else 0

    @property
    def unanswered_seconds(self) -> int:
        return self.silent_seconds if self.outcome is Outcome.UNKNOWN_THEN_KNOWN else 0


_STATUS: Final[dict[Outcome, ChargeStatus]] = {
    Outcome.DECLINE: "failed",
    Outcome.TIME_OUT: "abandoned",
    Outcome.SUCCEED_LATE: "processing",
}

_NEWS: Final[dict[Outcome, tuple[News, ...]]] = {
    Outcome.DECLINE: (News(event="charge.failed"),),
    Outcome.TIME_OUT: (),
    Outcome.WEBHOOK_LOST: (),
    Outcome.DUPLICATE: (News(event="charge.success", copies=2), News(event="charge.success", after_seconds=2)),
    # News of a first card that was declined, and of its beginning, overtaken by the success of the second.
    Outcome.OUT_OF_ORDER: (
        News(event="charge.success"),
        News(event="charge.failed", after_seconds=1),
        News(event="charge.pending", after_seconds=2),
    ),
}

_SCRIPT: Final = re.compile(rf"(?:^|[-_.])(?P<outcome>{'|'.join(Outcome)})(?:-(?P<number>\d{{1,6}}))?$")


def scripted(*texts: str) -> Play:
    """The play that the first of `texts` with a script in it asks for; without one, a plain success.

    A script is an outcome's name at the end, with its number where it takes one: ``decline``,
    ``pay_7-succeed_late-30`` (seconds), ``unknown_then_known-3`` (asks).
    Raises ValueError (pydantic's) for a number out of bounds.
    """
    found = next((match for text in texts if (match := _SCRIPT.search(text))), None)
    if found is None:
        return Play()
    outcome, number = Outcome(found["outcome"]), found["number"]
    if number and outcome is Outcome.SUCCEED_LATE:
        return Play(outcome=outcome, after_seconds=int(number))
    if number and outcome is Outcome.UNKNOWN_THEN_KNOWN:
        return Play(outcome=outcome, asks=int(number))
    return Play(outcome=outcome)
