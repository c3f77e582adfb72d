"""A purchase with Paystack: its fake answers over HTTP on a port of its own, and its webhooks are signed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from local.story.client import RefusedError
from tests.e2e.market import Market, eventually

pytestmark = pytest.mark.e2e

BY_PAYSTACK: dict[str, Any] = {"tenders": [{"type": "provider", "provider": "paystack"}]}


def test_a_tenant_without_a_key_has_no_paystack(market: Market) -> None:
    market.shelve("mug", 1)
    with pytest.raises(RefusedError) as refused:
        market.buy("mug", **BY_PAYSTACK)
    assert refused.value.problem["code"] == "provider_declined"
    assert refused.value.problem["reason"] == "not_enabled"


def test_orders_are_paid_with_paystack_told_or_not(market: Market) -> None:
    market.shelve("mug", 5)
    market.cloud.switchboard.admit("Paystack", market.tenant)
    time.sleep(2.5)  # a function that has just looked for the tenant's key looks again in 2 s
    told, lost, declined = (market.buy("mug", **BY_PAYSTACK) for _ in range(3))
    page = market.http.get(told["authorization_url"])
    assert "KES 1,043.42" in page.text  # 899.50 and 16 %
    market.pay(told)
    assert market.settled(told, "CONFIRMED")["payment_method"] == "paystack"
    market.pay(lost, "webhook_lost")
    market.pay(declined, "decline")
    eventually(
        lambda: market.ledger().get("cash:paystack", 0) == told["order"]["total"]["amount"], "it is in the books"
    )
    assert market.order(lost)["status"] == market.order(declined)["status"] == "PENDING_PAYMENT", "it is asked in time"
