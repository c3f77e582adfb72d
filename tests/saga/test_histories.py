"""Whatever shoppers, banks, webhooks, outages and clocks do: at the end everything adds up. Source: DESIGN 8."""

from __future__ import annotations

import functools
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from cauri.checkout.tenders import TenderAsked
from cauri.errors import Refusal
from cauri.money import Money
from cauri.providers.ports import Captured
from cauri.refunds.commands import RequestRefund
from cauri.refunds.model import Asked, IllegalRefundChange, LineAsked, RefundStatus
from cauri.refunds.resolving import ResolveRefund, Way
from cauri.wallet.lots import Kind
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from tests.proof.faults import Script
from tests.saga.trouble import CutOff, Standstill
from tests.saga.truths import look, troubles, unfinished
from tests.saga.world import Beginning, Invocation, World
from tests.shop import from_wallet

DEPOSIT = Money(50_000, "KES")
NEWS = ("charge.success", "charge.failed", "charge.pending")
FATES = ("done", "done", "declined", "lost", "unheard", "pending", "stuck")
REPLAYS_MAX = 5


@dataclass(frozen=True)
class Back:
    """Staff give some of it back, so many minutes after the checkout."""

    minutes: int
    permille: int
    """Of the whole; 0 is a unit of the first line, 1000 all that is left."""
    restock: bool
    from_wallet: bool
    fates: tuple[str, ...]
    ends_after: int
    """When the provider ends what it took on, in minutes."""
    well: bool


@dataclass(frozen=True)
class Purchase:
    """Somebody buys, and something becomes of it. Times are minutes: from the beginning, and from the checkout."""

    at: int
    shirts: int
    coffees: int
    held: int
    known_after: int
    """Until then the provider does not answer, or (0) says that nobody paid."""
    silent: bool
    fate: str
    webhooks: tuple[tuple[str, int], ...]
    in_two: bool
    """A deposit and the rest. Whether the rest is paid follows from the time; the fate is the deposit's."""
    refunds: tuple[Back, ...]


@dataclass(frozen=True)
class Trouble:
    """What happens to a step at one of its calls: it is cut off, stands still for a while, or others come between."""

    invocation: int
    call: int
    kind: str
    calls: int


backs = st.builds(
    Back,
    minutes=st.integers(5, 2000),
    permille=st.sampled_from([0, 0, 1, 333, 500, 999, 1000, 1000]),
    restock=st.booleans(),
    from_wallet=st.booleans(),
    fates=st.lists(st.sampled_from(FATES), max_size=2).map(tuple),
    ends_after=st.integers(1, 3000),
    well=st.booleans(),
)
purchases = st.builds(
    Purchase,
    at=st.integers(0, 120),
    shirts=st.integers(1, 3),
    coffees=st.integers(0, 3),
    held=st.sampled_from([0, 0, 50_000, 150_000]),
    known_after=st.sampled_from([0, 1, 14, 15, 16, 40, 300, 1450, 1600]),
    silent=st.booleans(),
    fate=st.sampled_from(["paid", "paid", "paid", "declined", "abandoned"]),
    webhooks=st.lists(st.tuples(st.sampled_from(NEWS), st.integers(0, 2000)), max_size=3).map(tuple),
    in_two=st.booleans(),
    refunds=st.lists(backs, max_size=3).map(tuple),
)
trouble = st.builds(
    Trouble,
    invocation=st.integers(1, 25),
    call=st.integers(0, 5),
    kind=st.sampled_from(["cut off before", "cut off after", "stand still", "others between"]),
    calls=st.integers(1, 40),
)


