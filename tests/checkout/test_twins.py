"""The same request twice at once: whatever one of them is refused for, the other keeps what it has claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cauri.books.work import Command
from cauri.checkout.carts import PutCartLine
from cauri.checkout.commands import InlineLine
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import Scope
from cauri.checkout.uses import cell_keys
from cauri.edge.limiter import RateLimited

from tests.shop import Shop, a_checkout


@pytest.fixture
def a_use(shop: Shop) -> Command:
    """A checkout of two bags of coffee that makes a use of a promotion."""
    shop.furnish().stock(coffee=5)
    shop.run(PutPromotion("KARIBU", "Karibu", Scope.ORDER, percent_bps=1000, uses_max=3))
    return a_checkout(lines=(InlineLine("coffee", 2),), currency="KES", promotion_codes=("KARIBU",))


@pytest.fixture
def a_reservation(shop: Shop) -> Command:
    cart = shop.furnish().stock(coffee=5).cart()
    return PutCartLine(cart, "coffee", 2, reserve=True)


commands = pytest.mark.parametrize("name", ["a_use", "a_reservation"])


def refuse() -> None:
    raise RateLimited("money_writes-caller", 10, 30)


def claimed(shop: Shop) -> int:
    return sum(cell.reserved for cell in shop.cells("coffee"))


def send(shop: Shop, command: Command, before_commit: Callable[[], None]) -> None:
    shop.answer(command, shop.customer(), "k", before_commit=before_commit)


@commands
def test_who_is_refused_once_its_twin_committed_gets_the_answer_of_its_twin(
    name: str, shop: Shop, request: pytest.FixtureRequest
) -> None:
    command = request.getfixturevalue(name)

    def meanwhile() -> None:
        send(shop, command, lambda: None)
        refuse()

    assert shop.answer(command, shop.customer(), "k", before_commit=meanwhile).replayed
    assert claimed(shop) == 2
    if name == "a_use":
        assert uses(shop) == 1


@commands
def test_who_is_refused_before_its_twin_commits_takes_nothing_from_it(
    name: str, shop: Shop, request: pytest.FixtureRequest
) -> None:
    command = request.getfixturevalue(name)

    def meanwhile() -> None:
        with pytest.raises(RateLimited):
            send(shop, command, refuse)

    send(shop, command, meanwhile)
    assert claimed(shop) == 2
    if name == "a_use":
        assert uses(shop) == 1


@commands
def test_who_is_refused_alone_gives_back_what_it_took(name: str, shop: Shop, request: pytest.FixtureRequest) -> None:
    command = request.getfixturevalue(name)
    with pytest.raises(RateLimited):
        send(shop, command, refuse)
    assert claimed(shop) == 0
    if name == "a_use":
        assert uses(shop) == 0


def uses(shop: Shop) -> int:
    keys = cell_keys(shop.promotion("KARIBU"))
    found = shop.database.fetch(keys)
    return sum(cell.reserved for key in keys if (cell := found[key]))
