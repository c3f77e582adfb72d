"""The steps of the redemption saga: partners' issuers confirm and capture, then the wallet pays; or all goes back.

See redemption.asl.yaml for their order. What is set aside was set aside by the request itself. A step asks one issuer
one thing, and may come twice, and late: an issuer does what is asked once per reference, and one that was told to
release confirms no more. What nobody knows is asked about, and not undone. Source: SPEC 12.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from cauri.books.commit import Books, StepCommitted
from cauri.clock import Instant
from cauri.providers.ports import Declined
from cauri.providers.rewards import Done, RewardAnswer, RewardIssuer, RewardUse
from cauri.providers.unknown import Unknown
from cauri.values import dataclass
from cauri.wallet.confirming import (
    CompleteRedemption,
    GiveBackHold,
    GiveUpRedemption,
    ResumeRedemption,
    by_saga,
    keep,
    record,
)
from cauri.wallet.lots import UnknownHold
from cauri.wallet.partners import UseStatus, first, next_to_release
from cauri.wallet.redeeming import CONFIRMED_IN
from cauri.wallet.redemption import (
    RELEASES,
    IllegalRedemptionChange,
    Redemption,
    RedemptionStatus,
    UnknownRedemption,
)
from cauri.wallet.store import redemption_key

ASK_AGAIN: Final = (
    *(timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)),
    *(timedelta(days=1),) * 5,
)
"""How long to wait before a silent issuer is asked again. Then people look. Source: SPEC 4."""
KEPT_FOR: Final = timedelta(days=1)
"""How long it stays set aside for an issuer that is silent; then the customer has it back. Source: SPEC 3."""

Payload = Mapping[str, Any]
Result = dict[str, Any]


class NotReleasedError(Exception):
    """An issuer did not say that it has released a use: it is asked again, and in the end by people."""


@dataclass(frozen=True)
class RedemptionSaga:
    books: Books
    issuer: RewardIssuer

    def run(self, payload: Payload) -> Result:
        """Run the step that `payload` names."""
        steps: dict[str, Callable[[Payload], Result]] = {
            "begin": self.begin,
            "confirm": self.confirm,
            "capture": self.capture,
            "complete": self.complete,
            "give_up": self.give_up,
            "release": self.release,
            "give_back_hold": self.give_back_hold,
            "resume": self.resume,
        }
        return steps[payload["step"]](payload)

    # -- Forward

    def begin(self, payload: Payload) -> Result:
        """A question: where does it stand? No undo, since nothing changes."""
        redemption = self._redemption(payload)
        return {"next": standing(redemption), "customer_id": redemption.customer_id}

    def confirm(self, payload: Payload) -> Result:
        """Have the next part set aside at its issuer. Undone by release."""
        return self._go_on(payload, UseStatus.WAITING, UseStatus.CONFIRMED, self.issuer.confirm)

    def capture(self, payload: Payload) -> Result:
        """Have the next part taken at its issuer. Undone by release."""
        return self._go_on(payload, UseStatus.CONFIRMED, UseStatus.CAPTURED, self.issuer.capture)

    def complete(self, payload: Payload) -> Result:
        """Let the wallet pay. Undone by give_up, which takes this step's key."""
        command = CompleteRedemption(payload["customer_id"], payload["redemption_id"])
        try:
            self.books.run(command, by_saga(payload["tenant"]), payload["key"])
        except (UnknownHold, IllegalRedemptionChange):
            return {"next": "lost"}
        return {"next": "completed"}

    # -- Undo

    def give_up(self, payload: Payload) -> Result:
        """Go no further, unless the wallet has paid after all: then that is followed."""
        command = GiveUpRedemption(payload["redemption_id"], tuple(payload["forbids"]))
        try:
            self.books.run(command, by_saga(payload["tenant"]), payload["key"])
        except StepCommitted:
            return {"next": "completed"}
        except IllegalRedemptionChange:  # somebody else was here first
            return {"next": standing(self._redemption(payload))}
        return {"next": "release"}

    def release(self, payload: Payload) -> Result:
        """Have the last part given back that its issuer may know of. Raises NotReleasedError."""
        redemption = self._redemption(payload)
        place = next_to_release(redemption.parts)
        if redemption.step_status not in RELEASES or place is None:
            return {"next": "released"}
        answer = self.issuer.release(_use(redemption, place))
        if not isinstance(answer, Done):
            raise NotReleasedError(f"{_use(redemption, place).reference}: {answer}")
        record(self.books, redemption, place, UseStatus.RELEASED)
        return {"next": "again"}

    def give_back_hold(self, payload: Payload) -> Result:
        """Make available again what the wallet has set aside."""
        command = GiveBackHold(payload["customer_id"], payload["redemption_id"])
        self.books.run(command, by_saga(payload["tenant"]), payload["key"])
        return {"next": "done"}

    # -- From the dead letters

    def resume(self, payload: Payload) -> Result:
        """Start the saga again. It sees how the redemption stands, and does what is left."""
        again = f"{payload['redemption_id']}-{self.books.clock():%Y%m%dT%H%M%S}"
        command = ResumeRedemption(payload["redemption_id"], again)
        self.books.run(command, by_saga(payload["tenant"]), f"{payload['execution']}:resume:{again}")
        return {"next": again}

    # -- Parts of steps

    def _go_on(
        self, payload: Payload, stands: UseStatus, becomes: UseStatus, ask: Callable[[RewardUse], RewardAnswer]
    ) -> Result:
        """Ask about the first part that `stands` so, and record what is said."""
        redemption = self._redemption(payload)
        if redemption.step_status is not RedemptionStatus.STARTED:
            return {"next": "lost"}
        place = first(redemption.parts, stands)
        if place is None:
            return {"next": "done"}
        match ask(_use(redemption, place)):
            case Unknown():
                return self._ask_later(redemption)
            case Declined() as declined:
                record(self.books, redemption, place, UseStatus.DECLINED, declined.reason)
                return {"next": "lost"}
        record(self.books, redemption, place, becomes)
        others = (part for at, part in enumerate(redemption.parts) if at != place)
        return {"next": "again" if any(part.status is stands for part in others) else "done"}

    def _ask_later(self, redemption: Redemption) -> Result:
        assert redemption.started_at is not None
        now = self.books.clock()
        again = next((moment for moment in _times(redemption.started_at) if moment > now), None)
        if again is None:
            return {"next": "unresolved"}
        until = min(again, redemption.started_at + KEPT_FOR) + CONFIRMED_IN
        if redemption.expires_at is not None and redemption.expires_at < until:
            keep(self.books, redemption, until)
        return {"next": "unknown", "wait_seconds": math.ceil((again - now).total_seconds())}

    def _redemption(self, payload: Payload) -> Redemption:
        key = redemption_key(payload["tenant"], payload["redemption_id"])
        redemption = self.books.database.fetch([key])[key]
        if redemption is None:
            raise UnknownRedemption(payload["redemption_id"])
        return redemption


def standing(redemption: Redemption) -> str:
    """Where a redemption goes from here: confirm, release, or done."""
    if redemption.step_status is RedemptionStatus.STARTED:
        return "confirm"
    if redemption.step_status is RedemptionStatus.COMPENSATING:
        return "release"
    is_left = next_to_release(redemption.parts) is not None
    return "release" if redemption.step_status is RedemptionStatus.REVERSED and is_left else "done"


def _use(redemption: Redemption, place: int) -> RewardUse:
    part = redemption.parts[place]
    return RewardUse(redemption.tenant, f"{redemption.id}-{place + 1}", part.partner, part.lot_id, part.amount)


def _times(asked_at: Instant) -> itertools.accumulate[Instant]:
    return itertools.accumulate(ASK_AGAIN, initial=asked_at)  # type: ignore[arg-type]
