"""The journal of every command there is, as hledger and Beancount read it: accepted, and with our balances."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from cauri.books.database import Database
from cauri.books.exporting import TYPES, Format, beancount_account, body, head, hledger_account, units
from cauri.books.fold import Fold
from cauri.books.ledger import role_of
from cauri.books.log import Record, read_record
from cauri.books.statements import TrialBalance, trial_balance

from tests.engines import Engine
from tests.ledgers import Balances, beancount_balances, hledger_balances
from tests.proof.examples.worlds import EXAMPLES
from tests.proof.state import items
from tests.shop import Shop, database_of

ONE_OF_EACH: Final = list({example.of: example for example in reversed(EXAMPLES)}.values())


@pytest.fixture(scope="module")
def played(moto_engine: Engine) -> list[Record]:
    """All that was logged of every command, each in a market of a tenant of its own."""
    records: list[Record] = []
    for number, example in enumerate(ONE_OF_EACH):
        moto_engine.reset()  # moto looks at every item of a table for whatever is asked of an index
        shop = Shop(database_of(moto_engine), tenant=f"soko-{number}")
        example.prepare(shop)(shop.books)
        records += [read_record(item) for item in items()["log"]]
    moto_engine.reset()
    return sorted((record for record in records if not record.undone), key=lambda record: record.at)


def test_the_journal_of_every_command_is_accepted_and_comes_to_what_ours_does(
    played: list[Record], moto_engine: Engine, tmp_path: Path
) -> None:
    ours = posted(played)
    assert {role_of(account) for account, _ in ours} <= TYPES.keys(), "every role is filed"
    assert len({account for account, _ in ours}) > 15, "there is something to compare"
    assert {asset for _, asset in ours} >= {"KES", "PTS"}
    tenant, entries = Counter(record.tenant for record in played if record.entry).most_common(1)[0]
    assert entries > 3
    its = [record for record in played if record.tenant == tenant]
    trial = trial_balance_of(its, database_of(moto_engine))
    for form, asked in ((Format.BEANCOUNT, beancount_balances), (Format.HLEDGER, hledger_balances)):
        named = hledger_account if form is Format.HLEDGER else beancount_account
        theirs = asked(exported(form, played, tmp_path))
        assert theirs == {(named(account), asset): amount for (account, asset), amount in ours.items()}
        theirs = asked(exported(form, its, tmp_path))
        for one in trial.accounts:
            assert summed(theirs, named(one.account), one.asset) == Decimal(units(one.debit - one.credit, one.asset))


def posted(records: list[Record]) -> Balances:
    """What everybody's postings come to, by our own names."""
    sums: Counter[tuple[str, str]] = Counter()
    for record in records:
        for posting in record.entry.postings if record.entry else ():
            sums[posting.account, posting.asset] += posting.amount
    return {(account, asset): Decimal(units(total, asset)) for (account, asset), total in sums.items() if total}


def trial_balance_of(records: list[Record], database: Database) -> TrialBalance:
    Fold(database).fold(records)
    balance = trial_balance(database, records[0].tenant)
    assert balance.balanced
    assert balance.accounts
    return balance


def summed(balances: Balances, account: str, asset: str) -> Decimal:
    """An account with all below it: our owners' accounts are not listed, but their control account is."""
    return sum(
        (
            amount
            for (name, has), amount in balances.items()
            if has == asset and (name == account or name.startswith(f"{account}:"))
        ),
        Decimal(0),
    )


def exported(form: Format, records: list[Record], directory: Path) -> Path:
    path = directory / f"journal.{form}"
    path.write_text(head(form, "soko") + body(form, records), "utf-8")
    return path
