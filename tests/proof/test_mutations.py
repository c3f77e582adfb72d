"""A build that has lost one condition is found out: each loss, and the invariant that tells of it.

The conditions are the guarantee, so a test that would pass without them proves nothing. Each scene is of two commands
at once: at some call of the one, the other runs whole. Unbroken, no invariant has anything to say of any of them.
Broken, it must be told by name what is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest
from cauri.billing.invoicing import InvoicePeriod
from cauri.money import Money
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import PTS, Kind

from tests.proof import test_races as races
from tests.proof.broken import BrokenWorld, Condition
from tests.proof.examples.billing import AMINA, OCTOBER
from tests.proof.examples.billing import busy as billing
from tests.proof.examples.refunds import a_sold_order
from tests.proof.examples.wallets import redeem
from tests.proof.examples.worlds import Act, an_order, give_up, loyal, market, sent, step
from tests.proof.faults import Script, interlude
from tests.proof.test_races import Scene
from tests.shop import Shop, a_checkout


def points_issued_twice(shop: Shop) -> tuple[Act, Act]:
    act = sent(IssueCredit("cus_amina", Kind.POINTS, Money(900, PTS), "birthday"), loyal(shop).admin)
    return act, act


def one_checkout_twice(shop: Shop) -> tuple[Act, Act]:
    act = sent(a_checkout(cart_id=market(shop).cart(shirt_l=2, basket=3)), shop.customer())
    return act, act


def two_redemptions(shop: Shop) -> tuple[Act, Act]:
    amina = loyal(shop).customer()
    return sent(redeem(9_000), amina, "one"), sent(redeem(9_000), amina, "other")


def two_refunds_of_all_of_it(shop: Shop) -> tuple[Act, Act]:
    ask = RequestRefund(a_sold_order(shop), Asked(), "Damaged")
    return sent(ask, shop.admin, "one"), sent(ask, shop.admin, "other")


def a_month_billed_twice(shop: Shop) -> tuple[Act, Act]:
    billing(shop)
    bill = InvoicePeriod(AMINA, *OCTOBER, "KES")
    return sent(bill, shop.admin, "one"), sent(bill, shop.admin, "other")


def stock_given_back_twice(shop: Shop) -> tuple[Act, Act]:
    order_id = an_order(shop)
    give_up(shop, order_id)
    again = step(shop, "release_stock", order_id)
    return again, again


STOCK: Final = Condition("commerce", "stock#")
MUTATIONS: Final[tuple[tuple[str, Condition, Scene, str], ...]] = (
    ("a key is taken twice", Condition("log"), points_issued_twice, "wallets_are_what_was_posted"),
    (
        "a wallet is held on an old version",
        Condition("wallet", "wallet#"),
        races.one_wallet_for_two_orders,
        "holds_are_of_redemptions",
    ),
    (
        "a wallet is spent while it is held again",
        Condition("wallet"),
        races.a_late_confirmation_while_the_wallet_goes,
        "holds_are_of_redemptions",
    ),
    ("a wallet pays on an old version", Condition("wallet"), two_redemptions, "wallets_are_what_was_posted"),
    (
        "a cell sells what it does not have",
        Condition("commerce", "stock#", "available"),
        races.the_last_units,
        "stock_adds_up",
    ),
    ("an owner claims twice", STOCK, one_checkout_twice, "stock_adds_up"),
    ("a claim comes back twice", STOCK, stock_given_back_twice, "stock_adds_up"),
    ("a cart reserves what is sold", STOCK, races.the_last_ones_reserved_and_bought, "stock_adds_up"),
    ("an adjustment takes what is sold", STOCK, races.an_adjustment_while_it_sells, "stock_adds_up"),
    ("a move takes what is sold", STOCK, races.a_move_while_it_sells, "stock_adds_up"),
    ("a promotion is used too often", STOCK, races.the_last_use_of_a_promotion, "uses_of_promotions_add_up"),
    ("a product forgets its new cells", Condition("commerce", "product#"), races.two_receipts, "cells_are_known"),
    (
        "an order's units are allocated twice",
        Condition("commerce"),
        races.the_same_backorders_twice,
        "allocations_are_of_confirmed_orders",
    ),
    (
        "an order is refunded on an old version",
        Condition("commerce", "order#"),
        two_refunds_of_all_of_it,
        "the_ledger_tells_the_same_as_the_orders",
    ),
    ("a delivery is billed twice", Condition("billing"), a_month_billed_twice, "items_are_billed_by_one_invoice"),
    ("an account owes on an old version", Condition("billing"), a_month_billed_twice, "customers_owe_what_was_posted"),
    ("a number is given twice", Condition("billing"), a_month_billed_twice, "numbers_of_invoices_have_no_gap"),
)


@pytest.mark.parametrize(("name", "lost", "scene", "told"), MUTATIONS, ids=[each[0] for each in MUTATIONS])
def test_a_build_without_a_condition_is_found_out(
    name: str, lost: Condition, scene: Scene, told: str, shop: Shop, tally: Counter[str]
) -> None:
    one, other = scene(shop)
    assert any(told in found for found in _found(BrokenWorld(shop, one, lost=lost), other)), f"nobody noticed: {name}"
    tally["mutations found out"] += 1


@pytest.mark.parametrize("scene", dict.fromkeys(each[2] for each in MUTATIONS), ids=lambda scene: scene.__name__)
def test_with_all_its_conditions_nothing_is_found(scene: Scene, shop: Shop) -> None:
    one, other = scene(shop)
    nothing_lost = Condition("no such table")
    assert all(found == set() for found in _found(BrokenWorld(shop, one, lost=nothing_lost), other))


def _found(world: BrokenWorld, other: Act) -> Iterator[set[str]]:
    """The invariants that tell of a difference, after each interleaving."""
    clean = Script()
    world.act(world.process(clean))
    for number in range(len(clean.calls)):
        world.reset()
        world.act(world.process(Script(number, interlude(lambda: other(world.process())))))
        yield {each.partition(":")[0] for each in world.differences()}
