"""Money is whole minor units of one currency, and no part of it is ever lost."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from cauri.money import (
    CurrencyMismatchError,
    Money,
    UnknownCurrencyError,
    currencies,
    exponent,
    is_currency,
    round_half_even,
    split_units,
    total,
    zero,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from iso4217 import Currency

amounts = st.integers(-(10**15), 10**15)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any)
codes = st.sampled_from(currencies())


# -- Splitting


@given(amounts, weights)
def test_the_parts_sum_to_the_whole(amount: int, weights: list[int]) -> None:
    parts = Money(amount, "KES").split(weights)
    assert len(parts) == len(weights)
    assert sum(parts) == Money(amount, "KES")


@given(amounts, weights)
def test_no_part_is_a_unit_or_more_from_its_exact_share(amount: int, weights: list[int]) -> None:
    for part, weight in zip(split_units(amount, weights), weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


@given(amounts, weights)
def test_a_part_with_more_weight_is_no_smaller(amount: int, weights: list[int]) -> None:
    parts = split_units(abs(amount), weights)
    by_weight = sorted(zip(weights, parts, strict=True))
    assert all(less[1] <= more[1] for less, more in pairwise(by_weight) if less[0] < more[0])


@given(amounts, weights)
def test_nothing_weighs_nothing(amount: int, weights: list[int]) -> None:
    assert all(part == 0 for part, weight in zip(split_units(amount, weights), weights, strict=True) if weight == 0)


@given(amounts, weights)
def test_a_refund_is_split_as_its_charge_was(amount: int, weights: list[int]) -> None:
    assert split_units(-amount, weights) == [-part for part in split_units(amount, weights)]


@given(st.integers(0, 10**9), st.integers(1, 30))
def test_equal_parts_differ_by_a_unit_at_most_and_the_earlier_is_the_larger(amount: int, count: int) -> None:
    parts = split_units(amount, [1] * count)
    assert max(parts) - min(parts) <= 1
    assert parts == sorted(parts, reverse=True)


def test_what_is_left_over_goes_to_the_largest_remainders() -> None:
    assert split_units(10, [3, 3, 3]) == [4, 3, 3]
    assert split_units(100, [1, 2, 4]) == [14, 29, 57]  # 14.29, 28.57, 57.14
    assert Money(1000, "KES").split([1, 1, 1]) == [Money(334, "KES"), Money(333, "KES"), Money(333, "KES")]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1], [-1]])
def test_weights_that_weigh_nothing_or_less_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100, "KES").split(weights)


# -- Rounding


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**6))
def test_rounding_is_what_the_decimal_module_does(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assume(exact.denominator in (1, 2, 4, 5, 8, 10, 20, 25, 50, 100))  # those that a Decimal holds exactly
    as_decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
    assert round_half_even(numerator, denominator) == int(as_decimal.quantize(Decimal(1), ROUND_HALF_EVEN))


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**6))
def test_rounding_is_to_the_nearest_and_to_the_even_one_of_two(numerator: int, denominator: int) -> None:
    rounded = round_half_even(numerator, denominator)
    off = abs(Fraction(numerator, denominator) - rounded)
    assert off < Fraction(1, 2) or (off == Fraction(1, 2) and rounded % 2 == 0)


def test_basis_points() -> None:
    assert Money(100_050, "KES").basis_points(1600) == Money(16_008, "KES")
    assert Money(5, "KES").basis_points(5_000) == Money(2, "KES")  # 2.5
    assert Money(7, "KES").basis_points(5_000) == Money(4, "KES")  # 3.5
    assert Money(-5, "KES").basis_points(5_000) == Money(-2, "KES")


# -- Currencies


@pytest.mark.parametrize("currency", list(Currency), ids=lambda currency: currency.code)
def test_every_currency_of_the_standard(currency: Currency) -> None:
    if currency.exponent is None:  # gold, baskets, test codes
        assert currency.code not in currencies()
        with pytest.raises(UnknownCurrencyError):
            Money(1, currency.code)
        return
    assert currency.code in currencies()
    one = Money(10**currency.exponent, currency.code)
    assert str(one) == f"{currency.code} 1" + ("." + "0" * currency.exponent if currency.exponent else "")


@pytest.mark.parametrize(
    ("currency", "digits"), [("KES", 2), ("JPY", 0), ("XOF", 0), ("UGX", 0), ("KWD", 3), ("IQD", 3), ("CLF", 4)]
)
def test_exponents_that_people_get_wrong(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("code", ["", "kes", "KE", "XXX", "XAU", "XTS", "ABC", "KES "])
def test_what_is_no_currency(code: str) -> None:
    with pytest.raises(UnknownCurrencyError):
        Money(1, code)


@given(amounts, codes)
def test_money_reads_as_the_decimal_that_it_is(amount: int, currency: str) -> None:
    code, _, number = str(Money(amount, currency)).partition(" ")
    assert code == currency
    assert Decimal(number.replace(",", "")) == Decimal(amount).scaleb(-exponent(currency))


def test_money_reads_well() -> None:
    assert str(Money(125_000_005, "KES")) == "KES 1,250,000.05"
    assert str(Money(-5, "KES")) == "KES -0.05"
    assert str(Money(1_500, "JPY")) == "JPY 1,500"
    assert str(Money(1_500, "KWD")) == "KWD 1.500"


# -- Sums


def test_currencies_do_not_mix() -> None:
    shilling, dollar = Money(1, "KES"), Money(1, "USD")
    for mixed in (
        lambda: shilling + dollar,
        lambda: shilling - dollar,
        lambda: shilling < dollar,
        lambda: shilling <= dollar,
        lambda: shilling > dollar,
        lambda: shilling >= dollar,
        lambda: total([shilling, dollar], "KES"),
        lambda: shilling + 1,
    ):
        with pytest.raises(CurrencyMismatchError):
            mixed()
    assert shilling != dollar


@pytest.mark.parametrize("amount", [1.0, True, "1", None, Decimal(1)])
def test_an_amount_is_a_whole_number(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "KES")  # type: ignore[arg-type]


@given(st.lists(amounts, max_size=10))
def test_a_total_is_the_sum_of_its_parts(parts: list[int]) -> None:
    assert total((Money(part, "KES") for part in parts), "KES") == Money(sum(parts), "KES")


@given(amounts, amounts)
def test_arithmetic_and_order_are_those_of_the_amounts(one: int, other: int) -> None:
    a, b = Money(one, "KES"), Money(other, "KES")
    assert (a + b, a - b, -a, a * 3) == (
        Money(one + other, "KES"),
        Money(one - other, "KES"),
        Money(-one, "KES"),
        Money(3 * one, "KES"),
    )
    assert (a < b, a <= b, a > b, a >= b) == (one < other, one <= other, one > other, one >= other)
    assert bool(a) == bool(one)
    assert not zero("KES")


def test_points_are_counted_like_money_and_nobody_pays_with_them() -> None:
    assert str(Money(1_250, "PTS")) == "PTS 1,250"
    assert (is_currency("KES"), is_currency("PTS"), is_currency("XAU"), is_currency("kes")) == (
        True,
        False,
        False,
        False,
    )
