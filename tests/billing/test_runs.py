"""Runs over many: each customer is a whole, one invoice per period, and one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from cauri.billing.invoicing import DeleteInvoice, InvoicePeriod
from cauri.billing.model import InvoiceStatus, PeriodBackwards
from cauri.billing.run_saga import RunSaga
from cauri.billing.run_store import read_run, run_key
from cauri.billing.running import ContinueRun, RunUnfinishedError, StartBillingRun, StartDeletionRun, by_run
from cauri.billing.runs import Counts, Result, RunNotUndoable, RunStatus, UnknownRun
from cauri.billing.store import account_key, billable_key
from cauri.books.shelf import write_of
from cauri.values import replace

from tests.billing.bulk import FIRST, LAST, customers, deliver, ended, invoice, made_by, play, start
from tests.shop import Shop


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return shop.furnish()


def codes(shop: Shop, run_id: str) -> list[str]:
    return [outcome.code for shard in ended(shop, run_id)[1] for outcome in shard.outcomes if outcome.code]


def test_every_customer_with_something_to_bill_gets_its_invoice(shop: Shop) -> None:
    customers(shop, 60)
    run_id = start(shop)
    play(shop, run_id)
    run, shards = ended(shop, run_id)
    assert (run.status, run.counts) == (RunStatus.COMPLETED, Counts(60, 60, 0, 0, 60))
    assert [len(shard.ids) for shard in shards] == [25, 25, 10]
    made = [invoice(shop, one) for one in made_by(shop, run_id)]
    assert len({one.customer_id for one in made}) == 60
    assert {(one.status, one.period, one.number) for one in made} == {
        (InvoiceStatus.OPEN, "2026-10-01..2026-10-31", None)
    }


def test_runs_that_overlap_bill_nothing_twice(shop: Shop) -> None:
    customers(shop, 30)
    first, second = start(shop), start(shop)
    saga = RunSaga(shop.books)
    for run_id in (first, second):
        saga.run({"tenant": shop.tenant, "run_id": run_id, "step": "add_shards", "after": "", "first": 0})
    saga.run({"tenant": shop.tenant, "run_id": first, "step": "work", "shard": 0})
    play(shop, second)
    play(shop, first)
    assert ended(shop, first)[0].counts == Counts(30, 25, 5, 0, 25)
    assert ended(shop, second)[0].counts == Counts(30, 5, 25, 0, 5)
    assert set(codes(shop, first) + codes(shop, second)) == {"period_invoiced"}
    assert len(set(made_by(shop, first)) | set(made_by(shop, second))) == 30


def test_a_run_that_is_played_again_finds_everything_done(shop: Shop) -> None:
    customers(shop, 3)
    run_id = start(shop)
    play(shop, run_id)
    before = ended(shop, run_id)
    play(shop, run_id)
    assert ended(shop, run_id) == before


def test_a_customer_that_fails_is_reported_and_stops_no_other(shop: Shop) -> None:
    customers(shop, 3)
    spoil(shop, "cus_00001")
    run_id = start(shop, customer_ids=("cus_00000", "cus_00001", "cus_00002"))
    play(shop, run_id)
    run, [shard] = ended(shop, run_id)
    assert run.counts == Counts(3, 2, 0, 1, 2)
    [failed] = [outcome for outcome in shard.outcomes if outcome.result is Result.FAILED]
    assert (failed.id, failed.code) == ("cus_00001", "internal_error")


def spoil(shop: Shop, customer_id: str) -> None:
    """An account that nobody can read."""
    key = account_key(shop.tenant, customer_id)
    item = {"pk": {"S": key.pk}, "sk": {"S": key.sk}, "version": {"N": "1"}, "document": {"S": "{}"}}
    shop.database.write_rows("billing", [item])


def test_a_refusal_is_told_with_its_code_and_its_words(shop: Shop) -> None:
    from cauri.billing.commands import PutBillingRules
    from cauri.billing.model import Rules

    customers(shop, 1)
    shop.run(PutBillingRules(Rules("", closed_until=date(2026, 12, 31))))
    run_id = start(shop)
    play(shop, run_id)
    run, [shard] = ended(shop, run_id)
    assert (run.counts.failed, shard.outcomes[0].code) == (1, "period_closed")
    assert "2026-12-31" in shard.outcomes[0].detail


def test_whoever_has_nothing_to_bill_is_not_looked_at_unless_it_was_named(shop: Shop) -> None:
    deliver(shop, "cus_amina")
    shop.run(InvoicePeriod("cus_amina", FIRST, LAST, "KES"))
    run_id = start(shop)
    play(shop, run_id)
    assert ended(shop, run_id) == (ended(shop, run_id)[0], [])
    named = start(shop, customer_ids=("cus_amina", "cus_nobody"))
    play(shop, named)
    assert sorted(codes(shop, named)) == ["nothing_to_bill", "period_invoiced"]


def test_a_customer_with_more_than_one_invoice_holds_gets_several(shop: Shop) -> None:
    for place in range(95):
        deliver(shop, "cus_amina", date(2026, 10, 1 + place % 31), price=place + 1)
    run_id = start(shop)
    play(shop, run_id)
    assert [len(invoice(shop, one).lines) for one in made_by(shop, run_id)] == [90, 5]
    assert ended(shop, run_id)[0].counts == Counts(1, 1, 0, 0, 2)


def test_a_shard_that_nobody_could_do_is_given_up_with_what_was_done(shop: Shop) -> None:
    customers(shop, 2)
    run_id = start(shop)
    saga = RunSaga(shop.books)
    base = {"tenant": shop.tenant, "run_id": run_id}
    saga.run({**base, "step": "add_shards", "after": "", "first": 0})
    with pytest.raises(RunUnfinishedError):
        saga.run({**base, "step": "finish"})
    saga.run({**base, "step": "give_up", "shard": 0})
    saga.run({**base, "step": "finish"})
    assert ended(shop, run_id)[0].counts == Counts(2, 2, 0, 0, 2)


def test_a_dead_letter_starts_the_saga_again(shop: Shop) -> None:
    customers(shop, 1)
    run_id = start(shop)
    payload = {"step": "resume_run", "tenant": shop.tenant, "run_id": run_id, "execution": run_id}
    assert RunSaga(shop.books).run(payload)["next"].startswith(f"{run_id}-2026")


# -- Deletion -----------------------------------------------------------------------------------------


def test_all_that_a_run_made_can_be_deleted_and_billed_again(shop: Shop) -> None:
    customers(shop, 30)
    run_id = start(shop)
    play(shop, run_id)
    undo = shop.run(StartDeletionRun(of_run=run_id))["id"]
    play(shop, undo)
    assert ended(shop, undo)[0].counts == Counts(30, 30, 0, 0, 30)
    assert {invoice(shop, one).status for one in made_by(shop, run_id)} == {InvoiceStatus.DELETED}
    again = start(shop)
    play(shop, again)
    assert ended(shop, again)[0].counts == Counts(30, 30, 0, 0, 30)
    assert not set(made_by(shop, again)) & set(made_by(shop, run_id))


def test_a_deletion_reverts_its_own_items_when_periods_overlap(shop: Shop) -> None:
    early, late = deliver(shop, "cus_amina", date(2026, 10, 5)), deliver(shop, "cus_amina", date(2026, 10, 20))
    first = shop.run(InvoicePeriod("cus_amina", FIRST, date(2026, 10, 10), "KES"))["id"]
    second = shop.run(InvoicePeriod("cus_amina", FIRST, LAST, "KES"))["id"]
    run_id = shop.run(StartDeletionRun((first, first)))["id"]
    play(shop, run_id)
    keys = [billable_key(shop.tenant, "cus_amina", one) for one in (early, late)]
    found = shop.database.fetch(keys)
    assert [one.invoice_id for key in keys if (one := found[key])] == [None, second]
    assert ended(shop, run_id)[0].counts == Counts(1, 1, 0, 0, 1)


def test_an_invoice_that_is_paid_in_part_is_not_deleted_and_the_others_are(shop: Shop) -> None:
    customers(shop, 3)
    run_id = start(shop)
    play(shop, run_id)
    paid, *rest = made_by(shop, run_id)
    shop.database.transact([write_of(invoice(shop, paid).settle(1))])
    undo = shop.run(StartDeletionRun((paid, *rest, "inv_nowhere")))["id"]
    play(shop, undo)
    assert ended(shop, undo)[0].counts == Counts(4, 2, 0, 2, 2)
    assert sorted(codes(shop, undo)) == ["invoice_has_payments", "unknown_invoice"]


def test_what_is_not_made_yet_can_not_be_deleted(shop: Shop) -> None:
    run_id = start(shop)
    with pytest.raises(RunNotUndoable):
        shop.run(StartDeletionRun(of_run=run_id))
    play(shop, run_id)
    with pytest.raises(RunNotUndoable):
        shop.run(StartDeletionRun(of_run=run_id))
    with pytest.raises(UnknownRun):
        shop.run(StartDeletionRun(of_run="run_nowhere"))


def test_a_period_that_ends_before_it_begins_is_refused(shop: Shop) -> None:
    with pytest.raises(PeriodBackwards):
        shop.run(StartBillingRun(LAST, FIRST, "KES"))


def test_a_run_of_nobody_is_unknown(shop: Shop) -> None:
    with pytest.raises(UnknownRun):
        shop.run(ContinueRun("run_nowhere", "run_nowhere-1"), by_run(shop.tenant))
    assert read_run(shop.database, shop.tenant, "run_nowhere") == (None, [])


def test_an_invoice_of_another_run_that_was_deleted_meanwhile_is_refused(shop: Shop) -> None:
    customers(shop, 1)
    run_id = start(shop)
    play(shop, run_id)
    [made] = made_by(shop, run_id)
    shop.run(DeleteInvoice(made))
    undo = shop.run(StartDeletionRun(of_run=run_id))["id"]
    play(shop, undo)
    assert codes(shop, undo) == ["illegal_invoice_change"]


# -- What it costs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [10, 60])
def test_a_customer_costs_the_same_few_round_trips_however_many_there_are(
    shop: Shop, count: int, note: Callable[[str], None]
) -> None:
    customers(shop, count)
    run_id = start(shop)
    before = shop.database.meter.round_trips
    play(shop, run_id)
    per_customer = (shop.database.meter.round_trips - before) / count
    note(f"bill_a_customer, one of {count}: {per_customer:.2f} round trips")
    assert per_customer <= 3


def test_a_run_remembers_who_asked_and_when(shop: Shop) -> None:
    run_id = start(shop)
    key = run_key(shop.tenant, run_id)
    run = shop.database.fetch([key])[key]
    assert run is not None
    assert replace(run, version=0).asked_at == shop.clock.now
