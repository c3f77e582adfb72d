"""What stored webhooks say is looked into: the provider is asked, and what it answers is recorded.

A webhook is a hint that it is time to ask. What is recorded follows from the answer alone, so that it does not matter
how often, how late and in which order webhooks come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from cauri.books.commit import Books
from cauri.payments.asking import settle
from cauri.payments.commands import by_system
from cauri.payments.disputes import RecordDispute, dispute_id_of
from cauri.payments.model import Payment, UnknownPayment
from cauri.payments.store import payment_id_of_charge, payment_key
from cauri.providers.ports import Captured, Declined, NotFound
from cauri.providers.unknown import Unknown

News: TypeAlias = Mapping[str, Any]
"""The data of a `webhook.received`: provider, kind, reference, object."""
Hearer: TypeAlias = Callable[[Books, str, News], None]


class NotSettledYetError(Exception):
    """The provider announced what it does not confirm yet: it is asked again."""


def look_into(books: Books, tenant: str, news: News, hearers: Mapping[str, Hearer] | None = None) -> None:
    """Have the news heard by whoever hears such; `hearers` by the beginning of the kind. Raises if it must come again.

    News of what nobody here deals in are kept, and that is all.
    """
    known = HEARERS if hearers is None else hearers
    heard = [prefix for prefix in known if news["kind"].startswith(prefix)]
    if heard:
        known[max(heard, key=len)](books, tenant, news)


def hear_charge(books: Books, tenant: str, news: News) -> None:
    """Raises UnknownPayment for money that belongs to no order of ours: people look at that."""
    payment = payment_of(books, tenant, news)
    if payment.is_settled:
        return
    answer = settle(books, payment)
    if news["kind"] == "charge.success" and not isinstance(answer, Captured | Declined):
        raise NotSettledYetError(f"{payment.id}: the provider announced a success, and says {answer}")


def hear_dispute(books: Books, tenant: str, news: News) -> None:
    """A shopper complains at the bank, or that is over. Raises UnknownPayment."""
    payment = payment_of(books, tenant, news)
    said = books.providers[payment.provider].dispute(tenant, news["object"])
    if isinstance(said, Unknown | NotFound):
        raise NotSettledYetError(f"{payment.id}: the provider announced a dispute, and says {said}")
    if said.charge_reference != payment.charge_reference:
        raise UnknownPayment(said.charge_reference)
    command = RecordDispute(
        payment.id, payment.provider, said.id, said.status, said.amount, said.due_at, said.resolution, said.is_resolved
    )
    key = f"dispute:{payment.provider}:{dispute_id_of(said)}"
    books.run(command, by_system(tenant), key)


def payment_of(books: Books, tenant: str, news: News) -> Payment:
    """The payment that the news are about, if it is the very charge. Raises UnknownPayment."""
    key = payment_key(tenant, payment_id_of_charge(news["reference"]))
    payment = books.database.fetch([key])[key]
    if payment is None or payment.provider != news["provider"] or payment.charge_reference != news["reference"]:
        raise UnknownPayment(news["reference"])
    return payment


HEARERS: Final[Mapping[str, Hearer]] = {"charge.": hear_charge, "charge.dispute.": hear_dispute}
