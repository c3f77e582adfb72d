"""The steps of the refund saga: give back part after part, then put the goods back. See refund.asl.yaml.

A step may come twice, and late: what it changes, it changes by commands whose keys follow from what they record. There
is no undo. Money that may have moved is asked about; what the provider declines ends the refund, or waits for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cauri.books.commit import Books
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
            return {"next": where(refund), "waits": 0}
        try:
            seconds = pay_part(self.books, tree, refund, place)
        except ChargeBusy:  # another refund of the charge is on its way: this one waits, longer each time
            seconds = min(BUSY_SECONDS * 2 ** min(payload["waits"], 20), BUSY_SECONDS_MAX)
            return {"next": "later", "wait_seconds": seconds, "waits": payload["waits"] + 1}
        if seconds is None:
            return {"next": "again", "waits": 0}
        return {"next": "later", "wait_seconds": seconds, "waits": 0}

    def restock(self, payload: Payload) -> Result:
        """Put units back on sale that are to be. No undo: the customer has the money."""
        tree, refund = load_refund(self.books.database, payload["tenant"], payload["refund_id"])
        if refund.status is RefundStatus.SUCCEEDED:
            restock(self.books, tree, refund)
        return {"next": "done"}

    def resume_refund(self, payload: Payload) -> Result:
        """From the dead letters: start the saga again. It sees how the refund stands, and does what is left."""
        again = f"{payload['refund_id']}-{self.books.clock():%Y%m%dT%H%M%S}"
        command = ContinueRefund(payload["refund_id"], again)
        self.books.run(command, by_system(payload["tenant"]), f"{payload['execution']}:resume:{again}")
        return {"next": again}


def where(refund: Refund) -> str:
    """Where a refund goes from here, when no part of it is to be given back now."""
    return "restock" if refund.status is RefundStatus.SUCCEEDED and refund.to_restock else "done"
