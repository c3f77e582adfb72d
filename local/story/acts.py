"""The day at the market, act by act. Each act checks what it claims."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from local.story import show
from local.story.client import RefusedError, pay
from local.story.market import CUSTOMER, GOODS, TENANT, opening
from local.story.stage import Stage

POINTS: Final = 2_000
CREDIT: Final = 600_000
SHOPPERS: Final = 200
AT_ONCE: Final = 64
T = TypeVar("T")
BY_CARD: Final = {"type": "provider", "provider": "demo"}
RETURN_URL: Final = "https://jua.example/thanks"
TITLES: Final = {goods.sku: goods.title for goods in GOODS}


def open_market(stage: Stage) -> None:
    stage.act("The market opens", "Four vendors in Kenya and the United States, prices in shillings and dollars.")
    steps = list(opening(stage.staff, POINTS, CREDIT))
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=stage.console,
        transient=True,
    ) as bar:
        task = bar.add_task("Setting up", total=len(steps))
        for what, call in steps:
            bar.update(task, description=what)
            call()
            bar.advance(task)
    stage.good(f"{len({goods.vendor for goods in GOODS})} vendors, {len(GOODS)} products, {len(steps)} commands")
    credit = show.amount(CREDIT, "KES")
    stage.good(f"Amina has {show.amount(POINTS, 'PTS')}, and {credit} of credit, to which a manager and finance agreed")
    stage.tokens.admit("Paystack", TENANT)
    stage.good("Paystack has opened an account for the market (a fake on this machine, over HTTP)")


def buy_with_three_tenders(stage: Stage) -> None:
    stage.act("One purchase", "Amina fills a cart at three vendors, and pays with points, with credit, and by card.")
    cart = stage.timed("a cart in shillings", lambda: stage.amina.post("/v1/carts", {"currency": "KES"}))
    for sku, quantity in {"kikoi-ocean-l": 2, "aa-250": 3, "field-mug": 1}.items():
        path = f"/v1/carts/{cart['id']}/lines/{sku}"
        stage.timed(f"{quantity} × {TITLES[sku]}", partial(stage.amina.put, path, {"quantity": quantity}))
    body = _checkout(cart_id=cart["id"], tenders=[_wallet(15_000, "points"), _wallet(400_000), BY_CARD])
    key = str(uuid.uuid4())
    placed = stage.timed("checkout: stock claimed, lots held", lambda: stage.amina.post("/v1/checkouts", body, key))
    stage.console.print(show.order_tree(placed["order"]))
    again = stage.timed(
        "the same request again, as after a lost answer", lambda: stage.amina.post("/v1/checkouts", body, key)
    )
    stage.check(again == placed, "the same order, byte for byte: nothing happened twice")
    began = time.perf_counter()
    stage.timed("Amina pays on the provider's page", lambda: pay(stage.http, placed["authorization_url"]))
    order = stage.amina.settled(placed["order"]["id"])
    stage.step(
        f"webhook → verified → confirmed [dim]({(time.perf_counter() - began) * 1000:.0f} ms after the click)[/]"
    )
    stage.check(order["status"] == "CONFIRMED", f"{order['number']} is confirmed")
    stage.console.print(show.order_tree(order))


def buy_in_dollars(stage: Stage) -> None:
    stage.act("A guest abroad", "No account, an email address, two vendors on two continents, in dollars.")
    body = _checkout(
        lines=[{"sku": "wool-blanket", "quantity": 1}, {"sku": "kiondo-m", "quantity": 2}],
        currency="USD",
        contact={"email": "kim@example.com", "name": "Kim", "address": {"line1": "12 Pine St", "country": "US"}},
    )
    trial = stage.timed("first a dry run", lambda: stage.guest.post("/v1/checkouts?dry_run=true", body))
    stage.step(f"it would come to {show.money(trial['order']['total'])}, and nothing was reserved")
    placed = stage.timed("checkout", lambda: stage.guest.post("/v1/checkouts", body))
    pay(stage.http, placed["authorization_url"])
    order = stage.admin.settled(placed["order"]["id"])
    stage.check(order["total"] == trial["order"]["total"], f"{order['number']} came to just that")
    stage.console.print(show.order_tree(order))


def pay_with_paystack(stage: Stage) -> None:
    stage.act("Paid with Paystack", "Its own API, its hosted page, and a webhook signed with HMAC-SHA512.")
    body = _checkout(
        lines=[{"sku": "aa-1000", "quantity": 1}],
        currency="KES",
        tenders=[{"type": "provider", "provider": "paystack"}],
        contact={"email": "otieno@example.com", "name": "Otieno"},
    )
    placed = stage.timed("checkout: a transaction is initialised", lambda: stage.guest.post("/v1/checkouts", body))
    stage.step(f"the page to pay at: {placed['authorization_url']}")
    pay(stage.http, placed["authorization_url"])
    order = stage.admin.settled(placed["order"]["id"])
    stage.check(order["payment_method"] == "paystack", f"{order['number']} is verified with Paystack, and confirmed")


def decline(stage: Stage) -> None:
    stage.act("A card is declined", "Everything goes back: the stock to the shelf, what was held to the wallet.")
    before = (_stock(stage, "kiondo-m"), _credit(stage))
    body = _checkout(
        lines=[{"sku": "kiondo-m", "quantity": 2}],
        currency="KES",
        tenders=[_wallet(100_000), BY_CARD],
    )
    placed = stage.timed("checkout", lambda: stage.amina.post("/v1/checkouts", body))
    held = _credit(stage)
    stage.step(f"held meanwhile: {show.money(held['held'])}, reserved: {_stock(stage, 'kiondo-m')['reserved']} baskets")
    pay(stage.http, placed["authorization_url"], "decline")
    order = stage.amina.settled(placed["order"]["id"])
    stage.check(order["status"] == "CANCELLED", f"{order['number']} is cancelled ({order['cancel_reason']})")
    after = _once(lambda: (_stock(stage, "kiondo-m"), _credit(stage)), lambda now: now == before)
    stage.check(after == before, "stock and wallet are what they were")


def stubborn_webhooks(stage: Stage) -> None:
    stage.act("Webhooks misbehave", "News come three times, out of order, or too early. Each order is paid once.")
    for outcome, told in {
        "duplicate": "the same news three times at once",
        "out_of_order": "“failed” after “success”",
        "unknown_then_known": "the provider can't say, and then it can",
    }.items():
        placed = stage.amina.post("/v1/checkouts", _checkout(lines=[{"sku": "aa-250", "quantity": 1}], currency="KES"))
        more = {"asks": 1, "silent_seconds": 0} if outcome == "unknown_then_known" else {}
        pay(stage.http, placed["authorization_url"], outcome, **more)
        with stage.console.status(told):
            order = stage.amina.settled(placed["order"]["id"], seconds_max=100)
        stage.check(order["status"] == "CONFIRMED", f"{told}: {order['number']} is confirmed, once")
    received = _once(lambda: _received(stage), lambda lines: len(lines) >= 4)
    stage.check(len(received) == 4, "the books have one “payment received” for each of the four orders")


def rush(stage: Stage) -> None:
    stage.act(
        "The rush",
        f"{SHOPPERS} guests want the last 50 sunrise lamps, all at once. Fifty get one; the others are told so.",
    )
    counts: Counter[str] = Counter()
    began = time.perf_counter()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=stage.console, transient=True) as bar, ThreadPoolExecutor(AT_ONCE) as pool:
        asking = bar.add_task("guests at the till", total=SHOPPERS)
        orders = []
        for placed in pool.map(lambda number: _guest_buys(stage, number), range(SHOPPERS)):
            bar.advance(asking)
            counts["placed" if isinstance(placed, dict) else f"refused ({placed})"] += 1
            if isinstance(placed, dict):
                orders.append(placed["order"]["id"])
        confirming = bar.add_task("orders confirmed", total=len(orders))
        for order in pool.map(lambda order_id: stage.admin.settled(order_id, seconds_max=90), orders):
            bar.advance(confirming)
            counts[order["status"].lower()] += 1
    seconds = time.perf_counter() - began
    stage.step(f"{show.tally(counts)} [dim]in {seconds:.1f} s[/]")
    stage.check(counts["confirmed"] == 50, "exactly 50 confirmed orders")
    stage.check(counts["placed"] + counts["refused (out_of_stock)"] == SHOPPERS, "everybody else got a clear refusal")
    stock = _once(lambda: _stock(stage, "sunrise-lamp"), lambda stock: stock["allocated"] == 50)
    stage.check((stock["available"], stock["allocated"]) == (0, 50), "no lamp oversold, none left behind")


def close_of_day(stage: Stage) -> None:
    stage.act("Close of day", "The shelves, and the books.")
    skus = ["kikoi-ocean-l", "aa-250", "field-mug", "kiondo-m", "sunrise-lamp"]
    stocks = _once(
        lambda: [_stock(stage, sku) for sku in skus], lambda stocks: all(stock["reserved"] == 0 for stock in stocks)
    )
    stage.console.print(show.stock_table(stocks, {goods.sku: goods for goods in GOODS}))
    received = {goods.sku: goods.stock for goods in GOODS}
    stage.check(all(stock["on_hand"] == received[stock["sku"]] for stock in stocks), "no unit came or went unseen")
    books = _once(lambda: _books(stage), lambda books: books["balanced"] and not _owed(books))
    stage.console.print(show.trial_balance(books))
    stage.check(books["balanced"], "the books balance")
    stage.check(not _owed(books), "nobody owes anything: every order is paid")


def _owed(books: Any) -> bool:
    receivable = [one for one in books["accounts"] if one["account"] == "receivable:orders"]
    return any(one["debit"] != one["credit"] for one in receivable)


def _received(stage: Stage) -> list[Any]:
    return [line for line in _statement(stage, "cash:demo") if line["kind"] == "payment received"]


def _checkout(**body: Any) -> dict[str, Any]:
    return {"return_url": RETURN_URL, "tenders": [BY_CARD], **body}


def _wallet(minor: int, *kinds: str) -> dict[str, Any]:
    chosen = {"kinds": list(kinds)} if kinds else {}
    return {"type": "wallet", "amount": {"amount": minor, "currency": "KES"}, **chosen}


def _guest_buys(stage: Stage, number: int) -> Any:
    """The checkout of one guest, paid; or the code of the refusal."""
    body = _checkout(
        lines=[{"sku": "sunrise-lamp", "quantity": 1}],
        currency="KES",
        contact={"email": f"guest{number}@example.com", "name": f"Guest {number}"},
    )
    try:
        placed = stage.guest.post("/v1/checkouts", body)
    except RefusedError as refused:
        return refused.problem["code"]
    pay(stage.http, placed["authorization_url"])
    return placed


def _stock(stage: Stage, sku: str) -> Any:
    return stage.admin.get(f"/v1/stock/{sku}")


def _credit(stage: Stage) -> Any:
    balances = stage.amina.get(f"/v1/wallets/{CUSTOMER}")["balances"]
    return next(one for one in balances if one["kind"] == "store_credit")


def _books(stage: Stage) -> Any:
    return stage.admin.get("/v1/ledger/trial-balance")


def _statement(stage: Stage, account: str) -> Any:
    return stage.admin.get(f"/v1/ledger/accounts/{account}/statement", asset="KES")["lines"]


def _once(read: Callable[[], T], holds: Callable[[T], bool], seconds_max: float = 20.0) -> T:
    """What is read once it holds, or at last: what follows a commit (the fold, the saga's last step) takes a moment."""
    deadline = time.monotonic() + seconds_max
    while not holds(found := read()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


ACTS: Final = (
    open_market,
    buy_with_three_tenders,
    buy_in_dollars,
    pay_with_paystack,
    decline,
    stubborn_webhooks,
    rush,
    close_of_day,
)
