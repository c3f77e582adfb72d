"""Orders to give money back of, as values."""

from __future__ import annotations

from datetime import UTC, datetime

from cauri.inventory.model import Part
from cauri.money import Money
from cauri.orders.model import LineItem, Order, OrderStatus, OrderTree, Tender, VendorOrder

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def a_line(line_id: str, quantity: int, net: int, tax: int) -> LineItem:
    stock = (Part(f"sku-{line_id}", "main", 0, f"owner-{line_id}", quantity),)
    return LineItem(line_id, f"sku-{line_id}", "Goods", quantity, kes(1), kes(net), kes(tax), "standard", stock=stock)


def a_share(
    letter: str, *lines: LineItem, shipping: int = 0, shipping_tax: int = 0, commission_bps: int = 1000
) -> VendorOrder:
    commission = sum((line.net for line in lines), kes(0)).basis_points(commission_bps)
    return VendorOrder(
        "soko", "ord_1", letter, f"ORD-1-{letter}", f"ven_{letter}", lines, kes(shipping), kes(shipping_tax),
        commission_bps, commission, commission.basis_points(1600), AT,
    )  # fmt: skip


def a_tree(*shares: VendorOrder, tenders: tuple[int, ...] = ()) -> OrderTree:
    """Paid by the first tender from the wallet and by the others at a provider; by one provider, if none is given."""
    whole = sum((share.total for share in shares), kes(0))
    paid = (
        tuple(
            Tender("provider", kes(units), "demo", f"pay_1-{place}") if place else Tender("wallet", kes(units))
            for place, units in enumerate(tenders)
        )
        if tenders
        else (Tender("provider", whole, "demo", "pay_1-1"),)
    )
    order = Order(
        "soko", "ord_1", "ORD-1", "cus_amina", None, "usr_amina", "KES", whole, kes(0), kes(0), paid,
        OrderStatus.CONFIRMED, AT, AT,
    )  # fmt: skip
    return OrderTree(order, shares)
