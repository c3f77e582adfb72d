"""What was answered is kept, and what was begun goes on, whenever everything is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local.cloud import LocalCloud
from tests.e2e.clouds import cloud_at, without_events_of
from tests.e2e.market import BY_CARD, Market, eventually, from_wallet, new_http
from tests.e2e.shoppers import ENDS, Crowd
from tests.engines import REGION

pytestmark = pytest.mark.e2e

FEW = (1.0, 1.4, 1.8)
MANY = tuple(0.9 + 0.1 * number for number in range(10))
"""Seconds from the start of the shopping to the kill."""


@contextmanager
def killed_at_last(cloud: LocalCloud) -> Iterator[LocalCloud]:
    """A cloud that keeps its data, started; it ends with the test, in whichever way the test ends."""
    cloud.start()
    try:
        if not cloud.where["engine"]["keeps"]:
            pytest.skip("this engine keeps nothing")
        yield cloud
    finally:
        cloud.kill()


@pytest.mark.parametrize(
    "moments", [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=pytest.mark.slow)]
)
def test_a_crowd_survives_kills(moments: Sequence[float], tmp_path: Path) -> None:
    with killed_at_last(cloud_at(tmp_path / "data")) as cloud:
        market = Market(cloud, new_http()).open()
        crowd = Crowd(market.shelve("basket", 100_000))
        for seconds in moments:
            before = len(crowd.answered())
            with crowd.shopping(market):
                time.sleep(seconds)
                cloud.kill()
            answered = crowd.answered()[before:]
            cloud.start()
            market = market.again()
            for shopper in answered:
                assert market.order(shopper.placed)["total"] == shopper.placed["order"]["total"]
            crowd.come_back(market)
            ends = {order["id"]: order["status"] for order in market.audit(horizon=10)}
            assert ends == {shopper.placed["order"]["id"]: ENDS[shopper.outcome] for shopper in crowd.shoppers}
            received = [line for line in market.postings("cash:demo") if line["kind"] == "payment received"]
            assert len(received) == list(ends.values()).count("CONFIRMED")
            assert cloud.dead_letters() == []
        assert len(crowd.shoppers) > 5 * len(moments)


def test_a_commit_that_nobody_has_dispatched_goes_on_after_a_kill(tmp_path: Path) -> None:
    quiet = without_events_of("BooksDispatch", "BooksFold", directory=tmp_path / "quiet")
    with killed_at_last(cloud_at(tmp_path / "data", quiet)) as cloud:
        market = Market(cloud, new_http()).open()
        basket = market.shelve("basket", 10)
        amina = market.customer(credit=50_000)
        paid, unpaid = market.buy(basket), market.buy(basket, 2, by=amina)
        market.pay(paid)
        eventually(lambda: market.webhooks() > 0, "the webhook is stored")
        assert cloud.executions() == []
    with killed_at_last(cloud_at(tmp_path / "data")) as cloud:
        market = Market(cloud, new_http(), market.tenant, market.received)
        market.settled(paid, "CONFIRMED")
        assert market.order(unpaid)["status"] == "PENDING_PAYMENT"
        market.pay(unpaid)
        market.settled(unpaid, "CONFIRMED")
        market.audit()
        assert market.ledger()["wallet:store_credit"] == -50_000


def test_a_webhook_that_is_queued_is_looked_into_after_a_kill(tmp_path: Path) -> None:
    deaf = without_events_of("PaymentsEvents", directory=tmp_path / "deaf")
    with killed_at_last(cloud_at(tmp_path / "data", deaf)) as cloud:
        market = Market(cloud, new_http()).open()
        basket = market.shelve("basket", 10)
        orders = {outcome: market.buy(basket) for outcome in ENDS}
        for outcome, placed in orders.items():
            market.pay(placed, outcome)
        eventually(lambda: _queued(cloud, "PaymentsQueue") >= len(ENDS), "the webhooks are queued")
        assert {order["status"] for order in market.orders()} == {"PENDING_PAYMENT"}
    with killed_at_last(cloud_at(tmp_path / "data")) as cloud:
        market = Market(cloud, new_http(), market.tenant, market.received)
        for outcome, placed in orders.items():
            market.settled(placed, ENDS[outcome])
        market.audit()


def test_a_deadline_that_passes_while_everything_is_dead_is_kept_afterwards(tmp_path: Path) -> None:
    with killed_at_last(cloud_at(tmp_path / "data", ReservationSeconds="6")) as cloud:
        market = Market(cloud, new_http()).open()
        basket = market.shelve("basket", 10)
        amina = market.customer(credit=50_000)
        tenders = [from_wallet(50_000), BY_CARD]
        forgotten = market.buy(basket, by=amina, tenders=tenders)
        paid = market.buy(basket)
        market.pay(paid, "webhook_lost")
        cloud.idle()
        assert market.wallet() == (0, 50_000)
        assert {one["status"] for one in cloud.executions()} == {"RUNNING"}
        cloud.kill()
        time.sleep(6)
        cloud.start()
        market = market.again()
        market.settled(paid, "CONFIRMED")
        market.settled(forgotten, "CANCELLED")
        assert market.wallet() == (50_000, 0)
        market.audit()


def _queued(cloud: LocalCloud, queue: str) -> int:
    sqs: Any = botocore.session.get_session().create_client(
        "sqs", region_name=REGION, endpoint_url=cloud.where["control"]
    )
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=cloud.where["queues"][queue], AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)
