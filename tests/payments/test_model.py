"""A payment's states: every change from every state."""

from __future__ import annotations

from itertools import product

import pytest
from cauri.money import Money
from cauri.payments.model import LEGAL, IllegalPaymentChange, Payment, PaymentChange, PaymentStatus
from cauri.payments.store import payment_id_of, payment_key

from tests.shop import START, TENANT


def a_payment(status: PaymentStatus) -> Payment:
    return Payment(TENANT, "pay_1-1", "ord_1", "demo", Money(100, "KES"), status, START)


@pytest.mark.parametrize(("status", "change"), [*product(PaymentStatus, PaymentChange)])
def test_every_change_from_every_state(status: PaymentStatus, change: PaymentChange) -> None:
    if (status, change) in LEGAL:
        assert a_payment(status).change(change).status is LEGAL[status, change]
        return
    with pytest.raises(IllegalPaymentChange) as illegal:
        a_payment(status).change(change)
    allowed = [legal for before, legal in LEGAL if before is status]
    assert illegal.value.detail().endswith(f"it can't {change}, only {', '.join(allowed) or 'nothing'}.")


def test_a_success_comes_after_anything_but_a_refund_and_nothing_takes_it_back() -> None:
    before_success = {status for (status, change) in LEGAL if change is PaymentChange.SUCCEED}
    assert before_success == {PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.ABANDONED}
    assert {change for (status, change) in LEGAL if status is PaymentStatus.SUCCEEDED} == {PaymentChange.REFUND}
    assert not {change for (status, change) in LEGAL if status is PaymentStatus.REFUNDED}


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_success_is_late_once_the_order_went_on_without_it(status: PaymentStatus) -> None:
    assert a_payment(status).gave_up is (status in {PaymentStatus.FAILED, PaymentStatus.ABANDONED})


def test_a_payment_lies_beside_its_order() -> None:
    payment_id = payment_id_of("ord_01JD", 2)
    assert payment_id == "pay_01JD-2"
    assert payment_key(TENANT, payment_id).pk == f"{TENANT}#order#ord_01JD"
