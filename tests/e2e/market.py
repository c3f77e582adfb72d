"""A market of one tenant on a running cloud: what people do there, over HTTP, and what must add up afterwards."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import botocore.session
import httpx
from botocore.config import Config

from local.cloud import LocalCloud
from local.story.client import Client, RefusedError, pay
from tests.engines import REGION
from tests.proof.invariants import differences
from tests.proof.picture import picture, read_everything

VENDOR: Final = "ven_kazi"
CONNECTIONS: Final = 256
CHECKOUTS: Final = "/v1/checkouts"
TIERS: Final = ("reads", "writes", "money_writes", "staff_issuance")
UNHURRIED: Final = {tier: {"per_caller": 100_000, "per_ip": 100_000} for tier in TIERS}
"""For tests in which one address is everybody."""
BY_CARD: Final = {"type": "provider", "provider": "demo"}
PROGRAMME: Final = {"reporting_currency": "KES", "automatic_max": 10**12}


def new_http() -> httpx.Client:
    return httpx.Client(timeout=60, limits=httpx.Limits(max_connections=CONNECTIONS), trust_env=False)


def eventually(holds: Callable[[], bool], what: str, seconds_max: float = 30.0) -> None:
    """Wait for what follows a commit: the fold, the saga's last step. Raises TimeoutError."""
    deadline = time.monotonic() + seconds_max
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not after {seconds_max:.0f} s: {what}")
        time.sleep(0.05)


def store_credit(amount: Any, currency: str = "KES") -> dict[str, Any]:
    """The body that gives it to a customer."""
    return {"kind": "store_credit", "amount": {"amount": amount, "currency": currency}, "source": "goodwill"}


def from_wallet(amount: Any, currency: str = "KES") -> dict[str, Any]:
    return {"type": "wallet", "amount": {"amount": amount, "currency": currency}}


