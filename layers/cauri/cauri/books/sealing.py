"""Sealing: by the hour, what is new in every shard of a tenant's log."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from cauri.books import chronicle
from cauri.books.database import Database, TransactionRefused
from cauri.books.seals import (
    LATE_MAX,
    Head,
    Seal,
    Vault,
    chunked,
    copy_of,
    head_write,
    heads_of,
    items_of,
    key_of_copy,
    leaf_of,
    leaves_of,
    portions,
    root_of,
    seal_of,
    sealed_on,
    writes_of,
)
from cauri.clock import Instant, from_rfc3339, rfc3339
from cauri.errors import ContendedError

SETTLES: Final = timedelta(minutes=10)
"""After its end, an hour is sealed: by then all of it is visible, or something is wrong that its seal will show."""
DAYS_AT_ONCE: Final = 16


def sealed_through(now: Instant) -> Instant:
    """The last full hour that ended long enough ago."""
    return (now - SETTLES).replace(minute=0, second=0, microsecond=0)


def seal_tenant(database: Database, vault: Vault, tenant: str, through: Instant) -> int:
    """Seal what is new of a tenant before `through`, and see that the vault has every seal. What was sealed."""
    sealed = 0
    for shard, before in enumerate(heads_of(database, tenant)):
        try:
            head, count = _seal(database, tenant, shard, before, through)
        except (TransactionRefused, ContendedError):
            continue  # another sealer is at it
        sealed += count
        _export(database, vault, tenant, shard, head)
    return sealed


def _seal(database: Database, tenant: str, shard: int, head: Head, through: Instant) -> tuple[Head, int]:
    upto, count, before = rfc3339(through), 0, head
    if head.through >= upto:
        return head, 0
    new = list(portions(_new(database, tenant, shard, head, upto)))
    for at, portion in enumerate(new, start=1):
        items = items_of(database, tenant, [place.rpartition("#")[2] for place in portion])
        leaves = sorted((leaf_of(item) for item in items.values()), key=lambda leaf: leaf.place)
        chunks = chunked(leaves, head.number + 1)
        link = (tenant, shard, head.number + 1, before.through, upto)
        seal = Seal(*link, len(leaves), root_of(leaves), head.digest, tuple(chunks))
        # The shard is sealed through the hour with the last portion: what a run does not get to is new to the next.
        after = Head(seal.number, seal.digest, upto if at == len(new) else before.through, head.exported)
        database.transact(writes_of(seal, chunks, head, after))
        head, count = after, count + len(leaves)
    if not new:
        after = Head(head.number, head.digest, upto, head.exported)
        database.transact([head_write(tenant, shard, head, after)])
        head = after
    return head, count


def _new(database: Database, tenant: str, shard: int, head: Head, upto: str) -> list[str]:
    """The places before `upto` that are under no seal; of what was sealed before, only the last hour is looked at."""
    since = rfc3339(from_rfc3339(head.through) - LATE_MAX) if head.through else chronicle.FIRST_DAY.isoformat()
    known = sealed_on(database, tenant, shard, since[:10], upto[:10]) if head.number else set()
    places: list[str] = []
    days = _days(since, upto)
    for at in range(0, len(days), DAYS_AT_ONCE):
        reads = [
            functools.partial(chronicle.of_shard, database, tenant, day, shard, after=since, before=upto)
            for day in days[at : at + DAYS_AT_ONCE]
        ]
        places += [place for found in database.together(*reads) for place in found if place not in known]
    return places


def _days(since: str, upto: str) -> Sequence[date]:
    first, last = date.fromisoformat(since[:10]), date.fromisoformat(upto[:10])
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def _export(database: Database, vault: Vault, tenant: str, shard: int, head: Head) -> None:
    """Give the vault what it lacks. Safe to repeat: a copy is the same whenever it is made."""
    if head.exported == head.number:
        return
    for number in range(head.exported + 1, head.number + 1):
        seal = seal_of(database, tenant, shard, number)
        if seal is not None:
            vault.put(key_of_copy(tenant, shard, number), copy_of(seal, leaves_of(database, seal)))
    after = Head(head.number, head.digest, head.through, head.number)
    database.transact([head_write(tenant, shard, head, after)])
