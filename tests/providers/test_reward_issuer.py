"""The adapter for the issuer of partners' rewards, over real HTTP, against a fake of what is assumed of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from cauri.money import Money
from cauri.providers.guarded import NOT_ASKED, GuardedIssuer
from cauri.providers.http import Http
from cauri.providers.keys import KeysUnavailableError
from cauri.providers.ports import Declined
from cauri.providers.reward_issuer import HttpRewardIssuer
from cauri.providers.rewards import Done, RewardUse
from cauri.providers.unknown import Unknown

from local.outside.rewards import FakeRewards
from tests.providers.outside import TROUBLES, Outside, outside

TENANT = "ten_kiosk"
KEY = "rewards-key"
USE = RewardUse(TENANT, "red_01J7-1", "usr_java", "lot_01J7", Money(500, "KES"))


@dataclass
class World:
    server: Outside
    fake: FakeRewards
    issuer: HttpRewardIssuer

    def status(self) -> str | None:
        use = self.fake.uses.get((TENANT, USE.reference))
        return use["status"] if use else None


def adapter(server: Outside, keys: dict[str, list[str]]) -> HttpRewardIssuer:
    http = Http(connect_seconds=0.5, read_seconds=1.5)
    return HttpRewardIssuer(server.url, lambda tenant: keys.get(tenant, []), http)


@pytest.fixture
def world() -> Iterator[World]:
    with outside() as server:
        fake = FakeRewards(lambda key: TENANT if key == KEY else None)
        server.party = fake
        yield World(server, fake, adapter(server, {TENANT: [KEY], "ten_wrong": ["another-key"]}))


def test_a_use_is_confirmed_captured_and_given_back_each_once(world: World) -> None:
    for ask, stands in (
        (world.issuer.confirm, "confirmed"),
        (world.issuer.capture, "captured"),
        (world.issuer.release, "released"),
    ):
        assert (ask(USE), ask(USE)) == (Done(), Done())
        assert world.status() == stands
    assert world.issuer.confirm(USE) == Declined("released")
    assert world.issuer.capture(USE) == Declined("not_confirmed")


def test_it_is_told_which_reward_of_whom_is_worth_what(world: World) -> None:
    world.issuer.confirm(USE)
    told = {"reference": "red_01J7-1", "partner": "usr_java", "reward": "lot_01J7", "amount": 500, "currency": "KES"}
    assert world.fake.uses[TENANT, USE.reference] == {**told, "status": "confirmed"}


def test_what_was_released_before_it_was_heard_of_is_not_confirmed_any_more(world: World) -> None:
    assert world.issuer.release(USE) == Done()
    assert world.issuer.confirm(USE) == Declined("released")
    assert world.status() == "released"


def test_what_it_does_not_confirm_or_capture_is_declined(world: World) -> None:
    assert world.issuer.capture(USE) == Declined("not_confirmed")
    world.fake.play("usr_java", "decline")
    assert world.issuer.confirm(USE) == Declined("reward_not_valid")


def test_without_a_key_or_an_address_nobody_is_asked(world: World) -> None:
    for issuer, use in (
        (world.issuer, replace(USE, tenant="ten_other")),
        (HttpRewardIssuer("", lambda tenant: [KEY], Http()), USE),
    ):
        assert issuer.confirm(use) == Declined("not_enabled")
    assert world.server.calls == []


def test_a_key_that_is_wrong_or_can_not_be_had_is_unknown(world: World) -> None:
    assert world.issuer.confirm(replace(USE, tenant="ten_wrong")) == Unknown("status 401")

    def unavailable(tenant: str) -> list[str]:
        raise KeysUnavailableError("no secrets can be read")

    assert isinstance(HttpRewardIssuer(world.server.url, unavailable, Http()).confirm(USE), Unknown)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("question", ["confirm", "capture", "release"])
def test_trouble_is_unknown_and_the_same_question_tells_later(trouble: str, question: str, world: World) -> None:
    if question == "capture":
        world.issuer.confirm(USE)
    world.server.troubles = [TROUBLES[trouble]] * 2
    assert isinstance(getattr(world.issuer, question)(USE), Unknown)
    world.server.troubles = []
    assert getattr(world.issuer, question)(USE) == Done()
    assert len(world.fake.uses) == 1


def test_an_answer_about_another_use_is_not_believed(world: World) -> None:
    world.fake.uses[TENANT, USE.reference] = {"reference": "red_other-1", "status": "captured", "partner": "usr_java"}
    assert world.issuer.capture(USE) == Unknown("the answer is about another reference")
    world.fake.uses[TENANT, USE.reference] = {"reference": USE.reference, "status": "odd", "partner": "usr_java"}
    assert world.issuer.confirm(USE) == Unknown("a use that is 'odd'")


@dataclass
class Broken:
    """A circuit that lets nothing pass once somebody was not answered."""

    is_open: bool = False

    def look(self, tenant: str) -> None:
        """It is known."""

    def lets_pass(self, tenant: str) -> bool:
        return not self.is_open

    def note(self, tenant: str, *, answered: bool) -> None:
        self.is_open = not answered


def test_an_issuer_that_gives_no_answers_is_not_asked(world: World) -> None:
    guarded = GuardedIssuer(world.issuer, Broken())
    assert guarded.name == "rewards"
    assert guarded.confirm(USE) == Done()
    world.fake.play("usr_java", "no_answer")
    assert guarded.capture(USE) == Unknown("status 503")
    assert (guarded.capture(USE), guarded.release(USE), guarded.confirm(USE)) == (NOT_ASKED,) * 3
