"""The command line against the whole cloud: for people, and with --json for programs."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import LocalCloud
from local.story.client import Client
from local.story.market import CUSTOMER, GOODS, TENANT
from tests.e2e.cli import ENTRY, Cauri
from tests.e2e.market import Market
from tests.engines import TEMPLATE, client
from tests.ledgers import Balances, beancount_balances, hledger_balances

pytestmark = pytest.mark.e2e

EVENTS = TEMPLATE.parent / "events"
SAMPLES = sorted(EVENTS.rglob("demo_*.json"))
FUNCTIONS = dict.fromkeys(
    ("demo_charge_success", "demo_charge_failed", "demo_charge_pending", "demo_refund_processed"), "PaymentsWebhook"
)


@pytest.fixture
def cauri(cloud: LocalCloud) -> Cauri:
    return Cauri(cloud.data)


def test_a_token_is_good_for_what_it_says(cauri: Cauri, market: Market) -> None:
    of = ("token", "--tenant", market.tenant, "--role")
    printed = cauri(*of, "admin").stdout.strip()
    assert market.at(printed).get("/v1/tenant")["name"] == "Soko"
    customers = cauri.told(*of, "customer", "--customer", "cus_amina")["token"]
    assert market.at(customers).get("/v1/wallets/cus_amina/statement")["customer_id"] == "cus_amina"
    assert market.send("GET", "/v1/tenant", token=customers).status_code == 403


def test_seeding_twice_is_seeding_once(cauri: Cauri, cloud: LocalCloud, http: httpx.Client) -> None:
    def market() -> Any:
        admin = Client(http, cloud.api_url, cauri.told("token", "--tenant", TENANT, "--role", "admin")["token"])
        stocks = {goods.sku: admin.get(f"/v1/stock/{goods.sku}")["on_hand"] for goods in GOODS}
        return stocks, admin.get(f"/v1/wallets/{CUSTOMER}"), admin.get("/v1/products", limit=100)

    assert cauri.told("seed") == {"tenant": TENANT, "customer_id": CUSTOMER}
    first = market()
    again = cauri("seed")
    assert again.returncode == 0
    assert TENANT in again.stdout
    assert market() == first
    assert first[0] == {goods.sku: goods.stock for goods in GOODS}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_event_goes_through_its_function(sample: Path, cauri: Cauri) -> None:
    """The samples are signed with a secret of their own, so that this cloud may well refuse them; it never fails."""
    ran = cauri("invoke", FUNCTIONS.get(sample.stem, "DemoProvider"), str(sample), "--json")
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer is None or answer["statusCode"] in (200, 303, 401, 404)


def test_an_invocation_that_fails_says_so(cauri: Cauri) -> None:
    assert cauri("invoke", "Nobody", "-", given="{}").returncode == 1
    ran = cauri("invoke", "DemoProvider", "-", "--json", given='{"Records": [{"body": "{}"}]}')
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["errorType"] == "ValidationError"


def test_the_logs_tell_of_every_invocation(cauri: Cauri, market: Market) -> None:
    market.admin.get("/v1/tenant")
    ran = cauri("logs", "PlatformApi", "--reports", "--lines", "5", "--json")
    assert ran.returncode == 0
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {line["function"] for line in lines} == {"PlatformApi"}
    assert lines[-1]["record"]["status"] == "success"
    assert "PlatformApi" in cauri("logs", "--reports", "--lines", "2000").stdout
    assert cauri("logs", "Nobody").returncode == 1


def test_the_logs_hold_no_secret_and_no_person(cauri: Cauri, market: Market) -> None:
    basket = market.shelve("basket", 2)
    placed = market.buy(basket, contact={"email": "zawadi.secret@example.com", "name": "Zawadi Secret"})
    market.pay(placed)
    market.settled(placed, "CONFIRMED")
    refused = market.send("POST", "/v1/checkouts", token=market.guest.token, key="k", json=market.basket("nothing"))
    assert refused.status_code == 404
    written = cauri("logs", "--reports", "--lines", "100000", "--json").stdout
    assert "PaymentsEvents" in written
    assert "zawadi" not in written.lower()
    for secret in (market.guest.token, placed["authorization_url"].rpartition("/")[2]):
        assert secret not in written


def test_dead_letters_of_a_cloud_without_any(cauri: Cauri) -> None:
    assert cauri.told("dlq", "list", "CheckoutDeadLetters") == []
    assert cauri.told("dlq", "replay", "CheckoutDeadLetters") == []
    assert "no dead letters" in cauri("dlq", "list", "CheckoutDeadLetters").stdout
    assert cauri("dlq", "list", "NoQueue").returncode == 1


def cash(amount: int) -> dict[str, Any]:
    """Money on account, from Amina."""
    return {"customer_id": "cus_amina", "amount": {"amount": amount, "currency": "KES"}, "method": "cash"}


@pytest.mark.parametrize(("form", "balances"), [("hledger", hledger_balances), ("beancount", beancount_balances)])
def test_the_journal_is_exported_whole(
    form: str, balances: Callable[[Path], Balances], cauri: Cauri, market: Market, tmp_path: Path
) -> None:
    market.admin.post("/v1/payments", cash(70_000))
    market.cloud.idle(30)
    time.sleep(2.5)  # what is younger than two seconds is not exported yet
    path = tmp_path / "journal"
    told = cauri.told("export", form, "-o", str(path), "--tenant", market.tenant)
    assert told["entries"] == 1
    assert sorted(balances(path).values()) == [-700, 700]
    printed = cauri("export", form, "--tenant", market.tenant)
    assert printed.stdout == path.read_text()
    assert cauri("export", "excel", "--tenant", market.tenant).returncode == 2


def test_the_log_is_verified_and_who_touches_it_is_found_out(cauri: Cauri, market: Market) -> None:
    market.admin.post("/v1/payments", cash(70_000))
    time.sleep(2.5)
    verify = ("verify-log", "--tenant", market.tenant)
    told = cauri.told(*verify, "--seal")
    assert told["findings"] == []
    assert told["records"] == 3, "the tenant, the vendor, and the payment"
    assert "Nothing was touched" in cauri(*verify).stdout
    log = client("dynamodb", market.cloud.dynamodb_url)
    table = market.cloud.where["tables"]["LogTable"]
    mine = [
        item
        for page in log.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
        if item["pk"]["S"].startswith(f"{market.tenant}#")
    ]
    log.put_item(TableName=table, Item=mine[0] | {"answer": {"B": b"another"}})
    log.delete_item(TableName=table, Key={"pk": mine[1]["pk"]})
    ran = cauri(*verify, "--json")
    assert ran.returncode == 1
    found = {(one["trouble"], one["record"]) for one in json.loads(ran.stdout)["findings"]}
    assert found == {
        (trouble, item["pk"]["S"].rpartition("#")[2])
        for trouble, item in zip(("changed", "removed"), mine, strict=False)
    }
    shown = cauri(*verify)
    assert shown.returncode == 1
    assert mine[0]["pk"]["S"].rpartition("#")[2] in shown.stdout
    for item in mine[:2]:
        log.put_item(TableName=table, Item=item)
    assert cauri.told(*verify)["findings"] == []


def test_without_a_cloud_a_command_fails(tmp_path: Path) -> None:
    nowhere = Cauri(tmp_path)
    for command in (("seed",), ("dlq", "list"), ("token", "--tenant", "t", "--role", "admin")):
        ran = nowhere(*command)
        assert ran.returncode == 1
        assert "cauri dev" in ran.stderr


@pytest.mark.slow
def test_the_benchmark_of_the_checkout_adds_up_and_says_so() -> None:
    of = ["bench", "checkout", "--template", str(TEMPLATE), "--clients", "2", "--seconds", "2", "--json"]
    told = json.loads(subprocess.run([*ENTRY, *of], check=True, capture_output=True, text=True).stdout)
    assert told["checkouts"][0]["orders"] > 0
    assert told["orders"][0]["cpu"]["handlers"] > 0
    assert told["sample"]["round_trips"]["CheckoutApi"] >= 3
    assert told["sample"]["aws"]["dollars_per_1000_orders"] > 0
    assert set(told["aims"]) == {
        "checkouts per second",
        "CPU-ms of a checkout, handlers and engine",
        "CPU-ms of an order, all handlers",
    }


@pytest.mark.slow
def test_the_benchmark_of_the_wallet_adds_up_and_says_so() -> None:
    size = ["--clients", "4", "--lookups", "120", "--redemptions", "60", "--seconds", "30"]
    of = ["bench", "wallet", "--template", str(TEMPLATE), *size, "--json"]
    told = json.loads(subprocess.run([*ENTRY, *of], check=True, capture_output=True, text=True).stdout)
    for what, times in (("balances", 120), ("redemptions", 60)):
        assert [run["subject"] for run in told[what]] == ["cauri", "bare", "bare, botocore"]
        assert [run["done"] for run in told[what]] == [times] * 3
        assert all(run["cpu_ms"]["handler"] > 0 for run in told[what])
        assert f"{what}: throughput, of the bare function's" in told["aims"]