class History:
    def __init__(self, world: World, troubles: list[Trouble]) -> None:
        self.world = world
        self.standing: list[Standstill] = []
        self.met = Counter[str]()
        self._troubles = {trouble.invocation: trouble for trouble in troubles}
        world.folds = False
        world.plan = self._plan

    def _plan(self, invocation: Invocation) -> Script | None:
        trouble = self._troubles.get(len(self.world.invocations))
        if trouble is None:
            return None
        self.met[trouble.kind] += 1
        if trouble.kind == "others between":
            self.world.interludes[self.world.calls + trouble.call] = self.world.settle
            return None
        if trouble.kind == "stand still":
            script = Standstill(trouble.call, after=False)
            self.standing.append(script)
            self.world.interludes[self.world.calls + trouble.call + trouble.calls] = self._finish
            return script
        return CutOff(trouble.call, after=trouble.kind == "cut off after")

    def _finish(self) -> None:
        for script in self.standing:
            if script.reached:
                script.finish()

    def buy(self, number: int, purchase: Purchase) -> None:
        world, caller = self.world, self.world.shop.customer()
        units = {"shirt_l": purchase.shirts, "coffee": purchase.coffees}
        tenders = [TenderAsked("provider", provider="demo")]
        if purchase.in_two:
            tenders.append(TenderAsked("provider", DEPOSIT, "demo"))
        if purchase.held:
            tenders.append(from_wallet(purchase.held))
        try:
            cart = world.shop.cart(caller, **{sku: quantity for sku, quantity in units.items() if quantity})
            placed = world.shop.checkout(caller, f"buy-{number}", cart_id=cart, tenders=tuple(tenders))
        except Refusal as refusal:
            event(f"refused: {refusal.code}")
            return
        order: str = placed["order"]["id"]
        first, *second = world.shop.tree(order).payments
        self._let_it_be(first.id, purchase)
        for payment in second:
            self._let_it_be(payment.id, replace(purchase, fate="paid" if purchase.at % 4 else "abandoned"))
        for each, back in enumerate(purchase.refunds):
            world.after(functools.partial(self._give_back, f"{number}-{each}", order, back), minutes=back.minutes)

    def _give_back(self, name: str, order: str, back: Back) -> None:
        world = self.world
        tree = world.shop.tree(order)
        asked = Asked(restock=back.restock, tenders=("wallet",) if back.from_wallet and tree.order.draws else ())
        if back.permille == 0:
            asked = replace(asked, lines=(LineAsked(tree.lines[0].id, 1, restock=back.restock),), restock=False)
        elif back.permille < 1000:
            asked = replace(asked, amount=Money(tree.order.total.amount * back.permille // 1000, "KES"), restock=False)
        world.provider.refund_fates += back.fates
        try:
            world.shop.run(RequestRefund(order, asked, "Because"), key=f"back-{name}")
        except Refusal as refusal:
            event(f"no refund: {refusal.code}")
            return
        self.met["a refund"] += 1
        world.after(functools.partial(self._end_refunds, well=back.well), minutes=back.ends_after)

    def _end_refunds(self, *, well: bool) -> None:
        for reference in self.world.provider.end_refunds(done=well):
            self.world.tell("refund.processed" if well else "refund.failed", reference)

    def _let_it_be(self, payment: str, purchase: Purchase) -> None:
        if purchase.silent:
            self.world.provider.silent(payment)
        self.world.after(functools.partial(self._decide, payment, purchase.fate), minutes=purchase.known_after)
        for kind, minutes in purchase.webhooks:
            self.world.after(functools.partial(self.world.tell, kind, payment), minutes=minutes)

    def _decide(self, payment: str, fate: str) -> None:
        match fate:
            case "paid":
                self.world.provider.pay(payment)
            case "declined":
                self.world.provider.decline(payment)
            case _:
                self.world.provider.truth.pop(payment, None)

    def come_to_an_end(self) -> None:
        """All webhooks and outages are over; what stood still has finished, and people have replayed the letters."""
        world = self.world
        world.run()
        self._finish()
        world.plan = lambda invocation: None
        world.interludes.clear()
        for _ in range(REPLAYS_MAX):
            world.pass_time(days=2)
            if not world.letters:
                break
            for letter in list(world.letters):
                world.replay(letter)
        self._hear_what_was_never_told()
        world.pass_time(hours=3)
        self._resolve_what_is_stuck()
        world.pass_time(hours=3)

    def _resolve_what_is_stuck(self) -> None:
        """The provider finishes what it took on, and staff see to what it did not."""
        world = self.world
        world.provider.refund_fates.clear()
        for _ in range(REPLAYS_MAX):
            self._end_refunds(well=True)
            stuck = [one for one in look(world).refunds if one.status is RefundStatus.NEEDS_ATTENTION]
            for refund in stuck:
                with suppress(IllegalRefundChange):  # the news came first
                    world.shop.run(ResolveRefund(refund.id, Way.AGAIN))
            world.pass_time(days=1)
            if not stuck:
                return

    def _hear_what_was_never_told(self) -> None:
        """The provider's own last try: whatever it took is told, so that no money stays where nobody knows of it."""
        for payment, said in list(self.world.provider.truth.items()):
            if isinstance(said, Captured):
                self.world.tell("charge.success", payment, attempt="the last")


histories = given(
    bought=st.lists(purchases, min_size=1, max_size=4),
    troubled=st.lists(trouble, max_size=4, unique_by=lambda one: one.invocation),
)


@settings(max_examples=10, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@histories
def test_at_the_end_of_any_history_everything_adds_up(
    world: World, tally: Counter[str], bought: list[Purchase], troubled: list[Trouble]
) -> None:
    play(begin_again(world), bought, troubled)
    tally["saga: a random history"] += 1


@pytest.mark.slow
def test_at_the_end_of_very_many_histories_everything_adds_up(
    world: World, tally: Counter[str], pytestconfig: pytest.Config
) -> None:
    """`make histories N=10000 SEED=1`: the same seed plays the same histories, up to the one that fails."""

    @settings(
        max_examples=pytestconfig.getoption("--histories"),
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a history takes too long to be made smaller
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @histories
    def whole(bought: list[Purchase], troubled: list[Trouble]) -> None:
        play(begin_again(world), bought, troubled)
        tally["saga: a random history"] += 1

    whole()


def play(world: World, bought: list[Purchase], troubled: list[Trouble]) -> None:
    history = History(world, troubled)
    world.shop.credit(60_000, Kind.REWARD, days=1)  # it goes first, and some of it comes back when it is over
    for number, purchase in enumerate(bought):
        world.after(functools.partial(history.buy, number, purchase), minutes=purchase.at)

    world.run(minutes=125)
    assert troubles(world) == [], "also on the way"
    history.come_to_an_end()

    world.fold_all()
    left = unfinished(world)
    assert left == [], "\n".join(left)
    assert world.letters == []
    for kind in history.met:
        event(kind)
    for status in sorted({tree.order.status for tree in look(world).trees}):
        event(status)


def begin_again(world: World) -> World:
    """The same market for every example; hypothesis gives each the same fixture."""
    if world not in _BEGINNINGS:
        _BEGINNINGS.clear()
        _BEGINNINGS[world] = Beginning.of(world)
    return _BEGINNINGS[world].again()


_BEGINNINGS: dict[World, Beginning] = {}
