"""What promotions take off, against exact fractions; and why one is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

import pytest
from cauri.checkout.pricing import Item, quote
from cauri.checkout.promotions import (
    Offer,
    Promotion,
    PromotionBelowMinimum,
    PromotionExpired,
    PromotionNotApplicable,
    PromotionNotInCurrency,
    PromotionNotStarted,
    Scope,
    UnknownPromotion,
    discounts,
    usable,
)
from cauri.errors import Refusal
from cauri.inventory.model import Product
from cauri.money import Money
from cauri.orders.model import Funding
from cauri.parties.model import Tenant, Vendor
from hypothesis import given
from hypothesis import strategies as st

from tests.shop import START, TENANT

VENDORS = ("ven_a", "ven_b", "ven_c")


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def an_offer(sku: str = "shirt", price: int = 10_000, quantity: int = 1, vendor: str = "ven_a") -> Offer:
    return Offer(sku, vendor, quantity, kes(price))


def off(code: str, scope: Scope = Scope.ORDER, *, percent: int = 0, amount: int = 0, **more: object) -> Promotion:
    amounts = {"KES": amount} if amount else {}
    return replace(Promotion(TENANT, code, code, scope, percent_bps=percent * 100, amounts=amounts), **more)  # type: ignore[arg-type]


offers = st.lists(
    st.builds(
        an_offer,
        sku=st.sampled_from(["a", "b", "c", "d"]),
        price=st.integers(0, 300_000),
        quantity=st.integers(1, 9),
        vendor=st.sampled_from(VENDORS),
    ),
    min_size=1,
    max_size=8,
)
promotions = st.lists(
    st.builds(
        Promotion,
        tenant=st.just(TENANT),
        code=st.sampled_from([f"P{number}" for number in range(8)]),
        title=st.just("Less"),
        scope=st.sampled_from(Scope),
        percent_bps=st.sampled_from([0, 1, 333, 5_000, 10_000]),
        amounts=st.builds(lambda amount: {"KES": amount}, st.integers(0, 400_000)),
        skus=st.sampled_from([(), ("a",), ("a", "b")]),
        vendors=st.sampled_from([(), ("ven_a",), ("ven_b",)]),
        funded_by=st.sampled_from(Funding),
    ),
    max_size=5,
    unique_by=lambda promotion: promotion.code,
)


def amounts(offers: Sequence[Offer], *chosen: Promotion) -> list[int]:
    return [sum(each.amount.amount for each in line) for line in discounts(offers, chosen)]


# -- For all carts


@given(offers, promotions)
def test_no_line_costs_less_than_nothing(offers: list[Offer], chosen: list[Promotion]) -> None:
    for offer, line in zip(offers, discounts(offers, chosen), strict=True):
        assert all(each.amount > kes(0) for each in line)
        assert sum(each.amount.amount for each in line) <= offer.gross.amount


@given(offers, promotions, st.randoms(use_true_random=False))
def test_the_order_in_which_codes_are_given_changes_nothing(
    offers: list[Offer], chosen: list[Promotion], chance: Random
) -> None:
    shuffled = list(chosen)
    chance.shuffle(shuffled)
    assert discounts(offers, shuffled) == discounts(offers, chosen)


@given(offers, st.integers(1, 10_000))
def test_a_percentage_of_the_order_is_rounded_once_and_its_parts_sum_to_it(offers: list[Offer], bps: int) -> None:
    made = amounts(offers, Promotion(TENANT, "P", "P", Scope.ORDER, percent_bps=bps))
    whole = sum(offer.gross.amount for offer in offers)
    assert sum(made) == round(Fraction(whole * bps, 10_000))
    for part, offer in zip(made, offers, strict=True):
        exact = Fraction(sum(made) * offer.gross.amount, whole) if whole else Fraction(0)
        assert abs(part - exact) < 1


@given(offers, st.integers(1, 2_000_000))
def test_an_amount_off_the_order_is_given_whole_or_as_far_as_it_goes(offers: list[Offer], amount: int) -> None:
    made = amounts(offers, off("P", amount=amount))
    assert sum(made) == min(amount, sum(offer.gross.amount for offer in offers))


@given(offers, st.integers(1, 10_000))
def test_a_percentage_of_lines_is_of_each_line(offers: list[Offer], bps: int) -> None:
    made = amounts(offers, Promotion(TENANT, "P", "P", Scope.LINE, percent_bps=bps))
    assert made == [round(Fraction(offer.gross.amount * bps, 10_000)) for offer in offers]


@given(offers, promotions, st.booleans())
def test_what_is_left_is_net_and_tax(offers: list[Offer], chosen: list[Promotion], included: bool) -> None:
    tenant = Tenant(TENANT, "Soko", {"standard": 1600}, included)
    vendors = {vendor: Vendor(TENANT, vendor, vendor, "KE", 1000) for vendor in VENDORS}
    items = [
        Item(Product(TENANT, f"{at}", offer.vendor_id, "", {"KES": offer.price.amount}, "standard"), offer.quantity)
        for at, offer in enumerate(offers)
    ]
    anywhere = [replace(promotion, skus=()) for promotion in chosen]
    made = quote(items, vendors, tenant, "KES", anywhere)
    taken = 0
    for line in (line for share in made.shares for line in share.lines):
        gross = line.price.amount * line.item.quantity
        left = gross - sum(each.amount.amount for each in line.discounts)
        taken += gross - left
        assert left == (line.net + line.tax if included else line.net).amount
        assert line.net.amount >= 0
        assert line.tax.amount >= 0
    goods = sum(offer.gross.amount for offer in offers)
    assert made.total.amount == (goods - taken if included else goods - taken + made.tax.amount)


# -- Examples to read


def test_lines_come_before_the_order_and_percentages_before_amounts() -> None:
    chosen = [
        off("A-ORDER-AMOUNT", amount=1_000),
        off("B-ORDER-PERCENT", percent=10),
        off("C-LINE-AMOUNT", Scope.LINE, amount=2_000),
        off("D-LINE-PERCENT", Scope.LINE, percent=50),
    ]
    [line] = discounts([an_offer(price=10_000)], chosen)
    assert [(each.code, each.amount.amount) for each in line] == [
        ("D-LINE-PERCENT", 5_000),
        ("C-LINE-AMOUNT", 2_000),
        ("B-ORDER-PERCENT", 300),
        ("A-ORDER-AMOUNT", 1_000),
    ]


def test_an_amount_off_lines_is_off_each_unit() -> None:
    assert amounts([an_offer(quantity=3), an_offer("pin", 50, 4)], off("P", Scope.LINE, amount=100)) == [300, 200]


def test_it_concerns_the_skus_and_the_vendors_that_it_names() -> None:
    cart = [an_offer("a"), an_offer("b"), an_offer("c", vendor="ven_b")]
    assert amounts(cart, off("P", percent=10, skus=("a",))) == [1_000, 0, 0]
    assert amounts(cart, off("P", percent=10, vendors=("ven_b",))) == [0, 0, 1_000]
    assert amounts(cart, off("P", percent=10, skus=("a",), vendors=("ven_b",))) == [1_000, 0, 1_000]


@pytest.mark.parametrize(("funded_by", "commission"), [(Funding.VENDOR, 900), (Funding.TENANT, 1_000)])
@pytest.mark.parametrize("included", [False, True])
def test_commission_is_on_what_the_vendor_earns(funded_by: Funding, commission: int, included: bool) -> None:
    tenant = Tenant(TENANT, "Soko", {"standard": 1600}, included)
    vendors = {"ven_a": Vendor(TENANT, "ven_a", "A", "KE", 1000)}
    shirt = Product(TENANT, "shirt", "ven_a", "Shirt", {"KES": 11_600 if included else 10_000}, "standard")
    made = quote([Item(shirt, 1)], vendors, tenant, "KES", [off("P", percent=10, funded_by=funded_by)])
    assert made.shares[0].commission == kes(commission)
    assert made.shares[0].subsidy == kes(1_000 if funded_by is Funding.TENANT else 0)
    assert made.total == kes(10_440)  # 9,000 and 16 %, whoever pays for the rest


# -- Why not

WHEN = START
REFUSED: list[tuple[Callable[[Promotion], Promotion], type[Refusal]]] = [
    (lambda p: replace(p, active=False), UnknownPromotion),
    (lambda p: replace(p, starts_at=WHEN + timedelta(seconds=1)), PromotionNotStarted),
    (lambda p: replace(p, ends_at=WHEN), PromotionExpired),
    (lambda p: replace(p, skus=("hat",)), PromotionNotApplicable),
    (lambda p: replace(p, percent_bps=0, amounts={"USD": 100}), PromotionNotInCurrency),
    (lambda p: replace(p, minimum_spend={"USD": 100}), PromotionNotInCurrency),
    (lambda p: replace(p, minimum_spend={"KES": 10_001}), PromotionBelowMinimum),
]


@pytest.mark.parametrize(("change", "refusal"), REFUSED)
def test_a_code_that_is_given_says_why_not_and_an_automatic_one_keeps_quiet(
    change: Callable[[Promotion], Promotion], refusal: type[Refusal]
) -> None:
    promotion = change(off("P", percent=10))
    with pytest.raises(refusal):
        usable([promotion], [], [an_offer()], "KES", WHEN)
    assert usable([], [promotion], [an_offer()], "KES", WHEN) == []


def test_it_says_how_much_more_to_spend() -> None:
    with pytest.raises(PromotionBelowMinimum) as refused:
        usable([off("P", percent=10, minimum_spend={"KES": 12_050})], [], [an_offer()], "KES", WHEN)
    assert refused.value.suggestion() == "Spend KES 20.50 more to use P."
    assert refused.value.facts()["missing"] == kes(2_050)


def test_at_its_bounds_it_is_usable() -> None:
    promotion = off("P", percent=10, starts_at=WHEN, ends_at=WHEN + timedelta(seconds=1), minimum_spend={"KES": 10_000})
    assert usable([promotion], [], [an_offer()], "KES", WHEN) == [promotion]


def test_a_code_that_takes_nothing_is_refused_and_not_used() -> None:
    everything, more = off("ALL", percent=100), off("MORE", amount=100)
    with pytest.raises(PromotionNotApplicable):
        usable([everything, more], [], [an_offer()], "KES", WHEN)
    assert usable([everything], [more], [an_offer()], "KES", WHEN) == [everything]


def test_a_code_that_is_automatic_as_well_counts_once() -> None:
    promotion = off("P", percent=10, automatic=True)
    assert usable([promotion], [promotion], [an_offer()], "KES", WHEN) == [promotion]
