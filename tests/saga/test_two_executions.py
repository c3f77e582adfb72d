"""Two executions over one order: a replayed letter, late money. Neither sells what the other has secured."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cauri.checkout.commands import InlineLine
from cauri.checkout.saga import CheckoutSaga
from cauri.inventory.claims import Claims
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.money import Money
from cauri.orders.model import OrderStatus
from cauri.payments.commands import (
    RecordPaymentFailure,
    RecordPaymentSuccess,
    by_system,
    failure_key,
    success_key,
)
from cauri.payments.model import PaymentStatus
from cauri.refunds.saga import RefundSaga

from tests.engines import Engine
from tests.shop import Shop, database_of

STATE_BYTES_MAX = 256 * 1024


class NobodyWaits:
    def wake(self, token: str) -> None:
        """No execution waits for this token."""


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(database_of(engine)).furnish()


@pytest.fixture
def saga(shop: Shop) -> CheckoutSaga:
    return CheckoutSaga(shop.books, NobodyWaits())


def payload(shop: Shop, order_id: str, execution: str, **more: Any) -> dict[str, Any]:
    common = {"tenant": shop.tenant, "order_id": order_id, "execution": execution, "customer_id": "cus_amina"}
    watch = {"watch": shop.watch(order_id)}
    return {**common, **watch, "key": f"{execution}:ConfirmOrder:1", "stock": {}, **more}


def an_order(shop: Shop, **units: int) -> str:
    order_id: str = shop.checkout(cart_id=shop.cart(**units))["order"]["id"]
    return order_id


def pays(shop: Shop, order_id: str, taken: Money | None = None) -> None:
    [payment] = shop.tree(order_id).payments
    success = RecordPaymentSuccess(payment.id, taken or payment.amount, "txn", shop.clock.now)
    shop.books.run(success, by_system(shop.tenant), success_key(payment.id))


def left(shop: Shop, sku: str) -> tuple[int, int, int]:
    cells = shop.cells(sku)
    return tuple(sum(getattr(cell, what) for cell in cells) for what in ("available", "reserved", "allocated"))  # type: ignore[return-value]


def test_one_that_lacks_stock_gives_back_nothing_that_another_has_secured(shop: Shop, saga: CheckoutSaga) -> None:
    shop.stock(basket=1, coffee=1)
    order_id = an_order(shop, basket=1, coffee=1)
    pays(shop, order_id)
    Claims(shop.database, shop.tenant).give_back(part for part in shop.tree(order_id).parts if part.sku == "coffee")
    first = saga.secure_stock(payload(shop, order_id, "first"))
    second = saga.secure_stock(payload(shop, order_id, "second"))
    assert (first["next"], second["next"]) == ("secured", "lost")
    saga.confirm_order(payload(shop, order_id, "first", stock=first["stock"]))
    saga.settle_stock(payload(shop, order_id, "first"))
    assert shop.tree(order_id).order.status is OrderStatus.CONFIRMED
    assert (left(shop, "basket"), left(shop, "coffee")) == ((0, 0, 1), (0, 0, 1))


def test_a_success_that_meets_the_cancellation_of_a_declined_order_is_followed(
    shop: Shop, saga: CheckoutSaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stock(basket=1)
    order_id = an_order(shop, basket=1)
    [payment] = shop.tree(order_id).payments
    failure = RecordPaymentFailure(payment.id, "declined")
    shop.books.run(failure, by_system(shop.tenant), failure_key(payment.id))
    send, late = shop.database.send, dict[str, Any]()

    def slowly(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and not late and "cancel_order" in json.dumps(request, default=str):
            late["next"] = "under way"
            pays(shop, order_id)
            late.update(saga.secure_stock(payload(shop, order_id, "late")))
        return send(operation, request)

    monkeypatch.setattr(shop.database, "send", slowly)
    cancelled = saga.cancel_order(
        payload(shop, order_id, "main", reason="unpaid", forbids=[], key="main:CancelOrder:unpaid")
    )
    assert (cancelled["next"], late["next"]) == ("paid", "secured")
    saga.release_stock(payload(shop, order_id, "main"))
    saga.confirm_order(payload(shop, order_id, "late", stock=late["stock"]))
    saga.settle_stock(payload(shop, order_id, "late"))
    assert left(shop, "basket") == (0, 0, 1)


def test_what_a_state_machine_carries_stays_small_however_large_the_order(shop: Shop, saga: CheckoutSaga) -> None:
    skus = [f"p{number}" for number in range(5)]
    for sku in skus:
        shop.run(PutProduct(sku, "ven_kazi", "Thing", {"KES": 100}))
        shop.run(ReceiveStock(sku, 800))
    lines = tuple(InlineLine(sku, 800) for sku in skus)
    order_id = shop.checkout(lines=lines, currency="KES")["order"]["id"]
    assert len(shop.tree(order_id).parts) == 5 * 40
    pays(shop, order_id)
    assert saga.secure_stock(payload(shop, order_id, "main")) == {"next": "secured", "stock": {}}
    Claims(shop.database, shop.tenant).give_back(shop.tree(order_id).parts)
    secured = saga.secure_stock(payload(shop, order_id, "other"))
    assert secured["next"] == "lost", "more than one commit can keep: it is refunded"
    assert len(json.dumps(secured)) < STATE_BYTES_MAX / 10


def test_a_wrong_amount_goes_back_and_leaves_nothing_held(shop: Shop, saga: CheckoutSaga) -> None:
    shop.stock(basket=1)
    order_id = an_order(shop, basket=1)
    [payment] = shop.tree(order_id).payments
    shop.provider.pay(payment.id, Money(1, "KES"))
    shop.clock.advance(minutes=16)
    assert saga.ask_provider(payload(shop, order_id, "main")) == {"next": "refund"}
    more = {"reason": "not_fulfillable", "forbids": ["main:ConfirmOrder:1"], "key": "main:CancelOrder:not_fulfillable"}
    assert saga.cancel_order(payload(shop, order_id, "main", **more)) == {"next": "cancelled"}
    saga.release_stock(payload(shop, order_id, "main"))
    for _ in range(2):
        saga.refund_payment(payload(shop, order_id, "main"))
    refund_id = f"rfd_{order_id.removeprefix('ord_')}-1"
    first = {"tenant": shop.tenant, "refund_id": refund_id, "waits": 0, "watch": shop.watch(refund_id)}
    RefundSaga(shop.books).pay_back(first)
    assert list(shop.provider.refunds.values()) == [Money(1, "KES")]
    assert shop.tree(order_id).payments[0].status is PaymentStatus.REFUNDED
    assert left(shop, "basket") == (1, 0, 0)