@dataclass
class Market:
    """`received` is what was put on the shelves, by SKU."""

    cloud: LocalCloud
    http: httpx.Client
    tenant: str = field(default_factory=lambda: f"t-{uuid.uuid4().hex[:12]}")
    received: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.admin = self.person("admin", sub="usr_admin")
        self.guest = self.person("guest", sub="the_shop")

    def open(self, limits: Any = None) -> Market:
        rules = {"name": "Soko", "demo": True, "tax_rates": {"standard": 1600}, "limits": limits or UNHURRIED}
        self.admin.put("/v1/tenant", rules)
        self.admin.put(f"/v1/vendors/{VENDOR}", {"name": "Kazi Crafts", "country": "KE", "commission_bps": 1000})
        return self

    def shelve(self, sku: str, units: int, price: int = 89_950) -> str:
        """A product of one vendor, with so many units. `price` is minor units of KES, before tax."""
        product = {"vendor_id": VENDOR, "title": f"The {sku}", "prices": {"KES": price}}
        self.admin.put(f"/v1/products/{sku}", product)
        self.admin.post(f"/v1/stock/{sku}/receipts", {"quantity": units})
        self.received[sku] += units
        return sku

    def again(self) -> Market:
        """The same market after its cloud came back: nobody has a connection or a token left."""
        return Market(self.cloud, new_http(), self.tenant, self.received)

    # -- people

    def person(self, *roles: str, **claims: Any) -> Client:
        return self.at(self.cloud.token(tenant=self.tenant, roles=roles, **claims))

    def at(self, token: str) -> Client:
        return Client(self.http, self.cloud.api_url, token)

    def customer(self, name: str = "amina", credit: int = 0) -> Client:
        """A customer who is signed in, with `credit` minor units of KES in the wallet."""
        if credit:
            self.admin.put("/v1/loyalty-programme", PROGRAMME)
            self.admin.post(f"/v1/wallets/cus_{name}/credits", store_credit(credit))
        return self.person("customer", sub=f"usr_{name}", customer_id=f"cus_{name}")

    # -- what they do

    def basket(self, sku: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
        """The body of a guest's checkout that one card payment covers."""
        return {
            "lines": [{"sku": sku, "quantity": quantity}],
            "currency": "KES",
            "tenders": [BY_CARD],
            "contact": {"email": "guest@example.com"},
            "return_url": "https://soko.example/thanks",
            **more,
        }

    def buy(self, sku: str, quantity: int = 1, by: Client | None = None, **more: Any) -> Any:
        """Check out: the order, and where to pay it."""
        return (by or self.guest).post(CHECKOUTS, self.basket(sku, quantity, **more))

    def pay(self, placed: Any, outcome: str = "succeed", **more: Any) -> None:
        pay(self.http, placed["authorization_url"], outcome, **more)

    def send(self, method: str, path: str, *, token: str, key: str | None = None, **request: Any) -> httpx.Response:
        """One request, and whatever comes back."""
        headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
        return self.http.request(method, self.cloud.api_url + path, headers=headers, **request)

    # -- what there is

    def order(self, placed: Any) -> Any:
        return self.admin.get(f"/v1/orders/{placed['order']['id']}")

    def settled(self, placed: Any, status: str, seconds_max: float = 150.0) -> Any:
        """The order, once its status is `status`. Raises TimeoutError.

        A message whose consumer was too slow, on a machine with much to do, comes again after a minute.
        """
        what = f"{placed['order']['id']} is {status}"
        eventually(lambda: self.order(placed)["status"] == status, what, seconds_max)
        return self.order(placed)

    def stock(self, sku: str) -> Any:
        return self.admin.get(f"/v1/stock/{sku}")

    def wallet(self, name: str = "amina") -> tuple[int, int]:
        """Available and held, in minor units of KES."""
        balances = self.admin.get(f"/v1/wallets/cus_{name}")["balances"]
        in_shillings = [one for one in balances if one["available"]["currency"] == "KES"]
        available, held = (sum(one[which]["amount"] for one in in_shillings) for which in ("available", "held"))
        return available, held

    def orders(self) -> list[Any]:
        """Every order there is, also those that nobody was told of."""
        shares = self._items("/v1/orders", "items", vendor_id=VENDOR)
        return [self.admin.get(f"/v1/orders/{share['order_id']}") for share in shares]

    def ledger(self) -> dict[str, int]:
        """What each account stands at in KES, debits positive. The books balance."""
        eventually(lambda: bool(self.admin.get("/v1/ledger/trial-balance")["balanced"]), "the books balance")
        accounts = self.admin.get("/v1/ledger/trial-balance")["accounts"]
        return {one["account"]: one["debit"] - one["credit"] for one in accounts if one["asset"] == "KES"}

    def postings(self, account: str) -> list[Any]:
        """Every posting on an account in KES, the oldest first."""
        try:
            return list(self._items(f"/v1/ledger/accounts/{account}/statement", "lines", asset="KES"))
        except RefusedError as refused:
            if refused.problem["code"] == "unknown_account":  # nothing was posted yet
                return []
            raise

    def _items(self, path: str, member: str, **query: Any) -> Iterator[Any]:
        """A list, page by page."""
        while True:
            page = self.admin.get(path, limit=100, **query)
            yield from page[member]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    # -- what must add up

    def audit(self, horizon: float = 0.0) -> list[Any]:
        """All orders, once shelves and ledger were held against them, and everything stored against the invariants.

        What comes by itself within `horizon` seconds is waited for.
        """
        self.cloud.idle(90, horizon)
        orders = self.orders()
        self._audit_shelves(orders)
        self._audit_ledger([order for order in orders if order["status"] == "CONFIRMED"])
        assert self.differences() == []
        return orders

    def _audit_shelves(self, orders: list[Any]) -> None:
        sold, waiting = _units(orders, "CONFIRMED"), _units(orders, "PENDING_PAYMENT")
        for sku, received in self.received.items():
            stock = self.stock(sku)
            expected = {
                "on_hand": received,
                "available": received - sold[sku] - waiting[sku],
                "reserved": waiting[sku],
                "allocated": sold[sku],
            }
            assert {name: stock[name] for name in expected} == expected, sku

    def _audit_ledger(self, confirmed: list[Any]) -> None:
        """Money came in once for each confirmed order, and nothing is owed. There are no refunds in flight."""
        stands = self.ledger()
        by_card = [pay for order in confirmed for pay in order["payments"] if pay["kind"] == "provider"]
        assert stands.get("cash:demo", 0) == sum(pay["amount"]["amount"] for pay in by_card)
        assert -stands.get("deferred_revenue:orders", 0) == sum(order["total"]["amount"] for order in confirmed)
        assert stands.get("receivable:orders", 0) == 0

    def differences(self) -> list[str]:
        """What of all that is stored for this tenant breaks an invariant."""
        return differences(picture(self.stored(), datetime.now(UTC)))

    def webhooks(self) -> int:
        """How many of the provider's webhooks are stored."""
        return sum("webhooks#" in item["pk"]["S"] for item in self.stored()["platform"])

    def stored(self) -> dict[str, list[Any]]:
        """Every item of this tenant, by table."""
        return {
            table: [item for item in items if item["pk"]["S"].startswith(f"{self.tenant}#")]
            for table, items in read_everything(CloudEngine(self.cloud)).items()
        }


class CloudEngine:
    """The cloud's DynamoDB, as the tests know engines."""

    name = "the local cloud's"

    def __init__(self, cloud: LocalCloud) -> None:
        self.endpoint_url: str | None = cloud.dynamodb_url

    def client(self) -> Any:
        config = Config(region_name=REGION, retries={"total_max_attempts": 1})
        return botocore.session.get_session().create_client("dynamodb", endpoint_url=self.endpoint_url, config=config)

    def streams(self) -> Any:
        raise LookupError("nobody reads the cloud's streams but the cloud")

    def reset(self) -> None:
        raise LookupError("the cloud is other tests' too")


def _units(orders: list[Any], status: str) -> Counter[str]:
    lines = [
        line for order in orders if order["status"] == status for v in order["vendor_orders"] for line in v["lines"]
    ]
    units: Counter[str] = Counter()
    for line in lines:
        units[line["sku"]] += line["quantity"]
    return units
