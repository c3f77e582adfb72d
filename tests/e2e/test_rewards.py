"""Rewards of partners: their issuer is a fake that answers over HTTP on a port of its own, and a saga asks it."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from local.story.client import Client
from tests.e2e.market import Market, eventually

pytestmark = pytest.mark.e2e

WALLET: Final = "/v1/wallets/cus_amina"
JAVA: Final = "usr_java"
KIOSK: Final = "usr_kiosk"


def kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


@pytest.fixture
def amina(market: Market) -> Client:
    """A customer with rewards of two partners, 5.00 and 3.00, and 20.00 of store credit."""
    programme = {"reporting_currency": "KES", "confirming_partners": [JAVA, KIOSK]}
    market.admin.put("/v1/loyalty-programme", programme)
    market.cloud.switchboard.admit("Rewards", market.tenant)
    for day, partner, amount in (("01", JAVA, 500), ("02", KIOSK, 300)):
        reward = {
            "kind": "reward",
            "amount": kes(amount),
            "source": "a coffee",
            "expires_at": f"2099-01-{day}T00:00:00Z",
        }
        market.person("partner", sub=partner).post(f"{WALLET}/credits", reward)
    market.admin.post(f"{WALLET}/credits", {"kind": "store_credit", "amount": kes(2_000), "source": "goodwill"})
    for partner in (JAVA, KIOSK):
        play(market, partner, "confirm")
    time.sleep(2.5)  # a function that has just looked for the tenant's key looks again in 2 s
    return market.customer()


def play(market: Market, partner: str, outcome: str) -> None:
    url = f"{market.cloud.where['outside']['Rewards']}/play/{partner}"
    market.http.post(url, json={"outcome": outcome}).raise_for_status()


def redeem(amina: Client) -> str:
    said = amina.post(f"{WALLET}/redemptions", {"amount": kes(1_000)})
    assert said["status"] == "started"
    return str(said["id"])


def status(amina: Client, redemption: str) -> str:
    return str(amina.get(f"/v1/redemptions/{redemption}")["status"])


def stands(market: Market) -> list[tuple[int, int]]:
    """Available and held of each kind, by kind."""
    balances = market.admin.get(WALLET)["balances"]
    return [(one["available"]["amount"], one["held"]["amount"]) for one in balances]


def test_partners_confirm_or_decline_and_a_reversal_is_told_to_them(market: Market, amina: Client) -> None:
    paid = redeem(amina)
    eventually(lambda: status(amina, paid) == "completed", "every issuer captured")
    assert [one["status"] for one in amina.get(f"/v1/redemptions/{paid}")["partners"]] == ["captured"] * 2
    assert stands(market) == [(1_800, 0)]
    market.admin.post(f"{WALLET}/redemptions/{paid}/reversal", {})
    released = ["released"] * 2
    eventually(
        lambda: [one["status"] for one in amina.get(f"/v1/redemptions/{paid}")["partners"]] == released,
        "the issuers are told",
    )
    play(market, KIOSK, "decline")
    declined = redeem(amina)
    eventually(lambda: status(amina, declined) == "compensated", "it is given back")
    assert stands(market) == [(800, 0), (2_000, 0)]
    assert market.differences() == []


def test_an_issuer_that_is_down_is_asked_again(market: Market, amina: Client) -> None:
    play(market, KIOSK, "no_answer")
    redemption = redeem(amina)
    eventually(
        lambda: (
            [one["status"] for one in amina.get(f"/v1/redemptions/{redemption}")["partners"]]
            == ["confirmed", "waiting"]
        ),
        "the first has confirmed",
    )
    assert (status(amina, redemption), stands(market)) == ("started", [(0, 800), (1_800, 200)])
    play(market, KIOSK, "confirm")
    eventually(lambda: status(amina, redemption) == "completed", "it is asked again", 60)


def test_what_can_not_be_released_is_a_letter_and_its_replay_finishes_it(market: Market, amina: Client) -> None:
    play(market, JAVA, "no_release")
    play(market, KIOSK, "decline")
    redemption = redeem(amina)

    def letters() -> list[Any]:
        found = market.cloud.switchboard.letters("RedemptionDeadLetters")
        return [one for one in found if redemption in one["about"]]

    eventually(lambda: len(letters()) == 1, "it is given up on", 60)
    assert status(amina, redemption) == "compensating"
    assert stands(market) == [(800, 0), (2_000, 0)], "the customer has it back all the same"
    play(market, JAVA, "confirm")
    [replayed] = market.cloud.switchboard.replay("RedemptionDeadLetters", letters()[0]["message_id"])
    assert replayed["problem"] is None
    eventually(lambda: status(amina, redemption) == "compensated", "it is finished")
