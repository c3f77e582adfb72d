"""News of refunds: the provider is asked what became of them, and the saga goes on if it waited for that."""

from __future__ import annotations

from typing import Final

from cauri.books.commit import Books
from cauri.payments.hearing import News, NotSettledYetError, payment_of
from cauri.providers.ports import Unknown
from cauri.refunds.model import PartStatus, Refund, RefundStatus
from cauri.refunds.paying import ContinueRefund, by_system, hear, refund_of
from cauri.refunds.store import load_refund

OURS: Final = "rfd_"
ON_ITS_WAY: Final = frozenset({PartStatus.SENT, PartStatus.PENDING, PartStatus.NEEDS_ATTENTION})


def hear_refund(books: Books, tenant: str, news: News) -> None:
    """Raises if it must come again, and UnknownRefund for a refund that is none of ours.

    Some providers name our refund, and some the charge: then it is the refund that is on its way there. A refund that
    was made past us is on its way for nobody here.
    """
    refund_id = refund_of(news["reference"]) if news["reference"].startswith(OURS) else None
    refund_id = refund_id or payment_of(books, tenant, news).refunding
    if refund_id is None:
        return
    tree, refund = load_refund(books.database, tenant, refund_id)
    for place, part in enumerate(refund.parts):
        if part.provider == news["provider"] and part.status in ON_ITS_WAY:
            known = hear(books, tree, refund, place)
            if known is None or isinstance(known, Unknown):
                raise NotSettledYetError(f"{refund.id}: the provider announced a refund, and says {known}")
    _, now = load_refund(books.database, tenant, refund_id)
    if now.version != refund.version and _goes_on(now):
        again = f"{refund.id}-heard-{now.version}"
        books.run(ContinueRefund(refund.id, again), by_system(tenant), f"refund:{again}")


def _goes_on(refund: Refund) -> bool:
    """True if there is something left to do that nobody is waited for."""
    if refund.status is RefundStatus.SUCCEEDED:
        return bool(refund.to_restock)
    return refund.next_part is not None and refund.parts[refund.next_part].status is PartStatus.WAITING
