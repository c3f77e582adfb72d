"""The checkout's state machine, read once, and a market that it runs in."""

from __future__ import annotations

from typing import Any

import pytest

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
    """A market with 5 shirts, 5 bags of coffee, and a customer with 5,000 shillings."""
    if not furnished:
        world = World(database_of(engine), machines)
        world.shop.furnish().stock(shirt_l=5, coffee=5).deposit(500_000)
        world.pump()
        furnished.append(Beginning.of(world))
    return furnished[0].again()
