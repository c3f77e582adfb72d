"""Many customers with something to bill, and a run over them as its machine drives it."""

from __future__ import annotations

from datetime import date
from typing import Any

from cauri.billing.commands import RecordDelivery
from cauri.billing.model import Invoice
from cauri.billing.numbering import number
from cauri.billing.run_saga import RunSaga
from cauri.billing.run_store import read_run
from cauri.billing.running import StartBillingRun
from cauri.billing.runs import Run, RunShard
from cauri.billing.store import invoice_key
from cauri.books.commit import Books
from cauri.money import Money

from tests.shop import Shop

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def deliver(shop: Shop, customer_id: str, day: date = date(2026, 10, 5), price: int = 1_000) -> str:
    command = RecordDelivery(customer_id, "Milk, 1 l", day, 10, Money(price, "KES"), "standard")
    billable_id: str = shop.run(command)["id"]
    return billable_id


def customers(shop: Shop, count: int) -> list[str]:
    """So many customers with a delivery each."""
    ids = [f"cus_{place:05d}" for place in range(count)]
    for customer_id in ids:
        deliver(shop, customer_id)
    return ids


def start(shop: Shop, **more: Any) -> str:
    run_id: str = shop.run(StartBillingRun(FIRST, LAST, "KES", **more))["id"]
    return run_id


def play(shop: Shop, run_id: str, books: Books | None = None) -> None:
    """What the machine does, from the top."""
    saga = RunSaga(books or shop.books)
    base = {"tenant": shop.tenant, "run_id": run_id, "execution": run_id}
    added: dict[str, Any] = {"after": "", "first": 0}
    while (added := saga.run({**base, "step": "add_shards", **added}))["next"] == "more":
        pass
    for shard in added["shards"]:
        saga.run({**base, "step": "work", "shard": shard})
    saga.run({**base, "step": "finish"})


def ended(shop: Shop, run_id: str) -> tuple[Run, list[RunShard]]:
    run, shards = read_run(shop.database, shop.tenant, run_id)
    assert run is not None
    return run, shards


def made_by(shop: Shop, run_id: str) -> list[str]:
    """The invoices that a run made, or deleted."""
    _, shards = ended(shop, run_id)
    return [invoice for shard in shards for outcome in shard.outcomes for invoice in outcome.invoices]


def number_all(shop: Shop, invoices: list[str]) -> None:
    number(shop.books, [{"tenant": shop.tenant, "data": {"invoices": invoices}}])


def invoice(shop: Shop, invoice_id: str) -> Invoice:
    key = invoice_key(shop.tenant, invoice_id)
    found = shop.database.fetch([key])[key]
    assert found is not None
    return found
