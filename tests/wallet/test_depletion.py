"""Which lots pay: the order of kinds, expiry first, points at the tenant's rate. Source: SPEC 12."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cauri.money import Money
from cauri.wallet.depletion import BelowMinimum, Policy, Split, split
from cauri.wallet.lots import PTS, Kind, Lot, Wallet
from hypothesis import given
from hypothesis import strategies as st

from tests.wallet.test_lots import NOW, credit, wallet

POLICY = Policy(points_minimum=100, per_1000_points={"KES": 10_000})


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def pay(
    wallet: Wallet, amount: int, policy: Policy = POLICY, *, tax: int = 0, kinds: list[Kind] | None = None
) -> Split:
    return split(wallet, kes(amount), policy, NOW, tax=kes(tax), kinds=kinds)


def reward(lot_id: str, units: int, expires: int | None = None) -> Lot:
    return credit(lot_id, units, expires, kind=Kind.REWARD)


def points(lot_id: str, units: int, expires: int | None = None) -> Lot:
    return credit(lot_id, units, expires, kind=Kind.POINTS)


def test_kinds_pay_in_the_tenants_order_and_lots_first_in_first_out() -> None:
    full = wallet(points("p", 500), credit("c2", 40, 90), credit("c1", 40, 30), credit("c3", 40), reward("r", 10))
    made = pay(full, 2_000)
    assert made.units == {"r": 10, "c1": 40, "c2": 40, "c3": 40, "p": 187}
    assert made.rest == kes(0)
    assert made.paid_by(Kind.POINTS) == kes(1_870)


def test_what_expires_soon_goes_first_whatever_its_kind() -> None:
    full = wallet(reward("r", 10), credit("soon", 5, 6), credit("not soon", 5, 7))
    assert list(pay(full, 12).units.items()) == [("soon", 5), ("r", 7)]


def test_the_customers_own_order_is_kept() -> None:
    full = wallet(reward("r", 10), credit("c", 10), credit("soon", 10, 3))
    assert pay(full, 15, kinds=[Kind.STORE_CREDIT]).units == {"soon": 10, "c": 5}
    assert list(pay(full, 25, kinds=[Kind.STORE_CREDIT, Kind.REWARD]).units) == ["soon", "c", "r"]
    assert pay(full, 25, kinds=[Kind.REWARD]).rest == kes(15)


def test_loyalty_pays_no_tax_and_store_credit_does() -> None:
    full = wallet(reward("r", 100), points("p", 1_000), credit("c", 5))
    made = pay(full, 116, tax=16)
    assert (made.paid_by(Kind.REWARD), made.paid_by(Kind.STORE_CREDIT), made.rest) == (kes(100), kes(5), kes(11))


def test_points_of_many_small_lots_pay_as_one_large() -> None:
    policy = Policy(points_minimum=1, per_1000_points={"KES": 100})
    assert pay(wallet(*(points(f"p{n}", 9) for n in range(10))), 9, policy).paid_by(Kind.POINTS) == kes(9)


def test_no_point_is_spent_in_vain() -> None:
    dear = Policy(points_minimum=1, per_1000_points={"KES": 100_000})
    assert (pay(wallet(points("p", 9)), 250, dear).units, pay(wallet(points("p", 9)), 99, dear).units) == ({"p": 2}, {})
    cheap = Policy(points_minimum=1, per_1000_points={"KES": 30})
    assert pay(wallet(points("p", 100)), 50, cheap).units == {"p": 100}
    assert pay(wallet(points("p", 99)), 50, cheap).units == {"p": 67}, "67 points pay 2; 99 would pay 2 as well"


def test_too_few_points_are_left_alone_or_refused_with_what_is_missing() -> None:
    few = wallet(points("p", 60), credit("c", 10))
    assert (pay(few, 30).units, pay(few, 30).rest) == ({"c": 10}, kes(20))
    with pytest.raises(BelowMinimum) as refused:
        pay(few, 30, kinds=[Kind.POINTS])
    assert refused.value.suggestion() == "You have 60 points. Earn 40 more to redeem."
    with pytest.raises(BelowMinimum) as refused:
        pay(wallet(points("p", 600)), 30, kinds=[Kind.POINTS])
    assert refused.value.suggestion() == "Redeem 100 points or more."
    with pytest.raises(BelowMinimum):
        pay(wallet(credit("c", 10)), 30, kinds=[Kind.POINTS])


def test_balances_of_other_currencies_pay_nothing() -> None:
    dollars = Lot("d", Kind.STORE_CREDIT, "USD", 100, 100, "gift", NOW)
    assert pay(wallet(dollars, points("p", 500)), 10, Policy()).rest == kes(10), "nor points without a rate"


def test_what_is_expired_pending_or_held_pays_nothing() -> None:
    pending = Lot("p", Kind.STORE_CREDIT, "KES", 5, 5, "earned", NOW, pending=True)
    full = wallet(pending, credit("over", 5, 0), credit("c", 5)).hold("h", {"c": 5}, NOW + timedelta(1))
    assert pay(full, 5).rest == kes(5)


LOTS = st.builds(
    lambda kind, units, expires: (kind, units, expires),
    st.sampled_from(list(Kind)),
    st.integers(1, 500),
    st.one_of(st.none(), st.integers(-1, 40)),
)


@given(
    st.lists(LOTS, max_size=8),
    st.integers(1, 3_000),
    st.integers(0, 100),
    st.sampled_from([1, 7, 999, 1_000, 1_001, 33_333]),
    st.integers(1, 200),
)
def test_a_split_adds_up_and_pays_as_much_as_can_be_paid(
    made_of: list[tuple[Kind, int, int | None]], amount: int, tax_percent: int, rate: int, minimum: int
) -> None:
    full = wallet(*(credit(f"lot{n}", units, days, kind=kind) for n, (kind, units, days) in enumerate(made_of)))
    policy = Policy(points_minimum=minimum, per_1000_points={"KES": rate})
    tax = amount * tax_percent // 100
    made = pay(full, amount, policy, tax=tax)
    paid = {kind: made.paid_by(kind).amount for kind in Kind}
    assert sum(paid.values()) + made.rest.amount == amount
    assert paid[Kind.POINTS] + paid[Kind.REWARD] <= amount - tax
    assert paid[Kind.POINTS] == made.points * rate // 1000
    assert made.points == 0 or made.points >= minimum
    assert all(0 < units <= full.lots[lot_id].units for lot_id, units in made.units.items())
    full.take(made.units)
    store, rewards = (full.spendable(NOW, "KES", kind) for kind in (Kind.STORE_CREDIT, Kind.REWARD))
    if made.rest:
        assert paid[Kind.STORE_CREDIT] == store, "money that could pay is not left over"
        assert paid[Kind.REWARD] == rewards or paid[Kind.REWARD] + paid[Kind.POINTS] == amount - tax


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), min_size=1, max_size=10), st.integers(1, 300))
def test_first_in_first_out_is_that_of_a_queue(lots: list[tuple[int, int]], amount: int) -> None:
    """Against a model that knows nothing of lots: units in a row, in the order of their expiry."""
    full = wallet(*(credit(f"{n:02}", units, 10 + days) for n, (units, days) in enumerate(lots)))
    row = [f"{n:02}" for _, n, units in sorted((d, n, u) for n, (u, d) in enumerate(lots)) for _ in range(units)]
    assert pay(full, amount).units == {lot: row[:amount].count(lot) for lot in row[:amount]}
    assert PTS not in {payment.lot.asset for payment in pay(full, amount).payments}
