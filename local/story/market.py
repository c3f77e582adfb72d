"""A small marketplace that looks real: four vendors in two countries, in shillings and dollars, with variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from local.story.client import Client, RefusedError

TENANT: Final = "jua"
CUSTOMER: Final = "cus_amina"
TIERS: Final = ("reads", "writes", "money_writes", "staff_issuance")


@dataclass(frozen=True)
class Vendor:
    id: str
    name: str
    country: str
    commission_bps: int


@dataclass(frozen=True)
class Goods:
    """Something to sell. Prices are minor units by currency."""

    sku: str
    vendor: str
    title: str
    prices: dict[str, int]
    weight_grams: int
    stock: int
    tax_class: str = "standard"
    variant_of: str | None = None
    options: dict[str, str] = field(default_factory=dict)


VENDORS: Final = (
    Vendor("ven_kazi", "Kazi Crafts, Nairobi", "KE", 1000),
    Vendor("ven_mlima", "Mlima Coffee, Nyeri", "KE", 1250),
    Vendor("ven_pwani", "Pwani Textiles, Mombasa", "KE", 900),
    Vendor("ven_harbor", "Harbor & Pine, Portland", "US", 1500),
)

GOODS: Final = (
    Goods("kiondo-m", "ven_kazi", "Kiondo basket, medium", {"KES": 320_000, "USD": 3400}, 700, 60),
    Goods("soapstone-hippo", "ven_kazi", "Soapstone hippo", {"KES": 145_000, "USD": 1650}, 900, 35),
    Goods("aa-250", "ven_mlima", "Nyeri AA beans, 250 g", {"KES": 95_000, "USD": 1150}, 280, 120, "zero"),
    Goods("aa-1000", "ven_mlima", "Nyeri AA beans, 1 kg", {"KES": 340_000, "USD": 3900}, 1050, 40, "zero"),
    *(
        Goods(
            f"kikoi-{colour}-{size.lower()}",
            "ven_pwani",
            f"Kikoi shirt, {colour}, {size}",
            {"KES": 265_000, "USD": 2900},
            260,
            24,
            variant_of="kikoi",
            options={"colour": colour, "size": size},
        )
        for colour in ("ocean", "coral")
        for size in ("S", "M", "L")
    ),
    Goods("field-mug", "ven_harbor", "Enamel field mug", {"USD": 1800, "KES": 232_000}, 340, 80),
    Goods("wool-blanket", "ven_harbor", "Wool blanket", {"USD": 14_900}, 2100, 12),
    Goods("sunrise-lamp", "ven_kazi", "Sunrise lamp, first edition", {"KES": 780_000, "USD": 8900}, 1500, 50),
)

RULES: Final = {
    "name": "Jua Market",
    "tax_rates": {"standard": 1600, "zero": 0},
    "prices_include_tax": False,
    "shipping": {"KES": {"base": 25_000, "per_kg": 12_000}, "USD": {"base": 900, "per_kg": 350}},
    "shipping_tax_class": "standard",
    "demo": True,
    # Everybody here calls from one address, and 200 shoppers at once.
    "limits": {tier: {"per_caller": 100_000, "per_ip": 100_000} for tier in TIERS},
}

PROGRAMME: Final = {
    "reporting_currency": "KES",
    "per_1000_points": {"KES": 10_000},
    "automatic_max": 50_000,
    "manager_max": 500_000,
    "restored_days": 30,
}

Step = tuple[str, Callable[[], Any]]


@dataclass(frozen=True)
class Staff:
    """Who opens the market. Much credit takes the word of a manager and of finance."""

    admin: Client
    manager: Client
    finance: Client


def opening(staff: Staff, points: int, credit: int) -> Iterator[Step]:
    """What has to be done to open the market, one named call after the other. Safe to do again.

    Amina gets points, as staff may by themselves, and store credit, to which two people agree.
    """
    admin = staff.admin
    yield "rules", partial(admin.put, "/v1/tenant", RULES, "seed:rules")
    for vendor in VENDORS:
        yield vendor.name, partial(admin.put, f"/v1/vendors/{vendor.id}", _vendor(vendor), f"seed:{vendor.id}")
    for goods in GOODS:
        yield goods.title, partial(admin.put, f"/v1/products/{goods.sku}", _product(goods), f"seed:{goods.sku}")
        receipt = {"quantity": goods.stock, "reason": "opening stock"}
        path = f"/v1/stock/{goods.sku}/receipts"
        yield f"{goods.stock} × {goods.title}", partial(admin.post, path, receipt, f"seed:{goods.sku}:stock")
    yield "loyalty programme", partial(admin.put, "/v1/loyalty-programme", PROGRAMME, "seed:programme")
    path = f"/v1/wallets/{CUSTOMER}/credits"
    gift = {"kind": "points", "points": points, "source": "birthday"}
    yield "points for Amina", partial(admin.post, path, gift, "seed:points")
    amends = {"kind": "store_credit", "amount": {"amount": credit, "currency": "KES"}, "source": "a late delivery"}
    yield "store credit for Amina", partial(admin.post, path, amends, "seed:credit")
    for word, person in (("manager", staff.manager), ("finance", staff.finance)):
        yield f"{word} agrees", partial(_agree, admin, person, path, amends, f"seed:credit:{word}")


def _agree(admin: Client, person: Client, path: str, asked: dict[str, Any], key: str) -> Any:
    """Somebody agrees to what was asked for: asking once more under its key says what that was."""
    approval = admin.post(path, asked, "seed:credit")["approval"]["id"]
    return person.post(f"/v1/approvals/{approval}/decisions", {"approved": True}, key)


def is_open(admin: Client) -> bool:
    try:
        admin.get("/v1/tenant")
    except RefusedError as refused:
        if refused.status == 404:
            return False
        raise
    return True


def _vendor(vendor: Vendor) -> dict[str, Any]:
    return {"name": vendor.name, "country": vendor.country, "commission_bps": vendor.commission_bps}


def _product(goods: Goods) -> dict[str, Any]:
    return {
        "vendor_id": goods.vendor,
        "title": goods.title,
        "prices": goods.prices,
        "tax_class": goods.tax_class,
        "weight_grams": goods.weight_grams,
        "variant_of": goods.variant_of,
        "options": goods.options,
    }
