"""A difference of each kind, planted: it is found, explained, and repaired where a command can."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from cauri.books.log import Record
from cauri.checkout.carts import OpenCart, PutCartLine
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import Scope
from cauri.reconciliation.model import Kind, Severity
from cauri.reconciliation.views import FindingView

from tests.reconciliation.busy import Desk
from tests.reconciliation.tampering import add, change, change_record, drop, found, put

Plant = Callable[[Desk], str]
"""Plants a difference; the resource that it will be found of."""
PLANTED: Final[dict[str, list[Plant]]] = {}
REPAIRED: Final[set[str]] = set()


def planted(check: str, *, repaired: bool = False) -> Callable[[Plant], Plant]:
    def register(plant: Plant) -> Plant:
        PLANTED.setdefault(check, []).append(plant)
        if repaired:
            REPAIRED.add(plant.__name__)
        return plant

    return register


def record_of(desk: Desk, command: str) -> Record:
    """The last record of a command."""
    return [one for one in desk.records() if one.command == command][-1]


def order_of(desk: Desk, command: str) -> str:
    return next(event.resource for event in record_of(desk, command).events if event.resource.startswith("ord_"))


# -- The log, the accounts, and the guarded items


@planted("postings", repaired=True)
def a_record_that_was_never_folded(desk: Desk) -> str:
    desk.shop.clock.advance(seconds=1)
    desk.shop.credit(700)
    lost = record_of(desk, "issue_credit").log_id
    desk.fold(without=lost)
    return lost


@planted("postings", repaired=True)
def a_row_with_another_amount(desk: Desk) -> str:
    lost = record_of(desk, "record_payment_success").log_id
    item = found(desk.engine, "ledger", "#rows#cash:demo#KES#" + _slice(lost))
    put(desk.engine, "ledger", item | {"amount": {"N": "1"}})
    return lost


def _slice(log_id: str) -> str:
    return f"{int(log_id[-4:], 16) % 16:02d}"


@planted("postings", repaired=True)
def a_record_that_no_list_has(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")
    row = found(desk.engine, "ledger", f"#trail#of#{order}")
    drop(desk.engine, "ledger", f"#trail#of#{order}")
    log_id: str = row["sk"]["S"].split("#")[1]
    return log_id


@planted("sums", repaired=True)
def a_sum_that_is_not_of_its_rows(desk: Desk) -> str:
    add(desk.engine, "ledger", "#sums#cash:demo#KES", "", "sum", 5)
    return "cash:demo"


@planted("sums")
def a_sum_of_rows_that_are_not_there(desk: Desk) -> str:
    add(desk.engine, "ledger", "#sums#cash:demo#KES", "", "rows", 1)
    return "cash:demo"


@planted("trial_balance")
def a_sum_on_an_account_that_nobody_touched(desk: Desk) -> str:
    item = found(desk.engine, "ledger", "#sums#cash:demo#KES")
    put(desk.engine, "ledger", item | {"sk": {"S": "2026-01-01T00:00#00"}})
    return "KES"


@planted("unreadable_record")
def an_entry_that_does_not_balance(desk: Desk) -> str:
    log_id = record_of(desk, "issue_credit").log_id

    def edit(record: Any) -> None:
        record["entry"]["postings"][0]["amount"] += 1

    change_record(desk.engine, log_id, edit)
    return log_id


@planted("versions_are_told_once")
def a_record_that_tells_what_another_told(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")
    change_record(desk.engine, record_of(desk, "confirm_order").log_id, lambda it: it["events"].append(it["events"][0]))
    return order


@planted("guarded_balances")
def a_lot_that_grew(desk: Desk) -> str:
    change(desk.engine, "wallet", "wallet#cus_amina", "wallet", lambda it: _more(_lot(it, "store_credit"), "units"))
    return "wallet:store_credit:cus_amina"


@planted("liability_of_wallets")
def an_account_of_all_wallets_that_is_behind(desk: Desk) -> str:
    item = found(desk.engine, "ledger", "#sums#wallet:store_credit#KES")
    put(desk.engine, "ledger", item | {"sk": {"S": "2026-01-01T00:00#00"}})
    return "wallet:store_credit"


@planted("liability_of_wallets")
def points_that_nobody_issued(desk: Desk) -> str:
    change(desk.engine, "wallet", "wallet#cus_amina", "wallet", lambda it: _more(_lot(it, "points"), "units"))
    return "issued:points"


@planted("holds_are_of_redemptions")
def a_hold_of_a_redemption_that_never_was(desk: Desk) -> str:
    def edit(wallet: Any) -> None:
        hold_id = next(name for name in wallet["holds"] if name.startswith("red_"))
        wallet["holds"]["red_nobody"] = wallet["holds"].pop(hold_id)

    change(desk.engine, "wallet", "wallet#cus_amina", "wallet", edit)
    return "cus_amina"


@planted("redemptions_pay_what_they_say")
def a_redemption_of_more_than_its_lots(desk: Desk) -> str:
    item = found(desk.engine, "wallet", "", "redemption")
    redemption: str = item["pk"]["S"].split("#")[2]
    change(desk.engine, "wallet", redemption, "redemption", lambda it: _more(it["amount"], "amount"))
    return redemption


@planted("guarded_balances")
def a_customer_who_owes_more_than_was_posted(desk: Desk) -> str:
    def edit(account: Any) -> None:
        _more(account["standing"]["KES"], "invoiced")

    change(desk.engine, "billing", "account#cus_amina", "account", edit)
    return "receivable:customers:cus_amina"


@planted("accounts_of_customers")
def what_all_customers_owe_is_behind(desk: Desk) -> str:
    item = found(desk.engine, "ledger", "#sums#receivable:customers#KES")
    put(desk.engine, "ledger", item | {"sk": {"S": "2026-01-01T00:00#00"}})
    return "receivable:customers"


@planted("outstanding_is_what_the_documents_say")
def a_delivery_that_the_account_does_not_know(desk: Desk) -> str:
    change(desk.engine, "billing", "billables#cus_amina", "", lambda it: _more(it["net"], "amount"))
    return "cus_amina"


@planted("what_is_paid_is_what_was_allocated")
def an_invoice_that_is_paid_by_nothing(desk: Desk) -> str:
    invoice: str = found(desk.engine, "billing", "", "invoice")["pk"]["S"].split("#")[2]
    change(desk.engine, "billing", f"invoice#{invoice}", "invoice", lambda it: _more(it, "paid"))
    return "cus_amina"


@planted("what_was_received_is_unapplied_allocated_or_credit")
def a_payment_that_came_to_more(desk: Desk) -> str:
    item = found(desk.engine, "billing", "", "payment")
    payment: str = item["pk"]["S"].split("#")[2]
    change(desk.engine, "billing", f"payment#{payment}", "payment", lambda it: _more(it["amount"], "amount"))
    return "cus_amina"


@planted("items_are_billed_by_one_invoice")
def a_delivery_that_is_billed_by_nobody(desk: Desk) -> str:
    invoice: str = found(desk.engine, "billing", "", "invoice")["pk"]["S"].split("#")[2]
    item = json.loads(found(desk.engine, "billing", f"invoice#{invoice}", "invoice")["document"]["S"])["lines"][0]
    place = item["billable_id"].partition("_")[2]
    change(desk.engine, "billing", "billables#cus_amina", place, lambda it: it.update(invoice_id="inv_another"))
    return invoice


def _more(document: Any, name: str, units: int = 1) -> None:
    document[name] += units


def _lot(wallet: Any, kind: str) -> Any:
    return next(lot for lot in wallet["lots"].values() if lot["kind"] == kind)


# -- Stock


@planted("stock_adds_up", repaired=True)
def units_that_no_movement_brought(desk: Desk) -> str:
    add(desk.engine, "commerce", "stock#shirt-l#main#00", "cell", "available", 3)
    return "shirt-l"


@planted("stock_counters", repaired=True)
def units_that_are_allocated_to_no_order(desk: Desk) -> str:
    cell = found(desk.engine, "commerce", "stock#coffee#main#00", "cell")
    cell |= {"allocated": {"N": str(int(cell["allocated"]["N"]) + 1)}}
    put(desk.engine, "commerce", cell | {"available": {"N": str(int(cell["available"]["N"]) - 1)}})
    return "coffee"


@planted("movements_are_in_the_log")
def a_movement_that_the_log_does_not_tell(desk: Desk) -> str:
    change(desk.engine, "commerce", "movements#basket", "", lambda it: _more(it, "quantity"))
    return "basket"


@planted("cells_are_known")
def a_cell_that_its_product_does_not_have(desk: Desk) -> str:
    change(desk.engine, "commerce", "product#shirt-l", "product", lambda it: it["cells"].update(main=1))
    return "shirt-l"


@planted("low_stock_is_told_at_each_crossing")
def low_stock_that_nobody_was_told_of(desk: Desk) -> str:
    change(desk.engine, "commerce", "product#basket", "product", lambda it: it.update(low_stock=2, is_low=True))
    return "basket"


# -- Orders, carts, promotions


@planted("orders_add_up")
def an_order_that_costs_more_than_its_parts(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")
    change(desk.engine, "commerce", f"order#{order}", "root", lambda it: _more(it["total"], "amount"))
    return order


@planted("orders_are_what_their_parts_make_them")
def an_order_that_came_alive_again(desk: Desk) -> str:
    order = order_of(desk, "cancel_order")
    change(desk.engine, "commerce", f"order#{order}", "root", lambda it: it.update(status="CONFIRMED"))
    return order


@planted("the_ledger_tells_the_same_as_the_orders")
def a_payment_that_the_journal_does_not_know(desk: Desk) -> str:
    order = order_of(desk, "cancel_order")
    change(desk.engine, "commerce", f"order#{order}", "payment#", lambda it: it.update(status="succeeded"))
    return order


@planted("discounts_add_up")
def a_line_that_costs_more_than_its_price(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")

    def edit(share: Any) -> None:
        _more(share["lines"][0]["price"], "amount")

    change(desk.engine, "commerce", f"order#{order}", "vendor#", edit)
    return order


@planted("lines_have_their_stock")
def a_pending_order_whose_claim_is_gone(desk: Desk) -> str:
    order = order_of(desk, "checkout")
    for sku in ("shirt-l", "coffee"):
        for cell in range(4):
            try:
                item = found(desk.engine, "commerce", f"stock#{sku}#main#{cell:02d}", "cell")
            except AssertionError:
                continue
            units = sum(int(claim["M"]["n"]["N"]) for claim in item["claims"]["M"].values())
            available = {"N": str(int(item["available"]["N"]) + units)}
            put(desk.engine, "commerce", item | {"claims": {"M": {}}, "available": available})
    return order


@planted("lines_give_back_what_refunds_say")
def a_line_that_gave_more_back(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")

    def edit(refund: Any) -> None:
        _more(refund["lines"][0]["net"], "amount")

    change(desk.engine, "commerce", f"order#{order}", "refund#", edit)
    return order


@planted("tenders_give_back_what_refunds_say")
def a_tender_that_gave_more_back(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")
    change(desk.engine, "commerce", f"order#{order}", "root", lambda it: _more(it["tenders"][0], "refunded"))
    return order


@planted("refunds_are_the_sum_of_their_lines")
def a_refund_of_more_than_its_lines(desk: Desk) -> str:
    order = order_of(desk, "confirm_order")
    change(desk.engine, "commerce", f"order#{order}", "refund#", lambda it: _more(it["parts"][0]["amount"], "amount"))
    return order


@planted("uses_of_promotions_add_up")
def a_use_of_a_promotion_that_was_never_given_out(desk: Desk) -> str:
    desk.shop.run(PutPromotion("TEN", "Ten percent", Scope.ORDER, 1000, uses_max=30))
    desk.fold()
    add(desk.engine, "commerce", "stock#TEN#:promotion#00", "cell", "available", 1)
    return "TEN"


@planted("carts_have_what_they_reserved")
def a_cart_whose_reservation_is_gone(desk: Desk) -> str:
    shop = desk.shop
    cart: str = shop.run(OpenCart("KES"), shop.customer())["id"]
    shop.run(PutCartLine(cart, "basket", 1, reserve=True), shop.customer())
    desk.fold()
    item = found(desk.engine, "commerce", "stock#basket#main#00", "cell")
    available = {"N": str(int(item["available"]["N"]) + 1)}
    put(desk.engine, "commerce", item | {"claims": {"M": {}}, "available": available})
    return cart


@planted("carts_become_one_order")
def a_cart_that_became_nothing(desk: Desk) -> str:
    item = found(desk.engine, "commerce", "", "cart")
    cart: str = item["pk"]["S"].split("#")[2]
    change(desk.engine, "commerce", f"cart#{cart}", "cart", lambda it: it.update(order_id=None))
    return cart


ALL: Final = [(check, plant) for check, plants in PLANTED.items() for plant in plants]
FOR_PEOPLE: Final = [(check, plant) for check, plant in ALL if plant.__name__ not in REPAIRED]


@pytest.mark.parametrize("third", range(3))
def test_each_is_found_and_explained(desk: Desk, third: int) -> None:
    """Several at once, so that none hides another."""
    planted = {plant.__name__: (check, plant(desk)) for check, plant in FOR_PEOPLE[third::3]}
    report = desk.reconcile()
    findings = desk.findings(report)
    for check, resource in planted.values():
        finding = the(findings, check, resource)
        assert finding.severity is Severity.ALARM
        assert finding.says
        assert finding.evidence
        assert report.by_check[check] >= 1


@pytest.mark.parametrize(
    ("check", "plant"),
    [(check, plant) for check, plant in ALL if plant.__name__ in REPAIRED],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_it_is_found_and_repaired(desk: Desk, check: str, plant: Plant) -> None:
    resource = plant(desk)
    report = desk.reconcile()
    finding = the(desk.findings(report), check, resource)
    assert finding.repair
    desk.repair(report, finding)
    assert desk.found() == []


def the(findings: list[FindingView], check: str, resource: str) -> FindingView:
    """The one finding of a check about a resource."""
    [one] = [one for one in findings if (one.check, one.resource) == (check, resource)] or [None]
    assert one is not None, f"found are {[(one.check, one.resource) for one in findings]}"
    return one


def test_a_light_one_finds_what_was_planted_a_moment_ago(desk: Desk) -> None:
    lost = a_record_that_was_never_folded(desk)
    assert [one.resource for one in desk.found(Kind.LIGHT) if one.check == "postings"] == [lost]
