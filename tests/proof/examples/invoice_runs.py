"""Runs over many customers and invoices, and the steps that do their work."""

from __future__ import annotations

import json
from typing import Any

from cauri.billing.numbering import NumberInvoices
from cauri.billing.run_saga import RunSaga
from cauri.billing.running import (
    AddShards,
    ContinueRun,
    FinishRun,
    RecordShard,
    StartBillingRun,
    StartDeletionRun,
    by_run,
)
from cauri.billing.runs import Outcome, Result

from tests.billing.bulk import FIRST, LAST, customers, made_by, play, start
from tests.proof.examples.worlds import Act, example, sent
from tests.shop import Shop


def a_run(shop: Shop, count: int = 2) -> str:
    """Of so many customers, and nothing of it done."""
    customers(shop.furnish(), count)
    return start(shop)


def a_run_in_shards(shop: Shop, count: int = 2) -> str:
    run_id = a_run(shop, count)
    shop.run(AddShards(run_id, "", 0), by_run(shop.tenant))
    return run_id


def a_run_that_ended(shop: Shop) -> str:
    run_id = a_run(shop)
    play(shop, run_id)
    return run_id


def step(shop: Shop, run_id: str, **payload: Any) -> Act:
    asked = {"tenant": shop.tenant, "run_id": run_id, "execution": run_id, **payload}
    return lambda books: json.dumps(RunSaga(books).run(asked)).encode()


@example(StartBillingRun, "of all customers")
def _(shop: Shop) -> Act:
    customers(shop.furnish(), 2)
    return sent(StartBillingRun(FIRST, LAST, "KES"), shop.admin)


@example(StartBillingRun, "of customers that are named")
def _(shop: Shop) -> Act:
    named = tuple(customers(shop.furnish(), 30))
    return sent(StartBillingRun(FIRST, LAST, "KES", named), shop.admin)


@example(StartDeletionRun, "of invoices that are named")
def _(shop: Shop) -> Act:
    made = made_by(shop, a_run_that_ended(shop))
    return sent(StartDeletionRun(tuple(made)), shop.admin)


@example(StartDeletionRun, "of all that a run made")
def _(shop: Shop) -> Act:
    return sent(StartDeletionRun(of_run=a_run_that_ended(shop)), shop.admin)


@example(AddShards, "of accounts")
def _(shop: Shop) -> Act:
    return sent(AddShards(a_run(shop, 30), "", 0), by_run(shop.tenant))


@example(AddShards, "of the invoices of a run")
def _(shop: Shop) -> Act:
    undo = shop.run(StartDeletionRun(of_run=a_run_that_ended(shop)))["id"]
    return sent(AddShards(undo, "", 0), by_run(shop.tenant))


@example(RecordShard, "one made, one refused")
def _(shop: Shop) -> Act:
    run_id = a_run_in_shards(shop)
    outcomes = (
        Outcome("cus_00000", Result.MADE, ("inv_1",)),
        Outcome("cus_00001", Result.FAILED, code="period_closed", detail="The books are closed."),
    )
    return sent(RecordShard(run_id, 0, outcomes), by_run(shop.tenant))


@example(FinishRun, "its shards are done")
def _(shop: Shop) -> Act:
    run_id = a_run_in_shards(shop)
    step(shop, run_id, step="work", shard=0)(shop.books)
    return sent(FinishRun(run_id), by_run(shop.tenant))


@example(ContinueRun, "from a dead letter")
def _(shop: Shop) -> Act:
    run_id = a_run(shop)
    return sent(ContinueRun(run_id, f"{run_id}-2"), by_run(shop.tenant))


@example(NumberInvoices, "of a run")
def _(shop: Shop) -> Act:
    made = made_by(shop, a_run_that_ended(shop))
    return sent(NumberInvoices(tuple(made)), by_run(shop.tenant))


@example(NumberInvoices, "of a run that sends its invoices")
def _(shop: Shop) -> Act:
    made = made_by(shop, a_run_that_ended(shop))
    return sent(NumberInvoices(tuple(made), send=True), by_run(shop.tenant))


@example("invoice_run:bill_shard", "two customers")
def _(shop: Shop) -> Act:
    return step(shop, a_run_in_shards(shop), step="work", shard=0)


@example("invoice_run:delete_shard", "two invoices")
def _(shop: Shop) -> Act:
    undo = shop.run(StartDeletionRun(of_run=a_run_that_ended(shop)))["id"]
    shop.run(AddShards(undo, "", 0), by_run(shop.tenant))
    return step(shop, undo, step="work", shard=0)


@example("invoice_run:give_up_shard", "two customers")
def _(shop: Shop) -> Act:
    return step(shop, a_run_in_shards(shop), step="give_up", shard=0)
