"""Looking whether the log is what was sealed: what was changed, what was removed, and what was put in, by name.

First the seals, shard by shard: each against the one before it, against its own leaves, against its copy in the vault,
and its leaves against the log. Then the log, day by day: whatever is older than the last seal has to be under one. Who
can write the tables can write seals too, but not what the vault keeps: where they differ, the vault is believed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from cauri.books.chronicle import stretch
from cauri.books.database import Database
from cauri.books.log import DAY_SHARDS
from cauri.books.seals import (
    FIRST,
    LATE_MAX,
    Head,
    Leaf,
    Seal,
    Vault,
    copy_of,
    heads_of,
    items_of,
    key_of_copy,
    leaf_of,
    leaves_of,
    read_copy,
    root_of,
    seal_of,
    sealed_on,
    shard_of_log_id,
)
from cauri.clock import from_rfc3339, rfc3339
from cauri.values import dataclass

RECORDS_MAX: Final = 4_000
SEALS_MAX: Final = 200
"""Of one page: what a function looks at in a few seconds."""


class Trouble(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    SEAL_CHANGED = "seal_changed"
    SEAL_REMOVED = "seal_removed"
    LATE = "late"
    """No proof of anything: it became visible after the seal of its own time, which nobody can tell from a forgery."""


@dataclass(frozen=True)
class Finding:
    """What is wrong, and with which record, or which seal (``shard/number``)."""

    trouble: Trouble
    record: str | None
    seal: str | None
    says: str


@dataclass(frozen=True)
class Looked:
    """What a page looked at, and found. `position` is where the next begins, or None at the end."""

    records: int
    seals: int
    findings: list[Finding]
    position: str | None


def verify(database: Database, vault: Vault, tenant: str, position: str | None) -> Looked:
    """A page of the verification: of the seals, and then of the days."""
    phase, _, place = (position or "seals|0|0").partition("|")
    if phase == "days":
        return _days(database, tenant, place or None)
    shard, _, number = place.partition("|")
    return _seals(database, vault, tenant, int(shard), int(number))


# -- The seals


def _seals(database: Database, vault: Vault, tenant: str, shard: int, number: int) -> Looked:
    """From behind the seal `number` of a shard, over as many shards as fit."""
    heads = heads_of(database, tenant)
    records = seals = 0
    findings: list[Finding] = []
    while shard < DAY_SHARDS and records < RECORDS_MAX and seals < SEALS_MAX:
        copy = vault.get(key_of_copy(tenant, shard, number + 1))
        seal = seal_of(database, tenant, shard, number + 1)
        if seal is None and copy is None and number >= heads[shard].number:
            findings += _end(database, tenant, shard, number, heads[shard])
            shard, number = shard + 1, 0
            continue
        number, seals = number + 1, seals + 1
        leaves = list(_link(database, tenant, (shard, number), seal, copy, heads[shard], findings))
        findings += _against_the_log(database, tenant, f"{shard:02d}/{number}", leaves)
        records += len(leaves)
    return Looked(records, seals, findings, f"seals|{shard}|{number}" if shard < DAY_SHARDS else "days|")


def _link(
    database: Database,
    tenant: str,
    at: tuple[int, int],
    seal: Seal | None,
    copy: bytes | None,
    head: Head,
    findings: list[Finding],
) -> Iterator[Leaf]:
    """The leaves of one seal, those of its copy where there is one; and what is wrong with the seal itself."""
    shard, number = at
    name = f"{shard:02d}/{number}"
    before = seal_of(database, tenant, shard, number - 1) if number > 1 else None
    leaves = leaves_of(database, seal) if seal else []
    if seal is None:
        findings.append(Finding(Trouble.SEAL_REMOVED, None, name, f"seal {name} is gone"))
    elif seal.previous != (before.digest if before else FIRST):
        findings.append(Finding(Trouble.SEAL_CHANGED, None, name, f"seal {name} does not follow the one before it"))
    elif root_of(leaves) != seal.root or len(leaves) != seal.count:
        findings.append(Finding(Trouble.SEAL_CHANGED, None, name, f"the leaves of seal {name} are not what it sealed"))
    elif copy is not None and copy != copy_of(seal, leaves):
        findings.append(Finding(Trouble.SEAL_CHANGED, None, name, f"seal {name} is not its copy in the vault"))
    elif copy is None and number <= head.exported:
        findings.append(Finding(Trouble.SEAL_REMOVED, None, name, f"the vault has no copy of seal {name}"))
    if copy is not None:
        _, leaves = read_copy(copy)
    for leaf in leaves:
        if seal is not None and leaf.place < seal.since:
            says = f"record {leaf.log_id} of {leaf.place[:24]} was not there when its time was sealed"
            findings.append(Finding(Trouble.LATE, leaf.log_id, name, says))
    yield from leaves


def _end(database: Database, tenant: str, shard: int, number: int, head: Head) -> Iterator[Finding]:
    """The head has to be on the last seal."""
    last = seal_of(database, tenant, shard, number) if number else None
    if head.digest != (last.digest if last else FIRST) or head.number != number:
        name = f"{shard:02d}/{head.number}"
        yield Finding(Trouble.SEAL_CHANGED, None, name, f"the chain of shard {shard:02d} does not end where it says")


def _against_the_log(database: Database, tenant: str, seal: str, leaves: Sequence[Leaf]) -> Iterator[Finding]:
    items = items_of(database, tenant, [leaf.log_id for leaf in leaves])
    for leaf in leaves:
        item = items.get(leaf.log_id)
        if item is None:
            says = f"record {leaf.log_id} of {leaf.place[:24]} was sealed, and is gone"
            yield Finding(Trouble.REMOVED, leaf.log_id, seal, says)
        elif "at" not in item or leaf_of(item) != leaf:
            says = f"record {leaf.log_id} of {leaf.place[:24]} is not what was sealed"
            yield Finding(Trouble.CHANGED, leaf.log_id, seal, says)


# -- The days


def _days(database: Database, tenant: str, position: str | None) -> Looked:
    """What is in the log before the end of its seals, and under none of them."""
    heads = heads_of(database, tenant)
    ends = [head.through for head in heads if head.through]
    if not ends:
        return Looked(0, 0, [], None)
    page = stretch(database, tenant, position, from_rfc3339(max(ends)), limit=RECORDS_MAX)
    sealed = _sealed(database, tenant, page.places)
    findings = [
        _unsealed(place, heads[shard_of_log_id(place.rpartition("#")[2])])
        for place in page.places
        if place not in sealed and place < heads[shard_of_log_id(place.rpartition("#")[2])].through
    ]
    return Looked(len(page.places), 0, findings, None if page.position is None else f"days|{page.position}")


def _sealed(database: Database, tenant: str, places: Sequence[str]) -> set[str]:
    if not places:
        return set()
    shards = sorted({shard_of_log_id(place.rpartition("#")[2]) for place in places})
    first, last = places[0][:10], places[-1][:10]
    reads = [functools.partial(sealed_on, database, tenant, shard, first, last) for shard in shards]
    return set[str]().union(*database.together(*reads))


def _unsealed(place: str, head: Head) -> Finding:
    """Within the last hour it may have been late, and goes under the next seal; before that nobody was."""
    log_id = place.rpartition("#")[2]
    if place > rfc3339(from_rfc3339(head.through) - LATE_MAX):
        says = f"record {log_id} of {place[:24]} was not there when its time was sealed"
        return Finding(Trouble.LATE, log_id, None, says)
    return Finding(Trouble.INSERTED, log_id, None, f"record {log_id} of {place[:24]} is under no seal")
