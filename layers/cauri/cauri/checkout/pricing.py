"""What an order comes to: goods, shipping, tax and commission, such that the parts always sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from cauri.checkout.model import AmountTooLarge
from cauri.checkout.promotions import Offer, Promotion, discounts
from cauri.inventory.model import Product
from cauri.money import MINOR_UNITS_MAX, Money, tax_on, total, zero
from cauri.orders.model import Discount, Funding
from cauri.parties.model import STANDARD, Tenant, Vendor
from cauri.values import dataclass

GRAMS_PER_KG: Final = 1000


@dataclass(frozen=True)
class Item:
    """So many of a product."""

    product: Product
    quantity: int
    impa_code: str | None = None


@dataclass(frozen=True)
class PricedLine:
    """`net + tax` is what the line costs after `discounts`; `price` is for one, as shown."""

    item: Item
    price: Money
    discounts: tuple[Discount, ...]
    net: Money
    tax: Money


@dataclass(frozen=True)
class VendorShare:
    """What one vendor sells in this order, its part of the shipping, and what the tenant keeps."""

    vendor: Vendor
    lines: tuple[PricedLine, ...]
    shipping: Money
    shipping_tax: Money
    commission: Money
    commission_tax: Money
    subsidy: Money
    """What the tenant pays of the goods in the shopper's stead, net of tax."""


@dataclass(frozen=True)
class Quote:
    """The whole, and its parts by vendor."""

    currency: str
    shares: tuple[VendorShare, ...]

    @property
    def promotions(self) -> set[str]:
        """The codes of those that take something off."""
        return {each.code for share in self.shares for line in share.lines for each in line.discounts}

    @property
    def shipping(self) -> Money:
        """Net of tax."""
        return total((share.shipping for share in self.shares), self.currency)

    @property
    def tax(self) -> Money:
        goods = total((line.tax for share in self.shares for line in share.lines), self.currency)
        return goods + total((share.shipping_tax for share in self.shares), self.currency)

    @property
    def total(self) -> Money:
        goods = total((line.net for share in self.shares for line in share.lines), self.currency)
        return goods + self.shipping + self.tax


@dataclass(frozen=True)
class _Taxed:
    """An amount as shown, split into net and tax."""

    net: Money
    tax: Money


def quote(
    items: Sequence[Item],
    vendors: Mapping[str, Vendor],
    tenant: Tenant,
    currency: str,
    promotions: Iterable[Promotion] = (),
) -> Quote:
    """Price `items`, one or more, in `currency`. Raises NoPriceInCurrency, UnknownTaxClass, AmountTooLarge.

    What `promotions` take off comes off before tax. Shipping is shared out as if there were none.

    Tax is computed once per tax class on what the whole cart holds of it, and then shared out over the lines, so
    that it does not depend on how the cart is cut up. Source: SPEC 3, steps 1 to 3.
    """
    items = sorted(items, key=lambda item: (item.product.vendor_id, item.product.sku))
    by_vendor = [(vendor_id, list(group)) for vendor_id, group in groupby(items, lambda item: item.product.vendor_id)]
    prices = [Money(item.product.price(currency), currency) for item in items]
    offers = [
        Offer(item.product.sku, item.product.vendor_id, item.quantity, price)
        for price, item in zip(prices, items, strict=True)
    ]
    shipping = _shipping(items, [group for _, group in by_vendor], tenant, currency)
    if sum(money.amount for money in [offer.gross for offer in offers] + shipping) > MINOR_UNITS_MAX:
        raise AmountTooLarge
    taken = discounts(offers, promotions)
    goods = [
        offer.gross - total((discount.amount for discount in off), currency)
        for offer, off in zip(offers, taken, strict=True)
    ]
    classes = [item.product.tax_class for item in items] + [tenant.shipping_tax_class] * len(shipping)
    taxed = _tax(goods + shipping, classes, tenant)
    lines = [
        PricedLine(item, price, off, part.net, part.tax)
        for item, price, off, part in zip(items, prices, taken, taxed[: len(items)], strict=True)
    ]
    shares = [
        _share(vendors[vendor_id], [line for line in lines if line.item.product.vendor_id == vendor_id], ship, tenant)
        for (vendor_id, _), ship in zip(by_vendor, taxed[len(items) :], strict=True)
    ]
    return Quote(currency, tuple(shares))


def _share(vendor: Vendor, lines: Sequence[PricedLine], shipping: _Taxed, tenant: Tenant) -> VendorShare:
    goods = total((line.net for line in lines), shipping.net.currency)
    subsidy = total((_given_by_tenant(line, tenant) for line in lines), shipping.net.currency)
    commission = (goods + subsidy).basis_points(vendor.commission_bps)
    commission_tax = commission.basis_points(tenant.tax_rate(STANDARD))
    return VendorShare(vendor, tuple(lines), shipping.net, shipping.tax, commission, commission_tax, subsidy)


def _given_by_tenant(line: PricedLine, tenant: Tenant) -> Money:
    """What the tenant pays of the line in the shopper's stead, net of tax: the vendor earns as if it had been paid."""
    off = total((each.amount for each in line.discounts if each.funded_by is Funding.TENANT), line.net.currency)
    if not tenant.prices_include_tax:
        return off
    return off - tax_on(off, tenant.tax_rate(line.item.product.tax_class), included=True)


def _shipping(items: Sequence[Item], groups: Sequence[Sequence[Item]], tenant: Tenant, currency: str) -> list[Money]:
    """What each vendor's part of the shipping is, by weight, or by value as soon as one weight is missing."""
    rate = tenant.shipping.get(currency)
    if rate is None:
        return [zero(currency)] * len(groups)
    grams = [sum((item.product.weight_grams or 0) * item.quantity for item in group) for group in groups]
    cost = Money(rate.base + rate.per_kg * -(-sum(grams) // GRAMS_PER_KG), currency)
    weighed = all(item.product.weight_grams is not None for item in items)
    values = [sum(item.product.price(currency) * item.quantity for item in group) for group in groups]
    return _split(cost, grams if weighed else values)


def _tax(amounts: Sequence[Money], classes: Sequence[str], tenant: Tenant) -> list[_Taxed]:
    taxes = [zero(money.currency) for money in amounts]
    for tax_class in dict.fromkeys(classes):
        places = [place for place, name in enumerate(classes) if name == tax_class]
        base = total((amounts[place] for place in places), amounts[0].currency)
        tax = tax_on(base, tenant.tax_rate(tax_class), included=tenant.prices_include_tax)
        for place, part in zip(places, _split(tax, [amounts[place].amount for place in places]), strict=True):
            taxes[place] = part
    if tenant.prices_include_tax:
        return [_Taxed(money - tax, tax) for money, tax in zip(amounts, taxes, strict=True)]
    return [_Taxed(money, tax) for money, tax in zip(amounts, taxes, strict=True)]


def _split(money: Money, weights: Sequence[int]) -> list[Money]:
    """Like Money.split; in equal parts when nothing weighs anything."""
    return money.split(weights if any(weights) else [1] * len(weights))
