"""Wallets: credit that is issued, extended, revoked, redeemed, set aside, and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cauri.books.caller import Caller
from cauri.money import Money
from cauri.wallet.breakage import Sums, liability
from cauri.wallet.confirming import (
    CompleteRedemption,
    GiveBackHold,
    GiveUpRedemption,
    KeepRedemption,
    RecordPartnerPart,
    ResumeRedemption,
    by_saga,
)
from cauri.wallet.expiring import LapseCredit, RecordLiability, by_schedule, count_liability
from cauri.wallet.issuing import DecideApproval, ExtendCredit, IssueCredit, PutProgramme, RevokeCredit
from cauri.wallet.lots import PTS, Kind
from cauri.wallet.partners import UseStatus
from cauri.wallet.points import ClawBackPoints, EarnPoints, MaturePoints
from cauri.wallet.programme import Programme
from cauri.wallet.redeeming import CaptureRedemption, Redeem, ReleaseRedemption, ReverseRedemption

from tests.proof.examples.worlds import Act, example, loyal, market, sent
from tests.shop import START, Shop

AMINA = "cus_amina"
MUCH = Money(60_000, "KES")
VERY_MUCH = Money(10_000_000, "KES")


def manager(shop: Shop, name: str = "mona") -> Caller:
    return replace(shop.admin, subject=f"usr_{name}", roles=frozenset({"manager"}))


def finance(shop: Shop) -> Caller:
    return replace(shop.admin, subject="usr_femi", roles=frozenset({"finance"}))


def kes(amount: int) -> Money:
    return Money(amount, "KES")


def redeem(amount: int, **more: Any) -> Redeem:
    return Redeem(AMINA, kes(amount), kes(more.pop("tax", 0)), **more)


def held(shop: Shop, amount: int = 13_000) -> str:
    redemption: str = loyal(shop).redeem(amount, hold_minutes=30)["id"]
    return redemption


def asked(shop: Shop, value: Money = MUCH) -> str:
    issue = IssueCredit(AMINA, Kind.STORE_CREDIT, value, "goodwill")
    approval: str = loyal(shop).run(issue)["approval"]["id"]
    return approval


@example(PutProgramme, "a new one")
def _(shop: Shop) -> Act:
    return sent(PutProgramme(Programme(shop.tenant, "KES"), expected_version=0), market(shop).admin)


@example(PutProgramme, "changed")
def _(shop: Shop) -> Act:
    return sent(PutProgramme(Programme(shop.tenant, "USD", grace_days=0)), loyal(shop).admin)


@example(IssueCredit, "the first")
def _(shop: Shop) -> Act:
    issue = IssueCredit(AMINA, Kind.STORE_CREDIT, kes(9_999), "goodwill", START + timedelta(days=90))
    return sent(issue, market(shop).programme().admin)


@example(IssueCredit, "points, to those that are there")
def _(shop: Shop) -> Act:
    return sent(IssueCredit(AMINA, Kind.POINTS, Money(900, PTS), "birthday"), loyal(shop).admin)


@example(IssueCredit, "dollars, with what they are worth today")
def _(shop: Shop) -> Act:
    return sent(IssueCredit(AMINA, Kind.STORE_CREDIT, Money(50, "USD"), "goodwill"), loyal(shop).admin)


@example(IssueCredit, "so much that others must agree")
def _(shop: Shop) -> Act:
    return sent(IssueCredit(AMINA, Kind.STORE_CREDIT, MUCH, "goodwill"), loyal(shop).admin)


@example(IssueCredit, "a partner's reward")
def _(shop: Shop) -> Act:
    partner = Caller(shop.tenant, "usr_java", frozenset({"partner"}))
    return sent(IssueCredit(AMINA, Kind.REWARD, kes(500), "a coffee"), loyal(shop) and partner)


@example(IssueCredit, "refused, since there is no programme")
def _(shop: Shop) -> Act:
    return sent(IssueCredit(AMINA, Kind.STORE_CREDIT, kes(5), "goodwill"), market(shop).admin)


@example(DecideApproval, "a manager agrees, and that is enough")
def _(shop: Shop) -> Act:
    return sent(DecideApproval(asked(shop), approved=True), manager(shop))


@example(DecideApproval, "finance agrees as well, and it is issued")
def _(shop: Shop) -> Act:
    approval = asked(shop, VERY_MUCH)
    shop.run(DecideApproval(approval, approved=True), manager(shop))
    return sent(DecideApproval(approval, approved=True), finance(shop))


@example(DecideApproval, "somebody says no")
def _(shop: Shop) -> Act:
    return sent(DecideApproval(asked(shop, VERY_MUCH), approved=False), finance(shop))


@example(DecideApproval, "refused, since it is late")
def _(shop: Shop) -> Act:
    approval = asked(shop)
    shop.clock.advance(hours=24)
    return sent(DecideApproval(approval, approved=True), manager(shop))


@example(ExtendCredit, "in its days of grace")
def _(shop: Shop) -> Act:
    lot = loyal(shop).credit(100, days=1)
    shop.clock.advance(days=3)
    return sent(ExtendCredit(AMINA, lot, shop.clock.now + timedelta(days=9)), shop.admin)


@example(RevokeCredit, "what is left of it")
def _(shop: Shop) -> Act:
    lot = loyal(shop).credit(100, days=1)
    shop.redeem(60)
    return sent(RevokeCredit(AMINA, lot, "by mistake"), shop.admin)


@example(RevokeCredit, "refused, since it is held")
def _(shop: Shop) -> Act:
    held(shop)
    [lot] = [lot.id for lot in shop.wallet().lots.values() if lot.kind is Kind.REWARD]
    return sent(RevokeCredit(AMINA, lot), shop.admin)


@example(Redeem, "out of lots of every kind")
def _(shop: Shop) -> Act:
    return sent(redeem(13_000, tax=1_600, reference="invoice 17"), loyal(shop).customer())


@example(Redeem, "all there is")
def _(shop: Shop) -> Act:
    return sent(redeem(16_000), loyal(shop).customer())


@example(Redeem, "set aside")
def _(shop: Shop) -> Act:
    return sent(redeem(13_000, hold_minutes=30), loyal(shop).customer())


@example(Redeem, "set aside, since it looks like fraud")
def _(shop: Shop) -> Act:
    loyal(shop, review_flagged=True).redeem(100)
    return sent(redeem(13_000), shop.customer())


@example(Redeem, "refused, since there is not so much")
def _(shop: Shop) -> Act:
    return sent(redeem(16_001), loyal(shop).customer())


@example(CaptureRedemption, "all of it")
def _(shop: Shop) -> Act:
    return sent(CaptureRedemption(AMINA, held(shop)), shop.admin)


@example(CaptureRedemption, "a part")
def _(shop: Shop) -> Act:
    return sent(CaptureRedemption(AMINA, held(shop), kes(5_000)), shop.admin)


@example(CaptureRedemption, "refused, since its time is over")
def _(shop: Shop) -> Act:
    redemption = held(shop)
    shop.clock.advance(minutes=30)
    return sent(CaptureRedemption(AMINA, redemption), shop.admin)


@example(ReleaseRedemption, "it comes back")
def _(shop: Shop) -> Act:
    return sent(ReleaseRedemption(AMINA, held(shop)), shop.customer())


@example(ReverseRedemption, "to lots that are there and lots that are not")
def _(shop: Shop) -> Act:
    redemption = loyal(shop).redeem(13_000)["id"]
    return sent(ReverseRedemption(AMINA, redemption), shop.admin)


@example(ReverseRedemption, "of what expired meanwhile")
def _(shop: Shop) -> Act:
    redemption = loyal(shop, restored_days=14).redeem(13_000)["id"]
    shop.clock.advance(days=30)
    return sent(ReverseRedemption(AMINA, redemption), shop.admin)


@example(LapseCredit, "what is left of lots whose grace is over")
def _(shop: Shop) -> Act:
    loyal(shop).redeem(500)
    shop.run(IssueCredit(AMINA, Kind.POINTS, Money(90, PTS), "birthday", START + timedelta(days=1)))
    shop.clock.advance(days=75)
    return sent(LapseCredit(AMINA), by_schedule(shop.tenant))


@example(LapseCredit, "nothing, since it was extended meanwhile")
def _(shop: Shop) -> Act:
    return sent(LapseCredit(AMINA), by_schedule(loyal(shop).tenant))


@example(RecordLiability, "the second count of a day")
def _(shop: Shop) -> Act:
    count_liability(loyal(shop).books, shop.tenant)
    counted = liability(Programme(shop.tenant, "KES"), Sums(), 0, shop.clock.now)
    return sent(RecordLiability(counted), by_schedule(shop.tenant))


def earned(shop: Shop) -> Shop:
    """An order earned 100 points."""
    shop.run(EarnPoints(AMINA, "ord_1", kes(10_000)), loyal(shop, earn_per_1000={"KES": 10}).admin)
    return shop


@example(EarnPoints, "the first time")
def _(shop: Shop) -> Act:
    return sent(EarnPoints(AMINA, "ord_2", kes(5_000)), earned(shop).admin)


@example(EarnPoints, "refused the second time")
def _(shop: Shop) -> Act:
    return sent(EarnPoints(AMINA, "ord_1", kes(5_000)), earned(shop).admin)


@example(MaturePoints, "the delivery is accepted")
def _(shop: Shop) -> Act:
    return sent(MaturePoints(AMINA, "ord_1"), earned(shop).admin)


@example(ClawBackPoints, "of what is refunded")
def _(shop: Shop) -> Act:
    return sent(ClawBackPoints(AMINA, "ord_1", kes(3_333)), earned(shop).admin)


JAVA = "usr_java"


def partnered(shop: Shop) -> Shop:
    """Two rewards of Java's, which its issuer confirms, beside what a loyal customer has."""
    loyal(shop, confirming_partners=(JAVA,))
    partner = Caller(shop.tenant, JAVA, frozenset({"partner"}))
    for amount in (300, 200):
        shop.run(IssueCredit(AMINA, Kind.REWARD, kes(amount), "a coffee", START + timedelta(days=3)), partner)
    return shop


