"""`cauri reconcile` on the whole cloud: a day at a market whose books are right, and differences that are planted."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.e2e.cli import Cauri
from tests.e2e.market import Market, eventually, from_wallet
from tests.e2e.planting import add_stock, aws, lose_a_posting
from tests.engines import STAGE

pytestmark = pytest.mark.e2e


@pytest.fixture
def cauri(cloud: LocalCloud) -> Cauri:
    return Cauri(cloud.data)


def trade(market: Market) -> None:
    """Orders that end in several ways."""
    market.shelve("mug", 20)
    amina = market.customer("amina", credit=100_000)
    both = market.buy("mug", by=amina, tenders=[from_wallet(10_000), {"type": "provider", "provider": "demo"}])
    told_often, declined = market.buy("mug"), market.buy("mug", quantity=2)
    market.pay(both)
    market.pay(told_often, "duplicate")
    market.pay(declined, "decline")
    market.settled(both, "CONFIRMED")
    market.settled(told_often, "CONFIRMED")
    market.settled(declined, "CANCELLED")
    refund = market.admin.post(f"/v1/orders/{told_often['order']['id']}/refunds", {"reason": "Damaged"})["id"]
    eventually(lambda: market.admin.get(f"/v1/refunds/{refund}")["status"] == "succeeded", "it is given back")
    market.cloud.idle(30)


def figures_by_hand(market: Market) -> dict[str, int]:
    """The figures of the day, from what the API shows of each order."""
    sold = [order for order in market.orders() if order["confirmed_at"]]
    paid = [payment for order in sold for payment in order["payments"]]
    return {
        "orders": sum(order["total"]["amount"] for order in sold),
        "orders_count": len(sold),
        "payments": sum(payment["amount"]["amount"] for payment in paid),
        "payments_count": len(paid),
    }


def reconciled(cauri: Cauri, market: Market, *more: str) -> tuple[int, Any]:
    ran = cauri("reconcile", "--tenant", market.tenant, "--json", *more)
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_a_day_whose_books_are_right(cauri: Cauri, market: Market, tmp_path: Path) -> None:
    """Its figures are those that somebody else adds up from the API alone."""
    trade(market)
    table = tmp_path / "report.csv"
    status, told = reconciled(cauri, market, "--csv", str(table))
    assert (status, told["findings"]) == (0, [])
    report = told["report"]
    assert report["done"] == report["parts"]
    assert report["checked"]["charges"] >= 2
    [figures] = report["figures"]
    by_hand = figures_by_hand(market)
    assert {
        "orders": figures["orders"]["amount"],
        "orders_count": figures["orders_count"],
        "payments": figures["payments"]["amount"],
        "payments_count": figures["payments_count"],
    } == by_hand
    assert figures["payment_variance"]["amount"] == 0
    rows = list(csv.DictReader(table.open()))
    assert {row["check"]: row["amount"] for row in rows if row["kind"] == "figure"}["orders"] == str(by_hand["orders"])
    shown = cauri("reconcile", "--tenant", market.tenant, "--light")
    assert shown.returncode == 0
    assert "Everything agrees" in shown.stdout


def test_what_was_planted_is_shown_and_repaired(cauri: Cauri, market: Market) -> None:
    """An account that lost a posting, and stock that nobody received: status 1, until it is repaired."""
    trade(market)
    lost = lose_a_posting(market)
    add_stock(market, "mug", 2)
    shown = cauri("reconcile", "--tenant", market.tenant)
    assert shown.returncode == 1
    assert "alarm" in shown.stdout
    assert "repair_stock mug" in shown.stdout
    status, told = reconciled(cauri, market, "--repair")
    assert status == 1
    assert {(one["check"], one["resource"]) for one in told["findings"]} == {
        ("postings", lost),
        ("sums", "cash:demo"),
        ("stock_adds_up", "mug"),
    }
    assert {one["command"] for one in told["repaired"]} == {"replay_record", "repair_stock"}
    market.cloud.idle(30)
    status, after = reconciled(cauri, market)
    assert (status, after["findings"]) == (0, [])


def test_the_schedule_looks_at_every_tenant(market: Market) -> None:
    """Started as the schedule does it, the machine opens a report for each tenant, and each of them runs to its end."""
    market.cloud.idle(60)  # other tests keep this cloud busy: what is late is no difference
    machine = market.cloud.where["machines"]["ReconciliationMachine"]
    started = aws(market, "stepfunctions", "control").start_execution(
        stateMachineArn=machine, name=f"scheduled-{market.tenant}", input='{"kind": "light"}'
    )
    assert f"cauri-{STAGE}-reconciliation" in started["executionArn"]

    def completed() -> bool:
        reports = market.admin.get("/v1/reconciliations")["items"]
        return bool(reports) and reports[0]["status"] == "completed"

    eventually(completed, "the report is complete", 90)
    [report] = market.admin.get("/v1/reconciliations")["items"]
    assert (report["kind"], report["requested_by"], report["findings"]) == ("light", "system:reconciliation", 0)
