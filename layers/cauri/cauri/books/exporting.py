"""The journal as hledger and Beancount read it: plain text, an entry for an entry, in decimal units of its currency.

What is exact in the books is exact there: amounts are written from whole minor units, and nothing is rounded. hledger
takes our names of accounts as they are, under the type that it wants first. Beancount wants capitals and knows no
underscore; a name that can't be told from its Beancount form has a digest behind it, so that no two share one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from cauri.books.ledger import Posting, role_of
from cauri.books.log import Record
from cauri.clock import rfc3339
from cauri.ids import digest
from cauri.money import OWN_ASSETS, currencies, exponent

TYPES: Final = {
    "cash": "Assets",
    "receivable": "Assets",
    "unbilled": "Assets",
    "suspense": "Assets",
    "accrued": "Liabilities",
    "wallet": "Liabilities",
    "deferred_revenue": "Liabilities",
    "payable": "Liabilities",
    "tax": "Liabilities",
    "unapplied": "Liabilities",
    "customer_credit": "Liabilities",
    "redemptions": "Liabilities",
    "equity": "Equity",
    "issued": "Equity",
    "revenue": "Income",
    "expense": "Expenses",
}
"""What an accountant calls the accounts of a role. A role that nobody filed yet is equity, so that no export fails."""


class Format(StrEnum):
    HLEDGER = "hledger"
    BEANCOUNT = "beancount"


def head(form: Format, tenant: str) -> str:
    """What a file begins with: the assets there may be, and how exact each is."""
    assets = sorted({*currencies(), *OWN_ASSETS})
    if form is Format.HLEDGER:
        declared = [f"commodity {asset} {_sample(asset)}" for asset in assets]
        return "\n".join([f"; The journal of {tenant}, in debits and (negative) credits", *declared, "", ""])
    lines = [
        f"; The journal of {tenant}, in debits and (negative) credits",
        f'option "title" {_quoted(tenant)}',
        'plugin "beancount.plugins.auto_accounts"',  # here too, an account is there from its first posting on
    ]
    return "\n".join([*lines, "", ""])


def body(form: Format, records: Iterable[Record]) -> str:
    """The entries of `records`, one after the other: what a file goes on with."""
    write = _hledger if form is Format.HLEDGER else _beancount
    return "".join(write(record) for record in records if record.entry)


def hledger_account(account: str) -> str:
    return f"{_type(account).lower()}:{account}"


def beancount_account(account: str) -> str:
    return ":".join([_type(account), *(_component(part) for part in account.split(":"))])


def units(amount: int, asset: str) -> str:
    """``-12.50`` of 1,250 cents: exact, with as many digits as the asset has."""
    digits = exponent(asset)
    whole, part = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def _hledger(record: Record) -> str:
    assert record.entry is not None
    lines = [f"{rfc3339(record.at)[:10]} * ({record.log_id}) {record.command} | {record.entry.kind}"]
    lines += [f"    ; at: {rfc3339(record.at)}"]
    lines += [
        f"    {hledger_account(posting.account)}  {posting.asset} {_amount(posting)}"
        for posting in record.entry.postings
    ]
    return "\n".join([*lines, "", ""])


def _beancount(record: Record) -> str:
    assert record.entry is not None
    lines = [f"{rfc3339(record.at)[:10]} * {_quoted(record.command)} {_quoted(record.entry.kind)}"]
    lines += [f"  at: {_quoted(rfc3339(record.at))}", f"  record: {_quoted(record.log_id)}"]
    for posting in record.entry.postings:
        lines.append(f"  {beancount_account(posting.account)}  {_amount(posting)} {posting.asset}")
        lines.append(f"    account: {_quoted(posting.account)}")
    return "\n".join([*lines, "", ""])


def _amount(posting: Posting) -> str:
    return units(posting.amount, posting.asset)


def _type(account: str) -> str:
    return TYPES.get(role_of(account), "Equity")


def _component(part: str) -> str:
    """``Cus-amina`` of ``cus_amina``."""
    written = re.sub(r"[^A-Za-z0-9]", "-", part)
    written = written[:1].upper() + written[1:]
    if not re.match(r"[A-Z0-9]", written):
        written = f"X{written}"
    if written[:1].lower() + written[1:].replace("-", "_") != part:
        written += f"-X{digest(part)[:10].upper()}"
    return written


def _sample(asset: str) -> str:
    """hledger wants a decimal mark, also where there are no decimals."""
    return f"1000.{'0' * exponent(asset)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
