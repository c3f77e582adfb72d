"""Statements: what an account stood at, and how it came to that, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cauri.books.fold import Fold
from cauri.books.ledger import Entry, Posting
from cauri.books.log import Record
from cauri.books.shelf import Write
from cauri.books.statements import AssetTotal, StatementLine, UnknownAccount, balance, statement, trial_balance
from cauri.clock import Instant
from cauri.ids import LogId, digest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof import state
from tests.shop import START, TENANT, Shop

CASH, OWED, HERS = "cash:demo", "receivable:orders", "wallet:reward:cus_1"
TIMES = [START + timedelta(seconds=25 * number) for number in range(12)]
"""Two or three a minute."""


def a_record(number: int, at: Instant) -> Record:
    amount = 100 + number
    other = HERS if number % 3 == 0 else OWED
    after = -amount if other == HERS else None
    postings = (Posting(CASH, amount, "KES"), Posting(other, -amount, "KES", after))
    return Record(TENANT, LogId(digest(str(number))), "test", "usr", "", at, "", Entry(f"kind {number}", postings))


@pytest.fixture
def folded(shop: Shop) -> Shop:
    """Twelve postings of 100, 101, … to the cash account, 25 s apart."""
    Fold(shop.database).fold(a_record(number, at) for number, at in enumerate(TIMES))
    return shop


def standing(moment: Instant | None = None) -> int:
    return sum(100 + number for number, at in enumerate(TIMES) if moment is None or at < moment)


def test_what_an_account_stands_at(folded: Shop) -> None:
    assert balance(folded.database, TENANT, CASH, "KES") == standing()
    assert balance(folded.database, TENANT, CASH, "USD") == 0
    assert balance(folded.database, TENANT, HERS, "KES") == balance(folded.database, TENANT, "wallet:reward", "KES")


@pytest.mark.parametrize("seconds", [0, 1, 25, 26, 60, 75, 3_600, -60])
def test_what_an_account_stood_at_just_before_a_moment(folded: Shop, seconds: int) -> None:
    moment = START + timedelta(seconds=seconds)
    assert balance(folded.database, TENANT, CASH, "KES", moment) == standing(moment)


def test_a_statement_tells_every_posting_with_its_running_balance(folded: Shop) -> None:
    told = statement(folded.database, TENANT, CASH, "KES")
    assert [(line.kind, line.amount, line.balance) for line in told.lines] == [
        (f"kind {number}", 100 + number, standing(at + timedelta(seconds=1))) for number, at in enumerate(TIMES)
    ]
    assert (told.opening_balance, told.closing_balance, told.last) == (0, standing(), None)


def test_a_statement_of_some_time(folded: Shop) -> None:
    start, end = TIMES[3], TIMES[7]
    told = statement(folded.database, TENANT, CASH, "KES", start=start, end=end)
    assert [line.kind for line in told.lines] == ["kind 3", "kind 4", "kind 5", "kind 6"]
    assert (told.opening_balance, told.closing_balance) == (standing(start), standing(end))


def test_a_time_without_postings_opens_and_closes_the_same(folded: Shop) -> None:
    told = statement(folded.database, TENANT, CASH, "KES", start=TIMES[-1] + timedelta(hours=1))
    assert (told.opening_balance, told.closing_balance, told.lines) == (standing(), standing(), [])


def test_an_account_that_never_was(folded: Shop) -> None:
    for account, asset in (("cash:paystack", "KES"), (CASH, "USD")):
        with pytest.raises(UnknownAccount):
            statement(folded.database, TENANT, account, asset)
    with pytest.raises(UnknownAccount):
        statement(folded.database, "duka", CASH, "KES")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 13), start=st.sampled_from([None, *TIMES]))
def test_pages_put_together_are_the_whole(folded: Shop, limit: int, start: Instant | None) -> None:
    whole = statement(folded.database, TENANT, CASH, "KES", start=start)
    lines: list[StatementLine] = []
    after, closing = "", whole.opening_balance
    while True:
        page = statement(folded.database, TENANT, CASH, "KES", start=start, after=after, limit=limit)
        assert page.opening_balance == closing
        assert len(page.lines) <= limit
        lines, closing = lines + page.lines, page.closing_balance
        if page.last is None:
            break
        after = page.last
    assert lines == whole.lines
    assert closing == whole.closing_balance


def test_a_trial_balance_has_two_equal_sides_and_no_owners_account(folded: Shop) -> None:
    trial = trial_balance(folded.database, TENANT)
    assert trial.balanced
    assert trial.totals == [AssetTotal("KES", standing(), standing())]
    assert {one.account for one in trial.accounts} == {CASH, OWED, "wallet:reward"}
    assert trial_balance(folded.database, "duka").accounts == []


def test_a_trial_balance_shows_when_a_row_is_missing(folded: Shop) -> None:
    """The fold is behind, or somebody changed the sums."""
    stored = [item for item in state.items()["ledger"] if item["pk"]["S"].startswith(f"{TENANT}#sums#{CASH}")]
    name = f"{TENANT}#sums#{CASH}#KES"
    request = {"TableName": "ledger", "Key": {"pk": {"S": name}, "sk": stored[0]["sk"]}}
    folded.database.write(Write("Delete", request))
    assert trial_balance(folded.database, TENANT).balanced is False
