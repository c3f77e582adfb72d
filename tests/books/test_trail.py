"""The audit trail lists every change by what it touched, who made it, and when."""

from collections.abc import Iterator

import pytest
from cauri.books.log import Record, read_record
from cauri.books.trail import Span, by_caller, by_resource, by_time, trail_of
from cauri.checkout.commands import InlineLine
from cauri.checkout.opening import Contact

from tests.engines import TABLE_PREFIX, Engine
from tests.shop import Shop, database_of

EVER = Span("0", "~")


def of_day(day: str) -> Span:
    return Span(day, f"{day}T~")


def records(engine: Engine) -> Iterator[Record]:
    """Every record there is, as the stream would bring it."""
    for page in engine.client().get_paginator("scan").paginate(TableName=f"{TABLE_PREFIX}log"):
        yield from (read_record(item) for item in page["Items"])


@pytest.fixture
def shop(engine: Engine) -> Shop:
    shop = Shop(database_of(engine)).furnish()
    shop.clock.advance(seconds=1)
    shop.stock(coffee=20)
    for _ in range(3):
        shop.clock.advance(seconds=1)
        shop.checkout(
            shop.guest(), lines=(InlineLine("coffee", 1),), currency="KES", contact=Contact("kim@example.com")
        )
    return shop


def test_a_change_is_found_by_the_resource_it_touched(shop: Shop, engine: Engine) -> None:
    shop.database.write_rows("ledger", trail_of(records(engine)))
    trail = by_resource(shop.database, shop.tenant, "coffee", EVER, after=None, limit=10)
    assert [entry.command for entry in trail.entries] == ["receive_stock", "put_product"]
    assert trail.entries[0].caller == shop.admin.subject
    assert trail.entries[0].ip == shop.admin.ip


def test_a_caller_s_changes_come_newest_first_and_in_pages(shop: Shop, engine: Engine) -> None:
    shop.database.write_rows("ledger", trail_of(records(engine)))
    first = by_caller(shop.database, shop.tenant, "guest", EVER, after=None, limit=2)
    rest = by_caller(shop.database, shop.tenant, "guest", EVER, after=first.position, limit=2)
    times = [entry.at for entry in first.entries + rest.entries]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)
    assert rest.position is None


def test_writing_the_trail_again_lists_nothing_twice(shop: Shop, engine: Engine) -> None:
    for _ in range(2):
        shop.database.write_rows("ledger", trail_of(records(engine)))
    assert len(by_caller(shop.database, shop.tenant, "guest", EVER, after=None, limit=10).entries) == 3


def test_a_day_lists_what_every_caller_changed_on_it(shop: Shop) -> None:
    pages, after = [], None
    while True:
        page = by_time(shop.database, shop.tenant, of_day("2026-11-20"), after=after, limit=4)
        pages.append(page.entries)
        if (after := page.position) is None:
            break
    listed = [entry.log_id for entries in pages for entry in entries]
    assert len(listed) == len(set(listed)) == 10
    assert by_time(shop.database, shop.tenant, of_day("2026-11-21"), after=None, limit=4).entries == []


def test_another_tenant_has_a_trail_of_its_own(shop: Shop, engine: Engine) -> None:
    shop.database.write_rows("ledger", trail_of(records(engine)))
    assert by_resource(shop.database, "duka", "coffee", EVER, after=None, limit=10).entries == []
    assert by_time(shop.database, "duka", of_day("2026-11-20"), after=None, limit=10).entries == []


def test_the_trail_holds_no_personal_data(shop: Shop, engine: Engine) -> None:
    shop.database.write_rows("ledger", trail_of(records(engine)))
    assert "kim@example.com" not in str(by_caller(shop.database, shop.tenant, "guest", EVER, after=None, limit=10))