def begun(shop: Shop, *heard: UseStatus) -> str:
    """A redemption whose issuers have been asked, and said this of all parts."""
    redemption: str = partnered(shop).redeem(2_000)["id"]
    for status in heard:
        for place in range(2):
            shop.run(RecordPartnerPart(redemption, place, status), by_saga(shop.tenant))
    return redemption


def given_up(shop: Shop) -> str:
    redemption = begun(shop, UseStatus.CONFIRMED)
    shop.run(GiveUpRedemption(redemption), by_saga(shop.tenant))
    return redemption


@example(Redeem, "with rewards that a partner must confirm")
def _(shop: Shop) -> Act:
    return sent(redeem(2_000), partnered(shop).customer())


@example(CaptureRedemption, "a part, with rewards that a partner must confirm")
def _(shop: Shop) -> Act:
    redemption = partnered(shop).redeem(2_000, hold_minutes=30)["id"]
    return sent(CaptureRedemption(AMINA, redemption, kes(1_200)), shop.admin)


@example(ReverseRedemption, "of rewards that a partner confirmed")
def _(shop: Shop) -> Act:
    redemption = begun(shop, UseStatus.CONFIRMED, UseStatus.CAPTURED)
    shop.run(CompleteRedemption(AMINA, redemption), by_saga(shop.tenant))
    return sent(ReverseRedemption(AMINA, redemption), shop.admin)


