"""What the demo provider does when it is asked: the rules of a card processor, over its books and its errands."""

from __future__ import annotations

from cauri.clock import Clock, Instant
from cauri.providers.demo_link import Link, unseal
from cauri.providers.demo_wire import (
    ChargeShape,
    ChargesShape,
    ListedChargeShape,
    RefundAskShape,
    RefundShape,
    RefundsShape,
)
from cauri.values import dataclass

from .books import Booked, Books
from .errands import ChargeErrand, Courier, Errand, Queue, RefundErrand
from .script import News, Outcome, Play, scripted


class Silence(Exception):  # noqa: N818 - the script says so
    """This question goes unanswered."""


class Refused(Exception):  # noqa: N818
    """No money moves. The text is a stable code."""


class ReferenceReused(Exception):  # noqa: N818
    """There is a refund of that reference, and it is another one."""


@dataclass(frozen=True)
class Desk:
    """`secret` seals the links and signs for every tenant."""

    books: Books
    queue: Queue
    courier: Courier
    secret: str
    clock: Clock

    # -- The shopper ----------------------------------------------------------------------------------

    def link(self, token: str) -> Link:
        """Raises BadLinkError or ExpiredLinkError."""
        return unseal(token, self.secret, self.clock())

    def open(self, link: Link) -> Booked | None:
        """The charge as the shopper finds it. That the page was opened is noted."""
        now = self.clock()
        self.books.open(link, now)
        return self.books.charge(link.tenant, link.reference, now)

    def play(self, link: Link, play: Play, attempt: str) -> Booked:
        """The charge after the shopper's `attempt`. One that is paid, or with the bank, stays as it is.

        The errands come first: if we die between them and the books, they carry what it takes to write the books.
        """
        now = self.clock()
        for news in play.news:
            due = now.timestamp() + news.after_seconds
            self.queue.put(ChargeErrand(link=link, play=play, attempt=attempt, news=news, due=due))
        return self.books.play(link, play, attempt, now)

    # -- The merchant ---------------------------------------------------------------------------------

    def charge(self, tenant: str, reference: str) -> ChargeShape | None:
        """None when nobody ever opened or paid it. Raises Silence."""
        now = self.clock()
        booked = self.books.charge(tenant, reference, now)
        if booked is None:
            return None
        if booked.unanswered_until and now < booked.unanswered_until:
            raise Silence
        if self.books.leaves_charge_unanswered(tenant, reference):
            raise Silence
        return _public(booked)

    def charges(self, tenant: str, since: Instant, until: Instant, after: str | None) -> ChargesShape:
        """Those that somebody tried to pay from `since` to just before `until`, as they stand."""
        tried, rest = self.books.tried(tenant, since, until, after)
        listed = [
            ListedChargeShape.model_validate(_public(each.booked).model_dump() | {"tried_at": each.at})
            for each in tried
        ]
        return ChargesShape(charges=listed, next=rest)

    def refund(self, tenant: str, ask: RefundAskShape, refund_id: str) -> RefundShape:
        """Once per reference. Raises Refused, ReferenceReused, or Silence after the money has moved."""
        made = self.books.refunded(tenant, ask.charge_reference, ask.reference)
        refund = made or self._new_refund(tenant, ask, refund_id)
        if (refund.charge_reference, refund.money()) != (ask.charge_reference, ask.money()):
            raise ReferenceReused(ask.reference)
        # On every ask: a caller who heard nothing asks again, so news lost with us is sent then.
        self.queue.put(RefundErrand(tenant=tenant, refund=refund, due=self.clock().timestamp()))
        return self._unless_silent(tenant, refund)

    def refunds(self, tenant: str, charge_reference: str) -> RefundsShape:
        return RefundsShape(reference=charge_reference, refunds=self.books.refunds(tenant, charge_reference))

    def _new_refund(self, tenant: str, ask: RefundAskShape, refund_id: str) -> RefundShape:
        now = self.clock()
        booked = self.books.charge(tenant, ask.charge_reference, now)
        play = scripted(ask.reference, booked.refund_outcome if booked else "")
        if play.outcome is Outcome.DECLINE:
            raise Refused("refused_by_issuer")
        self.books.refund(tenant, ask, refund_id, play.unanswered_asks, now)
        made = self.books.refunded(tenant, ask.charge_reference, ask.reference)
        if made is None:
            raise Refused(_why_not(self.books.charge(tenant, ask.charge_reference, now), ask))
        return made

    def _unless_silent(self, tenant: str, refund: RefundShape) -> RefundShape:
        if self.books.leaves_refund_unanswered(tenant, refund.charge_reference, refund.reference):
            raise Silence
        return refund

    # -- The queue ------------------------------------------------------------------------------------

    def run(self, errand: Errand) -> None:
        """Send a webhook, or put it back: until its time, or for another try."""
        now = self.clock()
        if errand.due > now.timestamp():
            self.queue.put(errand)
        elif not self._told(errand, now):
            self.queue.put_again(errand)

    def _told(self, errand: Errand, now: Instant) -> bool:
        if isinstance(errand, RefundErrand):
            return self.courier.post(errand.tenant, "refund.processed", errand.refund, copies=1)
        told = self._news(errand, now)
        # An attempt that never took effect, because another one had, is no news.
        return told is None or self.courier.post(errand.link.tenant, errand.news.event, told, errand.news.copies)

    def _news(self, errand: ChargeErrand, now: Instant) -> ChargeShape | None:
        booked = self.books.play(errand.link, errand.play, errand.attempt, now)
        if errand.attempt not in booked.attempts:
            return None
        if errand.news.event == "charge.success":
            booked = self.books.settle(errand.link, errand.attempt, now)
        return _told_as(errand.news, errand.attempt, booked)


def _told_as(news: News, attempt: str, booked: Booked) -> ChargeShape:
    """The charge as it was, or would have been, when the news was made: old news does not know the new."""
    charge = _public(booked)
    match news.event:
        case "charge.success":
            return charge
        case "charge.failed":
            old = {"id": attempt, "status": "failed", "paid_at": None, "reason": "card_declined"}
        case "charge.pending":
            old = {"id": attempt, "status": "pending", "paid_at": None, "reason": None}
    return charge.model_copy(update=old)


def _public(booked: Booked) -> ChargeShape:
    """What the merchant may see of it."""
    return ChargeShape.model_validate(booked.model_dump(include=set(ChargeShape.model_fields)))


def _why_not(booked: Booked | None, ask: RefundAskShape) -> str:
    if booked is None or booked.status != "success":
        return "not_captured"
    if booked.currency != ask.currency:
        return "currency_mismatch"
    return "exceeds_captured"
