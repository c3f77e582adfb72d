"""What an order comes to, against a model of its own: exact fractions, added up class by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import pytest
from cauri.checkout.model import AmountTooLarge
from cauri.checkout.pricing import Item, Quote, quote
from cauri.inventory.model import NoPriceInCurrency, Product
from cauri.money import MINOR_UNITS_MAX, Money
from cauri.parties.model import STANDARD, ShippingRate, Tenant, UnknownTaxClass, Vendor
from hypothesis import given
from hypothesis import strategies as st

from tests.shop import TENANT

RATES = {STANDARD: 1600, "reduced": 725, "zero": 0}
VENDORS = {
    vendor: Vendor(TENANT, vendor, vendor, "KE", commission)
    for vendor, commission in {"ven_a": 1000, "ven_b": 1250, "ven_c": 0}.items()
}


def a_product(sku: str, vendor: str, price: int, tax_class: str = STANDARD, grams: int | None = None) -> Product:
    return Product(TENANT, sku, vendor, sku, {"KES": price}, tax_class, grams)


def a_tenant(*, included: bool = False, base: int = 0, per_kg: int = 0) -> Tenant:
    return Tenant(TENANT, "Soko", RATES, included, {"KES": ShippingRate(base, per_kg)}, demo=True)


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    count = draw(st.integers(1, 12))
    weighed = draw(st.booleans())
    return [
        Item(
            a_product(
                f"sku-{number}",
                draw(st.sampled_from(sorted(VENDORS))),
                draw(st.integers(0, 500_000)),
                draw(st.sampled_from(sorted(RATES))),
                draw(st.integers(0, 5_000)) if weighed or draw(st.booleans()) else None,
            ),
            draw(st.integers(1, 20)),
        )
        for number in range(count)
    ]


tenants = st.builds(a_tenant, included=st.booleans(), base=st.integers(0, 90_000), per_kg=st.integers(0, 9_000))


# -- The model


@dataclass
class Shown:
    """An amount as the shopper sees it, with what tax there is in it or on it."""

    amount: int
    tax_class: str
    tax: int


def all_that_is_shown(made: Quote, tenant: Tenant) -> list[Shown]:
    shown = []
    for share in made.shares:
        for line in share.lines:
            product = line.item.product
            shown.append(Shown(product.prices["KES"] * line.item.quantity, product.tax_class, line.tax.amount))
        net, tax = share.shipping.amount, share.shipping_tax.amount
        shown.append(Shown(net + tax if tenant.prices_include_tax else net, tenant.shipping_tax_class, tax))
    return shown


def exact_tax(amount: int, tenant: Tenant, tax_class: str) -> Fraction:
    rate = Fraction(tenant.tax_rates[tax_class], 10_000)
    return amount * rate / (1 + rate) if tenant.prices_include_tax else amount * rate


def half_even(exact: Fraction) -> int:
    return round(exact)  # what Python does to a Fraction


@given(items(), tenants)
def test_tax_is_computed_once_per_class_and_shared_out(items: list[Item], tenant: Tenant) -> None:
    by_class: defaultdict[str, list[Shown]] = defaultdict(list)
    for each in all_that_is_shown(quote(items, VENDORS, tenant, "KES"), tenant):
        by_class[each.tax_class].append(each)
    for tax_class, shown in by_class.items():
        whole = half_even(exact_tax(sum(each.amount for each in shown), tenant, tax_class))
        assert sum(each.tax for each in shown) == whole
        for each in shown:
            assert abs(each.tax - exact_tax(each.amount, tenant, tax_class)) < Fraction(3, 2)  # rounded twice


@given(items(), tenants)
def test_the_parts_sum_to_the_whole(items: list[Item], tenant: Tenant) -> None:
    made = quote(items, VENDORS, tenant, "KES")
    shown = all_that_is_shown(made, tenant)
    tax = sum(each.tax for each in shown)
    assert made.tax == Money(tax, "KES")
    as_shown = sum(each.amount for each in shown)
    assert made.total == Money(as_shown if tenant.prices_include_tax else as_shown + tax, "KES")
    lines = [line for share in made.shares for line in share.lines]
    assert sorted((line.item.product.sku, line.item.quantity) for line in lines) == sorted(
        (item.product.sku, item.quantity) for item in items
    )
    for line in lines:
        amount = line.price.amount * line.item.quantity
        assert (line.net + line.tax if tenant.prices_include_tax else line.net) == Money(amount, "KES")


@given(items(), tenants)
def test_shipping_is_shared_by_weight_or_by_value_when_a_weight_is_missing(items: list[Item], tenant: Tenant) -> None:
    made = quote(items, VENDORS, tenant, "KES")
    weighs = weights(items)
    rate = tenant.shipping["KES"]
    grams = sum((item.product.weight_grams or 0) * item.quantity for item in items)
    cost = rate.base + rate.per_kg * ceil(Fraction(grams, 1000))
    shares = {share.vendor.id: share.shipping.amount for share in made.shares}
    if tenant.prices_include_tax:
        shares = {s.vendor.id: s.shipping.amount + s.shipping_tax.amount for s in made.shares}
    assert sum(shares.values()) == cost
    whole = sum(weighs.values())
    for vendor, share in shares.items():
        exact = Fraction(cost * weighs[vendor], whole) if whole else Fraction(cost, len(shares))
        assert abs(share - exact) < 1


def weights(items: Sequence[Item]) -> Mapping[str, int]:
    weighed = all(item.product.weight_grams is not None for item in items)
    sums: defaultdict[str, int] = defaultdict(int)
    for item in items:
        each = item.product.weight_grams if weighed else item.product.prices["KES"]
        sums[item.product.vendor_id] += (each or 0) * item.quantity
    return sums


@given(items(), tenants)
def test_commission_is_on_the_goods_without_tax_and_is_taxed_itself(items: list[Item], tenant: Tenant) -> None:
    for share in quote(items, VENDORS, tenant, "KES").shares:
        net = sum(line.net.amount for line in share.lines)
        assert share.commission.amount == half_even(Fraction(net * share.vendor.commission_bps, 10_000))
        assert share.commission_tax.amount == half_even(share.commission.amount * Fraction(1600, 10_000))


@given(items(), tenants, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(items: list[Item], tenant: Tenant, chance: object) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert quote(shuffled, VENDORS, tenant, "KES") == quote(items, VENDORS, tenant, "KES")


# -- Examples to read


def test_kenyan_tax_on_top() -> None:
    made = quote([Item(a_product("shirt", "ven_a", 150_000), 2)], VENDORS, a_tenant(base=30_000), "KES")
    assert made.total == Money(382_800, "KES")  # (3,000.00 + 300.00) * 1.16
    assert made.tax == Money(52_800, "KES")
    assert made.shares[0].commission == Money(30_000, "KES")
    assert made.shares[0].commission_tax == Money(4_800, "KES")


def test_kenyan_tax_within() -> None:
    made = quote([Item(a_product("shirt", "ven_a", 116_000), 1)], VENDORS, a_tenant(included=True), "KES")
    assert made.total == Money(116_000, "KES")
    assert made.tax == Money(16_000, "KES")
    assert made.shares[0].commission == Money(10_000, "KES")


def test_a_kilogram_begun_is_a_kilogram() -> None:
    light = [Item(a_product("pin", "ven_a", 100, "zero", grams=1), 1)]
    assert quote(light, VENDORS, a_tenant(base=500, per_kg=70), "KES").shipping == Money(570, "KES")


def test_a_currency_without_a_rate_ships_for_nothing() -> None:
    product = Product(TENANT, "shirt", "ven_a", "Shirt", {"USD": 1_000}, "zero")
    assert quote([Item(product, 1)], VENDORS, a_tenant(base=500), "USD").total == Money(1_000, "USD")


def test_prices_are_never_converted() -> None:
    with pytest.raises(NoPriceInCurrency):
        quote([Item(a_product("shirt", "ven_a", 100), 1)], VENDORS, a_tenant(), "USD")


def test_a_tax_class_that_the_tenant_lacks() -> None:
    with pytest.raises(UnknownTaxClass):
        quote([Item(a_product("shirt", "ven_a", 100, "luxury"), 1)], VENDORS, a_tenant(), "KES")


def test_an_order_has_an_end() -> None:
    dear = a_product("dhow", "ven_a", MINOR_UNITS_MAX, "zero")
    assert quote([Item(dear, 1)], VENDORS, a_tenant(), "KES").total.amount == MINOR_UNITS_MAX
    with pytest.raises(AmountTooLarge):
        quote([Item(dear, 1)], VENDORS, a_tenant(base=1), "KES")


@pytest.mark.parametrize(("country", "rate"), [("KH", 1000), ("SG", 900), ("NG", 750)])
@pytest.mark.parametrize("currency", ["KHR", "SGD", "NGN", "JPY", "XOF", "KWD"])
@pytest.mark.parametrize("included", [False, True])
def test_commission_is_taxed_by_the_tenants_rate_in_every_currency(
    country: str, rate: int, currency: str, included: bool
) -> None:
    """Whole minor units of none, two or three digits; taxed on top, also where prices include tax."""
    tenant = Tenant(TENANT, country, {STANDARD: rate}, included)
    product = Product(TENANT, "rope", "ven_b", "Rope", {currency: 99_999}, STANDARD)
    made = quote([Item(product, 3)], VENDORS, tenant, currency)
    [share] = made.shares
    net = 299_997 - half_even(exact_tax(299_997, tenant, STANDARD)) if included else 299_997
    assert share.lines[0].net == Money(net, currency)
    assert share.commission == Money(half_even(Fraction(net * 1250, 10_000)), currency)
    assert share.commission_tax == Money(half_even(Fraction(share.commission.amount * rate, 10_000)), currency)
    assert made.total == Money(299_997 if included else 299_997 + half_even(Fraction(299_997 * rate, 10_000)), currency)
