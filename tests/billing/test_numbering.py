"""Numbers of bulk invoices: one after the other, none twice and none left out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from cauri.billing.commands import PutBillingRules
from cauri.billing.invoicing import CreateInvoice, DeleteInvoice
from cauri.billing.model import InvoiceStatus, Priced, Rules
from cauri.billing.numbering import NumberInvoices, number
from cauri.billing.running import by_run
from cauri.money import Money

from tests.billing.bulk import customers, invoice, made_by, number_all, play, start
from tests.shop import Shop


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return shop.furnish()


def billed(shop: Shop, count: int) -> list[str]:
    customers(shop, count)
    run_id = start(shop)
    play(shop, run_id)
    return made_by(shop, run_id)


def numbers(shop: Shop, invoices: list[str]) -> list[str | None]:
    return [invoice(shop, one).number for one in invoices]


def test_the_invoices_of_a_run_get_numbers_in_their_order_without_a_gap(shop: Shop) -> None:
    made = billed(shop, 30)
    number_all(shop, made)
    assert numbers(shop, made) == [f"INV-2026-{place:06d}" for place in range(1, 31)]


def test_who_asks_twice_gets_no_second_number(shop: Shop) -> None:
    made = billed(shop, 3)
    number_all(shop, made)
    number_all(shop, [*made, *made])
    number_all(shop, made[:2])
    assert numbers(shop, made) == ["INV-2026-000001", "INV-2026-000002", "INV-2026-000003"]


def test_numbers_by_hand_and_in_bulk_are_of_one_series(shop: Shop) -> None:
    lines = (Priced("Advice", 1, Money(1_000, "KES"), "standard"),)
    first = shop.run(CreateInvoice("cus_amina", lines))["number"]
    made = billed(shop, 2)
    second = shop.run(CreateInvoice("cus_amina", lines))["number"]
    number_all(shop, made)
    third = shop.run(CreateInvoice("cus_amina", lines))["number"]
    given = [first, second, *numbers(shop, made), third]
    assert given == [f"INV-2026-{place:06d}" for place in range(1, 6)]


def test_an_invoice_that_is_deleted_before_it_has_a_number_gets_one_and_keeps_it(shop: Shop) -> None:
    made = billed(shop, 2)
    shop.run(DeleteInvoice(made[0]))
    number_all(shop, made)
    assert numbers(shop, made) == ["INV-2026-000001", "INV-2026-000002"]
    assert invoice(shop, made[0]).status is InvoiceStatus.DELETED


def test_each_series_has_its_own_numbers(shop: Shop) -> None:
    first = billed(shop, 2)
    shop.run(PutBillingRules(Rules("", series="ACME")))
    second = billed(shop, 4)
    number_all(shop, [*second, *first])
    assert numbers(shop, [*first, *second])[:3] == ["INV-2026-000001", "INV-2026-000002", "ACME-2026-000001"]


def test_more_than_a_commit_holds_take_several(shop: Shop) -> None:
    made = billed(shop, 100)
    number_all(shop, made)
    assert numbers(shop, made) == [f"INV-2026-{place:06d}" for place in range(1, 101)]


def test_drafts_and_what_is_not_there_have_no_number(shop: Shop) -> None:
    lines = (Priced("Advice", 1, Money(1_000, "KES"), "standard"),)
    draft = shop.run(CreateInvoice("cus_amina", lines, draft=True))["id"]
    answered = shop.run(NumberInvoices((draft, "inv_nowhere")), by_run(shop.tenant))
    assert answered == {"numbers": {}}


@pytest.mark.engines
def test_two_sequencers_at_once_and_a_person_leave_no_gap(shop: Shop) -> None:
    """The queue keeps a tenant's in order; were it not so, the condition on each invoice and on the series would."""
    made = billed(shop, 20)
    lines = (Priced("Advice", 1, Money(1_000, "KES"), "standard"),)
    by_hand: list[str] = []
    failures: list[BaseException] = []

    def attempt(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - the test looks at it
            failures.append(failure)

    news = [{"tenant": shop.tenant, "data": {"invoices": made}}]
    again = [{"tenant": shop.tenant, "data": {"invoices": made[::-1]}}]
    acts: list[Callable[[], Any]] = [lambda: number(shop.books, news), lambda: number(shop.books, again)]
    acts += [lambda: by_hand.append(shop.run(CreateInvoice("cus_amina", lines))["number"]) for _ in range(3)]
    threads = [threading.Thread(target=attempt, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    given = sorted([*numbers(shop, made), *by_hand])  # type: ignore[type-var]
    assert given == [f"INV-2026-{place:06d}" for place in range(1, 24)]


def test_numbers_in_bulk_cost_a_fraction_of_a_counter_in_each_commit(shop: Shop, note: Callable[[str], None]) -> None:
    made = billed(shop, 90)
    before = shop.database.meter.calls
    number_all(shop, made)
    calls = shop.database.meter.calls - before
    note(f"number_invoices: {calls} calls for 90 numbers; a counter in each commit takes 90 transactions on one item")
    assert calls == 2
