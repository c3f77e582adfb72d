"""Each tier of the rate limits, on the running cloud."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

import httpx
import pytest

from local.cloud import LocalCloud
from tests.e2e.market import CHECKOUTS, PROGRAMME, TIERS, UNHURRIED, Market, store_credit

pytestmark = pytest.mark.e2e

PER_CALLER: Final = 12
"""Over one lease, so that some is counted twice."""


@pytest.fixture(scope="module")
def hurried(cloud: LocalCloud, http: httpx.Client) -> Market:
    """A market whose callers have few requests, and whose address has many."""
    market = Market(cloud, http).open()
    market.shelve("mug", 100)
    market.admin.put("/v1/loyalty-programme", PROGRAMME)
    limits = {tier: {"per_caller": PER_CALLER, "per_ip": UNHURRIED[tier]["per_ip"]} for tier in TIERS}
    market.open(limits)
    time.sleep(11)  # until every function has read them
    return market


def request(market: Market, tier: str, who: str) -> httpx.Response:
    customer = market.cloud.token(tenant=market.tenant, roles=["customer"], sub=f"usr_{who}", customer_id=f"cus_{who}")
    finance = market.cloud.token(tenant=market.tenant, roles=["finance"], sub=f"usr_{who}")
    method, path, token, body = {
        "reads": ("GET", f"/v1/wallets/cus_{who}/statement", customer, None),
        "writes": ("POST", "/v1/carts", customer, {"currency": "KES"}),
        "money_writes": ("POST", CHECKOUTS, customer, market.basket("mug")),
        "staff_issuance": ("POST", f"/v1/wallets/cus_{who}/credits", finance, store_credit(100)),
    }[tier]
    more: dict[str, Any] = {"json": body} if body else {}
    return market.send(method, path, token=token, key=str(uuid.uuid4()), **more)


def await_a_minute_that_lasts(seconds: int = 25) -> None:
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.5)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_holds_whichever_worker_is_asked(tier: str, hurried: Market) -> None:
    await_a_minute_that_lasts()
    replies = [request(hurried, tier, tier) for _ in range(2 * PER_CALLER + 6)]
    passed = [reply for reply in replies if reply.is_success]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert len(passed) + len(refused) == len(replies)
    assert PER_CALLER - 10 < len(passed) <= PER_CALLER, "a worker that is asked no more keeps what it leased"
    if tier in ("money_writes", "staff_issuance"):
        assert len(passed) == PER_CALLER, "counted one by one"
    for reply in refused:
        assert reply.json()["code"] == "rate_limited"
        assert 0 < int(reply.headers["retry-after"]) <= 60
    for reply in replies:
        assert f'"{tier}-caller";q={PER_CALLER};w=60' in reply.headers["ratelimit-policy"]
        assert f'"{tier}-caller";r=' in reply.headers["ratelimit"]
    assert request(hurried, tier, f"another-{tier}").is_success, "one caller's limit is nobody else's"
