"""How entries are written for other programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cauri.books.exporting import Format, beancount_account, body, head, units
from cauri.books.ledger import Entry, Posting
from cauri.books.log import Record
from cauri.ids import LogId, is_name
from hypothesis import given
from hypothesis import strategies as st

from tests.ledgers import beancount_balances, hledger_balances

names = st.text("abAB01._-", min_size=1, max_size=8).filter(is_name)


def a_record(*postings: Posting) -> Record:
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    return Record("soko", LogId("0" * 40), "sell", "usr_1", "", at, "", Entry("order.confirmed", postings))


@pytest.mark.parametrize(
    ("amount", "asset", "written"),
    [(1250, "KES", "12.50"), (-1, "KES", "-0.01"), (7, "JPY", "7"), (-12_345, "KWD", "-12.345"), (0, "PTS", "0")],
)
def test_an_amount_has_the_digits_of_its_asset(amount: int, asset: str, written: str) -> None:
    assert units(amount, asset) == written


@pytest.mark.parametrize(
    ("account", "written"),
    [
        ("cash:demo", "Assets:Cash:Demo"),
        ("wallet:store_credit:cus_amina", "Liabilities:Wallet:Store-credit:Cus-amina"),
        ("payable:ven_01JD0ZZZZZZZZZZZZZZZZZZZZZ", "Liabilities:Payable:Ven-01JD0ZZZZZZZZZZZZZZZZZZZZZ"),
        ("something:new", "Equity:Something:New"),
    ],
)
def test_beancount_has_capitals_and_no_underscores(account: str, written: str) -> None:
    assert beancount_account(account) == written


@given(names, names)
def test_no_two_owners_share_an_account(one: str, other: str) -> None:
    accounts = {beancount_account(f"payable:{name}") for name in (one, other)}
    assert len(accounts) == len({one, other})
    for account in accounts:
        assert re.fullmatch(r"Liabilities:Payable:[A-Z0-9][A-Za-z0-9-]*", account)


@pytest.mark.parametrize("form", list(Format))
def test_currencies_of_every_exponent_and_odd_names_are_accepted(form: Format, tmp_path: Path) -> None:
    odd = ("payable:v.1-x", "payable:V_1", "payable:v_1", "payable:9lives", "payable:a--b", "payable:a__b")
    postings = [
        posting
        for account in odd
        for asset, amount in (("JPY", 1), ("KES", -(10**15)), ("KWD", 12_345), ("PTS", 3))
        for posting in (Posting(account, amount, asset), Posting("cash:demo", -amount, asset))
    ]
    path = tmp_path / "journal"
    path.write_text(head(form, 'soko "the shop"') + body(form, [a_record(*postings)]))
    theirs = hledger_balances(path) if form is Format.HLEDGER else beancount_balances(path)
    assert len(theirs) == 4 * (len(odd) + 1)
    assert not any(sum(amount for (_, has), amount in theirs.items() if has == asset) for asset in ("JPY", "KWD"))
