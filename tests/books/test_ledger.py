"""Double entry: what goes out of one account goes into another, asset by asset."""

from __future__ import annotations

from collections import Counter

import pytest
from cauri.books.ledger import Entry, Posting, UnbalancedEntryError, books_of, credit, debit, entry, role_of
from cauri.money import Money
from hypothesis import given
from hypothesis import strategies as st

postings = st.lists(
    st.builds(Posting, st.sampled_from("abc"), st.integers(-50, 50), st.sampled_from(["KES", "PTS"])), max_size=6
)


@given(postings)
def test_an_entry_balances_per_asset_or_can_not_be_made(postings: list[Posting]) -> None:
    sums = Counter[str]()
    for posting in postings:
        sums[posting.asset] += posting.amount
    if postings and not any(sums.values()):
        assert Entry("test", tuple(postings)).postings == tuple(postings)
    else:
        with pytest.raises(UnbalancedEntryError):
            Entry("test", tuple(postings))


def test_debits_and_credits_have_their_sign() -> None:
    money = Money(500, "KES")
    assert debit("a", money) == Posting("a", 500, "KES")
    assert credit("a", money, 7) == Posting("a", -500, "KES", 7)


def test_postings_of_nothing_are_left_out_and_an_entry_of_nothing_is_none() -> None:
    five, none = Money(5, "KES"), Money(0, "KES")
    made = entry("sale", debit("a", five), credit("b", five), credit("c", none))
    assert made is not None
    assert [posting.account for posting in made.postings] == ["a", "b"]
    assert entry("gift", debit("a", none), credit("b", none)) is None


def test_an_owners_account_is_kept_under_its_control_account_as_well() -> None:
    assert books_of("wallet:points:cus_1") == ("wallet:points:cus_1", "wallet:points")
    assert books_of("wallet:points") == ("wallet:points",)
    assert books_of("cash:demo") == ("cash:demo",)
    assert role_of("cash:demo") == "cash"
