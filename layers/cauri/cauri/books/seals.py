"""Seals: the log's records under Merkle roots, shard by shard, each seal chained to the one before it.

A seal is for what no seal of its shard has yet, up to an hour that ended a while ago. It keeps the list of its leaves,
so that nothing depends on when a record became visible: what comes late goes under the next seal, by name. A seal, its
leaves and the head of its shard are one transaction; two sealers of a shard at once make one seal.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from pydantic import TypeAdapter

from cauri.books.database import Database
from cauri.books.log import DAY_SHARDS
from cauri.books.shelf import Key, Shelf, Wire, Write, item_of
from cauri.values import dataclass, field

TABLE: Final = "ledger"
FIRST: Final = ""
"""What the first seal of a shard is chained to."""
LEAVES_MAX: Final = 4_000
"""Of one seal, which is one transaction of 4 MB at the most."""
CHUNK: Final = 500
"""Leaves of one item: 65 KB."""
CHUNKS_MAX: Final = 90
LATE_MAX: Final = timedelta(hours=1)
"""So long after its hour was sealed, a record may still become visible: it goes under the next seal, as late."""


class Vault(Protocol):
    """Where copies of seals are that nobody can change or delete."""

    def put(self, key: str, body: bytes) -> None:
        """Keep `body`, if nothing is there yet."""

    def get(self, key: str) -> bytes | None: ...


@dataclass(frozen=True)
class Leaf:
    """A record as it was sealed. `place` is ``time#log id``."""

    place: str
    hash: str

    @property
    def log_id(self) -> str:
        return self.place.rpartition("#")[2]

    @property
    def day(self) -> str:
        return self.place[:10]


@dataclass(frozen=True)
class Seal:
    """One link of a shard's chain: of what was new before `through`, when the shard was sealed up to `since`.

    A leaf from before `since` was not visible when its own time was sealed.
    """

    tenant: str
    shard: int
    number: int
    since: str
    through: str
    count: int
    root: str
    previous: str
    chunks: tuple[str, ...] = field(default_factory=tuple)

    @property
    def digest(self) -> str:
        said = [self.tenant, self.shard, self.number, self.since, self.through, self.count, self.root, self.previous]
        return hashlib.sha256(json.dumps(["seal", *said]).encode()).hexdigest()


@dataclass(frozen=True)
class Head:
    """Where a shard's chain ends, through which moment it was looked at, and which seals the vault has."""

    number: int = 0
    digest: str = FIRST
    through: str = ""
    exported: int = 0


def shard_of_log_id(log_id: str) -> int:
    return int(log_id[:2], 16) % DAY_SHARDS


def leaf_of(item: Wire) -> Leaf:
    """The leaf of a record's item: every attribute counts, also those that only lists are made of."""
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=_base64)
    return Leaf(item["at"]["S"], hashlib.sha256(b"\x00" + text.encode()).hexdigest())


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def root_of(leaves: Sequence[Leaf]) -> str:
    """The Merkle root, as RFC 6962 has it: leaves and nodes are hashed apart, so that none passes for the other."""
    level = [bytes.fromhex(leaf.hash) for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\x01" + b"".join(level[at : at + 2])).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0].hex()


# -- How they are kept


class _Items(Shelf[Wire]):
    """Items as they are, whatever they hold."""

    def from_item(self, item: Wire) -> Wire:
        return item


_LOG: Final = _Items("log", dict, place=lambda _: ("", ""), tenant=lambda _: "")
_SEALS: Final = _Items(TABLE, dict, place=lambda _: ("", ""), tenant=lambda _: "")
_SEAL: Final = TypeAdapter(Seal)


def seals_pk(tenant: str, shard: int) -> str:
    return f"{tenant}#seals#{shard:02d}"


def leaves_pk(tenant: str, shard: int) -> str:
    return f"{tenant}#sealed#{shard:02d}"


def items_of(database: Database, tenant: str, log_ids: Iterable[str]) -> dict[str, Wire]:
    """The items of records, by log id; those that are there."""
    keys = {log_id: Key(_LOG, f"{tenant}#{log_id}", "") for log_id in log_ids}
    found = database.fetch(list(keys.values())) if keys else None
    return {log_id: item for log_id, key in keys.items() if found and (item := found[key]) is not None}


def heads_of(database: Database, tenant: str) -> list[Head]:
    """Of every shard."""
    keys = [Key(_SEALS, seals_pk(tenant, shard), "head") for shard in range(DAY_SHARDS)]
    found = database.fetch(keys)
    return [_head(item) if (item := found[key]) else Head() for key in keys]


def seal_of(database: Database, tenant: str, shard: int, number: int) -> Seal | None:
    key = Key(_SEALS, seals_pk(tenant, shard), f"{number:08d}")
    item = database.fetch([key])[key]
    return None if item is None else _SEAL.validate_json(item["document"]["S"])


def leaves_of(database: Database, seal: Seal) -> list[Leaf]:
    """What the seal's own list says."""
    keys = [Key(_SEALS, leaves_pk(seal.tenant, seal.shard), chunk) for chunk in seal.chunks]
    found = database.fetch(keys) if keys else None
    items = [item for key in keys if found and (item := found[key]) is not None]
    return sorted((leaf for item in items for leaf in _leaves(item)), key=lambda leaf: leaf.place)


def sealed_on(database: Database, tenant: str, shard: int, first_day: str, last_day: str) -> set[str]:
    """The places of all leaves of some days."""
    request = {
        "KeyConditionExpression": "pk = :pk and sk between :first and :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": leaves_pk(tenant, shard)},
            ":first": {"S": first_day},
            ":last": {"S": f"{last_day}~"},
        },
    }
    return {leaf.place for item in database.query_all(TABLE, request) for leaf in _leaves(item)}


