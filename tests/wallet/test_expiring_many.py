"""A hundred thousand lots lapse: what each costs does not depend on how many there are, and a killed run is resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.wallet.expiring import expire
from cauri.wallet.lots import Kind, Lot, Wallet
from cauri.wallet.store import BREAKAGES, WALLETS, breakage_list, shards

from tests.proof.faults import FAULTS, Died, OwnDatabase, Script, ScriptedDatabase
from tests.shop import START, Shop, no_pause

LOTS_EACH = 100
UNITS = 7
AT_ONCE = 10
"""Wallets in one transaction, when they are made."""
KILL = next(fault for fault in FAULTS if fault.kills)


@dataclass(frozen=True)
class Cost:
    calls: int
    units: float
    cpu_ms: float


def filled(shop: Shop, lots: int) -> Shop:
    """So many lots whose grace is over, a hundred in each wallet, put there as they would be found."""
    wallets = [_wallet(shop.tenant, number) for number in range(lots // LOTS_EACH)]
    for begin in range(0, len(wallets), AT_ONCE):
        shop.database.transact([WALLETS.write(wallet) for wallet in wallets[begin : begin + AT_ONCE]])
    shop.clock.now = START + timedelta(days=40)
    return shop


def _wallet(tenant: str, number: int) -> Wallet:
    lots = [_lot(f"lot_{number}_{place}") for place in range(LOTS_EACH)]
    return Wallet(tenant, f"cus_{number}", {lot.id: lot for lot in lots})


def _lot(lot_id: str) -> Lot:
    return Lot(lot_id, Kind.STORE_CREDIT, "KES", UNITS, UNITS, "gift", START, START + timedelta(days=1))


def cost(shop: Shop, database: Database) -> Cost:
    """What one run takes in a process of its own, which has to lapse all there is."""
    began = time.process_time()
    expire(Books(database, shop.clock, pause=no_pause), shop.tenant)
    return Cost(database.meter.calls, database.meter.units, (time.process_time() - began) * 1000)


def lapsed(shop: Shop) -> int:
    """Units of all breakages; each wallet has one, and nothing left."""
    broken = []
    for name in shards(breakage_list("2026-Q4")):
        request = {
            "IndexName": "by_list",
            "KeyConditionExpression": "#list = :list",
            "ExpressionAttributeNames": {"#list": "list"},
            "ExpressionAttributeValues": {":list": {"S": f"{shop.tenant}#{name}"}},
        }
        broken += shop.database.query_all("wallet", request)
    keys = [BREAKAGES.key(*item["pk"]["S"].split("#", 1), item["sk"]["S"]) for item in broken]
    found = [shop.database.fetch(keys[begin : begin + 50]) for begin in range(0, len(keys), 50)]
    breakages = [at[key] for begin, at in enumerate(found) for key in keys[50 * begin : 50 * (begin + 1)]]
    assert len({one.customer_id for one in breakages if one}) == len(breakages), "each once"
    return sum(part.units for one in breakages if one for part in one.parts)


@pytest.mark.parametrize("lots", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_lot_costs_as_much_among_many_as_among_few(shop: Shop, lots: int, note: Callable[[str], None]) -> None:
    shop.furnish().programme()
    few, many = lots // 10, lots
    other = replace(shop, tenant="kiosk", clock=shop.clock)
    other.furnish().programme()
    of_few = cost(filled(other, few), OwnDatabase(shop.database))
    of_many = cost(filled(shop, many), OwnDatabase(shop.database))
    assert (lapsed(other), lapsed(shop)) == (UNITS * few, UNITS * many)
    for what, number, spent in (("few", few, of_few), ("many", many, of_many)):
        each = f"{spent.calls / number:.3f} calls, {spent.units / number:.2f} units, {spent.cpu_ms / number:.3f} CPU-ms"
        note(f"expiry, {what}: {number} lots, {each} a lot")
    assert of_many.units / many < 1.2 * of_few.units / few
    assert of_many.calls / many < 1.2 * of_few.calls / few


@pytest.mark.parametrize("lots", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_what_a_killed_run_left_the_next_one_does(shop: Shop, lots: int, note: Callable[[str], None]) -> None:
    filled(shop.furnish().programme(), lots)
    with pytest.raises(Died):
        cost(shop, ScriptedDatabase(shop.database, Script(lots // LOTS_EACH, KILL)))
    before = lapsed(shop)
    assert 0 < before < UNITS * lots
    rest = cost(shop, OwnDatabase(shop.database))
    assert lapsed(shop) == UNITS * lots
    note(f"expiry of {lots} lots, killed after {before // UNITS}: {rest.calls} calls for the rest")
    assert cost(shop, OwnDatabase(shop.database)).calls <= len(shards("wallets")) + 1, "nothing is left to look at"
