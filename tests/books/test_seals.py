"""Whoever changes, removes or adds a record of the log is found out, and the record is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import pytest
from cauri.books import chronicle, log, seals, verifying
from cauri.books.log import Record, log_id_of
from cauri.books.sealing import seal_tenant, sealed_through
from cauri.books.seals import Leaf, heads_of, leaf_of, root_of, seals_pk
from cauri.books.verifying import Finding, Trouble, verify
from cauri.clock import rfc3339
from cauri.parties.commands import PutTenant

from tests.engines import TABLE_PREFIX, Engine
from tests.proof.state import items
from tests.shop import START, TENANT, Shop

LOG: Final = TABLE_PREFIX + "log"
LEDGER: Final = TABLE_PREFIX + "ledger"


@dataclass
class Vault:
    """A bucket whose objects can't be changed, as long as nobody can."""

    copies: dict[str, bytes] = field(default_factory=dict)
    broken: bool = False

    def put(self, key: str, body: bytes) -> None:
        if self.broken:
            raise OSError("no bucket")
        self.copies.setdefault(key, body)

    def get(self, key: str) -> bytes | None:
        return self.copies.get(key)


@dataclass
class Chain:
    """A shop whose log is sealed hour by hour, and whoever gets at its tables."""

    shop: Shop
    engine: Engine
    vault: Vault = field(default_factory=Vault)

    def seal(self, **later: int) -> int:
        """The records that were sealed, a while after they were committed."""
        self.shop.clock.advance(**(later or {"minutes": 80}))
        return seal_tenant(self.shop.database, self.vault, TENANT, sealed_through(self.shop.clock.now))

    def found(self) -> list[Finding]:
        """By the whole verification, however many pages it has."""
        position, findings = None, []
        while True:
            page = verify(self.shop.database, self.vault, TENANT, position)
            findings += page.findings
            if page.position is None:
                return findings
            position = page.position

    def names(self) -> list[tuple[str, str | None]]:
        return sorted((str(one.trouble), one.record) for one in self.found())

    @property
    def records(self) -> list[dict[str, Any]]:
        return sorted((dict(item) for item in items()["log"]), key=lambda item: str(item["at"]["S"]))

    def put(self, item: dict[str, Any]) -> None:
        self.engine.client().put_item(TableName=LOG, Item=item)

    def drop(self, item: dict[str, Any]) -> None:
        self.engine.client().delete_item(TableName=LOG, Key={"pk": item["pk"]})


def name_of(item: dict[str, Any]) -> str:
    return str(item["pk"]["S"]).rpartition("#")[2]


