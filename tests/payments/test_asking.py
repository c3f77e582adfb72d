"""What became of a payment is what the provider says when it is asked, recorded once; the first word stands."""

from __future__ import annotations

import pytest
from cauri.books.log import key_of, log_id_of
from cauri.books.plan import StartSaga
from cauri.money import Money
from cauri.payments.asking import settle
from cauri.payments.commands import RecordPaymentSuccess, by_system, failure_key, success_key
from cauri.payments.model import Payment, PaymentStatus, UnknownPayment
from cauri.payments.store import payment_key
from cauri.providers.ports import Captured, Declined, NotFound, Pending, Unknown, Verification

from tests.proof.examples.worlds import an_order, give_up, market
from tests.shop import START, Shop


@pytest.fixture
def payment(shop: Shop) -> Payment:
    """Of an order that waits for it."""
    [payment] = shop.tree(an_order(shop)).payments
    return payment


def stored(shop: Shop, payment: Payment) -> Payment:
    key = payment_key(shop.tenant, payment.id)
    found = shop.database.fetch([key])[key]
    assert found is not None
    return found


def captured(payment: Payment) -> Captured:
    return Captured(payment.amount, "txn-1", START)


@pytest.mark.parametrize(
    "answer", [Pending(), NotFound(), Unknown("a timeout")], ids=lambda answer: type(answer).__name__
)
def test_what_is_not_final_changes_nothing(shop: Shop, payment: Payment, answer: Verification) -> None:
    shop.provider.truth[payment.id] = answer
    assert settle(shop.books, payment) == answer
    assert stored(shop, payment) == payment


def test_a_success_is_recorded_once_with_what_the_provider_calls_it(shop: Shop, payment: Payment) -> None:
    shop.provider.truth[payment.id] = captured(payment)
    for _ in range(2):
        settle(shop.books, payment)
    after = stored(shop, payment)
    assert (after.status, after.provider_reference, after.settled_at, after.version) == (
        PaymentStatus.SUCCEEDED,
        "txn-1",
        START,
        payment.version + 1,
    )


def test_a_decline_that_is_told_again_with_another_reason_is_no_trouble(shop: Shop, payment: Payment) -> None:
    for reason in ("insufficient_funds", "abandoned"):
        shop.provider.truth[payment.id] = Declined(reason)
        assert settle(shop.books, payment) == Declined(reason)
    assert stored(shop, payment).status is PaymentStatus.FAILED


def test_a_success_stands_when_a_decline_is_told_after_it(shop: Shop, payment: Payment) -> None:
    shop.provider.truth[payment.id] = captured(payment)
    settle(shop.books, payment)
    shop.provider.decline(payment.id)
    assert settle(shop.books, payment) == Declined("insufficient_funds")
    assert stored(shop, payment).status is PaymentStatus.SUCCEEDED


def test_a_success_after_a_decline_counts(shop: Shop, payment: Payment) -> None:
    shop.provider.decline(payment.id)
    settle(shop.books, payment)
    shop.provider.truth[payment.id] = captured(payment)
    settle(shop.books, payment)
    assert stored(shop, payment).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("taken", [Money(1, "KES"), Money(10**9, "KES"), Money(1200, "USD")], ids=str)
def test_another_amount_gives_no_value(shop: Shop, payment: Payment, taken: Money) -> None:
    shop.provider.truth[payment.id] = Captured(taken, "txn-1", START)
    settle(shop.books, payment)
    assert stored(shop, payment).status is PaymentStatus.MISMATCHED
    assert stored(shop, payment).taken == taken


def test_late_money_starts_a_saga_of_its_own_and_money_in_time_none(shop: Shop, payment: Payment) -> None:
    give_up(shop, payment.order_id)
    shop.provider.truth[payment.id] = captured(payment)
    settle(shop.books, payment)
    [late] = [saga.name for saga in sagas(shop, payment)]
    assert late == f"{payment.order_id}-late"


def test_money_in_time_starts_no_saga(shop: Shop, payment: Payment) -> None:
    shop.provider.truth[payment.id] = captured(payment)
    settle(shop.books, payment)
    assert sagas(shop, payment) == ()


def test_money_for_no_payment_of_ours(shop: Shop) -> None:
    market(shop)
    success = RecordPaymentSuccess("pay_01JD-1", Money(1, "KES"), "txn", START)
    with pytest.raises(UnknownPayment):
        shop.answer(success, by_system(shop.tenant), success_key("pay_01JD-1"))


def test_a_fact_has_a_key_of_its_own() -> None:
    assert len({success_key("pay_1"), failure_key("pay_1"), success_key("pay_2")}) == 3


def sagas(shop: Shop, payment: Payment) -> tuple[StartSaga, ...]:
    """What the record of the success starts."""
    done = shop.database.look_up(
        key_of(shop.tenant, log_id_of(shop.tenant, "system:payments", success_key(payment.id)))
    )
    assert done is not None
    return done.record.sagas
