"""Whatever order a payment's events come in, however often and however late: it ends the same. Source: SPEC 4."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cauri.books.log import read_record
from cauri.payments.disputes import PaymentDispute, dispute_key
from cauri.payments.model import PaymentStatus

from tests.payments.paystack import Paid
from tests.proof import state
from tests.shop import TENANT, Shop

EVENTS = 4
Step = tuple[str, int]
"""``("happens", n)``: the provider's n-th fact; ``("arrives", n)``: the webhook that tells of it."""


@pytest.fixture
def paid(shop: Shop) -> Paid:
    shop.furnish().stock(coffee=500)
    return Paid(shop)


def interleavings() -> Iterator[tuple[Step, ...]]:
    """Facts in their order, each webhook somewhere after its fact: all there are, 7!! = 105."""
    steps = [(what, number) for number in range(EVENTS) for what in ("happens", "arrives")]
    for order in itertools.permutations(steps):
        happens = [number for what, number in order if what == "happens"]
        if happens == sorted(happens) and all(
            order.index(("happens", n)) < order.index(("arrives", n)) for n in range(EVENTS)
        ):
            yield order


def play(paid: Paid, order_id: str, steps: tuple[Step, ...]) -> None:
    """A card is paid, the payment is disputed, and the dispute is over. Each is told twice.

    What must come again comes at the end.
    """
    reference, told, disputes = paid.reference(order_id), [], []
    amount = paid.payment(order_id).amount.amount

    def dispute() -> None:
        disputes.append(paid.fake.dispute(TENANT, reference, amount))

    facts: list[Callable[[], Any]] = [
        lambda: paid.fake.end_charge(TENANT, reference, "success"),
        dispute,
        lambda: paid.fake.remind(TENANT, disputes[0]),
        lambda: paid.fake.resolve(TENANT, disputes[0], "merchant-accepted"),
    ]
    again = []
    for what, number in steps:
        if what == "happens":
            facts[number]()
            told.append(paid.told[-1])
            continue
        for _ in range(2):
            paid.deliver(told[number])
            if not paid.hear(told[number]):
                again.append(told[number])
    for webhook in again:
        assert paid.hear(webhook)


def ending(paid: Paid, order_id: str) -> Any:
    """What is stored in the end, apart from names and versions."""
    payment = paid.payment(order_id)
    found = [
        PaymentDispute(**{**vars(each), "version": 0, "id": "", "payment_id": ""})
        for each in disputes_of(paid, payment.id)
    ]
    records = [read_record(item) for item in state.items()["log"]]
    entries = [
        record.entry
        for record in records
        if record.entry and any(event.resource == payment.id for event in record.events)
    ]
    return payment.status, payment.amount, payment.taken, found, entries


def disputes_of(paid: Paid, payment_id: str) -> list[PaymentDispute]:
    ids = paid.fake._accounts[TENANT].disputes
    found = [dispute_key(TENANT, "paystack", dispute_id) for dispute_id in ids]
    stored = paid.shop.database.fetch(found)
    return [each for key in found if (each := stored[key]) and each.payment_id == payment_id]


def test_every_interleaving_of_facts_and_their_news_ends_the_same(paid: Paid) -> None:
    endings = []
    for steps in interleavings():
        order_id = paid.order()
        play(paid, order_id, steps)
        endings.append((ending(paid, order_id), steps))

    assert len(endings) == 105
    first, _ = endings[0]
    status, _, _, [dispute], [entry] = first
    assert (status, dispute.resolved, dispute.resolution) == (PaymentStatus.SUCCEEDED, True, "merchant-accepted")
    assert sum(posting.amount for posting in entry.postings) == 0
    assert [steps for each, steps in endings if each != first] == []


def test_news_of_refunds_and_transfers_are_kept_whoever_hears_them(paid: Paid) -> None:
    """What nobody here deals in changes nothing, and is not lost."""
    order_id = paid.order()
    paid.fake.end_charge(TENANT, paid.reference(order_id), "success")
    before = paid.payment(order_id)
    account = paid.fake._accounts[TENANT]
    paid.fake.tell(account, "subscription.create", {"status": "active", "reference": paid.reference(order_id)})
    paid.deliver(paid.told[-1])
    assert paid.hear(paid.told[-1])
    assert paid.payment(order_id) == before
