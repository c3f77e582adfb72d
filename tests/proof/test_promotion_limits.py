"""Limits of promotions, with everybody at once, on both engines: exactly so many uses, and each comes back once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cauri.books.commit import Books
from cauri.checkout.commands import InlineLine
from cauri.checkout.opening import Contact
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import PromotionUsedUp, Scope
from cauri.orders.commands import CancelOrder
from cauri.orders.model import CancelReason
from cauri.orders.uses import PromotionUsedByCustomer

from tests.engines import Engine
from tests.proof.crowd import Crowd
from tests.proof.examples.worlds import saga, step
from tests.proof.invariants import differences
from tests.proof.test_contention import crowd, order_of, picture_of, refusals, the_answers
from tests.shop import Shop, a_checkout

__all__ = ["crowd"]
pytestmark = pytest.mark.engines

TEN = PutPromotion("TEN", "Ten percent", Scope.ORDER, 1000)


def test_five_hundred_at_once_use_a_code_exactly_as_often_as_it_can_be(
    engine: Engine, shop: Shop, crowd: Crowd
) -> None:
    shop.furnish().stock(shirt_l=1_000).run(replace(TEN, uses_max=50))

    def buy(books: Books, turn: int) -> bytes:
        lines = (InlineLine("shirt-l", 1),)
        checkout = a_checkout(lines=lines, currency="KES", promotion_codes=("TEN",))
        return books.run(checkout, shop.customer(f"buyer-{turn}"), "buy").body

    outcomes = crowd.at_once(buy, 500)

    assert len(the_answers(outcomes)) == 50
    assert refusals(outcomes) == {PromotionUsedUp: 450}
    now = picture_of(engine, shop)
    assert [len(tree.order.uses) for tree in now.trees] == [1] * 50
    assert sum(cell.reserved for cell in now.stock) == 50
    assert differences(now) == []


def test_uses_that_come_back_while_others_want_them_are_used_once(engine: Engine, shop: Shop, crowd: Crowd) -> None:
    """Half of the orders are given up, each by two at once, while others try to use the code."""
    shop.furnish().stock(shirt_l=200).run(replace(TEN, uses_max=20))
    lines = (InlineLine("shirt-l", 1),)
    command = a_checkout(lines=lines, currency="KES", promotion_codes=("TEN",))
    first = [shop.checkout(shop.customer(f"first-{turn}"), **vars(command))["order"] for turn in range(20)]

    def give_up_or_buy(books: Books, turn: int) -> bytes:
        if turn % 4 < 2:
            order = first[turn // 4]
            cancel = CancelOrder(order["id"], order["customer_id"], CancelReason.UNPAID)
            books.run(cancel, saga(shop), f"cancel-{order['id']}")
            return step(shop, "release_stock", order["id"])(books)
        return books.run(command, shop.customer(f"next-{turn}"), "buy").body

    outcomes = crowd.at_once(give_up_or_buy, 40)

    assert set(refusals(outcomes)) <= {PromotionUsedUp}
    won = [each for turn, each in enumerate(outcomes) if turn % 4 > 1 and isinstance(each, bytes)]
    now = picture_of(engine, shop)
    assert sum(cell.reserved for cell in now.uses) == 10 + len(won)
    assert sum(cell.available for cell in now.uses) == 10 - len(won)
    assert differences(now) == []


@pytest.mark.parametrize("guest", [False, True])
def test_one_customer_at_once_with_himself_uses_a_code_once(
    engine: Engine, shop: Shop, crowd: Crowd, guest: bool
) -> None:
    shop.furnish().stock(shirt_l=100).run(replace(TEN, uses_max_per_customer=1, uses_max=90))

    def buy(books: Books, turn: int) -> bytes:
        contact = Contact("amina@example.com") if guest else None
        lines = (InlineLine("shirt-l", 1),)
        checkout = a_checkout(lines=lines, currency="KES", promotion_codes=("TEN",), contact=contact)
        caller = replace(shop.guest(), subject=f"guest-{turn}") if guest else shop.customer()
        return books.run(checkout, caller, f"buy-{turn}").body

    outcomes = crowd.at_once(buy, 24)

    [answer] = the_answers(outcomes)
    assert refusals(outcomes) == {PromotionUsedByCustomer: 23}
    now = picture_of(engine, shop)
    assert [tree.order.id for tree in now.trees] == [order_of(answer)]
    assert [cell.reserved for cell in now.uses if cell.claims] == [1]
    assert differences(now) == []
