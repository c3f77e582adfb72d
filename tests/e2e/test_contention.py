"""Everybody at once: for the last units, with one key, over one cart."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import httpx
import pytest

from tests.e2e.market import BY_CARD, CHECKOUTS, Market, eventually, from_wallet

pytestmark = pytest.mark.e2e

T = TypeVar("T")

UNITS = 50
THREADS_MAX = 256
RESENDS_MAX = 20


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make all calls in as many threads, or in as many as there may be; none begins before every thread is there."""
    calls = list(calls)
    threads = min(len(calls), THREADS_MAX)
    with ThreadPoolExecutor(threads, initializer=threading.Barrier(threads).wait) as pool:
        return list(pool.map(lambda call: call(), calls))


@contextmanager
def watched(look: Callable[[], T]) -> Iterator[list[T]]:
    """What `look` sees, again and again while the block runs."""
    seen: list[T] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            seen.append(look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def insist(market: Market, body: Any, key: str) -> httpx.Response:
    """Send a checkout, and again under its key as long as others are in the way."""
    for _ in range(RESENDS_MAX):
        answer = market.send("POST", CHECKOUTS, token=market.guest.token, key=key, json=body)
        if answer.status_code != 409 or answer.json()["code"] != "contended":
            break
        time.sleep(0.1)
    return answer


@pytest.mark.parametrize("buyers", [200, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_crowd_at_once_for_fifty_units_makes_fifty_orders(buyers: int, market: Market) -> None:
    lamp = market.shelve("lamp", UNITS)

    def buy(number: int) -> httpx.Response:
        body = market.basket(lamp, contact={"email": f"guest{number}@example.com"})
        answer = insist(market, body, f"buyer-{number}")
        if answer.status_code == 201:
            market.pay(answer.json())
        return answer

    with watched(lambda: market.stock(lamp)) as stocks:
        answers = at_once(partial(buy, number) for number in range(buyers))
        won = [answer.json() for answer in answers if answer.status_code == 201]
        for placed in won:
            market.settled(placed, "CONFIRMED", seconds_max=90)
    refused = [answer for answer in answers if answer.status_code != 201]

    assert len(won) == UNITS
    assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
    assert Counter((answer.status_code, answer.json()["code"]) for answer in refused) == {
        (409, "out_of_stock"): buyers - UNITS
    }
    assert len(stocks) > 5
    for stock in stocks:
        assert stock["on_hand"] == UNITS == stock["available"] + stock["reserved"] + stock["allocated"]
        assert min(stock["available"], stock["reserved"], stock["allocated"]) >= 0
        assert sum(reservation["quantity"] for reservation in stock["reservations"]) == stock["reserved"]
    eventually(lambda: market.stock(lamp)["allocated"] == UNITS, "every unit is allocated")
    market.audit()
    assert len(market.orders()) == UNITS


def test_a_crowd_at_once_uses_a_code_as_often_as_it_can_be(market: Market) -> None:
    lamp = market.shelve("lamp", 100)
    market.admin.put("/v1/promotions/TEN", {"title": "Ten", "scope": "order", "percent_bps": 1000, "uses_max": 10})

    def buy(number: int) -> httpx.Response:
        body = market.basket(lamp, contact={"email": f"guest{number}@example.com"}, promotion_codes=["ten"])
        return insist(market, body, f"buyer-{number}")

    answers = at_once(partial(buy, number) for number in range(60))
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 50}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"promotion_used_up"}
    won = [answer.json() for answer in answers if answer.status_code == 201]
    for placed in won[:6]:
        market.pay(placed)
    for placed in won[6:]:
        market.pay(placed, "decline")
    for placed in won:
        market.settled(placed, "CONFIRMED" if placed in won[:6] else "CANCELLED")

    def standing() -> tuple[int, int, int]:
        seen = market.admin.get("/v1/promotions/TEN")
        return seen["used"], seen["waiting"], seen["left"]

    eventually(lambda: standing() == (6, 0, 4), "what was not paid came back, and what was is used")
    market.audit()


def test_one_key_fifty_times_at_once_is_one_order(market: Market) -> None:
    basket = market.shelve("basket", 500)
    body, key = market.basket(basket, 3), str(uuid.uuid4())
    answers = at_once([partial(insist, market, body, key)] * 50)
    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    # The one that took effect may have had to ask what became of it, and then it is a replay too.
    assert sum(answer.headers.get("idempotent-replayed") == "true" for answer in answers) in (49, 50)
    assert len(market.orders()) == 1
    assert market.stock(basket)["reserved"] == 3
    market.pay(answers[0].json())
    market.settled(answers[0].json(), "CONFIRMED")
    market.audit()


def test_one_key_for_two_things_at_once_is_one_of_them(market: Market) -> None:
    basket = market.shelve("basket", 100)
    key = str(uuid.uuid4())
    bodies = [market.basket(basket, quantity) for quantity in range(1, 9)]
    answers = at_once(partial(insist, market, body, key) for body in bodies)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 7}
    assert {answer.json()["code"] for answer in answers if answer.is_error} == {"idempotency_key_reused"}
    [order] = market.orders()
    assert market.stock(basket)["reserved"] == order["fulfilment"]["ordered"]