def writes_of(seal: Seal, chunks: Mapping[str, Sequence[Leaf]], before: Head, after: Head) -> list[Write]:
    """The seal, its leaves, and the head that is on it now, if the head is still where it was."""
    pk = seals_pk(seal.tenant, seal.shard)
    seal_item = item_of(pk=pk, sk=f"{seal.number:08d}", document=_SEAL.dump_json(seal).decode())
    rows = [
        item_of(
            pk=leaves_pk(seal.tenant, seal.shard), sk=sk, leaves="\n".join(f"{it.place} {it.hash}" for it in leaves)
        )
        for sk, leaves in chunks.items()
    ]
    return [
        head_write(seal.tenant, seal.shard, before, after),
        *(
            Write("Put", {"TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"})
            for item in (seal_item, *rows)
        ),
    ]


def head_write(tenant: str, shard: int, before: Head, after: Head) -> Write:
    item = item_of(
        pk=seals_pk(tenant, shard),
        sk="head",
        number=after.number,
        digest=after.digest,
        through=after.through,
        exported=after.exported,
    )
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if before != Head():
        condition = {
            "ConditionExpression": "#number = :number and through = :through",
            "ExpressionAttributeNames": {"#number": "number"},
            "ExpressionAttributeValues": {":number": {"N": str(before.number)}, ":through": {"S": before.through}},
        }
    return Write("Put", {"TableName": TABLE, "Item": item, **condition})


def chunked(leaves: Sequence[Leaf], number: int) -> dict[str, Sequence[Leaf]]:
    """The items of a seal's leaves, by their sort key: day by day, so that a day's leaves are found together."""
    by_day: defaultdict[str, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        by_day[leaf.day].append(leaf)
    return {
        f"{day}#{number:08d}#{at // CHUNK:03d}": its[at : at + CHUNK]
        for day, its in by_day.items()
        for at in range(0, len(its), CHUNK)
    }


def portions(places: Sequence[str]) -> Iterator[Sequence[str]]:
    """What fits under one seal each, the oldest first."""
    portion: list[str] = []
    chunks: set[tuple[str, int]] = set()
    of_day: defaultdict[str, int] = defaultdict(int)
    for place in sorted(places):
        chunks.add((place[:10], of_day[place[:10]] // CHUNK))
        of_day[place[:10]] += 1
        portion.append(place)
        if len(portion) == LEAVES_MAX or len(chunks) == CHUNKS_MAX:
            yield portion
            portion, chunks, of_day = [], set(), defaultdict(int)
    if portion:
        yield portion


def copy_of(seal: Seal, leaves: Sequence[Leaf]) -> bytes:
    """What the vault keeps of a seal: all of it, so that the vault alone tells what was in the log."""
    document = {"seal": _SEAL.dump_python(seal, mode="json"), "digest": seal.digest}
    document["leaves"] = [[leaf.place, leaf.hash] for leaf in leaves]
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read_copy(body: bytes) -> tuple[Seal, list[Leaf]]:
    document = json.loads(body)
    return _SEAL.validate_python(document["seal"]), [Leaf(place, hash_) for place, hash_ in document["leaves"]]


def key_of_copy(tenant: str, shard: int, number: int) -> str:
    return f"{tenant}/{shard:02d}/{number:08d}.json"


def _head(item: Wire) -> Head:
    return Head(int(item["number"]["N"]), item["digest"]["S"], item["through"]["S"], int(item["exported"]["N"]))


def _leaves(item: Wire) -> list[Leaf]:
    return [Leaf(*line.split(" ", 1)) for line in item["leaves"]["S"].splitlines()]
