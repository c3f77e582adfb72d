"""The checkout's state machine, read once, and a market that it runs in."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.wallet.depletion import Policy
from cauri.wallet.lots import Kind

from local.machines.interpreter import Machine
from local.template import Template, read_definition
from tests.engines import Engine
from tests.saga.machine import machine_of, put_on_our_clock
from tests.saga.world import Beginning, World
from tests.shop import database_of


class _Names:
    """What the template's names stand for: enough of AWS for a state machine's definition."""

    def ref(self, name: str) -> str:
        return f"https://sqs.example/{name}"

    def attribute(self, logical_id: str, attribute: str) -> str:
        return f"arn:aws:lambda:us-east-1:000000000000:function:{logical_id}"

    def secret(self, secret_id: str) -> str:
        raise KeyError(secret_id)


@pytest.fixture(scope="session")
def definition(template: Template) -> dict[str, Any]:
    """The checkout's state machine as it is deployed."""
    return read_definition(template.machines["CheckoutMachine"], template.directory, _Names())


@pytest.fixture(scope="session")
def refund_definition(template: Template) -> dict[str, Any]:
    return read_definition(template.machines["RefundMachine"], template.directory, _Names())


@pytest.fixture(scope="session")
def redemption_definition(template: Template) -> dict[str, Any]:
    return read_definition(template.machines["RedemptionMachine"], template.directory, _Names())


@pytest.fixture(scope="session")
def machines(
    definition: dict[str, Any], refund_definition: dict[str, Any], redemption_definition: dict[str, Any]
) -> dict[str, Machine]:
    put_on_our_clock()
    read = {"checkout": definition, "refund": refund_definition, "redemption": redemption_definition}
    return {name: machine_of(each) for name, each in read.items()}


@pytest.fixture(scope="session")
def furnished() -> list[Beginning]:
    """At most one: the market as it begins, made by the first test that needs it."""
    return []


@pytest.fixture
def world(engine: Engine, machines: dict[str, Machine], furnished: list[Beginning]) -> World:
    """A market with 5 shirts, 5 bags of coffee, and a customer whose wallet pays 5,000 shillings: 300 of them are
    a reward, and 500 are points.
    """
    if not furnished:
        world = World(database_of(engine), machines)
        spending = Policy((Kind.REWARD, Kind.POINTS, Kind.STORE_CREDIT), per_1000_points={"KES": 10_000})
        shop = world.shop.furnish().stock(shirt_l=5, coffee=5)
        shop.programme(spending=spending, automatic_max=10**9, restored_days=14)
        for amount, kind in ((30_000, Kind.REWARD), (5_000, Kind.POINTS), (420_000, Kind.STORE_CREDIT)):
            shop.credit(amount, kind)
        world.pump()
        furnished.append(Beginning.of(world))
    return furnished[0].again()
