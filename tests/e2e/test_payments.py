"""Whatever a provider does, an order ends as it should, and everything adds up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from local.cloud import LocalCloud
from tests.e2e.clouds import cloud_at
from tests.e2e.market import BY_CARD, CloudEngine, Market, eventually, from_wallet

pytestmark = pytest.mark.e2e

RESERVATION_SECONDS = 4
HELD = 30_000
UNITS = 10


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud whose orders wait only seconds for their payment."""
    with cloud_at(tmp_path_factory.mktemp("hasty"), ReservationSeconds=str(RESERVATION_SECONDS)) as cloud:
        yield cloud


@pytest.fixture
def market(hasty: LocalCloud, http: httpx.Client) -> Market:
    return Market(hasty, http).open()


@dataclass(frozen=True)
class Story:
    """What happens on the provider's page, if anything, and how the order and its payment end."""

    outcome: str | None
    ends: str
    payment: str
    more: dict[str, int] = field(default_factory=dict)


STORIES = {
    "paid": Story("succeed", "CONFIRMED", "succeeded"),
    "declined": Story("decline", "CANCELLED", "failed"),
    "the page was never opened": Story(None, "CANCELLED", "abandoned"),
    "left without paying": Story("time_out", "CANCELLED", "abandoned"),
    "told three times": Story("duplicate", "CONFIRMED", "succeeded"),
    "told out of order": Story("out_of_order", "CONFIRMED", "succeeded"),
    "never told: only the deadline's question tells": Story("webhook_lost", "CONFIRMED", "succeeded"),
    "unknown, then known": Story("unknown_then_known", "CONFIRMED", "succeeded", {"asks": 2}),
    "unknown for longer than the order waits": Story(
        "unknown_then_known", "CONFIRMED", "succeeded", {"silent_seconds": 8}
    ),
    "late, and the goods are still there": Story("succeed_late", "CONFIRMED", "succeeded", {"after_seconds": 8}),
}


@dataclass
class Played:
    market: Market
    placed: Any


@pytest.fixture(scope="module")
def played(hasty: LocalCloud, http: httpx.Client) -> dict[str, Played]:
    """All stories at once, each in a market of its own: a customer who pays part from the wallet, and part by card."""
    begun = {}
    for name, story in STORIES.items():
        market = Market(hasty, http).open()
        basket = market.shelve("basket", UNITS)
        amina = market.customer(credit=HELD)
        begun[name] = Played(market, market.buy(basket, 2, by=amina, tenders=[from_wallet(HELD), BY_CARD]))
        if story.outcome is not None:
            market.pay(begun[name].placed, story.outcome, **story.more)
    return begun


@pytest.mark.parametrize("name", STORIES)
def test_an_order_ends_as_its_payment_does(name: str, played: dict[str, Played]) -> None:
    story, market = STORIES[name], played[name].market
    order = market.settled(played[name].placed, story.ends)
    [card] = [payment for payment in order["payments"] if payment["kind"] == "provider"]
    assert card["status"] == story.payment
    assert market.wallet() == ((0, 0) if story.ends == "CONFIRMED" else (HELD, 0))
    market.audit()
    received = [line for line in market.postings("cash:demo") if line["kind"] == "payment received"]
    assert len(received) == (1 if story.ends == "CONFIRMED" else 0)


# -- Money that comes too late ----------------------------------------------------------------------------


@dataclass
class TooLate:
    """Amina ordered the last basket and let the order expire; somebody else bought it; and then she pays after all."""

    market: Market
    order: Any
    others: Any

    def payment(self) -> Any:
        [card] = [one for one in self.market.order(self.order)["payments"] if one["kind"] == "provider"]
        return card

    def at_the_provider(self) -> Mapping[str, Any]:
        """The charge in the provider's own books."""
        reference = f"{self.market.tenant}#{self.payment()['payment_id']}"
        place = (reference, "charge")
        stored = self.market.stored()["demo-provider"]
        [charge] = [one for one in stored if (one["pk"]["S"], one["sk"]["S"]) == place]
        return {name: next(iter(value.values())) for name, value in charge.items()}

    def pays(self) -> None:
        """Her bank takes a moment, in which the provider's staff may still decide about refunds."""
        self.market.pay(self.order, "succeed_late", after_seconds=3)

    def let_refunds(self, outcome: str) -> None:
        """The provider's staff decide what becomes of refunds of this charge."""
        CloudEngine(self.market.cloud).client().update_item(
            TableName=self.market.cloud.where["tables"]["DemoProviderTable"],
            Key={"pk": {"S": self.at_the_provider()["pk"]}, "sk": {"S": "charge"}},
            UpdateExpression="SET refund_outcome = :outcome",
            ExpressionAttributeValues={":outcome": {"S": outcome}},
        )

    def is_made_good(self) -> None:
        """She has all her money back, once, and the order of the other is what it was."""
        eventually(lambda: self.payment()["status"] == "refunded", "the payment is refunded", 60)
        order = self.market.order(self.order)
        assert (order["status"], order["cancel_reason"]) == ("CANCELLED", "not_fulfillable")
        assert self.market.order(self.others)["status"] == "CONFIRMED"
        assert self.market.wallet() == (HELD, 0)
        self.market.audit()
        paid = self.payment()["amount"]["amount"]
        postings = [(one["kind"], one["amount"]) for one in self.market.postings("cash:demo")]
        assert postings.count(("payment received", paid)) == 1
        assert postings.count(("payment refunded", -paid)) == 1
        assert self.at_the_provider()["refundable"] == "0"


@pytest.fixture
def too_late(market: Market) -> TooLate:
    basket = market.shelve("basket", 1)
    amina = market.customer(credit=HELD)
    order = market.buy(basket, by=amina, tenders=[from_wallet(HELD), BY_CARD])
    market.settled(order, "CANCELLED")
    eventually(lambda: market.stock(basket)["available"] == 1, "the basket is back on the shelf")
    others = market.buy(basket)
    market.pay(others)
    market.settled(others, "CONFIRMED")
    return TooLate(market, order, others)


def test_money_for_goods_that_are_gone_goes_back_in_full(too_late: TooLate) -> None:
    assert too_late.payment()["status"] == "abandoned"
    too_late.pays()
    too_late.is_made_good()


def test_a_return_that_the_provider_declines_waits_for_people_and_goes_on_when_they_say(too_late: TooLate) -> None:
    staff = too_late.market.person("finance", sub="usr_zawadi")
    order_id = too_late.order["order"]["id"]

    def status() -> str:
        refunds = staff.get(f"/v1/orders/{order_id}/refunds")["items"]
        return refunds[0]["status"] if refunds else "none"

    too_late.pays()
    too_late.let_refunds("decline")
    eventually(lambda: status() == "needs_attention", "the refund waits for people", 60)
    assert too_late.payment()["status"] == "succeeded"

    too_late.let_refunds("succeed")
    [refund] = staff.get(f"/v1/orders/{order_id}/refunds")["items"]
    staff.post(f"/v1/refunds/{refund['id']}/resolve", {"way": "again"})
    too_late.is_made_good()
