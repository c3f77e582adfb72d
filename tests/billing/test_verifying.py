"""Accounts are held against their documents: what does not agree is told, and kept, and mended only when asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cauri.billing.allocating import AllocatePayment
from cauri.billing.commands import PutBillingRules
from cauri.billing.model import Account, AccountInMotion, Rules
from cauri.billing.queries import account_for, anomalies_found, billables_of
from cauri.billing.verifying import ReconcileAccount, look, recomputed, verify_all
from cauri.billing.views import verified_view
from cauri.books.shelf import write_of

from tests.proof.examples.billing import AMINA, allocated, invoiced, overpaid, paying
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.proof.state import items
from tests.shop import Shop


def stored(shop: Shop) -> Account:
    return account_for(shop.database, shop.admin, AMINA)


def tamper(shop: Shop, **by: int) -> None:
    """Somebody changes the account behind its documents' backs, some time after its last change."""
    shop.clock.advance(minutes=2)
    account = stored(shop)
    wrong = replace(account.of("KES"), **{name: getattr(account.of("KES"), name) + units for name, units in by.items()})
    shop.database.transact([write_of(replace(account, standing={**account.standing, "KES": wrong}))])


def seen(shop: Shop) -> list[Any]:
    found = anomalies_found(shop.database, shop.tenant, after=None, limit=10).items
    return [(one.kind, one.stored.outstanding - one.recomputed.outstanding) for one in found]


def test_an_account_is_what_its_documents_make_it(shop: Shop) -> None:
    overpaid(shop)
    shop.run(paying(12_345))
    account, standing = look(shop.books, stored(shop))
    assert standing == account.standing
    assert verified_view(account, standing).verified
    assert seen(shop) == []


def test_a_customer_of_whom_nothing_is_known_owes_nothing(shop: Shop) -> None:
    shop.furnish()
    assert verified_view(*look(shop.books, Account(shop.tenant, AMINA))).verified


def test_what_does_not_agree_is_kept_once_and_nothing_is_mended_by_itself(shop: Shop) -> None:
    allocated(shop)
    before = stored(shop).standing
    tamper(shop, unbilled=700)
    for _ in range(2):
        assert verify_all(shop.books, shop.tenant) == {"accounts": 1, "wrong": 1}
    assert seen(shop) == [("mismatch", 700)]
    assert stored(shop).of("KES").unbilled == before["KES"].unbilled + 700


def test_what_is_below_zero_or_suspiciously_much_is_told_too(shop: Shop) -> None:
    invoiced(shop)
    shop.run(PutBillingRules(Rules("", suspicious={"KES": 500_000})))
    look(shop.books, stored(shop))
    assert seen(shop) == [("suspicious", 0)]
    tamper(shop, invoiced=-5_000_000)
    look(shop.books, stored(shop))
    assert sorted(kind for kind, _ in seen(shop)) == ["mismatch", "negative", "suspicious"]


def test_a_reconciliation_says_what_was_wrong_and_the_books_say_what_moved(shop: Shop) -> None:
    allocated(shop)
    right = stored(shop).standing
    tamper(shop, unapplied=-400, unbilled=900)
    report = shop.run(ReconcileAccount(AMINA))
    assert [(was["unapplied"], now["unapplied"]) for was, now in zip(report["was"], report["now"], strict=True)] == [
        (
            {"amount": right["KES"].unapplied - 400, "currency": "KES"},
            {"amount": right["KES"].unapplied, "currency": "KES"},
        )
    ]
    assert stored(shop).standing == right == recomputed(shop.database, stored(shop))
    assert shop.run(ReconcileAccount(AMINA))["now"] == []
    told = [each for each in differences(picture(items(), shop.clock.now)) if "suspense" in each]
    assert told, "it stays in suspense until somebody knows why"


def test_what_just_changed_is_not_judged_by_lists_that_may_be_behind(shop: Shop) -> None:
    """As if the list had not seen the invoice yet: the account has it, and what is listed comes to less."""
    invoiced(shop)
    tamper(shop, invoiced=5_000)
    shop.run(paying(300))
    before = stored(shop)
    assert look(shop.books, before)[1] is None
    with pytest.raises(AccountInMotion):
        shop.run(ReconcileAccount(AMINA))
    assert (seen(shop), stored(shop)) == ([], before)
    shop.clock.advance(minutes=1)
    look(shop.books, stored(shop))
    assert seen(shop) == [("mismatch", 5_000)]


def test_a_credit_sale_is_completed_when_its_invoice_is_paid(shop: Shop) -> None:
    invoiced(shop)
    assert {item.status for item in billables_of(shop.database, shop.admin, AMINA, after=None, limit=9).items} == {
        "billed"
    }
    payment = shop.run(paying())["id"]

    shop.run(AllocatePayment(payment))
    done = billables_of(shop.database, shop.admin, AMINA, after=None, limit=9).items
    assert {item.status for item in done} == {"completed"}
