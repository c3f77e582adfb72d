"""A run over many customers on the state machine itself: killed in the middle, it bills everybody once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Cauri
from tests.e2e.clouds import cloud_at
from tests.e2e.market import Market, eventually, new_http

pytestmark = pytest.mark.e2e

CUSTOMERS = 200
RUNS = "/v1/invoice-runs"


def deliver(market: Market, customer_id: str) -> None:
    price = {"amount": 1_000, "currency": "KES"}
    delivery = {"description": "Milk", "date": "2026-10-05", "quantity": 10, "price": price}
    market.admin.post(f"/v1/accounts/{customer_id}/deliveries", delivery)


def invoices(market: Market, customer_id: str) -> list[Any]:
    found: list[Any] = market.admin.get(f"/v1/accounts/{customer_id}/invoices")["items"]
    return found


def test_a_run_that_is_killed_in_the_middle_bills_everybody_once(tmp_path: Path) -> None:
    cloud, cauri = cloud_at(tmp_path / "data").start(), Cauri(tmp_path / "data")
    try:
        if not cloud.where["engine"]["keeps"]:
            pytest.skip("this engine keeps nothing")
        market = Market(cloud, new_http()).open()
        people = [f"cus_{place:03d}" for place in range(CUSTOMERS)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda who: deliver(market, who), people))
        cloud.idle()
        run = market.admin.post(RUNS, {"period": "2026-10", "currency": "KES"})
        path = f"{RUNS}/{run['id']}"
        eventually(lambda: market.admin.get(path)["counts"]["made"] > 0, "it has begun")
        cloud.kill()
        cloud.start()
        market = market.again()
        eventually(lambda: market.admin.get(path)["status"] == "completed", "it ends", 60)
        assert market.admin.get(path)["counts"]["invoices"] == CUSTOMERS
        cloud.idle()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda who: invoices(market, who), people))
        assert Counter(map(len, found)) == {1: CUSTOMERS}
        numbers = sorted(one["number"] for [one] in found)
        assert numbers == [f"INV-2026-{place:06d}" for place in range(1, CUSTOMERS + 1)]
        undo = cauri.told("invoices", "delete", "--run", run["id"], "--tenant", market.tenant)
        assert undo["counts"]["made"] == CUSTOMERS
        again = cauri.told("invoices", "run", "--period", "2026-10", "--tenant", market.tenant)
        assert (again["counts"]["made"], again["errors"]) == (CUSTOMERS, [])
        assert cloud.dead_letters() == []
    finally:
        cloud.kill()