def test_one_cart_completed_eight_times_at_once_is_one_order(market: Market) -> None:
    basket = market.shelve("basket", 100)
    amina = market.customer(credit=50_000)
    cart = amina.post("/v1/carts", {"currency": "KES"})
    amina.put(f"/v1/carts/{cart['id']}/lines/{basket}", {"quantity": 2})
    body = {
        "cart_id": cart["id"],
        "tenders": [from_wallet(30_000), BY_CARD],
        "return_url": "https://soko.example/thanks",
    }

    def complete(number: int) -> httpx.Response:
        for _ in range(RESENDS_MAX):
            answer = market.send("POST", CHECKOUTS, token=amina.token, key=f"complete-{number}", json=body)
            if not answer.is_error or answer.json()["code"] != "contended":
                break
        return answer

    answers = at_once(partial(complete, number) for number in range(8))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    [placed] = [answer.json() for answer in answers if answer.status_code == 201]
    refused = [answer.json() for answer in answers if answer.is_error]
    assert {problem["code"] for problem in refused} == {"cart_completed"}
    assert {problem["order_id"] for problem in refused} == {placed["order"]["id"]}
    assert market.stock(basket)["reserved"] == 2
    assert market.wallet() == (20_000, 30_000)
    market.pay(placed)
    market.settled(placed, "CONFIRMED")
    assert market.wallet() == (20_000, 0)
    market.audit()


def test_two_hundred_redemptions_of_one_against_a_hundred_are_a_hundred(market: Market) -> None:
    """By 32 people who share an account. Who meets others sends it again, and hears then what became of it."""
    market.admin.put("/v1/loyalty-programme", {"reporting_currency": "KES"})
    wallet, kes = "/v1/wallets/cus_amina", {"currency": "KES"}
    for amount in (60, 40):
        credit = {"kind": "store_credit", "amount": {"amount": amount, **kes}, "source": "goodwill"}
        market.admin.post(f"{wallet}/credits", credit)
    amina = market.customer()
    statuses = Counter[int]()

    def redeem(turn: int) -> int:
        for _ in range(RESENDS_MAX):
            asked = {"amount": {"amount": 1, **kes}}
            answer = market.send("POST", f"{wallet}/redemptions", token=amina.token, key=f"at-once-{turn}", json=asked)
            statuses[answer.status_code] += 1
            if answer.status_code != 409:
                break
        return answer.status_code

    with ThreadPoolExecutor(32, initializer=threading.Barrier(32).wait) as pool:
        outcomes = Counter(pool.map(redeem, range(200)))

    assert outcomes == {201: 100, 422: 100}
    assert set(statuses) <= {201, 409, 422}, "no 5xx, not even once"
    assert market.admin.get(wallet)["lots"] == []
    assert len(market.admin.get(f"{wallet}/statement", limit=100)["entries"]) == 100
    assert market.differences() == []