@example(RecordPartnerPart, "confirmed")
def _(shop: Shop) -> Act:
    return sent(RecordPartnerPart(begun(shop), 1, UseStatus.CONFIRMED), by_saga(shop.tenant))


@example(RecordPartnerPart, "too late to count")
def _(shop: Shop) -> Act:
    return sent(RecordPartnerPart(given_up(shop), 1, UseStatus.CAPTURED), by_saga(shop.tenant))


@example(RecordPartnerPart, "the last is released")
def _(shop: Shop) -> Act:
    redemption = given_up(shop)
    shop.run(GiveBackHold(AMINA, redemption), by_saga(shop.tenant))
    shop.run(RecordPartnerPart(redemption, 1, UseStatus.RELEASED), by_saga(shop.tenant))
    return sent(RecordPartnerPart(redemption, 0, UseStatus.RELEASED), by_saga(shop.tenant))


@example(KeepRedemption, "an issuer is silent")
def _(shop: Shop) -> Act:
    return sent(KeepRedemption(AMINA, begun(shop), shop.clock.now + timedelta(hours=1)), by_saga(shop.tenant))


@example(CompleteRedemption, "every issuer has captured")
def _(shop: Shop) -> Act:
    redemption = begun(shop, UseStatus.CONFIRMED, UseStatus.CAPTURED)
    return sent(CompleteRedemption(AMINA, redemption), by_saga(shop.tenant))


@example(CompleteRedemption, "refused, since its hold is over")
def _(shop: Shop) -> Act:
    redemption = begun(shop, UseStatus.CONFIRMED, UseStatus.CAPTURED)
    shop.clock.advance(minutes=15)
    return sent(CompleteRedemption(AMINA, redemption), by_saga(shop.tenant))


@example(GiveUpRedemption, "an issuer declined")
def _(shop: Shop) -> Act:
    return sent(GiveUpRedemption(begun(shop), ("a:Complete:1",)), by_saga(shop.tenant))


@example(GiveBackHold, "its issuers are still to be told")
def _(shop: Shop) -> Act:
    return sent(GiveBackHold(AMINA, given_up(shop)), by_saga(shop.tenant))


@example(ResumeRedemption, "another execution")
def _(shop: Shop) -> Act:
    redemption = begun(shop)
    return sent(ResumeRedemption(redemption, f"{redemption}-2"), by_saga(shop.tenant))
