"""An order's states: every change from every state, and what the levels below make of the one above."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations_with_replacement, product

import pytest
from cauri.money import Money, zero
from cauri.orders.model import (
    LATE_PAYMENT,
    CancelReason,
    IllegalOrderChange,
    LineItem,
    LineStatus,
    Order,
    OrderStatus,
    OrderTree,
    Tender,
    VendorOrder,
    VendorOrderStatus,
    order_status,
    vendor_order_status,
)
from cauri.wallet.draws import Draw

from tests.shop import START, TENANT

PRICE = Money(100, "KES")
V = VendorOrderStatus


def a_line(number: int = 1, status: LineStatus = LineStatus.PENDING) -> LineItem:
    return LineItem(str(number), f"sku-{number}", "Thing", 1, PRICE, PRICE, zero("KES"), "standard", status)


def a_vendor_order(letter: str, *lines: LineItem, said: VendorOrderStatus = V.PENDING_CONFIRMATION) -> VendorOrder:
    nothing = zero("KES")
    return VendorOrder(
        TENANT,
        "ord_1",
        letter,
        f"ORD-2026-000001-{letter}",
        f"ven_{letter}",
        lines,
        nothing,
        nothing,
        0,
        nothing,
        nothing,
        START,
        said,
    )


def a_tree(status: OrderStatus = OrderStatus.PENDING_PAYMENT, **order: object) -> OrderTree:
    root = Order(
        TENANT,
        "ord_1",
        "ORD-2026-000001",
        "cus_1",
        None,
        "usr_1",
        "KES",
        PRICE * 2,
        zero("KES"),
        zero("KES"),
        (Tender("provider", PRICE, "demo", "pay_1-1"), Tender("wallet", PRICE, draw=Draw(PRICE))),
        status,
        START,
        START + timedelta(minutes=15),
    )
    shares = a_vendor_order("A", a_line(1)), a_vendor_order("B", a_line(2))
    return OrderTree(replace(root, **order), shares)  # type: ignore[arg-type]


STOCK = {"1": (), "2": ()}


# -- Changes


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("reason", [None, *CancelReason])
def test_what_can_be_confirmed(status: OrderStatus, reason: CancelReason | None) -> None:
    """What waits for its payment, and what was given up for want of it not long ago."""
    tree = a_tree(status, cancel_reason=reason, cancelled_at=START)
    late = status is OrderStatus.CANCELLED and reason is CancelReason.UNPAID
    if status is OrderStatus.PENDING_PAYMENT or late:
        confirmed = tree.confirm(STOCK, START + timedelta(hours=1))
        assert confirmed.order.status is OrderStatus.CONFIRMED
        assert confirmed.order.payment_status == "succeeded"
        assert (confirmed.order.cancel_reason, confirmed.order.cancelled_at) == (None, None)
        assert {line.status for line in confirmed.lines} == {LineStatus.ALLOCATED}
    else:
        with pytest.raises(IllegalOrderChange) as illegal:
            tree.confirm(STOCK, START + timedelta(hours=1))
        assert (illegal.value.change, illegal.value.legal) == ("confirm", ())
        assert illegal.value.detail() == f"Order ord_1 is {status}: it can't confirm, only nothing."


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("reason", CancelReason)
def test_what_can_be_cancelled(status: OrderStatus, reason: CancelReason) -> None:
    tree = a_tree(status)
    if status is OrderStatus.PENDING_PAYMENT:
        cancelled = tree.cancel(reason, START)
        assert cancelled.order.status is OrderStatus.CANCELLED
        assert cancelled.order.payment_status == "failed"
        assert (cancelled.order.cancel_reason, cancelled.order.cancelled_at) == (reason, START)
        assert {line.status for line in cancelled.lines} == {LineStatus.CANCELLED}
    else:
        with pytest.raises(IllegalOrderChange):
            tree.cancel(reason, START)


def test_an_unpaid_order_is_given_up_for_good_when_its_late_money_is_of_no_use() -> None:
    unpaid = a_tree().cancel(CancelReason.UNPAID, START)
    for_good = unpaid.cancel(CancelReason.NOT_FULFILLABLE, START + timedelta(hours=1))
    assert for_good.order == replace(unpaid.order, cancel_reason=CancelReason.NOT_FULFILLABLE)
    with pytest.raises(IllegalOrderChange):
        for_good.cancel(CancelReason.NOT_FULFILLABLE, START)
    with pytest.raises(IllegalOrderChange):
        for_good.confirm(STOCK, START)


@pytest.mark.parametrize(
    ("after", "goes_on"),
    [
        (timedelta(0), True),
        (LATE_PAYMENT - timedelta(seconds=1), True),
        (LATE_PAYMENT, False),
        (LATE_PAYMENT * 2, False),
    ],
)
def test_how_late_money_may_come(after: timedelta, goes_on: bool) -> None:
    cancelled = a_tree().cancel(CancelReason.UNPAID, START)
    assert cancelled.order.may_go_on(START + after) is goes_on


def test_a_tree_knows_its_lines_what_it_draws_and_its_payments() -> None:
    tree = a_tree()
    assert [line.id for line in tree.lines] == ["1", "2"]
    assert tree.order.drawn == PRICE
    assert tree.order.payment_ids == ["pay_1-1"]
    assert [share.total for share in tree.vendor_orders] == [PRICE, PRICE]


# -- Rollups


def transcribed(vendor_orders: tuple[VendorOrderStatus, ...], *, unpaid: bool, closed: bool) -> OrderStatus:
    """SPEC 5, sentence by sentence."""
    rest = [one for one in vendor_orders if one != V.CANCELLED]
    fulfilled = [one for one in rest if one == V.FULFILLED]
    delivered_or_fulfilled = [one for one in rest if one in (V.DELIVERED, V.FULFILLED)]
    sentences = [
        (unpaid, OrderStatus.PENDING_PAYMENT),
        (len(rest) == 0, OrderStatus.CANCELLED),
        (V.DISPUTED in rest, OrderStatus.DISPUTED),
        (len(fulfilled) == len(rest) and closed, OrderStatus.COMPLETED),
        (len(fulfilled) == len(rest), OrderStatus.FULFILLED),
        (0 < len(delivered_or_fulfilled) < len(rest), OrderStatus.PARTIALLY_FULFILLED),
        (
            any(one in (V.PREPARING, V.READY_FOR_PICKUP, V.IN_TRANSIT, V.DELIVERED) for one in rest),
            OrderStatus.PROCESSING,
        ),
        (True, OrderStatus.CONFIRMED),
    ]
    return next(status for holds, status in sentences if holds)


@pytest.mark.parametrize(("unpaid", "closed"), [*product([False, True], repeat=2)])
def test_the_rollup_of_an_order_is_what_the_specification_says(unpaid: bool, closed: bool) -> None:
    """Every combination of up to four vendor orders: the function is total."""
    for count in range(1, 5):
        for below in combinations_with_replacement(V, count):
            expected = transcribed(below, unpaid=unpaid, closed=closed)
            assert order_status(below, waits_for_payment=unpaid, window_closed=closed) is expected, below
            assert order_status(below[::-1], waits_for_payment=unpaid, window_closed=closed) is expected, below


@pytest.mark.parametrize("said", V)
def test_a_vendor_order_is_cancelled_with_its_last_line(said: VendorOrderStatus) -> None:
    for lines in product(LineStatus, repeat=3):
        gone = set(lines) == {LineStatus.CANCELLED}
        assert vendor_order_status(said, lines) is (V.CANCELLED if gone else said)
