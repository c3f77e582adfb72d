"""Readable numbers: unique, in order within an instance, leased ten at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cauri.books.numbers import LEASE, Numbers

from tests.engines import Engine
from tests.proof.faults import OwnDatabase
from tests.shop import Shop, database_of


def test_an_instance_counts_from_one_and_writes_once_for_ten(shop: Shop) -> None:
    numbers = Numbers(shop.database)
    before = shop.database.meter.calls
    assert [numbers.next("soko", "orders#2026") for _ in range(2 * LEASE)] == list(range(1, 2 * LEASE + 1))
    assert shop.database.meter.calls == before + 2


def test_series_and_tenants_are_apart(shop: Shop) -> None:
    numbers = Numbers(shop.database)
    assert [numbers.next("soko", "a"), numbers.next("soko", "b"), numbers.next("duka", "a")] == [1, 1, 1]


def test_what_an_instance_did_not_use_is_lost_and_never_given_twice(shop: Shop) -> None:
    assert Numbers(shop.database).next("soko", "a") == 1
    assert Numbers(shop.database).next("soko", "a") == LEASE + 1


@pytest.mark.engines
def test_many_threads_of_many_instances_get_no_number_twice(engine: Engine) -> None:
    database = database_of(engine)
    instances = [Numbers(OwnDatabase(database)) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda turn: instances[turn % 4].next("soko", "a"), range(100)))
    assert len(set(given)) == 100
    assert max(given) <= 4 * (25 + LEASE)
