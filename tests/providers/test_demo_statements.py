"""What the demo provider lists, over real HTTP: each charge once, page by page, day by day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cauri.providers.demo_statements import DemoStatements
from cauri.providers.http import Http
from cauri.providers.statements import KnownCharge, Page, Period
from cauri.providers.unknown import Unknown

from functions.payments.demo_provider import books
from tests.providers.world import KES_12_50, NOW, SECRET, TENANT, World

DAYS = Period(NOW - timedelta(days=1), NOW + timedelta(days=3))


def listed(world: World, period: Period = DAYS, tenant: str = TENANT) -> list[KnownCharge]:
    """Every page."""
    statements = DemoStatements(world.provider._url, SECRET, Http(connect_seconds=1, read_seconds=5))
    charges: list[KnownCharge] = []
    page: str | None = None
    while True:
        told = statements.charges(tenant, period, page)
        assert isinstance(told, Page), told
        charges += told.items
        if (page := told.next) is None:
            return charges


def test_a_charge_is_listed_once_however_often_it_was_tried(world: World) -> None:
    charge = world.charge()
    world.pay(charge, "decline")
    world.clock.advance(5)
    world.pay(charge, "duplicate")
    world.run_errands(60)
    [one] = listed(world)
    assert (one.reference, one.status, one.amount) == (charge.reference, "success", KES_12_50)
    assert one.at == NOW + timedelta(seconds=5)


def test_charges_are_listed_by_when_they_were_tried(world: World) -> None:
    first = world.paid()
    world.clock.advance(24 * 3600)
    second = world.paid()
    assert [one.reference for one in listed(world)] == [first.reference, second.reference]
    assert [one.reference for one in listed(world, Period(NOW, NOW + timedelta(hours=2)))] == [first.reference]
    assert listed(world, Period(NOW - timedelta(days=2), NOW)) == []
    assert listed(world, tenant="ten_other") == []


def test_a_long_list_comes_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    references = [world.paid().reference for _ in range(5)]
    monkeypatch.setattr(books, "LISTED_MAX", 2)
    assert sorted(one.reference for one in listed(world)) == sorted(references)


def test_who_shows_no_key_is_told_nothing(world: World) -> None:
    statements = DemoStatements(world.provider._url, "another secret", Http(connect_seconds=1, read_seconds=5))
    assert isinstance(statements.charges(TENANT, DAYS), Unknown)
