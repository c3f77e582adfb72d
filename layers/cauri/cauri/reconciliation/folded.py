"""The accounts against the log: each posting has its row, and each sum is that of its rows."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cauri.books.database import PARALLEL_CALLS_MAX, Database
from cauri.books.fold import TABLE, Slot, counted, rows_and_slots
from cauri.books.log import Record
from cauri.books.shelf import Wire
from cauri.books.trail import trail_of
from cauri.reconciliation.model import Difference, Repair
from cauri.reconciliation.reading import items_at, raw_key

Place = tuple[str, str]
"""pk and sk of a row. The sk names the record: ``time#log id``, and where in the entry if the row is a posting's."""


def unfolded(database: Database, records: Sequence[Record]) -> Iterator[Difference]:
    """What the accounts, and the lists of the log, lack of `records`, or have of them otherwise."""
    rows, slots = rows_and_slots(records)
    expected = dict(rows) | {(row["pk"]["S"], row["sk"]["S"]): row for row in trail_of(records)}
    found = items_at(database, [raw_key(TABLE, *place) for place in expected])
    there = {(item["pk"]["S"], item["sk"]["S"]): item for item in found}
    wrong: defaultdict[str, list[Place]] = defaultdict(list)
    for place, row in expected.items():
        if there.get(place) != row:
            wrong[place[1].split("#")[1]].append(place)
    commands = {str(record.log_id): record.command for record in records}
    yield from (_unfolded(log_id, commands[log_id], places, expected, there) for log_id, places in wrong.items())
    yield from _wrong_sums(database, sorted(slots, key=lambda slot: slot.sum_place), rows)


def _unfolded(
    log_id: str, command: str, places: Sequence[Place], expected: Mapping[Place, Wire], there: Mapping[Place, Wire]
) -> Difference:
    """One record, and every account and list that does not have it as it is."""
    accounts = {
        _account(place): _amounts(expected[place], there.get(place)) for place in places if "#rows#" in place[0]
    }
    lists = [place[0].split("#trail#")[1] for place in places if "#trail#" in place[0]]
    says = f"record {log_id} ({command}) is not as it was committed in {', '.join([*accounts, *lists])}"
    evidence = {"record": log_id, "command": command, "accounts": accounts, "lists": lists}
    return Difference("postings", log_id, says, evidence, repair=Repair("replay_record", log_id))


def _account(place: Place) -> str:
    _, _, account, asset, _ = place[0].split("#")
    return f"{account} in {asset}"


def _amounts(row: Wire, found: Wire | None) -> dict[str, int | None]:
    return {"posted": int(row["amount"]["N"]), "found": None if found is None else int(found["amount"]["N"])}


def _wrong_sums(database: Database, slots: Sequence[Slot], rows: Mapping[Place, Wire]) -> Iterator[Difference]:
    records = {(row["pk"]["S"], row["at"]["S"][:16]): row["log_id"]["S"] for row in rows.values()}
    for start in range(0, len(slots), PARALLEL_CALLS_MAX):
        some = slots[start : start + PARALLEL_CALLS_MAX]
        sums = {
            (item["pk"]["S"], item["sk"]["S"]): (int(item["rows"]["N"]), int(item["sum"]["N"]))
            for item in items_at(database, [raw_key(TABLE, *slot.sum_place) for slot in some])
        }
        counts = database.together(*(functools.partial(counted, database, slot) for slot in some))
        for slot, made in zip(some, counts, strict=True):
            stored = sums.get(slot.sum_place, (0, 0))
            if stored != made:
                yield _wrong_sum(slot, stored, made, records[slot.rows_pk, slot.minute])


def _wrong_sum(slot: Slot, stored: tuple[int, int], made: tuple[int, int], log_id: str) -> Difference:
    evidence = {
        "account": slot.account,
        "asset": slot.asset,
        "minute": slot.minute,
        "slice": slot.slice,
        "rows": {"count": made[0], "sum": made[1]},
        "stored": {"count": stored[0], "sum": stored[1]},
    }
    says = (
        f"{made[0]} postings of {slot.minute} on {slot.account} come to {made[1]} {slot.asset}, "
        f"and their sum is {stored[1]}, of {stored[0]}"
    )
    repair = Repair("replay_record", log_id) if stored[0] <= made[0] else None  # a sum never goes back to fewer rows
    about = f"{slot.asset} {slot.minute} {slot.slice}"
    return Difference("sums", slot.account, says, evidence, repair=repair, about=about)
