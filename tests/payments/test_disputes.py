"""A shopper complains at the bank: what the provider says of it is recorded, once for each change."""

from __future__ import annotations

import pytest
from cauri.books.log import read_record
from cauri.money import Money
from cauri.payments.disputes import PaymentDispute, dispute_key
from cauri.payments.hearing import NotSettledYetError, look_into
from cauri.payments.model import UnknownPayment

from tests.payments.paystack import Paid
from tests.proof import state
from tests.shop import TENANT, Shop


@pytest.fixture
def paid(shop: Shop) -> Paid:
    shop.furnish().stock(coffee=5)
    return Paid(shop)


def disputed(paid: Paid) -> tuple[str, str]:
    """A payment that is disputed, and the dispute's id."""
    order_id = paid.order()
    reference = paid.reference(order_id)
    paid.fake.end_charge(TENANT, reference, "success")
    dispute_id = paid.fake.dispute(TENANT, reference, 5_000)
    return paid.payment(order_id).id, dispute_id


def stored(paid: Paid, dispute_id: str) -> PaymentDispute | None:
    key = dispute_key(TENANT, "paystack", dispute_id)
    return paid.shop.database.fetch([key])[key]


def announced() -> list[str]:
    records = [read_record(item) for item in state.items()["log"]]
    events = [(record.at, event.name) for record in records for event in record.events if "dispute" in event.name]
    return [name for _, name in sorted(events)]


def test_a_dispute_is_opened_reminded_of_and_resolved(paid: Paid) -> None:
    payment_id, dispute_id = disputed(paid)
    for _ in range(2):
        assert paid.hear(paid.told[-1])
    opened = stored(paid, dispute_id)
    assert opened is not None
    assert (opened.payment_id, opened.amount, opened.resolved) == (payment_id, Money(5_000, "KES"), False)

    paid.shop.clock.advance(hours=20)
    paid.fake.remind(TENANT, dispute_id)
    assert paid.hear(paid.told[-1])
    paid.shop.clock.advance(hours=1)
    paid.fake.resolve(TENANT, dispute_id, "declined")
    assert paid.hear(paid.told[-1])

    resolved = stored(paid, dispute_id)
    assert resolved is not None
    assert (resolved.resolved, resolved.resolution, resolved.opened_at) == (True, "declined", opened.opened_at)
    assert announced() == ["order.payment.dispute_opened", "order.payment.dispute_resolved"]


def test_a_resolved_dispute_is_not_opened_again_by_an_answer_from_before(paid: Paid) -> None:
    _, dispute_id = disputed(paid)
    paid.fake.resolve(TENANT, dispute_id, "merchant-accepted")
    assert paid.hear(paid.told[-1])
    paid.fake._accounts[TENANT].disputes[dispute_id] |= {"status": "pending", "resolution": None, "resolvedAt": None}
    assert paid.hear(paid.told[-1])
    found = stored(paid, dispute_id)
    assert found is not None
    assert found.resolved


def test_a_dispute_that_the_provider_does_not_know_is_asked_about_again(paid: Paid) -> None:
    payment_id, _ = disputed(paid)
    news = {"provider": "paystack", "kind": "charge.dispute.create", "reference": payment_id, "object": "1"}
    with pytest.raises(NotSettledYetError):
        look_into(paid.books, TENANT, news)


def test_a_dispute_of_another_payment_than_it_was_announced_for_is_for_people(paid: Paid) -> None:
    _, dispute_id = disputed(paid)
    other = paid.payment(paid.order())
    news = {"provider": "paystack", "kind": "charge.dispute.create", "reference": other.id, "object": dispute_id}
    with pytest.raises(UnknownPayment):
        look_into(paid.books, TENANT, news)
    assert stored(paid, dispute_id) is None


def test_news_of_a_session_that_nobody_was_sent_to_is_for_people(paid: Paid) -> None:
    """The reference begins as the payment's, and is not the one it was opened under."""
    payment = paid.payment(paid.order())
    news = {"provider": "paystack", "kind": "charge.success", "reference": f"{payment.id}=0badcafe", "object": ""}
    with pytest.raises(UnknownPayment):
        look_into(paid.books, TENANT, news)
