"""How an order is paid: the tenders pay the price exactly, or nothing is sold."""

from __future__ import annotations

import pytest
from cauri.checkout.model import OrderCurrencyMismatch, TendersDoNotMatch, WalletNeedsCustomer
from cauri.checkout.tenders import TenderAsked, tenders
from cauri.money import Money, total
from hypothesis import given
from hypothesis import strategies as st

PRICE = Money(1_000, "KES")


def wallet(amount: int | None = None) -> TenderAsked:
    return TenderAsked("wallet", None if amount is None else Money(amount, "KES"))


def provider(amount: int | None = None) -> TenderAsked:
    return TenderAsked("provider", None if amount is None else Money(amount, "KES"), "demo")


@pytest.mark.parametrize(
    ("asked", "paid"),
    [
        ([provider()], [("provider", 1_000)]),
        ([provider(1_000)], [("provider", 1_000)]),
        ([wallet()], [("wallet", 1_000)]),
        ([wallet(300), provider()], [("wallet", 300), ("provider", 700)]),
        ([wallet(300), provider(700)], [("wallet", 300), ("provider", 700)]),
        ([wallet(1_000), provider()], [("wallet", 1_000)]),
        ([wallet(0), provider()], [("provider", 1_000)]),
        ([provider(400), wallet()], [("provider", 400), ("wallet", 600)]),
    ],
)
def test_the_tenders_pay_the_price(asked: list[TenderAsked], paid: list[tuple[str, int]]) -> None:
    made = tenders(asked, PRICE, is_customer=True)
    assert [(tender.kind, tender.amount.amount) for tender in made] == paid


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ([], 0),
        ([provider(999)], 999),
        ([wallet(300), provider(701)], 1_001),
        ([wallet(1_001), provider()], 1_001),
        ([wallet(), provider()], 0),
    ],
)
def test_too_little_too_much_and_two_rests_are_refused(asked: list[TenderAsked], given: int) -> None:
    with pytest.raises(TendersDoNotMatch) as refusal:
        tenders(asked, PRICE, is_customer=True)
    assert refusal.value.facts() == {"total": PRICE, "tendered": Money(given, "KES")}


def test_amounts_are_never_converted() -> None:
    with pytest.raises(OrderCurrencyMismatch):
        tenders([TenderAsked("wallet", Money(10, "USD")), provider()], PRICE, is_customer=True)


def test_a_guest_has_no_wallet() -> None:
    with pytest.raises(WalletNeedsCustomer):
        tenders([wallet(300), provider()], PRICE, is_customer=False)
    assert tenders([provider()], PRICE, is_customer=False)


def test_what_costs_nothing_is_paid_by_nothing() -> None:
    assert tenders([provider()], Money(0, "KES"), is_customer=True) == ()
    assert tenders([], Money(0, "KES"), is_customer=True) == ()


@given(st.lists(st.integers(0, 500), max_size=4), st.integers(0, 1_000))
def test_whatever_is_accepted_sums_to_the_price(amounts: list[int], price: int) -> None:
    asked = [wallet(amount) for amount in amounts] + [provider()]
    try:
        made = tenders(asked, Money(price, "KES"), is_customer=True)
    except TendersDoNotMatch:
        assert sum(amounts) > price
    else:
        assert total((tender.amount for tender in made), "KES") == Money(price, "KES")
        assert all(tender.amount for tender in made)
