"""No function may do what it never does. (That each may do what it does, every other test here shows.)"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import httpx
import pytest

from local.environment import Names, Places
from local.story.client import RefusedError
from local.template import read
from local.workers.permissions import USED
from tests.e2e.clouds import cloud_at
from tests.e2e.market import VENDOR, Market, eventually, from_wallet, store_credit
from tests.e2e.planting import add_stock, lose_a_posting
from tests.e2e.stuck import as_long_ago, lose_saga, watches
from tests.engines import STAGE, TEMPLATE

pytestmark = pytest.mark.e2e

Grant = tuple[str, str, str]
"""(function, action, how the ARN ends)"""

LOG: Final = f":table/cauri-{STAGE}-log"
COMMERCE: Final = f":table/cauri-{STAGE}-commerce"
RARE: Final[dict[Grant, str]] = {
    ("CheckoutSteps", "dynamodb:GetItem", LOG): "a refused confirmation looks whether it had succeeded",
    ("CheckoutSteps", "states:SendTaskSuccess", ":stateMachine:cauri-{STAGE}-checkout"): "the news beat the token",
    ("PaymentsEvents", "dynamodb:GetItem", LOG): "two deliveries of one event at the same moment",
    ("CheckoutUndo", "dynamodb:GetItem", LOG): "a refused cancellation looks whether it had succeeded",
    ("InventorySweep", "dynamodb:GetItem", LOG): "a product was taken away while it was being tended",
    ("WalletExpiry", "dynamodb:GetItem", LOG): "a lapse that kept losing races looks whether it had succeeded",
    ("NoticesSender", "sqs:ChangeMessageVisibility", ":NoticesQueue"): "the carrier of messages gave no answer",
    ("RecurringBilling", "dynamodb:GetItem", LOG): "a period that is refused looks whether it had succeeded",
    ("InventorySweep", "dynamodb:UpdateItem", COMMERCE): "a checkout died between its claims and its commit",
}
"""What takes a race or a death to be needed; tests/saga and tests/proof make them happen."""
RARE[("BooksApi", "s3:ListBucket", "")] = "S3 asks for it before it says that an object is not there"
RARE |= {
    (api, action, f":table/cauri-{STAGE}-{table}"): "a worker of this machine counts for all its functions"
    for api in read(TEMPLATE, {"Stage": STAGE}).functions
    if api.endswith("Api")
    for action, table in (("dynamodb:UpdateItem", "limits"), ("dynamodb:BatchGetItem", "platform"))
}
PAYSTACK: Final = ":secret:PaystackKeys"
TILLIPAY: Final = ":secret:TilliPayKeys"
PLATFORM: Final = f":table/cauri-{STAGE}-platform"
for _function in ("CheckoutApi", "PaymentsEvents", "CheckoutSteps", "RefundSteps", "PaymentsWebhook"):
    RARE[(_function, "secretsmanager:GetSecretValue", TILLIPAY)] = "TilliPay is Paystack once more"
for _function in ("PaymentsEvents", "CheckoutSteps", "RefundSteps"):
    RARE[(_function, "dynamodb:UpdateItem", PLATFORM)] = "a provider gave no answers: its circuit opens"
RARE[("RefundSteps", "secretsmanager:GetSecretValue", PAYSTACK)] = "Paystack gives something back"
for _function in ("PaymentsEvents", "CheckoutSteps", "PaymentsWebhook"):
    RARE[(_function, "secretsmanager:GetSecretValue", PAYSTACK)] = "a worker of this machine reads them for all"
RARE[("RefundSteps", "dynamodb:GetItem", LOG)] = "a refused step looks whether it had succeeded"
for _function in ("PaymentsEvents", "RefundSteps"):
    RARE[(_function, "dynamodb:BatchGetItem", PLATFORM)] = "Paystack's circuit, which a worker of this machine knows"
for _function in ("RedemptionSteps", "RedemptionUndo"):
    RARE[(_function, "dynamodb:GetItem", LOG)] = "a refused step looks whether it had succeeded"
    RARE[(_function, "dynamodb:UpdateItem", PLATFORM)] = "the issuer of rewards gave no answers: its circuit opens"
    RARE[(_function, "dynamodb:BatchGetItem", PLATFORM)] = "the issuer's circuit, which a worker knows for both"
    RARE[(_function, "secretsmanager:GetSecretValue", ":secret:RewardsKeys")] = "a worker reads them for both"
DEMO: Final = ":table/cauri-{STAGE}-demo-provider"
RARE[("DemoProvider", "dynamodb:Query", DEMO)] = "a refund that got no answer is looked for"
RARE[("PaymentsApi", "dynamodb:GetItem", LOG)] = "a receipt that is refused looks whether it had succeeded"
RECOVERY: Final = f":table/cauri-{STAGE}-recovery"
RARE |= {
    ("ReconciliationApi", "dynamodb:PutItem", RECOVERY): "an order or a refund that is stuck is resumed",
    ("PaymentsApi", "dynamodb:PutItem", RECOVERY): "cash for an order that was given up",
    ("RefundSteps", "dynamodb:BatchGetItem", RECOVERY): "a refund that takes longer than some minutes",
    ("RefundSteps", "dynamodb:PutItem", RECOVERY): "a refund that takes longer than some minutes",
    ("OrderRecovery", "dynamodb:GetItem", LOG): "what two recoveries found, one of them too late",
    ("OrderRecovery", "dynamodb:UpdateItem", PLATFORM): "a provider gave no answers: its circuit opens",
    ("OrderRecovery", "dynamodb:BatchGetItem", PLATFORM): "Paystack's circuit",
    ("OrderRecovery", "secretsmanager:GetSecretValue", PAYSTACK): "an order that Paystack may have been paid for",
    ("OrderRecovery", "secretsmanager:GetSecretValue", TILLIPAY): "TilliPay is Paystack once more",
}
RARE[("ReconciliationSteps", "dynamodb:GetItem", LOG)] = "two executions record one part"
RARE[("ReconciliationSteps", "dynamodb:GetItem", COMMERCE)] = "a product whose stock looks wrong is looked at closely"
RARE[("ReconciliationSteps", "dynamodb:UpdateItem", PLATFORM)] = "a provider gave no answers: its circuit opens"
RARE[("ReconciliationSteps", "secretsmanager:GetSecretValue", TILLIPAY)] = "TilliPay is Paystack once more"
for _action, _table in (("PutItem", "billing"), ("PutItem", "log"), ("GetItem", "log")):
    RARE["BillingVerify", f"dynamodb:{_action}", f":table/cauri-{STAGE}-{_table}"] = "an account that does not agree"
RARE["BooksSeal", "dynamodb:Query", f":table/cauri-{STAGE}-ledger"] = (
    "what becomes visible late is none of those sealed"
)
DEAD_LETTERS: Final = "-stream-failures-", ":ScheduleDeadLetters"
"""Lambda itself writes these, with the function's role."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, http: httpx.Client) -> set[Grant]:
    """What the functions needed for a day in which everything happens."""
    data = tmp_path_factory.mktemp("roles")
    with cloud_at(data, ReservationSeconds="3") as cloud:
        market = Market(cloud, http)
        be_refused(market)
        market.open()
        amina, paid = trade(market)
        read_everything(market, amina, paid)
        promote(market)
        cloud.invoke("InventorySweep", {})
        cloud.invoke("BooksSeal", {"through": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})
        market.admin.get("/v1/log/verification")
        lapse(market)
        reward(market)
        give_back(market, paid)
        bill(market)
        recover(market)
        market.cloud.idle(30)
        reconcile(market)
        market.cloud.idle(30)
    lines = (data / "logs" / USED).read_text().splitlines()
    return {cast(Grant, tuple(json.loads(line))) for line in lines}


