"""A market to test with: a tenant, vendors, products and people, on one engine, with a clock that the test sets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cauri.billing.receiving import ReceivePayment
from cauri.books.caller import Caller
from cauri.books.commit import Answer, Books, Settings
from cauri.books.database import Database
from cauri.books.watches import Watch, due_by
from cauri.books.work import Command
from cauri.checkout.carts import OpenCart, PutCartLine
from cauri.checkout.commands import Checkout
from cauri.checkout.promotions import CLAIM_LOCATION, Promotion
from cauri.checkout.store import promotion_key
from cauri.checkout.tenders import TenderAsked
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.commands import PutProduct, ReceiveStock
from cauri.inventory.model import Cell, Part, Product
from cauri.inventory.store import cell_keys, product_key
from cauri.money import Money
from cauri.orders.model import OrderStatus, OrderTree
from cauri.orders.store import load_tree
from cauri.parties.commands import PutTenant, PutVendor
from cauri.parties.model import MAIN, ShippingRate
from cauri.wallet.depletion import Policy
from cauri.wallet.issuing import IssueCredit, PutProgramme
from cauri.wallet.lots import PTS, Kind, Wallet
from cauri.wallet.programme import Programme, Rate
from cauri.wallet.redeeming import Redeem
from cauri.wallet.store import programme_key, wallet_key

from tests.engines import REGION, TABLE_PREFIX, Engine
from tests.provider import ScriptedProvider

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TENANT = "soko"


@dataclass
class SetClock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: int) -> None:
        self.now += timedelta(**by)


def no_pause(attempt: int) -> None:
    """Tests that run alone win or lose at once."""


@dataclass
class Shop:
    """The market of one tenant, through the same commands that users send."""

    database: Database
    tenant: str = TENANT
    clock: SetClock = field(default_factory=SetClock)
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    keys: int = 0

    def __post_init__(self) -> None:
        self.books = Books(
            self.database,
            self.clock,
            providers={"demo": self.provider},
            settings=Settings(public_url="https://soko.example"),
            pause=no_pause,
        )
        self.admin = Caller(self.tenant, "usr_admin", frozenset({"admin"}), ip="192.0.2.1")

    def customer(self, name: str = "amina") -> Caller:
        return Caller(self.tenant, f"usr_{name}", frozenset({"customer"}), f"cus_{name}", ip="192.0.2.7")

    def guest(self) -> Caller:
        return Caller(self.tenant, "guest", frozenset({"guest"}), ip="192.0.2.8")

    def run(self, command: Command, caller: Caller | None = None, key: str | None = None, **more: Any) -> Any:
        """What the command answers, parsed."""
        return json.loads(self.answer(command, caller, key, **more).body)

    def answer(self, command: Command, caller: Caller | None = None, key: str | None = None, **more: Any) -> Answer:
        self.keys += 1
        return self.books.run(command, caller or self.admin, key or f"key-{self.keys}", **more)

    def furnish(self, **tenant: Any) -> Shop:
        """A tenant with two vendors: shirts and baskets from Kenya, coffee from Ethiopia."""
        chosen: dict[str, Any] = {"tax_rates": {"standard": 1600, "zero": 0}, "demo": True} | tenant
        self.run(PutTenant("Soko", **chosen))
        self.run(PutVendor("ven_kazi", "Kazi Crafts", "KE", 1000))
        self.run(PutVendor("ven_buna", "Buna Roasters", "ET", 1250))
        self.run(PutProduct("shirt-l", "ven_kazi", "Shirt, L", {"KES": 150_000, "USD": 1200}, weight_grams=250))
        self.run(PutProduct("basket", "ven_kazi", "Basket", {"KES": 89_950}, weight_grams=900))
        self.run(PutProduct("coffee", "ven_buna", "Coffee, 1 kg", {"KES": 210_000}, "zero", weight_grams=1000))
        return self

    def stock(self, at: str = MAIN, **units: int) -> Shop:
        for sku, quantity in units.items():
            self.run(ReceiveStock(sku.replace("_", "-"), quantity, location=at))
        return self

    def receive(self, amount: int, customer: Caller | None = None) -> None:
        """Money on account, in cash: the smallest thing that has an entry."""
        owner = customer or self.customer()
        self.run(ReceivePayment(owner.customer_id or "", Money(amount, "KES"), "cash"))

    def programme(self, **rules: Any) -> Shop:
        """A loyalty programme that reports in shillings: 1,000 points pay 100 of them, and a dollar is worth 130."""
        chosen: dict[str, Any] = {
            "spending": Policy(points_minimum=100, per_1000_points={"KES": 10_000}),
            "rates": {"USD": Rate("130.25", "2026-11-20", "central bank")},
        }
        self.run(PutProgramme(Programme(self.tenant, "KES", **(chosen | rules))))
        return self

    def credit(
        self, amount: int, kind: Kind = Kind.STORE_CREDIT, *, days: int | None = None, currency: str = "KES"
    ) -> str:
        """Issue to Amina what staff may by themselves; the id of the lot."""
        value = Money(amount, PTS if kind is Kind.POINTS else currency)
        expires = None if days is None else self.clock.now + timedelta(days=days)
        lot: str = self.run(IssueCredit("cus_amina", kind, value, "goodwill", expires))["credit"]["id"]
        return lot

    def fund(self, amount: int, customer: Caller | None = None, currency: str = "KES") -> str:
        """Give a customer store credit, however much; the id of the lot. Where there is no programme, one begins."""
        key = programme_key(self.tenant)
        if self.database.fetch([key])[key] is None:
            self.programme(automatic_max=10**12)
        owner = (customer or self.customer()).customer_id or ""
        issue = IssueCredit(owner, Kind.STORE_CREDIT, Money(amount, currency), "goodwill")
        lot: str = self.run(issue)["credit"]["id"]
        return lot

    def redeem(self, amount: int, **more: Any) -> Any:
        """Amina pays."""
        tax = Money(more.pop("tax", 0), "KES")
        return self.run(Redeem("cus_amina", Money(amount, "KES"), tax, **more), self.customer())

    def cart(self, caller: Caller | None = None, **units: int) -> str:
        caller = caller or self.customer()
        cart: str = self.run(OpenCart("KES"), caller)["id"]
        for sku, quantity in units.items():
            self.run(PutCartLine(cart, sku.replace("_", "-"), quantity), caller)
        return cart

    def checkout(self, caller: Caller | None = None, key: str | None = None, **command: Any) -> Any:
        return self.run(a_checkout(**command), caller or self.customer(), key)

    def claimed(self, tree: OrderTree) -> dict[str, tuple[Part, ...]]:
        """The stock to confirm the order with: its own claims, or, once it was given up, claims made anew."""
        if tree.order.status is not OrderStatus.CANCELLED:
            return {line.id: line.stock for line in tree.lines}
        claims, now = Claims(self.database, self.tenant), self.clock()
        wanted = {
            line.id: Wanted(line.sku, self.product(line.sku).cells, (MAIN,), line.quantity, f"again-{line.id}")
            for line in tree.lines
        }
        wanted |= {
            use.id: Wanted(use.code, self.promotion(use.code).cells_there, (CLAIM_LOCATION,), 1, f"again-{use.id}")
            for use in tree.order.uses
            if use.claimed
        }
        return {line: tuple(claims.take(each, now, now + timedelta(hours=1))) for line, each in wanted.items()}

    # -- What is stored

    def watched(self, resource: str = "") -> list[Watch]:
        """The watches over the sagas that are not over: of an order or a refund, or all."""
        watches = due_by(self.database, self.tenant, self.clock.now + timedelta(days=400), limit=1000)
        return [watch for watch in watches if resource in ("", watch.resource)]

    def watch(self, resource: str) -> str:
        """The first of them; one that nobody knows where there is none."""
        return next((watch.id for watch in self.watched(resource)), f"2026-11-20T09:35:00.000Z#{resource}")

    def promotion(self, code: str) -> Promotion:
        key = promotion_key(self.tenant, code)
        promotion = self.database.fetch([key])[key]
        assert promotion is not None
        return promotion

    def tree(self, order_id: str) -> OrderTree:
        tree = load_tree(self.database, self.tenant, order_id)
        assert tree is not None
        return tree

    def product(self, sku: str) -> Product:
        key = product_key(self.tenant, sku)
        product = self.database.fetch([key])[key]
        assert product is not None
        return product

    def cells(self, sku: str) -> list[Cell]:
        """At every location."""
        keys = cell_keys(self.product(sku))
        found = self.database.fetch(keys)
        return [cell for key in keys if (cell := found[key])]

    def wallet(self, customer: Caller | None = None) -> Wallet:
        owner = (customer or self.customer()).customer_id or ""
        key = wallet_key(self.tenant, owner)
        return self.database.fetch([key])[key] or Wallet(self.tenant, owner)

    def worth(self, customer: Caller | None = None) -> tuple[int, int]:
        """What a customer's wallet can pay in shillings, and what it holds: a point is ten of their cents."""
        at = self.clock.now
        wallet = self.wallet(customer).live(at)
        assets = {kind: (PTS, 10) if kind is Kind.POINTS else ("KES", 1) for kind in Kind}
        spendable = sum(wallet.spendable(at, asset, kind) * pays for kind, (asset, pays) in assets.items())
        return spendable, sum(wallet.held(asset, kind) * pays for kind, (asset, pays) in assets.items())


@pytest.fixture
def shop(engine: Engine) -> Shop:
    """A market with nothing in it yet."""
    return Shop(database_of(engine))


def a_checkout(**command: Any) -> Checkout:
    """A checkout that a provider payment covers whole, unless told otherwise."""
    command.setdefault("tenders", (TenderAsked("provider", provider="demo"),))
    command.setdefault("return_url", "https://soko.example/thanks")
    return Checkout(**command)


def from_wallet(amount: int | None = None, *kinds: Kind) -> TenderAsked:
    return TenderAsked("wallet", None if amount is None else Money(amount, "KES"), kinds=kinds or None)


BY_CARD: Final = TenderAsked("provider", provider="demo")


def database_of(engine: Engine) -> Database:
    return Database(prefix=TABLE_PREFIX, region=REGION, host=engine.endpoint_url)


def shipping(base: int, per_kg: int) -> dict[str, ShippingRate]:
    return {"KES": ShippingRate(base, per_kg)}
