"""What a wallet pays of an order, and what comes back of it when the order is refunded. Source: SPEC 3, 4 and 12."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from cauri.money import Money
from cauri.wallet.depletion import BelowMinimum, Policy
from cauri.wallet.draws import Draw, draw, units_of
from cauri.wallet.lots import PTS, Kind, Lot, Wallet
from cauri.wallet.programme import Programme
from cauri.wallet.proposing import InsufficientBalance
from hypothesis import given
from hypothesis import strategies as st

from tests.shop import START, TENANT

EVERYTHING: Final = 10**9


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def lot(lot_id: str, units: int, kind: Kind = Kind.STORE_CREDIT, days: int | None = None) -> Lot:
    asset = PTS if kind is Kind.POINTS else "KES"
    expires = None if days is None else START + timedelta(days=days)
    return Lot(lot_id, kind, asset, units, units, "goodwill", START, expires)


def drawn(lots: list[Lot], *amounts: int | Draw, for_loyalty: int = EVERYTHING, **policy: Any) -> list[Draw]:
    policy = {"points_minimum": 1, "per_1000_points": {"KES": 10_000}} | policy
    programme = Programme(TENANT, "KES", Policy(**policy))
    asked = [one if isinstance(one, Draw) else Draw(kes(one)) for one in amounts]
    return draw(asked, kes(for_loyalty), programme, Wallet(TENANT, "cus_1").add(*lots), START)


def back(made: Draw, after: int, more: int) -> dict[str, int]:
    return {part.id: part.units for part in made.back(after, more).lots}


REWARD, CREDIT, POINTS = lot("r", 1_000, Kind.REWARD, 90), lot("c", 5_000, days=60), lot("p", 300, Kind.POINTS)


def test_the_tenants_order_pays_first_what_it_names_first() -> None:
    [made] = drawn([POINTS, CREDIT, REWARD], 7_000)
    assert units_of([made]) == {"r": 1_000, "c": 5_000, "p": 100}
    assert made.points_pay == kes(1_000)


def test_points_and_rewards_pay_no_tax_however_the_tenders_are_cut() -> None:
    [first, second] = drawn([POINTS, CREDIT, REWARD], 2_000, 2_000, for_loyalty=1_500, order=tuple(Kind))
    assert [made.paid_by(Kind.REWARD, Kind.POINTS).amount for made in (first, second)] == [1_000, 0]
    [first, second] = drawn([POINTS, REWARD, CREDIT], Draw(kes(1_200), (Kind.POINTS,)), 600, for_loyalty=1_500)
    assert [made.paid_by(Kind.REWARD, Kind.POINTS).amount for made in (first, second)] == [1_200, 300]


def test_who_has_only_points_and_rewards_can_not_pay_the_tax() -> None:
    with pytest.raises(InsufficientBalance) as refused:
        drawn([POINTS, REWARD], 1_160, for_loyalty=1_000)
    assert refused.value.available == kes(1_000)


def test_who_has_nothing_is_not_told_to_pay_nothing() -> None:
    with pytest.raises(InsufficientBalance) as refused:
        drawn([], 500)
    assert refused.value.suggestion() == "Pay another way."


def test_no_two_tenders_draw_the_same_units() -> None:
    made = drawn([CREDIT], 3_000, 2_000)
    assert units_of(made) == {"c": 5_000}
    with pytest.raises(InsufficientBalance):
        drawn([CREDIT], 3_000, 2_001)


def test_too_few_points_are_refused_to_who_asks_for_them_and_left_alone_otherwise() -> None:
    with pytest.raises(BelowMinimum):
        drawn([POINTS, CREDIT], Draw(kes(500), (Kind.POINTS,)), points_minimum=100)
    [made] = drawn([lot("p", 30, Kind.POINTS), CREDIT], 1_000, points_minimum=100, order=(Kind.POINTS, *Kind))
    assert units_of([made]) == {"c": 1_000}


def test_what_was_spent_last_comes_back_first() -> None:
    [made] = drawn([POINTS, CREDIT, REWARD], 7_000)
    assert back(made, 0, 400) == {"p": 40}
    assert back(made, 400, 1_600) == {"p": 60, "c": 1_000}
    assert back(made, 2_000, 5_000) == {"c": 4_000, "r": 1_000}


def test_a_part_of_a_point_stays_spent_until_the_rest_comes_back() -> None:
    [made] = drawn([POINTS], 700)
    assert made.payments[0].units == 70
    assert (back(made, 0, 5), back(made, 5, 5), back(made, 10, 690)) == ({}, {"p": 1}, {"p": 69})
    assert [made.back(*part).points_pay for part in ((0, 5), (5, 5))] == [kes(5), kes(5)]


def test_points_that_paid_only_together_come_back_together() -> None:
    """At 2 minor units for 1,000 points none of two small lots pays anything by itself."""
    small = [lot(f"p{each}", 300, Kind.POINTS, days=each + 10) for each in range(2)]
    [made] = drawn(small, 1, per_1000_points={"KES": 2}, points_minimum=0)
    assert units_of([made]) == {"p0": 300, "p1": 200}
    assert back(made, 0, 1) == {"p0": 300, "p1": 200}


lots_of_all_kinds = st.lists(
    st.tuples(st.sampled_from(Kind), st.integers(1, 400), st.none() | st.integers(1, 50)), min_size=1, max_size=6
)


@given(lots_of_all_kinds, st.integers(1, 600), st.sampled_from([7, 130, 1_000, 1_234, 10_000]), st.data())
def test_whatever_comes_back_bit_by_bit_is_in_the_end_what_was_drawn(
    there: list[tuple[Kind, int, int | None]], amount: int, rate: int, data: st.DataObject
) -> None:
    lots = [lot(f"lot_{at}", units, kind, days) for at, (kind, units, days) in enumerate(there)]
    try:
        [made] = drawn(lots, amount, for_loyalty=data.draw(st.integers(0, 600)), per_1000_points={"KES": rate})
    except InsufficientBalance:
        return
    done, points_pay, came = 0, 0, dict.fromkeys(units_of([made]), 0)
    while done < amount:
        more = data.draw(st.integers(1, amount - done))
        part = made.back(done, more)
        money = sum(each.units for each in part.lots if each.kind is not Kind.POINTS)
        assert part.points_pay is not None
        assert money + part.points_pay.amount == more
        for each in part.lots:
            assert each.units > 0
            came[each.id] += each.units
        done, points_pay = done + more, points_pay + part.points_pay.amount
        assert all(came[lot_id] <= units for lot_id, units in units_of([made]).items())
    assert (came, points_pay) == (units_of([made]), made.points_pay.amount)