def bill(market: Market) -> None:
    """A month of one customer, by hand and in bulk."""
    october = {"period": "2026-10", "currency": "KES"}
    price = {"amount": 1_000, "currency": "KES"}
    milk = {"description": "Milk", "date": "2026-10-05", "quantity": 10, "price": price}
    market.admin.post("/v1/accounts/cus_amina/deliveries", milk)
    market.admin.get("/v1/accounts/cus_amina/billables")
    market.admin.get("/v1/explain/outstanding/cus_amina/KES")
    market.cloud.invoke("BillingVerify", {})
    eventually(lambda: ran(market, "/v1/invoice-runs", october)["made"] == 1, "the account is in its list")
    with pytest.raises(RefusedError):
        market.admin.post(
            "/v1/accounts/cus_amina/invoices", {"first": "2026-10-01", "last": "2026-10-31", "currency": "KES"}
        )
    assert ran(market, "/v1/invoice-runs", october | {"customer_ids": ["cus_amina"]})["skipped"] == 1
    listed = "/v1/accounts/cus_amina/invoices"
    eventually(lambda: market.admin.get(listed)["items"][0]["number"] is not None, "it has its number")
    invoice = market.admin.get(listed)["items"][0]["id"]
    send_out(market, invoice)
    come_again(market)
    assert ran(market, "/v1/invoice-runs/deletions", {"invoice_ids": [invoice]})["made"] == 1
    milk |= {"description": "More milk"}
    market.admin.post("/v1/accounts/cus_amina/deliveries", milk)
    assert ran(market, "/v1/invoice-runs", october | {"customer_ids": ["cus_amina"], "send": True})["made"] == 1
    eventually(lambda: len(market.cloud.switchboard.emails()) == 2, "the second was sent by its run")
    with pytest.raises(RefusedError):
        market.admin.post("/v1/invoice-runs/deletions", {"of_run": "run_nowhere"})
    assert market.admin.get("/v1/invoice-runs")["items"]


