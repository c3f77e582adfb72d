"""Orders as they are confirmed or given up: what moves, what is posted, and who may see it."""

from __future__ import annotations

import pytest
from cauri.books.caller import Caller
from cauri.books.fold import Fold
from cauri.books.statements import balance
from cauri.inventory.claims import Claims
from cauri.orders.commands import CancelOrder
from cauri.orders.drawing import HoldGone
from cauri.orders.model import CancelReason, IllegalOrderChange, OrderNotPaid, OrderPaid, OrderStatus, UnknownOrder
from cauri.orders.queries import order_for, orders_at, orders_of

from tests.engines import Engine
from tests.proof.examples.worlds import (
    a_confirmed_order,
    a_paid_order,
    an_order,
    confirmation,
    give_up,
    market,
    pay,
    saga,
)
from tests.proof.picture import picture, read_everything
from tests.shop import BY_CARD, Shop, a_checkout, from_wallet


def ledger(engine: Engine, shop: Shop, *accounts: str) -> list[int]:
    Fold(shop.database).fold(picture(read_everything(engine), shop.clock()).records)
    return [balance(shop.database, shop.tenant, account, "KES") for account in accounts]


def test_a_confirmed_order_is_owed_for_and_what_was_held_pays_its_part(engine: Engine, shop: Shop) -> None:
    order = shop.tree(a_confirmed_order(shop, wallet=10_000)).order
    paid = order.total.amount - 10_000
    accounts = ("receivable:orders", "deferred_revenue:orders", "cash:demo", "wallet:reward", "wallet:store_credit")
    assert ledger(engine, shop, *accounts) == [0, -order.total.amount, paid, 0, -1_000]
    assert shop.wallet().holds == {}


def test_money_that_came_before_the_confirmation_is_owed_to_the_customer(engine: Engine, shop: Shop) -> None:
    order = shop.tree(a_paid_order(shop)).order
    assert ledger(engine, shop, "receivable:orders", "cash:demo") == [-order.total.amount, order.total.amount]


def test_an_unpaid_order_is_not_confirmed(shop: Shop) -> None:
    order_id = an_order(shop)
    with pytest.raises(OrderNotPaid):
        shop.answer(confirmation(shop, order_id), saga(shop))


def test_a_paid_order_is_not_cancelled_for_want_of_payment(shop: Shop) -> None:
    order_id = a_paid_order(shop)
    with pytest.raises(OrderPaid):
        shop.answer(CancelOrder(order_id, "cus_amina", CancelReason.UNPAID), saga(shop))


def test_what_is_confirmed_is_neither_confirmed_nor_cancelled_again(shop: Shop) -> None:
    order_id = a_confirmed_order(shop)
    for command in (confirmation(shop, order_id), CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE)):
        with pytest.raises(IllegalOrderChange):
            shop.answer(command, saga(shop))


def test_a_late_order_whose_wallet_is_spent_is_not_confirmed(shop: Shop) -> None:
    order_id = an_order(shop, wallet=10_000)
    give_up(shop, order_id)
    pay(shop, order_id)
    confirm = confirmation(shop, order_id)
    shop.checkout(cart_id=shop.cart(basket=1), tenders=(from_wallet(16_000), BY_CARD))
    with pytest.raises(HoldGone):
        shop.answer(confirm, saga(shop))
    assert shop.tree(order_id).order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("customer_id", [None, "cus_brian"])
def test_an_order_is_its_customers(shop: Shop, customer_id: str | None) -> None:
    order_id = an_order(shop)
    with pytest.raises(UnknownOrder):
        shop.answer(CancelOrder(order_id, customer_id, CancelReason.UNPAID), saga(shop))


def test_a_checkout_repeated_after_its_order_was_settled_claims_nothing(shop: Shop) -> None:
    command = a_checkout(cart_id=market(shop).cart(shirt_l=2))
    first = shop.answer(command, shop.customer(), "buy")
    [tree] = [
        shop.tree(order.id) for order in orders_of(shop.database, shop.tenant, "cus_amina", after=None, limit=9).items
    ]
    pay(shop, tree.order.id)
    shop.answer(confirmation(shop, tree.order.id), saga(shop))
    Claims(shop.database, shop.tenant).allocate(tree.parts)
    before = shop.cells("shirt-l")
    assert shop.answer(command, shop.customer(), "buy").body == first.body
    assert shop.cells("shirt-l") == before


# -- Who may see it


def test_an_order_is_seen_whole_by_its_customer_and_staff_and_in_part_by_its_vendors(shop: Shop) -> None:
    order_id = an_order(shop, shirt_l=1, coffee=1)
    for caller in (shop.customer(), shop.admin):
        assert len(order_for(shop.database, caller, order_id).vendor_orders) == 2
    share = order_for(shop.database, Caller(shop.tenant, "usr_buna", vendor_id="ven_buna"), order_id)
    assert [each.vendor_id for each in share.vendor_orders] == ["ven_buna"]
    assert share.payments == []
    assert share.total == share.vendor_orders[0].total


def test_to_all_others_an_order_does_not_exist(shop: Shop) -> None:
    order_id = an_order(shop, coffee=1)
    strangers = [
        shop.customer("brian"),
        shop.guest(),
        Caller(shop.tenant, "usr_kazi", vendor_id="ven_kazi"),
        Caller("duka", "usr_admin", frozenset({"admin"})),
    ]
    for stranger in strangers:
        with pytest.raises(UnknownOrder):
            order_for(shop.database, stranger, order_id)
    with pytest.raises(UnknownOrder):
        order_for(shop.database, shop.admin, "ord_nowhere")


def test_orders_are_listed_for_their_customer_and_their_vendors_the_newest_first(shop: Shop) -> None:
    market(shop)
    placed = []
    for _ in range(5):
        shop.clock.advance(seconds=1)
        placed.append(shop.checkout(cart_id=shop.cart(coffee=1))["order"]["id"])
    listed: list[str] = []
    after: str | None = None
    while True:
        page = orders_of(shop.database, shop.tenant, "cus_amina", after=after, limit=2)
        listed += [order.id for order in page.items]
        if (after := page.position) is None:
            break
    assert listed == placed[::-1]
    at_buna = orders_at(shop.database, shop.tenant, "ven_buna", after=None, limit=9)
    assert [share.order_id for share in at_buna.items] == placed[::-1]
    assert orders_at(shop.database, shop.tenant, "ven_kazi", after=None, limit=9).items == []
