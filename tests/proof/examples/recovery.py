"""What is stuck is started again."""

from __future__ import annotations

from cauri.recovery.commands import ResumeStuck, by_recovery

from tests.proof.examples.refunds import a_refund
from tests.proof.examples.worlds import Act, a_confirmed_order, a_paid_order, an_order, example, sent
from tests.shop import Shop


def stuck(shop: Shop, resource: str) -> Act:
    shop.clock.advance(minutes=30)
    return sent(ResumeStuck(shop.watch(resource)), by_recovery(shop.tenant))


@example(ResumeStuck, "an order whose saga never began")
def _(shop: Shop) -> Act:
    return stuck(shop, an_order(shop))


@example(ResumeStuck, "an order that is paid")
def _(shop: Shop) -> Act:
    return stuck(shop, a_paid_order(shop, wallet=10_000))


@example(ResumeStuck, "an order whose stock may not be settled")
def _(shop: Shop) -> Act:
    return stuck(shop, a_confirmed_order(shop))


@example(ResumeStuck, "a refund")
def _(shop: Shop) -> Act:
    return stuck(shop, a_refund(shop))


@example(ResumeStuck, "refused: its time is not over")
def _(shop: Shop) -> Act:
    return sent(ResumeStuck(shop.watch(an_order(shop))), by_recovery(shop.tenant))
