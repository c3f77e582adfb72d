"""The fold gives the right balances however the stream brings the commits: cut, twice, out of order, at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Final

import pytest
from cauri.books.fold import Fold
from cauri.books.ledger import Entry, Posting, books_of, is_owned
from cauri.books.log import Record
from cauri.books.statements import balance, trial_balance
from cauri.errors import Unsettled
from cauri.ids import LogId, digest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import Engine
from tests.proof import state
from tests.proof.faults import Died, Script, ScriptedDatabase, interlude
from tests.proof.picture import picture, read_everything
from tests.proof.worlds import crash_points
from tests.shop import START, TENANT, Shop, database_of

ACCOUNTS: Final = ("receivable:orders", "cash:demo", "wallet:reward:cus_a", "wallet:reward:cus_b")
CHANCE: Final = Random(20261120)


def record(number: int) -> Record:
    """A commit that moves some money. Its log id lies in one of two slices, and its time in one of two minutes."""
    source, target = CHANCE.sample(ACCOUNTS, 2)
    amount = CHANCE.randint(1, 999)
    entry = Entry("test", (Posting(source, -amount, "KES"), Posting(target, amount, "KES")))
    log_id = LogId(digest(str(number))[:36] + f"000{number % 2}")
    at = START + timedelta(seconds=7 * number)
    return Record(TENANT, log_id, "test", "usr_test", "", at, "", entry)


RECORDS: Final = tuple(record(number) for number in range(14))


def expected(records: Sequence[Record]) -> dict[tuple[str, str], int]:
    """What the accounts stand at, added up by hand; a control account has what its owners have."""
    sums = Counter[tuple[str, str]]()
    for one in records:
        for posting in one.entry.postings if one.entry else ():
            for account in books_of(posting.account):
                sums[account, posting.asset] += posting.amount
    return dict(sums)


def folded(shop: Shop, accounts: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {(name, asset): balance(shop.database, TENANT, name, asset) for name, asset in accounts}


def assert_right(shop: Shop, records: Sequence[Record]) -> None:
    right = expected(records)
    assert folded(shop, right) == right
    listed = trial_balance(shop.database, TENANT)
    assert listed.balanced
    assert {(one.account, one.asset): one.debit - one.credit for one in listed.accounts} == {
        account: amount for account, amount in right.items() if not is_owned(account[0])
    }


batches = st.lists(st.lists(st.integers(0, len(RECORDS) - 1), min_size=1, max_size=8), max_size=5)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=batches, order=st.permutations(range(len(RECORDS))), cut=st.integers(1, 7))
def test_batches_in_any_order_cut_and_repeated(
    engine: Engine, shop: Shop, extra: list[list[int]], order: list[int], cut: int
) -> None:
    """Every commit comes at least once; some come again, before or after, in other company."""
    engine.reset()
    needed = [order[start : start + cut] for start in range(0, len(order), cut)]
    for number, batch in enumerate(extra + needed):
        Fold(shop.database if number % 2 else database_of(engine)).fold([RECORDS[index] for index in batch])
    assert_right(shop, RECORDS)


@pytest.mark.engines
def test_batches_in_many_threads(engine: Engine, shop: Shop) -> None:
    work = [CHANCE.sample(RECORDS, 5) for _ in range(8)] + [list(RECORDS[:7]), list(RECORDS[7:])]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda batch: Fold(database_of(engine)).fold(batch), work))
    assert_right(shop, RECORDS)


def test_two_folds_at_once_at_every_call(shop: Shop, tally: Counter[str]) -> None:
    """The one folds its batch whole between two calls of the other; they share some commits, and some minutes."""
    one, other = RECORDS[:5], RECORDS[3:8]
    start = state.snapshot()
    clean = Script()
    Fold(ScriptedDatabase(shop.database, clean)).fold(one)
    for number in range(len(clean.calls)):
        start.restore()
        script = Script(number, interlude(lambda: Fold(shop.database).fold(other)))
        Fold(ScriptedDatabase(shop.database, script)).fold(one)
        assert folded(shop, right := expected(RECORDS[:8])) == right, number
        tally["interleaved folds"] += 1


def test_a_batch_that_failed_comes_again(shop: Shop, tally: Counter[str]) -> None:
    """In halves, as Lambda bisects it."""
    start = state.snapshot()
    clean = Script()
    Fold(ScriptedDatabase(shop.database, clean)).fold(RECORDS[:6])
    whole = state.view(state.items())
    for script in crash_points(clean):
        start.restore()
        fold = Fold(ScriptedDatabase(shop.database, script))
        try:
            fold.fold(RECORDS[:6])
        except (Unsettled, Died):
            fold = fold if script.fault and not script.fault.kills else Fold(shop.database)
            fold.fold(RECORDS[:3])
            fold.fold(RECORDS[3:6])
        assert state.view(state.items()) == whole, script.calls
        tally["crash points of the fold"] += 1


def test_the_commits_of_a_market(engine: Engine, shop: Shop) -> None:
    """What real commands posted, folded from what the log has."""
    shop.furnish().stock(shirt_l=9)
    shop.fund(500_000)
    shop.fund(1_000, shop.customer("brian"))
    for _ in range(3):
        shop.checkout(cart_id=shop.cart(shirt_l=1))
    records = picture(read_everything(engine), shop.clock()).records
    Fold(shop.database).fold(records)
    assert_right(shop, records)
    assert balance(shop.database, TENANT, "wallet:store_credit", "KES") == -501_000


def test_nothing_is_written_for_commits_that_move_nothing(engine: Engine, shop: Shop) -> None:
    shop.furnish()
    Fold(shop.database).fold(picture(read_everything(engine), shop.clock()).records)
    assert read_everything(engine)["ledger"] == []
