"""A balance: what is available, and what is held for orders."""

from __future__ import annotations

from collections import defaultdict

import pytest
from cauri.money import Money
from cauri.wallet.model import Balance, Funds, HoldGone
from cauri.wallet.proposing import InsufficientBalance
from cauri.wallet.views import balance_view
from hypothesis import given
from hypothesis import strategies as st

from tests.shop import TENANT

EMPTY = Balance(TENANT, "cus_1")


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def test_a_hold_is_set_aside_and_then_spent() -> None:
    held = EMPTY.deposit(kes(100)).hold("ord_1", kes(30))
    assert held.of("KES") == Funds(70, {"ord_1": 30})
    spent = held.capture("ord_1", kes(30))
    assert spent.of("KES") == Funds(70, {})
    assert spent.debited(kes(30)).balance_after == 70


def test_a_hold_is_set_aside_and_then_released() -> None:
    held = EMPTY.deposit(kes(100)).hold("ord_1", kes(30))
    assert held.release("ord_1", "KES").of("KES") == Funds(100, {})
    assert held.release("ord_1", "KES").release("ord_1", "KES").of("KES") == Funds(100, {})
    assert held.release("ord_2", "KES") == held


def test_holding_twice_for_one_order_holds_once() -> None:
    held = EMPTY.deposit(kes(100)).hold("ord_1", kes(80))
    assert held.hold("ord_1", kes(80)) == held


def test_what_is_not_there_is_not_held() -> None:
    balance = EMPTY.deposit(kes(100)).hold("ord_1", kes(80))
    with pytest.raises(InsufficientBalance) as refusal:
        balance.hold("ord_2", kes(21))
    assert (refusal.value.asked, refusal.value.available) == (kes(21), kes(20))
    assert refusal.value.suggestion() == "Pay KES 0.20 or less from the balance, and the rest another way."


def test_a_hold_that_was_released_is_captured_from_what_is_available_or_is_gone() -> None:
    released = EMPTY.deposit(kes(100)).hold("ord_1", kes(80)).release("ord_1", "KES")
    assert released.capture("ord_1", kes(80)).of("KES") == Funds(20, {})
    with pytest.raises(HoldGone) as gone:
        released.hold("ord_2", kes(50)).capture("ord_1", kes(80))
    assert gone.value.detail() == "The balance holds nothing for ord_1 any more."


def test_currencies_are_apart() -> None:
    balance = EMPTY.deposit(kes(100)).deposit(Money(5, "USD")).hold("ord_1", Money(5, "USD"))
    assert balance.available("KES") == kes(100)
    assert [(one.available, one.held) for one in balance_view(balance).balances] == [
        (kes(100), kes(0)),
        (Money(0, "USD"), Money(5, "USD")),
    ]
    assert balance.release("ord_1", "KES").of("USD") == Funds(0, {"ord_1": 5})


steps = st.lists(
    st.tuples(st.sampled_from(["deposit", "hold", "release", "capture"]), st.sampled_from("abc"), st.integers(1, 50)),
    max_size=40,
)


@given(steps)
def test_whatever_happens_it_is_what_came_in_less_what_was_spent(steps: list[tuple[str, str, int]]) -> None:
    """Against plain numbers: one for what is there, and what each order has set aside."""
    balance, there, aside = EMPTY, 0, defaultdict[str, int](int)
    for what, order, amount in steps:
        free = there - sum(aside.values())
        match what:
            case "deposit":
                balance, there = balance.deposit(kes(amount)), there + amount
            case "hold" if aside[order] or amount <= free:
                balance = balance.hold(order, kes(amount))
                aside[order] = aside[order] or amount
            case "release":
                balance, aside[order] = balance.release(order, "KES"), 0
            case "capture" if aside[order] or amount <= free:
                taken = aside[order] or amount  # an order captures what it held: nobody asks for another amount
                balance = balance.capture(order, kes(taken))
                there, aside[order] = there - taken, 0
            case "hold":
                with pytest.raises(InsufficientBalance):
                    balance.hold(order, kes(amount))
            case _:
                with pytest.raises(HoldGone):
                    balance.capture(order, kes(amount))
        funds = balance.of("KES")
        assert funds.total == there
        assert funds.holds == {order: held for order, held in aside.items() if held}
        assert funds.available == there - sum(aside.values()) >= 0
