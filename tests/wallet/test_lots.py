"""Lots: put in, held, captured, given back, and lapsed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cauri.money import Money
from cauri.wallet.lots import (
    PTS,
    Kind,
    Lot,
    LotHeld,
    LotNotExtendable,
    LotStatus,
    Snapshot,
    UnknownHold,
    UnknownLot,
    Wallet,
)

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)
GRACE = timedelta(days=30)


def credit(lot_id: str, units: int, expires: int | None = None, *, kind: Kind = Kind.STORE_CREDIT) -> Lot:
    """A lot of shillings (or points) that expires in so many days."""
    asset = PTS if kind is Kind.POINTS else "KES"
    return Lot(lot_id, kind, asset, units, units, "gift", NOW, NOW + DAY * expires if expires is not None else None)


def wallet(*lots: Lot) -> Wallet:
    return Wallet("soko", "cus_amina").add(*lots)


def units(wallet: Wallet) -> dict[str, int]:
    return {lot.id: lot.units for lot in wallet.lots.values()}


def spendable(wallet: Wallet, at: datetime = NOW) -> int:
    return wallet.spendable(at, "KES", Kind.STORE_CREDIT)


def owed(wallet: Wallet) -> int:
    return wallet.owed("KES", Kind.STORE_CREDIT)


def test_what_is_taken_comes_back_to_the_lots_it_came_from() -> None:
    full = wallet(credit("a", 30, 10), credit("b", 70, 200))
    rest, parts = full.take({"a": 30, "b": 20})
    assert units(rest) == {"b": 50}, "a lot that is spent leaves"
    assert rest.add(*parts) == full, "and comes back with the terms it had"


def test_nothing_is_taken_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="has no 31"):
        wallet(credit("a", 30)).take({"a": 31})
    with pytest.raises(ValueError, match="has no 31"):
        wallet(credit("a", 30)).hold("h", {"a": 31}, NOW + DAY)
    with pytest.raises(UnknownLot):
        wallet(credit("a", 30)).take({"b": 1})


def test_what_is_held_is_owed_and_not_spendable() -> None:
    held = wallet(credit("a", 30), credit("b", 70)).hold("h", {"a": 30, "b": 5}, NOW + DAY)
    assert (spendable(held), owed(held), held.held("KES", Kind.STORE_CREDIT)) == (65, 100, 35)


def test_a_release_gives_back_and_is_safe_twice() -> None:
    full = wallet(credit("a", 30), credit("b", 70))
    held = full.hold("h", {"a": 30, "b": 5}, NOW + DAY)
    assert held.release("h") == held.release("h").release("h") == full


@pytest.mark.parametrize(
    "captured, left, parts", [(None, {"b": 65}, {"a": 30, "b": 5}), ({"a": 30, "b": 1}, {"b": 69}, {"a": 30, "b": 1})]
)
def test_a_capture_spends_the_hold_or_a_part_of_it(
    captured: dict[str, int] | None, left: dict[str, int], parts: dict[str, int]
) -> None:
    held = wallet(credit("a", 30), credit("b", 70)).hold("h", {"a": 30, "b": 5}, NOW + DAY)
    rest, taken = held.capture("h", captured)
    assert units(rest) == left
    assert {part.id: part.units for part in taken} == parts
    assert rest.holds == {}


def test_a_capture_of_a_lot_with_nothing_else_left() -> None:
    rest, taken = wallet(credit("a", 30)).hold("h", {"a": 30}, NOW + DAY).capture("h")
    assert (rest.lots, [part.units for part in taken]) == ({}, [30])


def test_a_hold_that_is_over_stays_over() -> None:
    held = wallet(credit("a", 30)).hold("h", {"a": 10}, NOW + DAY)
    for ended in (held.release("h"), held.capture("h")[0], held.live(NOW + DAY)):
        with pytest.raises(UnknownHold):
            ended.capture("h")
    assert held.live(NOW + DAY - timedelta(microseconds=1)) == held


def test_a_hold_gives_no_more_than_it_has() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        wallet(credit("a", 30)).hold("h", {"a": 10}, NOW + DAY).capture("h", {"a": 11})


def test_a_lot_is_spendable_until_it_expires_and_lapses_after_its_grace() -> None:
    lot = credit("a", 30, 10)
    full = wallet(lot)
    end = NOW + DAY * 10
    for at, status in [
        (end - timedelta(microseconds=1), LotStatus.ACTIVE),
        (end, LotStatus.EXPIRED),
        (end + GRACE - timedelta(microseconds=1), LotStatus.EXPIRED),
        (end + GRACE, LotStatus.FULLY_EXPIRED),
    ]:
        assert lot.status(at, GRACE) is status
        assert spendable(full, at) == (30 if status is LotStatus.ACTIVE else 0)
        rest, gone = full.lapse(at, GRACE)
        assert [part.units for part in gone] == ([30] if status is LotStatus.FULLY_EXPIRED else [])
        assert owed(rest) == 30 - sum(part.units for part in gone)


def test_what_never_expires_and_what_is_pending_does_not_lapse() -> None:
    pending = Lot("p", Kind.POINTS, PTS, 5, 5, "earned", NOW, NOW + DAY, pending=True)
    full = wallet(credit("a", 30), pending)
    assert full.lapse(NOW + 1000 * DAY, GRACE) == (full, ())
    assert full.spendable(NOW, PTS, Kind.POINTS) == 0
    assert full.mature("p", None).spendable(NOW, PTS, Kind.POINTS) == 5
    assert full.lots["p"].status(NOW, GRACE) is LotStatus.PENDING


def test_what_is_held_lapses_only_when_it_is_given_back() -> None:
    held = wallet(credit("a", 30, 1)).hold("h", {"a": 10}, NOW + 90 * DAY)
    late = NOW + 40 * DAY
    rest, gone = held.lapse(late, GRACE)
    assert ([part.units for part in gone], owed(rest)) == ([20], 10)
    assert [part.units for part in rest.release("h").lapse(late, GRACE)[1]] == [10]


def test_a_lot_may_be_extended_until_its_grace_is_over() -> None:
    full = wallet(credit("a", 30, 1))
    assert spendable(full.extend("a", NOW + 60 * DAY, NOW + 30 * DAY, GRACE), NOW + 30 * DAY) == 30
    for until, at in [(NOW + 60 * DAY, NOW + 31 * DAY), (NOW + DAY, NOW), (NOW + 2 * DAY, NOW + 3 * DAY)]:
        with pytest.raises(LotNotExtendable):
            full.extend("a", until, at, GRACE)
    with pytest.raises(LotNotExtendable):
        wallet(credit("a", 30)).extend("a", NOW + DAY, NOW, GRACE)


def test_points_are_clawed_back_from_their_own_lot_first_and_never_below_zero() -> None:
    def points(lot_id: str, units: int, days: int | None = None) -> Lot:
        return credit(lot_id, units, days, kind=Kind.POINTS)

    full = wallet(points("soon", 10, 1), points("own", 20), points("late", 30, 9), credit("money", 5))
    rest, gone = full.claw_back("own", 35)
    assert ({part.id: part.units for part in gone}, units(rest)) == (
        {"own": 20, "soon": 10, "late": 5},
        {"late": 25, "money": 5},
    )
    assert units(full.claw_back("spent", 1_000)[0]) == {"money": 5}


def test_a_lot_is_revoked_unless_it_is_held() -> None:
    rest, gone = wallet(credit("a", 30), credit("b", 1)).revoke("a")
    assert (units(rest), [part.units for part in gone]) == ({"b": 1}, [30])
    with pytest.raises(LotHeld):
        wallet(credit("a", 30)).hold("h", {"a": 10}, NOW + DAY).revoke("a")


def test_soon_to_expire_comes_in_its_turn() -> None:
    full = wallet(credit("late", 1, 9), credit("soon", 1, 3), credit("never", 1), credit("over", 1, -1))
    assert [lot.id for lot in full.expiring(NOW + 10 * DAY, NOW)] == ["soon", "late"]


def test_the_worth_of_a_part_is_by_the_rate_of_its_issue() -> None:
    snapshot = Snapshot(Money(667, "USD"), "0.0667", "2026-11-20", "tenant")
    lot = Lot("a", Kind.STORE_CREDIT, "KES", 10_000, 10_000, "gift", NOW, snapshot=snapshot)
    assert lot.worth(5_000) == Money(334, "USD"), "half even of 333.5"
    assert credit("b", 9).worth(9) is None