@pytest.fixture
def chain(shop: Shop, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """Three hours of payments, sealed."""
    monkeypatch.setattr(chronicle, "FIRST_DAY", date(2026, 11, 18))  # nothing is older here, and moto is slow
    chain = Chain(shop, engine)
    shop.run(PutTenant("Soko"))
    for amount in range(1, 13):
        shop.receive(amount)
        if amount % 4 == 0:
            chain.seal(minutes=70)
    return chain


def test_what_nobody_touched_is_as_it_was_sealed(chain: Chain) -> None:
    assert chain.found() == []
    assert sum(head.number for head in heads_of(chain.shop.database, TENANT)) == len(chain.vault.copies) > 8
    assert chain.seal() == 0, "nothing is new"
    assert chain.found() == []


def test_only_hours_that_ended_a_while_ago_are_sealed(chain: Chain) -> None:
    chain.shop.clock.now = chain.shop.clock.now.replace(hour=20, minute=58)
    chain.shop.receive(1)
    assert chain.seal(minutes=2) == 0
    assert chain.seal(minutes=9) == 0
    assert chain.seal(minutes=2) == 1


def edit(item: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    record = json.loads(item["record"]["S"])
    change(record)
    return item | {"record": {"S": json.dumps(record)}}


@pytest.mark.parametrize(
    "change",
    [
        lambda item: edit(item, lambda record: record.update(caller="usr_nobody")),
        lambda item: edit(item, lambda record: record["entry"]["postings"][0].update(amount=7)),
        lambda item: item | {"answer": {"B": b"another"}},
        lambda item: item | {"day": {"S": item["day"]["S"][:-2] + "77"}},
        lambda item: {name: value for name, value in item.items() if name != "at"},
        lambda item: item | {"more": {"S": "than there was"}},
    ],
    ids=["who", "how much", "the answer", "its list", "no time", "an attribute more"],
)
def test_a_changed_record_is_named(change: Callable[[Any], Any], chain: Chain) -> None:
    victim = chain.records[5]
    chain.put(change(victim))
    assert chain.names() == [("changed", name_of(victim))]


def test_a_removed_record_is_named(chain: Chain) -> None:
    first, last = chain.records[0], chain.records[11]
    chain.drop(first)
    chain.drop(last)
    assert chain.names() == sorted([("removed", name_of(first)), ("removed", name_of(last))])


def forged(chain: Chain, at: Any) -> dict[str, Any]:
    log_id = log_id_of(TENANT, "usr_thief", f"forged-{at}")
    record = Record(TENANT, log_id, "deposit", "usr_thief", "", at, "")
    item = dict(log.put(record, b"{}").request["Item"])
    chain.put(item)
    return item


@pytest.mark.parametrize("ago", [timedelta(hours=3), timedelta(hours=4), timedelta(days=1)])
def test_an_inserted_record_is_named(ago: timedelta, chain: Chain) -> None:
    thiefs = forged(chain, chain.shop.clock.now - ago)
    assert chain.names() == [("inserted", name_of(thiefs))]
    chain.seal()
    assert chain.names() == [("inserted", name_of(thiefs))], "no later seal makes it good"


def test_a_record_that_moved_to_another_time_is_named(chain: Chain) -> None:
    victim = chain.records[5]
    chain.put(victim | {"at": {"S": "2026-11-19" + victim["at"]["S"][10:]}, "day": {"S": f"{TENANT}#2026-11-19#00"}})
    assert ("changed", name_of(victim)) in chain.names()


def test_what_became_visible_late_goes_under_the_next_seal_and_is_told(chain: Chain) -> None:
    """A record that the index did not have yet when its hour was sealed."""
    late = forged(chain, sealed_through(chain.shop.clock.now) - timedelta(minutes=10))
    assert chain.names() == [("late", name_of(late))]
    assert chain.seal() == 1
    assert chain.names() == [("late", name_of(late))], "it is sealed now, and says so for good"
    chain.drop(late)
    assert ("removed", name_of(late)) in chain.names()


def seal_items(engine: Engine, prefix: str) -> Iterator[dict[str, Any]]:
    for item in items()["ledger"]:
        if item["pk"]["S"].startswith(f"{TENANT}#{prefix}"):
            yield dict(item)


def test_who_changes_a_record_and_its_seal_is_found_out_by_the_vault(chain: Chain) -> None:
    """A thief who writes the tables as he likes: the record, the leaves, the root, the seals after it and the head."""
    victim = chain.records[5]
    chain.put(edit(victim, lambda record: record.update(caller="usr_nobody")))
    for item in list(seal_items(chain.engine, "seal")):
        chain.engine.client().delete_item(TableName=LEDGER, Key={"pk": item["pk"], "sk": item["sk"]})
    seal_tenant(chain.shop.database, Vault(), TENANT, sealed_through(chain.shop.clock.now))
    names = chain.names()
    assert ("changed", name_of(victim)) in names
    assert {trouble for trouble, _ in names} >= {"changed", "seal_changed"}


def test_a_changed_leaf_a_cut_chain_and_a_lost_head_are_told(chain: Chain) -> None:
    client, deposits = chain.engine.client(), list(seal_items(chain.engine, "sealed#"))
    client.put_item(TableName=LEDGER, Item=deposits[0] | {"leaves": {"S": deposits[0]["leaves"]["S"][:-1] + "0"}})
    shard = int(deposits[0]["pk"]["S"][-2:])
    [told, *_] = chain.found()
    assert (told.trouble, told.seal) == (Trouble.SEAL_CHANGED, f"{shard:02d}/1")
    client.put_item(TableName=LEDGER, Item=deposits[0])
    assert chain.found() == []
    heads = heads_of(chain.shop.database, TENANT)
    shard = next(number for number, head in enumerate(heads) if head.number)
    last = {"pk": {"S": seals_pk(TENANT, shard)}, "sk": {"S": f"{heads[shard].number:08d}"}}
    client.delete_item(TableName=LEDGER, Key=last)
    assert {one.trouble for one in chain.found()} == {Trouble.SEAL_REMOVED, Trouble.SEAL_CHANGED}


def test_a_vault_that_lost_a_copy_is_told(chain: Chain) -> None:
    del chain.vault.copies[min(chain.vault.copies)]
    [told] = chain.found()
    assert told.trouble is Trouble.SEAL_REMOVED
    assert "vault" in told.says


def test_a_vault_that_was_away_gets_its_copies_later(chain: Chain) -> None:
    chain.shop.receive(99)
    before = len(chain.vault.copies)
    chain.vault.broken = True
    with pytest.raises(OSError, match="no bucket"):
        chain.seal()
    assert chain.found() == [], "what was not exported yet is not missing"
    chain.vault.broken = False
    chain.seal()
    assert len(chain.vault.copies) == before + 1
    assert chain.found() == []


def test_two_sealers_at_once_make_one_chain(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one runs whole, just before the first commits its seal."""
    chain.shop.receive(1)
    chain.shop.clock.advance(minutes=80)
    database, transact, others = chain.shop.database, chain.shop.database.transact, []

    def interrupted(writes: Any) -> None:
        if not others:
            others.append(None)
            others.append(seal_tenant(database, chain.vault, TENANT, sealed_through(chain.shop.clock.now)))
        transact(writes)

    monkeypatch.setattr(database, "transact", interrupted)
    assert seal_tenant(database, chain.vault, TENANT, sealed_through(chain.shop.clock.now)) + others[1] == 1
    assert chain.found() == []


def test_much_goes_under_several_seals_and_over_several_pages(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "LEAVES_MAX", 2)
    monkeypatch.setattr(seals, "CHUNK", 1)
    monkeypatch.setattr(verifying, "RECORDS_MAX", 3)
    for amount in range(24):
        chain.shop.receive(amount + 1)
    assert chain.seal() == 24
    assert chain.found() == []
    victim = chain.records[-1]
    chain.drop(victim)
    assert chain.names() == [("removed", name_of(victim))]


def test_a_run_that_dies_between_two_seals_leaves_the_rest_to_the_next(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "LEAVES_MAX", 1)
    for amount in range(24):
        chain.shop.receive(amount + 1)
        chain.shop.clock.advance(minutes=5)
    transact, left = chain.shop.database.transact, [3]

    def dying(writes: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        transact(writes)

    monkeypatch.setattr(chain.shop.database, "transact", dying)
    with pytest.raises(KeyboardInterrupt):
        chain.seal()
    monkeypatch.setattr(chain.shop.database, "transact", transact)
    chain.seal()
    assert chain.found() == []


def test_a_root_is_of_all_its_leaves_in_their_order() -> None:
    leaves = [Leaf(f"2026-11-20T09:30:00.000Z#{number}", f"{number:064x}") for number in range(7)]
    roots = {root_of(leaves[:count]) for count in range(8)} | {root_of(leaves[::-1])}
    assert len(roots) == 9


def test_a_leaf_is_of_every_attribute() -> None:
    item = {"pk": {"S": "a"}, "at": {"S": rfc3339(START)}, "answer": {"B": b"x"}}
    assert leaf_of(item) == leaf_of(dict(reversed(item.items())))
    assert leaf_of(item) != leaf_of(item | {"pk": {"S": "b"}})