def come_again(market: Market) -> None:
    """A schedule whose first period has begun long ago."""
    line = {"description": "Rent", "price": {"amount": 31_000, "currency": "KES"}}
    rent = {"customer_id": "cus_rent", "lines": [line], "starts_on": f"{datetime.now(UTC):%Y-%m-%d}"}
    path = f"/v1/invoice-schedules/{market.admin.post('/v1/invoice-schedules', rent)['id']}"
    eventually(lambda: market.cloud.invoke("RecurringBilling", {})["due"] == 1, "it is in its list")
    assert market.admin.get(path)["billed"] == 1
    assert market.admin.get("/v1/invoice-schedules")["items"]
    market.admin.post(f"{path}/end", {})
    with pytest.raises(RefusedError):
        market.admin.post(f"{path}/end", {})


def send_out(market: Market, invoice: str) -> None:
    """By email, where its customer sees it."""
    market.admin.put("/v1/customers/cus_amina", {"name": "Amina", "email": "amina@example.com"})
    message = market.admin.post(f"/v1/invoices/{invoice}/send", {})["id"]
    eventually(lambda: market.admin.get(f"/v1/messages/{message}")["status"] == "sent", "it is sent")
    assert market.admin.get("/v1/messages", about=invoice)["items"]
    [email] = market.cloud.switchboard.emails()
    assert (email["to"], email["attachments"]) == ("amina@example.com", ["INV-2026-000001.pdf"])
    address = re.search(r"http://\S+/i/\S+", email["text"])
    assert address is not None
    assert "Milk" in httpx.get(address[0]).text
    assert market.admin.get(f"/v1/invoices/{invoice}/tracking")["views"] == 1
    with pytest.raises(RefusedError):
        market.admin.post("/v1/invoices/inv_nowhere/send", {})


def ran(market: Market, path: str, body: Any) -> Any:
    """What a run came to."""
    run = market.admin.post(path, body)["id"]
    eventually(lambda: market.admin.get(f"/v1/invoice-runs/{run}")["status"] == "completed", "it ends")
    return market.admin.get(f"/v1/invoice-runs/{run}")["counts"]


def reconcile(market: Market) -> None:
    """What is wrong is found, in all that there is, and repaired."""
    for step in ({"step": "list_tenants", "after": ""}, {"step": "open_report", "kind": "light"}):
        market.cloud.invoke("ReconciliationSteps", {"tenant": market.tenant, "execution": "roles", **step})
    lose_a_posting(market)
    add_stock(market, "mug", 1)
    path = f"/v1/reconciliations/{market.admin.post('/v1/reconciliations', {})['id']}"
    eventually(lambda: market.admin.get(path)["status"] == "completed", "everything was looked at", 90)
    findings = market.admin.get(f"{path}/findings", limit=100)["items"]
    for finding in (one for one in findings if one["repair"]):
        market.admin.post(f"{path}/findings/{finding['id']}/repair", {})
    with pytest.raises(RefusedError):
        market.admin.post(f"{path}/findings/{findings[0]['id']}/repair", {})


def lapse(market: Market) -> None:
    """Credit that nobody spends in time."""
    market.admin.put("/v1/loyalty-programme", {"reporting_currency": "KES", "grace_days": 0})
    soon = f"{datetime.now(UTC) + timedelta(seconds=4):%Y-%m-%dT%H:%M:%SZ}"
    gift = {"kind": "store_credit", "amount": {"amount": 5, "currency": "KES"}, "source": "gift", "expires_at": soon}
    market.admin.post("/v1/wallets/cus_amina/credits", gift)
    wallet = "/v1/wallets/cus_amina"
    eventually(lambda: market.admin.get(wallet)["balances"][0]["expired"]["amount"] == 5, "it expires")
    market.cloud.invoke("WalletExpiry", {})


