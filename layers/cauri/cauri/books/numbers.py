"""Readable numbers that are unique and need not be gapless: leased ten at a time, so that no counter is hot."""

from __future__ import annotations

import threading
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from cauri.books.database import Database
from cauri.books.shelf import Write

LEASE: Final = 10


class CounterItem(Model):
    """How many numbers of a series are given out."""

    class Meta:
        table_name = "platform"
        region = "us-east-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    last = NumberAttribute()


class Numbers:
    """Numbers of any series. What an instance has leased and not used when it ends is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leased: dict[tuple[str, str], list[int]] = {}
        self._lock = threading.Lock()

    def next(self, tenant: str, series: str) -> int:
        """The next number of `series`, from 1: one write for every ten."""
        with self._lock:
            left = self._leased.setdefault((tenant, series), [])
            if not left:
                left += reversed(self._lease(tenant, series))
            return left.pop()

    def _lease(self, tenant: str, series: str) -> range:
        item = CounterItem(f"{tenant}#counters", series)
        request = item.get_update_kwargs_from_instance([CounterItem.last.add(LEASE)])
        answer = self._database.write(Write("Update", {**request, "ReturnValues": "UPDATED_NEW"}))
        assert answer is not None
        last = int(answer["last"]["N"])
        return range(last - LEASE + 1, last + 1)
