"""Orders that are stuck on a running cloud, and `cauri recover`, which shows them and has them finished."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.e2e.cli import Cauri
from tests.e2e.market import Market, eventually
from tests.e2e.stuck import as_long_ago, lose_saga, watches

pytestmark = pytest.mark.e2e


@pytest.fixture
def cauri(cloud: LocalCloud) -> Cauri:
    return Cauri(cloud.data)


def recover(cauri: Cauri, act: str, market: Market) -> list[Any]:
    found: list[Any] = cauri.told("recover", act, "--tenant", market.tenant)
    return found


def test_an_order_whose_saga_and_whose_webhook_were_lost_is_found_and_sold_once(cauri: Cauri, market: Market) -> None:
    placed = market.buy(market.shelve("kanga", 3))
    lose_saga(market, placed)
    market.pay(placed, "webhook_lost")
    assert recover(cauri, "show", market) == [], "its time is not over"
    assert recover(cauri, "run", market) == []
    as_long_ago(market, placed, hours=2)
    [found] = recover(cauri, "show", market)
    assert (found["resource"], found["state"], found["remedy"]) == (placed["order"]["id"], "order_unpaid", "resume")
    assert placed["order"]["id"] in cauri("recover", "show").stdout, "of all tenants, as a table"
    assert market.order(placed)["status"] == "PENDING_PAYMENT", "showing it changes nothing"
    [did] = recover(cauri, "run", market)
    assert (did["outcome"], did["problem"]) == ("resumed", None)
    market.settled(placed, "CONFIRMED")
    eventually(lambda: watches(market, placed["order"]["id"]) == [], "nobody has to watch over it any more")
    assert recover(cauri, "run", market) == []
    assert cauri("recover", "run", "--tenant", market.tenant).stdout.strip() == "nothing is stuck"
    market.audit()
    log = market.admin.get("/v1/log", resource=placed["order"]["id"])["items"]
    assert [one["caller"] for one in log if one["command"] == "resume_stuck"] == ["system:recovery"]


def test_the_schedule_finds_what_was_paid_after_all_and_takes_the_order_on(cauri: Cauri, market: Market) -> None:
    placed = market.buy(market.shelve("kikoi", 3))
    lose_saga(market, placed)
    as_long_ago(market, placed, hours=2)
    [did] = recover(cauri, "run", market)
    assert (did["state"], did["outcome"]) == ("order_unpaid", "resumed")
    market.settled(placed, "CANCELLED")
    eventually(lambda: len(watches(market, placed["order"]["id"])) == 1, "its payment is to be asked about")
    market.pay(placed, "webhook_lost")
    as_long_ago(market, placed, hours=23, minutes=5)
    market.cloud.invoke("OrderRecovery", {})
    market.settled(placed, "CONFIRMED")
    market.audit()
