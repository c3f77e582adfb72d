"""What nobody spent: in its days of grace, and the tenant's again after them; exactly once, however often it is run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cauri.books.commit import Books
from cauri.money import Money
from cauri.wallet.breakage import Liability, NothingCounted, days_of, period_of
from cauri.wallet.expiring import count_liability, expire
from cauri.wallet.issuing import ExtendCredit, IssueCredit
from cauri.wallet.lots import Kind
from cauri.wallet.programme import Estimate
from cauri.wallet.queries import breakages_of, liabilities_of, review_of

from tests.proof.faults import FAULTS, Died, Script, ScriptedDatabase
from tests.proof.invariants import differences
from tests.proof.picture import Picture, picture
from tests.proof.state import items
from tests.shop import START, Shop, no_pause


def now(shop: Shop) -> Picture:
    return picture(items(), shop.clock.now)


def posted(shop: Shop, account: str) -> int:
    records = now(shop).records
    postings = [posting for record in records for posting in (record.entry.postings if record.entry else ())]
    return sum(posting.amount for posting in postings if posting.account == account)


@pytest.fixture
def loyal(shop: Shop) -> Shop:
    return shop.furnish().programme()


def test_what_expired_lapses_when_its_grace_is_over_and_not_before(loyal: Shop) -> None:
    loyal.credit(500, days=10)
    loyal.credit(70)
    loyal.clock.advance(days=40, seconds=-1)
    assert expire(loyal.books, loyal.tenant) == 0
    assert loyal.wallet().owed("KES", Kind.STORE_CREDIT) == 570
    loyal.clock.advance(seconds=1)
    assert expire(loyal.books, loyal.tenant) == 1
    assert loyal.wallet().owed("KES", Kind.STORE_CREDIT) == 70
    assert posted(loyal, "revenue:breakage") == -500
    assert expire(loyal.books, loyal.tenant) == 0, "once"
    assert differences(now(loyal)) == []


def test_a_breakage_says_when_in_which_quarter_and_by_which_entry_it_was_recognised(loyal: Shop) -> None:
    loyal.run(IssueCredit("cus_amina", Kind.STORE_CREDIT, Money(50, "USD"), "gift", START + timedelta(days=1)))
    loyal.clock.advance(days=50)  # January
    expire(loyal.books, loyal.tenant)
    [broken] = breakages_of(loyal.database, loyal.tenant, "2027-Q1", after=None, limit=9).items
    [record] = [record for record in now(loyal).records if record.command == "lapse_credit"]
    assert broken.breakage_recognized_at == record.at == loyal.clock.now
    assert (broken.breakage_recognition_period, broken.breakage_journal_entry_id) == ("2027-Q1", record.log_id)
    assert broken.worth == Money(6512, "KES"), "by the rate of its issue"
    assert breakages_of(loyal.database, loyal.tenant, "2026-Q4", after=None, limit=9).items == []


def test_points_that_lapse_are_no_revenue(loyal: Shop) -> None:
    loyal.credit(500, Kind.POINTS, days=1)
    loyal.clock.advance(days=31)
    expire(loyal.books, loyal.tenant)
    assert (posted(loyal, "issued:points"), posted(loyal, "revenue:breakage")) == (0, 0)
    assert differences(now(loyal)) == []


def test_what_was_extended_or_is_held_does_not_lapse(loyal: Shop) -> None:
    extended, _ = loyal.credit(100, days=1), loyal.credit(200, days=100)
    loyal.clock.advance(days=3)
    loyal.run(ExtendCredit("cus_amina", extended, loyal.clock.now + timedelta(days=900)))
    loyal.clock.advance(days=97, minutes=-5)
    held = loyal.redeem(150, hold_minutes=24 * 60)
    loyal.clock.advance(minutes=10)
    assert expire(loyal.books, loyal.tenant) == 0
    assert held["status"] == "held"
    loyal.clock.advance(days=31)
    assert expire(loyal.books, loyal.tenant) == 1, "what was held came back, and then its grace was over"
    assert loyal.wallet().owed("KES", Kind.STORE_CREDIT) == 100
    assert differences(now(loyal)) == []


def many(shop: Shop, wallets: int) -> None:
    for number in range(wallets):
        issue = IssueCredit(
            f"cus_{number}", Kind.STORE_CREDIT, Money(100 + number, "KES"), "gift", START + timedelta(1)
        )
        shop.run(issue)


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(loyal: Shop) -> None:
    many(loyal, 6)
    loyal.clock.advance(days=31)
    kill = next(fault for fault in FAULTS if fault.kills)

    deaths = 0
    for call in range(0, 400, 7):
        try:
            expire(
                Books(ScriptedDatabase(loyal.database, Script(call, kill)), loyal.clock, pause=no_pause), loyal.tenant
            )
        except Died:
            deaths += 1
            assert differences(now(loyal)) == []
    assert deaths > 2
    expire(loyal.books, loyal.tenant)
    assert posted(loyal, "revenue:breakage") == -sum(100 + number for number in range(6))
    assert len([record for record in now(loyal).records if record.command == "lapse_credit"]) == 6
    assert differences(now(loyal)) == []


def test_more_wallets_than_a_page_holds(loyal: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cauri.wallet.expiring.PAGE", 2)
    many(loyal, 40)
    loyal.clock.advance(days=31)
    assert expire(loyal.books, loyal.tenant) == 40
    assert differences(now(loyal)) == []


def test_a_tenant_without_a_programme_has_nothing_to_lapse(shop: Shop) -> None:
    assert expire(shop.furnish().books, shop.tenant) == 0
    count_liability(shop.books, shop.tenant)


# -- What is owed


def counted(shop: Shop) -> Liability:
    count_liability(shop.books, shop.tenant)
    return liabilities_of(shop.database, shop.tenant, after=None, limit=1).items[0]


def test_what_is_owed_is_counted_by_kind_and_currency_with_its_worth(loyal: Shop) -> None:
    loyal.credit(5_000)
    loyal.run(IssueCredit("cus_juma", Kind.STORE_CREDIT, Money(50, "USD"), "gift"))
    loyal.credit(700, Kind.POINTS)
    loyal.redeem(1_000, hold_minutes=5)  # held is owed as well
    rates: dict[str, Any] = {"rates": {}}  # the rate of its issue counts, whatever the table says today
    said = counted(loyal.programme(**rates))
    assert [(one.kind, str(one.outstanding), one.worth.amount) for one in said.owed] == [
        (Kind.POINTS, "PTS 700", 7_000),
        (Kind.STORE_CREDIT, "KES 50.00", 5_000),
        (Kind.STORE_CREDIT, "USD 0.50", 6_512),
    ]
    assert (said.worth, said.estimated_breakage) == (Money(18_512, "KES"), Money(0, "KES"))


def test_a_share_of_it_is_expected_to_lapse_if_the_tenant_says_so(loyal: Shop) -> None:
    loyal.programme(estimate=Estimate.PROPORTIONAL).credit(5_000)
    assert counted(loyal).estimated_breakage == Money(750, "KES"), "15 %"


def test_a_quarter_is_reviewed(loyal: Shop) -> None:
    loyal.credit(8_000, days=1)
    loyal.credit(2_000)
    counted(loyal)
    loyal.clock.advance(days=35)
    expire(loyal.books, loyal.tenant)
    counted(loyal)
    said = review_of(loyal.database, loyal.tenant, "2026-Q4")
    assert (said.first_day, said.last_day) == ("2026-11-20", "2026-12-25")
    assert (said.opening.amount, said.closing.amount, said.recognized.amount) == (10_000, 2_000, 8_000)
    assert said.recognized_bps == 8_000
    with pytest.raises(NothingCounted):
        review_of(loyal.database, loyal.tenant, "2027-Q1")


def test_quarters() -> None:
    assert [period_of(START.replace(month=month, day=1)) for month in (1, 3, 4, 12)] == [
        "2026-Q1",
        "2026-Q1",
        "2026-Q2",
        "2026-Q4",
    ]
    assert (days_of("2026-Q1"), days_of("2026-Q4")) == (("2026-01-01", "2026-03-31"), ("2026-10-01", "2026-12-31"))