def reward(market: Market) -> None:
    """A partner confirms one redemption, and declines another."""
    market.admin.put("/v1/loyalty-programme", {"reporting_currency": "KES", "confirming_partners": ["usr_java"]})
    market.cloud.switchboard.admit("Rewards", market.tenant)
    gift = {"kind": "reward", "amount": {"amount": 50, "currency": "KES"}, "source": "a coffee"}
    market.person("partner", sub="usr_java").post("/v1/wallets/cus_amina/credits", gift)
    for outcome, status in (("confirm", "completed"), ("decline", "compensated")):
        play = f"{market.cloud.where['outside']['Rewards']}/play/usr_java"
        market.http.post(play, json={"outcome": outcome}).raise_for_status()
        asked = {"amount": {"amount": 20, "currency": "KES"}}
        redemption = market.admin.post("/v1/wallets/cus_amina/redemptions", asked)["id"]
        reached = f"/v1/redemptions/{redemption}", status
        eventually(lambda reached=reached: market.admin.get(reached[0])["status"] == reached[1], status)


def recover(market: Market) -> None:
    """An order whose saga is lost, and whose money comes when nobody waits for it, and nobody is told."""
    placed = market.buy("mug")
    lose_saga(market, placed)
    as_long_ago(market, placed, hours=2)
    market.cloud.invoke("OrderRecovery", {})
    market.settled(placed, "CANCELLED")
    eventually(lambda: len(watches(market, placed["order"]["id"])) == 1, "its payment is to be asked about")
    market.pay(placed, "webhook_lost")
    as_long_ago(market, placed, hours=23, minutes=5)
    assert market.cloud.invoke("OrderRecovery", {"act": "show"})
    market.cloud.invoke("OrderRecovery", {})
    market.settled(placed, "CONFIRMED")


def give_back(market: Market, paid: Any) -> None:
    """A whole order, paid in part from a wallet: the money, and the goods."""
    refunds = f"/v1/orders/{paid['order']['id']}/refunds"
    refund = market.admin.post(refunds, {"reason": "Changed her mind", "restock": True})["id"]
    eventually(lambda: market.admin.get(f"/v1/refunds/{refund}")["status"] == "succeeded", "it is given back")
    with pytest.raises(RefusedError):
        market.admin.post(refunds, {"reason": "Once more"})
    assert [one["id"] for one in market.admin.get(refunds)["items"]] == [refund]
    assert refund in [one["id"] for one in market.admin.get("/v1/refunds", status="succeeded")["items"]]


def be_refused(market: Market) -> None:
    """A command that is refused looks whether it succeeded before: everybody who commands reads the log."""
    product = {"vendor_id": VENDOR, "title": "Nobody's", "prices": {"KES": 1}}
    for act in (
        lambda: market.admin.put(f"/v1/vendors/{VENDOR}", {"name": "Kazi", "country": "KE", "commission_bps": 0}),
        lambda: market.admin.put("/v1/products/mug", product),
        lambda: market.admin.post("/v1/wallets/cus_amina/credits", store_credit(1)),
        lambda: market.buy("mug"),
        lambda: market.admin.put("/v1/promotions/TEN", TEN),
        lambda: market.customer().post("/v1/customers/cus_amina/link", {}),
    ):
        with pytest.raises(RefusedError):
            act()


TEN: Final = {"title": "Ten percent", "scope": "order", "percent_bps": 1000, "uses_max": 5}


def promote(market: Market) -> None:
    """A guest uses a promotion, and becomes a customer."""
    market.admin.put("/v1/promotions/TEN", TEN)
    market.buy("mug", promotion_codes=["TEN"], contact={"email": "brian@example.com"})
    assert market.admin.get("/v1/promotions/TEN")["waiting"] == 1
    assert [one["code"] for one in market.admin.get("/v1/promotions")["items"]] == ["TEN"]
    proven = {"sub": "usr_brian", "customer_id": "cus_brian", "email": "brian@example.com"}
    linked = market.person("customer", **proven).post("/v1/customers/cus_brian/link", {})
    assert len(linked["order_ids"]) == 1


