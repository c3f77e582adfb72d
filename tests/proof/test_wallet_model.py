"""A wallet against a model of it that knows nothing of lots as we keep them: it spends one unit after another.

Hypothesis chooses what customers, staff, the schedule and the clock do, and which process dies at which call. After
each step every lot has the units that the model has, every invariant holds (wallet = journal = sum of lots), and what
the model refuses is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from cauri.books.caller import Caller
from cauri.books.commit import Books
from cauri.books.work import Command
from cauri.errors import Refusal
from cauri.money import Money
from cauri.wallet.depletion import Policy
from cauri.wallet.expiring import LapseCredit, by_schedule
from cauri.wallet.issuing import ExtendCredit, IssueCredit, RevokeCredit
from cauri.wallet.lots import PTS, Kind
from cauri.wallet.redeeming import CaptureRedemption, Redeem, ReleaseRedemption, ReverseRedemption
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.engines import Engine
from tests.proof import state
from tests.proof.faults import FAULTS, Died, Script, ScriptedDatabase
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import START, Shop, no_pause

AMINA: Final = "cus_amina"
GRACE: Final = timedelta(days=3)
SOON: Final = timedelta(days=2)
ORDER: Final = (Kind.REWARD, Kind.STORE_CREDIT, Kind.POINTS)
LOYALTY: Final = {Kind.REWARD, Kind.POINTS}
DEATHS: Final = [fault for fault in FAULTS if fault.kills]


@dataclass
class ModelLot:
    id: str
    kind: Kind
    units: int
    issued: datetime
    expires: datetime | None


Taken = dict[str, int]


@dataclass
class ModelHold:
    taken: Taken
    amount: int
    tax: int
    until: datetime


@dataclass
class Model:
    """Every point pays one minor unit, so that points are units like any other."""

    now: datetime
    lots: dict[str, ModelLot] = field(default_factory=dict)
    terms: dict[str, ModelLot] = field(default_factory=dict)
    """Every lot there ever was, as it was last."""
    holds: dict[str, ModelHold] = field(default_factory=dict)
    paid: dict[str, Taken] = field(default_factory=dict)

    def held_of(self, lot_id: str) -> int:
        return sum(hold.taken.get(lot_id, 0) for hold in self.holds.values())

    def standing(self) -> dict[str, tuple[int, int]]:
        """By lot: what can be spent of it, or could but for its age; and what is held."""
        there = {lot.id: (lot.units, self.held_of(lot.id)) for lot in self.lots.values()}
        return {lot_id: both for lot_id, both in there.items() if any(both)}

    def issue(self, lot_id: str, kind: Kind, units: int, expires: datetime | None) -> None:
        self.lots[lot_id] = self.terms[lot_id] = ModelLot(lot_id, kind, units, self.now, expires)

    def split(self, amount: int, tax: int, kinds: tuple[Kind, ...] | None) -> Taken | None:
        order = kinds or ORDER
        never = datetime.max.replace(tzinfo=self.now.tzinfo)

        def turn(lot: ModelLot) -> tuple[Any, ...]:
            expires = lot.expires or never
            is_first = kinds is None and expires < self.now + SOON
            return (not is_first, 0 if is_first else order.index(lot.kind), expires, lot.issued, lot.id)

        usable = [lot for lot in self.lots.values() if lot.kind in order and self.now < (lot.expires or never)]
        return unit_by_unit([(lot.id, lot.kind, lot.units) for lot in sorted(usable, key=turn)], amount, tax)

    def take(self, taken: Mapping[str, int]) -> None:
        for lot_id, units in taken.items():
            self.lots[lot_id].units -= units

    def give_back(self, taken: Mapping[str, int]) -> None:
        for lot_id, units in taken.items():
            if lot_id not in self.lots:
                self.lots[lot_id] = replace(self.terms[lot_id], units=0)
            self.lots[lot_id].units += units

    def drop(self, hold_id: str) -> ModelHold:
        hold = self.holds.pop(hold_id)
        self.give_back(hold.taken)
        return hold

    def let_time_pass(self, by: timedelta) -> None:
        self.now += by
        for hold_id in [hold_id for hold_id, hold in self.holds.items() if hold.until <= self.now]:
            self.drop(hold_id)

    def lapse(self) -> None:
        for lot in self.lots.values():
            if lot.expires and lot.expires + GRACE <= self.now:
                lot.units = 0

    def forget_the_spent(self) -> None:
        self.lots = {lot_id: self.lots[lot_id] for lot_id in self.standing()}


def unit_by_unit(lots: Iterable[tuple[str, Kind, int]], amount: int, tax: int) -> Taken | None:
    taken: Taken = {}
    paid = by_loyalty = 0
    for lot_id, kind, units in lots:
        for _ in range(units):
            if paid == amount or (kind in LOYALTY and by_loyalty == amount - tax):
                break
            taken[lot_id] = taken.get(lot_id, 0) + 1
            paid += 1
            by_loyalty += kind in LOYALTY
    return taken if paid == amount else None


amounts = st.integers(1, 60)
faults = st.one_of(st.none(), st.tuples(st.integers(0, 2), st.sampled_from(DEATHS)))
chosen = st.one_of(st.none(), st.permutations(ORDER).flatmap(lambda kinds: st.integers(1, 3).map(lambda n: kinds[:n])))


class WalletMachine(RuleBasedStateMachine):
    shop: Shop
    start: state.Snapshot

    def __init__(self) -> None:
        super().__init__()
        self.start.restore()
        self.shop.clock.now = START
        self.model = Model(START)
        self.keys = 0

    def run(self, command: Command, fault: Any, caller: Caller | None = None) -> Any:
        """What the command answers, or the code of its refusal: by one process, or by the one after it if it dies."""
        self.keys += 1
        shop, key = self.shop, f"step-{self.keys}"
        for script in (Script(*fault) if fault else Script(), Script()):
            books = Books(ScriptedDatabase(shop.database, script), shop.clock, pause=no_pause)
            try:
                return json.loads(books.run(command, caller or shop.admin, key).body)
            except Refusal as refusal:
                return refusal.code
            except Died:
                continue
        raise AssertionError("nobody dies twice")

    @rule(kind=st.sampled_from(ORDER), units=amounts, days=st.one_of(st.none(), st.integers(1, 9)), fault=faults)
    def issue(self, kind: Kind, units: int, days: int | None, fault: Any) -> None:
        self.put(kind, units, days, fault)

    def put(self, kind: Kind, units: int, days: int | None, fault: Any) -> None:
        expires = None if days is None else self.model.now + timedelta(days=days)
        value = Money(units, PTS if kind is Kind.POINTS else "KES")
        said = self.run(IssueCredit(AMINA, kind, value, "gift", expires), fault)
        self.model.issue(said["credit"]["id"], kind, units, expires)

    @initialize(lots=st.lists(st.tuples(st.sampled_from(ORDER), amounts, st.integers(1, 9)), min_size=3, max_size=6))
    def begin(self, lots: list[tuple[Kind, int, int]]) -> None:
        for kind, units, days in lots:
            self.put(kind, units, days, None)

    @rule(
        amount=amounts,
        tax=st.sampled_from([0, 0, 16, 60]),
        kinds=chosen,
        minutes=st.one_of(st.none(), st.integers(1, 600)),
        fault=faults,
    )
    def redeem(self, amount: int, tax: int, kinds: Any, minutes: int | None, fault: Any) -> None:
        tax = amount * tax // 100
        kinds = tuple(kinds) if kinds else None
        expected = self.model.split(amount, tax, kinds)
        money = (Money(amount, "KES"), Money(tax, "KES"))
        said = self.run(Redeem(AMINA, *money, kinds, hold_minutes=minutes), fault, self.shop.customer())
        if expected is None:
            assert said in ("insufficient_balance", "below_minimum_redemption"), said
            return
        assert {one["lot_id"]: one["units"] for one in said["payments"]} == expected
        self.model.take(expected)
        if minutes is None:
            self.model.paid[said["id"]] = expected
        else:
            until = self.model.now + timedelta(minutes=minutes)
            self.model.holds[said["id"]] = ModelHold(expected, amount, tax, until)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), percent=st.integers(1, 100), fault=faults)
    def capture(self, data: Any, percent: int, fault: Any) -> None:
        hold_id = data.draw(st.sampled_from(sorted(self.model.holds)))
        hold = self.model.holds[hold_id]
        amount = max(1, hold.amount * percent // 100)
        tax = round(Fraction(hold.tax * amount, hold.amount))
        lots = [(lot_id, self.model.terms[lot_id].kind, units) for lot_id, units in hold.taken.items()]
        expected = unit_by_unit(lots, amount, tax)
        assert expected is not None
        said = self.run(CaptureRedemption(AMINA, hold_id, Money(amount, "KES")), fault)
        assert {one["lot_id"]: one["units"] for one in said["payments"]} == expected
        self.model.drop(hold_id)
        self.model.take(expected)
        self.model.paid[hold_id] = expected

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), fault=faults)
    def release(self, data: Any, fault: Any) -> None:
        hold_id = data.draw(st.sampled_from(sorted(self.model.holds)))
        assert self.run(ReleaseRedemption(AMINA, hold_id), fault)["status"] == "released"
        self.model.drop(hold_id)
        assert self.run(CaptureRedemption(AMINA, hold_id), None) == "illegal_redemption_change"

    @precondition(lambda self: self.model.paid)
    @rule(data=st.data(), fault=faults)
    def reverse(self, data: Any, fault: Any) -> None:
        paid = data.draw(st.sampled_from(sorted(self.model.paid)))
        assert self.run(ReverseRedemption(AMINA, paid), fault)["status"] == "reversed"
        self.model.give_back(self.model.paid.pop(paid))
        assert self.run(ReverseRedemption(AMINA, paid), None) == "illegal_redemption_change"

    @precondition(lambda self: self.model.lots)
    @rule(data=st.data(), fault=faults)
    def revoke(self, data: Any, fault: Any) -> None:
        lot_id = data.draw(st.sampled_from(sorted(self.model.lots)))
        said = self.run(RevokeCredit(AMINA, lot_id), fault)
        if self.model.held_of(lot_id):
            assert said == "lot_held"
        else:
            assert said["status"] == "revoked"
            self.model.lots[lot_id].units = 0

    @precondition(lambda self: self.model.lots)
    @rule(data=st.data(), days=st.integers(1, 9), fault=faults)
    def extend(self, data: Any, days: int, fault: Any) -> None:
        lot = self.model.lots[data.draw(st.sampled_from(sorted(self.model.lots)))]
        until = self.model.now + timedelta(days=days)
        said = self.run(ExtendCredit(AMINA, lot.id, until), fault)
        if lot.expires is None or until <= lot.expires or self.model.now >= lot.expires + GRACE:
            assert said == "lot_not_extendable"
        else:
            assert said["approval"] is None
            lot.expires = until
            self.model.terms[lot.id] = lot

    @rule(hours=st.sampled_from([1, 7, 24, 50]))
    def let_time_pass(self, hours: int) -> None:
        self.shop.clock.advance(hours=hours)
        self.model.let_time_pass(timedelta(hours=hours))

    @rule(fault=faults)
    def lapse(self, fault: Any) -> None:
        self.run(LapseCredit(AMINA), fault, by_schedule(self.shop.tenant))
        self.model.lapse()

    @invariant()
    def the_wallet_is_what_the_model_says(self) -> None:
        self.model.forget_the_spent()
        wallet = self.shop.wallet().live(self.shop.clock.now)
        assert {lot.id: (lot.units, wallet.held_of(lot.id)) for lot in wallet.lots.values()} == self.model.standing()

    @invariant()
    def every_invariant_holds(self) -> None:
        assert differences(picture(state.items(), self.shop.clock.now)) == []


def test_a_wallet_does_what_a_simple_model_does(engine: Engine, shop: Shop) -> None:
    policy = Policy(expiring_first_days=SOON.days, points_minimum=1, per_1000_points={"KES": 1_000})
    shop.furnish().programme(spending=policy, grace_days=GRACE.days)
    WalletMachine.shop, WalletMachine.start = shop, state.snapshot()
    run_state_machine_as_test(
        WalletMachine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make it shorter takes minutes
        ),
    )
