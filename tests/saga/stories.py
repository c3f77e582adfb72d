"""What shoppers, providers and time do to one order. `tell` arranges it; then the world runs by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cauri.inventory.claims import Claims
from cauri.money import Money

from tests.saga.truths import look, posted
from tests.saga.world import World

HELD: Final = 100_000
THERE: Final = 500_000
"""What the wallet can pay at first."""


@dataclass(frozen=True)
class Story:
    name: str
    tell: Callable[[World, str], None]
    end: str
    """The status that the order ends in, when no step fails."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class End:
    """What an order came to, and all around it."""

    status: str
    payments: tuple[str, ...]
    wallet: tuple[int, int]
    ledger: dict[str, int]
    stock: dict[tuple[str, int], tuple[int, int, int]]
    refunds: dict[str, Any]


def end_of(world: World, order: str) -> End:
    seen = look(world)
    [tree] = [tree for tree in seen.trees if tree.order.id == order]
    return End(
        tree.order.status,
        tuple(payment.status for payment in tree.payments),
        world.wallet(),
        {account: amount for (account, _), amount in posted(seen).items() if amount},
        {
            (cell.sku, cell.location, cell.number): (cell.available, cell.reserved, cell.allocated)
            for cell in seen.cells
        },
        dict(world.provider.refunds),
    )


def begin(world: World) -> str:
    """The order that all of the stories are about."""
    return world.buy(drawn=HELD, shirt_l=2, coffee=1)


def _pay(world: World, order: str, **after: float) -> None:
    def pay() -> None:
        world.provider.pay(world.payment_of(order))
        world.tell("charge.success", world.payment_of(order))

    world.after(pay, **after)


def _paid(world: World, order: str) -> None:
    _pay(world, order, minutes=3)


def _paid_otherwise(world: World, order: str) -> None:
    """The provider takes another amount than it was asked to."""

    def pay() -> None:
        world.provider.pay(world.payment_of(order), Money(457_999, "KES"))
        world.tell("charge.success", world.payment_of(order))

    world.after(pay, minutes=3)


def _paid_after_a_decline(world: World, order: str) -> None:
    """The shopper tries again at once, while the order is being given up."""
    _declined(world, order)
    _pay(world, order, minutes=3)


def _paid_untold(world: World, order: str) -> None:
    world.after(lambda: world.provider.pay(world.payment_of(order)), minutes=3)


def _declined(world: World, order: str) -> None:
    def decline() -> None:
        world.provider.decline(world.payment_of(order))
        world.tell("charge.failed", world.payment_of(order))

    world.after(decline, minutes=3)


def _abandoned(world: World, order: str) -> None:
    pass


def _unknown_then_paid(world: World, order: str) -> None:
    world.provider.silent(world.payment_of(order))
    world.after(lambda: world.provider.pay(world.payment_of(order)), minutes=15, seconds=7)


def _late(world: World, order: str) -> None:
    _pay(world, order, hours=1)


def _sold_out(world: World, order: str, **after: float) -> None:
    """Somebody else gets all the coffee there is, and pays."""

    def buy() -> None:
        other = world.buy(guest=True, coffee=world.stock("coffee")[0])
        world.provider.pay(world.payment_of(other))
        world.tell("charge.success", world.payment_of(other))

    world.after(buy, **after)


def _late_and_sold_out(world: World, order: str) -> None:
    _sold_out(world, order, minutes=40)
    _late(world, order)


def _late_and_spent(world: World, order: str) -> None:
    """What was held is spent on something else by the time the money comes."""

    def spend() -> None:
        if world.wallet()[1]:
            return  # it is still held: nobody got as far as giving it up
        other = world.buy(drawn=THERE - HELD + 1, shirt_l=3)
        world.provider.pay(world.payment_of(other))
        world.tell("charge.success", world.payment_of(other))

    world.after(spend, minutes=40)
    _late(world, order)


def _very_late(world: World, order: str) -> None:
    _pay(world, order, hours=30)


def _paid_after_its_claims(world: World, order: str) -> None:
    """The claims of the coffee are lost while it waits, and made again."""
    _lose_claims(world, order, minutes=2)
    _paid(world, order)


def _paid_after_its_claims_and_sold_out(world: World, order: str) -> None:
    _lose_claims(world, order, minutes=1)
    _sold_out(world, order, minutes=2)
    _paid(world, order)


def _lose_claims(world: World, order: str, **after: float) -> None:
    def lose() -> None:
        parts = [part for part in world.shop.tree(order).parts if part.sku == "coffee"]
        Claims(world.shop.database, world.shop.tenant).give_back(parts)

    world.after(lose, **after)


STORIES: Final = (
    Story("paid", _paid, "CONFIRMED"),
    Story("paid, and nobody told us", _paid_untold, "CONFIRMED"),
    Story("declined", _declined, "CANCELLED"),
    Story("declined, and paid at once", _paid_after_a_decline, "CONFIRMED"),
    Story("paid another amount", _paid_otherwise, "CANCELLED"),
    Story("abandoned", _abandoned, "CANCELLED"),
    Story("unknown, then paid", _unknown_then_paid, "CONFIRMED"),
    Story("paid late", _late, "CONFIRMED"),
    Story("paid late, and sold out", _late_and_sold_out, "CANCELLED"),
    Story("paid late, and the hold is spent", _late_and_spent, "CANCELLED"),
    Story("paid too late", _very_late, "CANCELLED"),
    Story("paid after its claims were lost", _paid_after_its_claims, "CONFIRMED"),
    Story("paid after its claims were lost and sold", _paid_after_its_claims_and_sold_out, "CANCELLED"),
)