def trade(market: Market) -> tuple[Any, Any]:
    """Orders that end in every way."""
    market.shelve("mug", 20)
    market.shelve("last", 1)
    few = {"vendor_id": VENDOR, "title": "Last", "prices": {"KES": 89_950}, "low_stock": 1}
    market.admin.put("/v1/products/last", few)
    market.admin.post("/v1/stock/last/repair", {})
    market.admin.put("/v1/products/later", few | {"title": "Later", "backorder": True})
    ahead = market.buy("later")
    market.pay(ahead)
    market.settled(ahead, "CONFIRMED")
    eventually(lambda: market.stock("later")["backordered"] == 1, "it is owed")
    market.admin.post("/v1/stock/later/receipts", {"quantity": 1})
    amina = market.customer("amina", credit=100_000)
    part = from_wallet(10_000)
    tenders = [part, {"type": "provider", "provider": "demo"}]
    paid = market.buy("mug", by=amina, tenders=tenders)
    market.pay(paid, "unknown_then_known", asks=2)
    declined = market.buy("mug", by=amina, tenders=tenders)
    market.pay(declined, "decline")
    market.cloud.switchboard.admit("Paystack", market.tenant)
    with_paystack = {"tenders": [{"type": "provider", "provider": "paystack"}]}
    by_paystack, untold = (market.buy("mug", **with_paystack) for _ in range(2))
    market.pay(by_paystack)
    market.pay(untold, "webhook_lost")
    told_often = market.buy("mug")
    market.pay(told_often, "duplicate")
    forgotten = market.buy("last")
    market.settled(forgotten, "CANCELLED")
    eventually(lambda: market.stock("last")["available"] == 1, "the last one is back on the shelf")
    others = market.buy("last")
    market.pay(others)
    market.settled(others, "CONFIRMED")
    market.pay(forgotten)
    eventually(lambda: payment_of(market, forgotten) == "refunded", "the money goes back", 60)
    market.settled(declined, "CANCELLED")
    market.settled(told_often, "CONFIRMED")
    market.settled(by_paystack, "CONFIRMED")
    market.settled(untold, "CONFIRMED")
    by_hand = market.buy("mug", tenders=[{"type": "provider", "provider": "manual"}])
    receipt = {"amount": by_hand["order"]["total"], "method": "cash"}
    market.admin.post(f"/v1/payments/{by_hand['order']['payments'][0]['payment_id']}/receipts", receipt)
    market.settled(by_hand, "CONFIRMED")
    market.settled(paid, "CONFIRMED")
    return amina, paid


def payment_of(market: Market, placed: Any) -> str:
    return str(next(one["status"] for one in market.order(placed)["payments"] if one["kind"] == "provider"))


def read_everything(market: Market, amina: Any, paid: Any) -> None:
    amina.get("/v1/orders")
    market.admin.get("/v1/products")
    market.stock("mug")
    market.admin.get("/v1/stock/mug/movements")
    market.wallet()
    market.ledger()
    market.postings("cash:demo")
    market.admin.get("/v1/wallets/cus_amina/statement")
    market.admin.get("/v1/approvals")
    market.admin.get("/v1/vendors")
    market.admin.get("/v1/customers")
    amina.get("/v1/explain/wallet/cus_amina/store_credit/KES")
    amina.get(f"/v1/explain/order/{paid['order']['id']}")
    market.admin.get("/v1/log", resource=paid["order"]["id"])
    market.admin.get("/v1/log", day=f"{datetime.now(UTC):%Y-%m-%d}")


def granted() -> Iterator[Grant]:
    """All that the template's roles allow, with whole ARNs."""
    template = read(TEMPLATE, {"Stage": STAGE})
    names = Names(template, cast(Any, None), Places("https://control", "https://db", {}, {}), {"Stage": STAGE})
    for name, function in template.functions.items():
        for action, arns in names.allowed(function).items():
            yield from ((name, action, arn) for arn in arns if not any(one in arn for one in DEAD_LETTERS))


def test_no_function_may_do_what_it_never_does(used: set[Grant]) -> None:
    unused = {
        (name, action, arn)
        for name, action, arn in granted()
        if not any(name == user and action == act and arn.endswith(place) for user, act, place in used)
    }
    unexplained = {
        grant
        for grant in unused
        if not any(grant[:2] == rare[:2] and grant[2].endswith(rare[2].format(STAGE=STAGE)) for rare in RARE)
    }
    assert unexplained == set()
