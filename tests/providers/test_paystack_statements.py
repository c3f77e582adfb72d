"""What Paystack lists, over real HTTP, against the fake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cauri.money import Money
from cauri.providers.http import Http
from cauri.providers.paystack import Paystack
from cauri.providers.paystack_api import PaystackApi
from cauri.providers.paystack_statements import PaystackStatements
from cauri.providers.ports import Charge, NotFound, Unknown
from cauri.providers.statements import KnownDispute, Page, Period

from local.outside.paystack import FakePaystack
from tests.providers.outside import Outside, outside, status

TENANT, KEY = "ten_kiosk", "sk_test_kiosk"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = Period(NOW - timedelta(days=1), NOW)


@dataclass
class World:
    server: Outside
    fake: FakePaystack
    paystack: Paystack
    statements: PaystackStatements

    def pay(self, reference: str) -> None:
        charge = Charge(TENANT, reference, Money(10_000, "NGN"), "https://k.example", email="a@example.com")
        self.paystack.initialize(charge)
        self.fake.end_charge(TENANT, reference.replace("_", "."), "success")


@pytest.fixture
def world() -> Iterator[World]:
    with outside() as server:
        fake = FakePaystack(
            server.url,
            lambda key: TENANT if key == KEY else None,
            server.told.append,
            lambda: NOW.isoformat().replace("+00:00", "Z"),
        )
        server.party = fake
        api = PaystackApi(server.url.rstrip("/"), lambda _: [KEY], Http(connect_seconds=1, read_seconds=5))
        fake.account(TENANT, KEY)
        yield World(server, fake, Paystack(api), PaystackStatements(api))


def test_charges_are_listed_page_by_page_under_our_references(world: World) -> None:
    assert world.statements.charges(TENANT, DAY) == Page(())
    for number in range(101):
        world.pay(f"pay_{number}")
    first = world.statements.charges(TENANT, DAY)
    assert isinstance(first, Page)
    rest = world.statements.charges(TENANT, DAY, first.next)
    assert isinstance(rest, Page)
    assert [each.reference for each in (*first.items, *rest.items)] == [f"pay_{number}" for number in range(101)]
    assert rest.next is None
    one = first.items[0]
    assert (one.amount, one.fee, one.status, one.at) == (Money(10_000, "NGN"), Money(150, "NGN"), "success", NOW)
    assert world.server.calls[-1].query["from"] == "2026-11-19T09:30:00.000Z"


def test_settlements_are_listed_with_what_is_in_them(world: World) -> None:
    world.pay("pay_1")
    world.fake.settle(TENANT)
    settlements = world.statements.settlements(TENANT, DAY)
    assert isinstance(settlements, Page)
    (one,) = settlements.items
    assert (one.gross, one.fees, one.net) == (Money(10_000, "NGN"), Money(150, "NGN"), Money(9_850, "NGN"))
    charges = world.statements.settled_charges(TENANT, one.id)
    assert isinstance(charges, Page)
    assert [each.reference for each in charges.items] == ["pay_1"]


def test_a_dispute_is_looked_up_and_listed(world: World) -> None:
    world.pay("pay_1")
    dispute_id = world.fake.dispute(TENANT, "pay.1", 10_000)
    known = world.statements.dispute(TENANT, dispute_id)
    assert known == KnownDispute(
        dispute_id, "pay_1", "awaiting-merchant-feedback", None, Money(10_000, "NGN"), NOW, None
    )
    assert not known.is_resolved
    assert world.statements.disputes(TENANT, DAY) == Page((known,))
    world.fake.resolve(TENANT, dispute_id, "declined")
    resolved = world.statements.dispute(TENANT, dispute_id)
    assert isinstance(resolved, KnownDispute)
    assert resolved.is_resolved
    assert world.statements.dispute(TENANT, "1") == NotFound()


def test_trouble_is_unknown(world: World) -> None:
    world.server.troubles = [status(500)] * 2
    assert world.statements.charges(TENANT, DAY) == Unknown("status 500")
    assert world.statements.dispute(TENANT, "1") == Unknown("status 500")


def test_a_list_with_one_line_that_can_not_be_read_is_not_taken_as_a_shorter_one(world: World) -> None:
    world.pay("pay_1")
    world.pay("pay_2")
    world.fake.account(TENANT, KEY).charges["pay.2"]["amount"] = None
    assert isinstance(world.statements.charges(TENANT, DAY), Unknown)
