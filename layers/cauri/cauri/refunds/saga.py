"""The steps of the refund saga: give back part after part, then put the goods back. See refund.asl.yaml.

A step may come twice, and late: what it changes, it changes by commands whose keys follow from what they record. There
is no undo. Money that may have moved is asked about; what the provider declines ends the refund, or waits for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from cauri.books.commit import Books
from cauri.books.watches import take_away, watch_later
from cauri.refunds.model import ChargeBusy, Refund, RefundStatus
from cauri.refunds.paying import ContinueRefund, by_system, pay_part
from cauri.refunds.restocking import restock
from cauri.refunds.store import load_refund
from cauri.values import dataclass

BUSY_SECONDS: Final = 5
BUSY_SECONDS_MAX: Final = 3600

Payload = Mapping[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class RefundSaga:
    books: Books

    def run(self, payload: Payload) -> Result:
        """Run the step that `payload` names."""
        steps: dict[str, Callable[[Payload], Result]] = {
            "pay_back": self.pay_back,
            "restock": self.restock,
            "resume_refund": self.resume_refund,
        }
        return steps[payload["step"]](payload)

    def pay_back(self, payload: Payload) -> Result:
        """Bring the next part further. No undo: what may have moved is asked about, until it is known."""
        tree, refund = load_refund(self.books.database, payload["tenant"], payload["refund_id"])
        place = refund.next_part
        if place is None or refund.status not in (RefundStatus.APPROVED, RefundStatus.PROCESSING):
            return self._over(refund, payload)
        try:
            seconds = pay_part(self.books, tree, refund, place)
        except ChargeBusy:  # another refund of the charge is on its way: this one waits, longer each time
            seconds = min(BUSY_SECONDS * 2 ** min(payload["waits"], 20), BUSY_SECONDS_MAX)
            return self._later(payload, seconds, payload["waits"] + 1)
        if seconds is None:
            return {"next": "again", "waits": 0, "watch": payload["watch"]}
        return self._later(payload, seconds, 0)

    def restock(self, payload: Payload) -> Result:
        """Put units back on sale that are to be. No undo: the customer has the money."""
        tree, refund = load_refund(self.books.database, payload["tenant"], payload["refund_id"])
        if refund.status is RefundStatus.SUCCEEDED:
            restock(self.books, tree, refund)
        take_away(self.books.database, payload["tenant"], payload["watch"])
        return {"next": "done"}

    def resume_refund(self, payload: Payload) -> Result:
        """From the dead letters: start the saga again. It sees how the refund stands, and does what is left."""
        again = f"{payload['refund_id']}-{self.books.clock():%Y%m%dT%H%M%S}"
        command = ContinueRefund(payload["refund_id"], again)
        self.books.run(command, by_system(payload["tenant"]), f"{payload['execution']}:resume:{again}")
        return {"next": again}

    def _over(self, refund: Refund, payload: Payload) -> Result:
        """No part of it is to be given back now: the goods are left, or nothing that anybody has to watch over."""
        is_left = refund.status is RefundStatus.SUCCEEDED and refund.to_restock
        if not is_left:
            take_away(self.books.database, payload["tenant"], payload["watch"])
        return {"next": "restock" if is_left else "done", "waits": 0, "watch": payload["watch"]}

    def _later(self, payload: Payload, seconds: int, waits: int) -> Result:
        """It waits for so long, and is not watched for until then."""
        ends = self.books.clock() + timedelta(seconds=seconds)
        watch = watch_later(self.books.database, payload["tenant"], payload["watch"], ends)
        return {"next": "later", "wait_seconds": seconds, "waits": waits, "watch": watch}
