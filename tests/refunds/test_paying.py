"""How money goes back: each part once, whatever the provider says and whoever dies; and goods once as well."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import pytest
from cauri.inventory.claims import Claims
from cauri.money import Money
from cauri.orders.model import CancelReason, OrderStatus
from cauri.payments.model import PaymentStatus
from cauri.providers.ports import (
    Declined,
    KnownRefund,
    RefundAnswer,
    RefundCall,
    Refunded,
    RefundNeedsAttention,
    RefundPending,
    Unknown,
)
from cauri.refunds.commands import ApproveRefund, RejectRefund, RequestRefund
from cauri.refunds.model import (
    ApprovalNeedsAnother,
    Asked,
    ChargeBusy,
    IllegalRefundChange,
    LineAsked,
    MoneyBackNeedsCustomer,
    MoneyMayHaveMoved,
    OrderNotRefundable,
    Refund,
    RefundStatus,
    UnknownRefund,
)
from cauri.refunds.paying import SendRefundPart, by_system, pay_part
from cauri.refunds.resolving import ResolveRefund, Way
from cauri.refunds.saga import RefundSaga
from cauri.refunds.store import REFUNDS, load_refund

from tests.proof import state
from tests.proof.examples.refunds import a_refund, a_request, a_sold_order, finance
from tests.proof.examples.worlds import a_confirmed_order, an_order
from tests.proof.faults import FAULTS, Died, Script
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.proof.worlds import World, crash_points
from tests.shop import Shop

STEPS_MAX = 40


@pytest.fixture(autouse=True)
def everything_adds_up(shop: Shop) -> Any:
    yield
    assert differences(picture(state.items(), shop.clock())) == []


def refund_of(shop: Shop, refund_id: str) -> Refund:
    return load_refund(shop.database, shop.tenant, refund_id)[1]


def beginning(shop: Shop, refund_id: str) -> dict[str, Any]:
    """What the state machine passes to the first step."""
    return {"tenant": shop.tenant, "refund_id": refund_id, "waits": 0, "watch": shop.watch(refund_id)}


def run(shop: Shop, refund_id: str, saga: RefundSaga | None = None) -> list[int]:
    """Play the saga as its definition has it, to its end; how long it waited, each time."""
    saga = saga or RefundSaga(shop.books)
    payload = beginning(shop, refund_id)
    waits = []
    for _ in range(STEPS_MAX):
        paid = saga.pay_back(payload)
        payload |= {"waits": paid["waits"], "watch": paid["watch"]}
        if paid["next"] == "later":
            waits.append(paid["wait_seconds"])
            shop.clock.advance(seconds=paid["wait_seconds"])
        elif paid["next"] != "again":
            if paid["next"] == "restock":
                saga.restock(payload)
            return waits
    raise AssertionError("it goes round in circles")


def reference(refund_id: str) -> str:
    return f"{refund_id}-1"


# -- As it should be


def test_each_tender_gives_back_its_part_and_the_goods_are_for_sale_again(shop: Shop) -> None:
    refund_id = a_refund(shop, wallet=10_000, restock=True)
    order_id = refund_of(shop, refund_id).order_id
    available = sum(cell.available for cell in shop.cells("shirt-l"))
    run(shop, refund_id)
    tree, refund = load_refund(shop.database, shop.tenant, refund_id)
    assert refund.status is RefundStatus.SUCCEEDED
    assert [payment.status for payment in tree.payments] == [PaymentStatus.REFUNDED]
    assert shop.worth() == (16_000, 0)
    assert sum(cell.available for cell in shop.cells("shirt-l")) == available + 2
    assert sum(cell.allocated for cell in shop.cells("shirt-l")) == 0
    assert (tree.order.status, tree.order.cancel_reason) == (OrderStatus.CANCELLED, CancelReason.REFUNDED)
    run(shop, refund_id)
    assert sum(cell.available for cell in shop.cells("shirt-l")) == available + 2, "the second time changes nothing"
    assert shop.tree(order_id).order.version == tree.order.version


def test_what_is_not_put_back_stays_the_buyers(shop: Shop) -> None:
    refund_id = a_refund(shop, lines=(LineAsked("2", 1),))
    run(shop, refund_id)
    tree, _ = load_refund(shop.database, shop.tenant, refund_id)
    assert tree.order.status is OrderStatus.CONFIRMED
    assert sum(cell.allocated for cell in shop.cells("shirt-l")) == 2


def test_goods_that_the_orders_saga_did_not_settle_yet_come_back_once(shop: Shop) -> None:

    order_id = a_confirmed_order(shop)
    claims, parts = Claims(shop.database, shop.tenant), shop.tree(order_id).parts
    claims.keep(parts)
    refund_id = shop.run(RequestRefund(order_id, Asked(restock=True), "Damaged"))["id"]
    run(shop, refund_id)
    claims.allocate(parts)  # the order's saga, late
    cells = shop.cells("shirt-l")
    assert (sum(cell.available for cell in cells), sum(cell.allocated + cell.reserved for cell in cells)) == (50, 0)


# -- What providers say


def test_an_unknown_refund_is_asked_about_on_the_ladder_and_never_repeated_blindly(shop: Shop) -> None:
    refund_id = a_refund(shop)
    charge = refund_of(shop, refund_id).parts[0].payment_id or ""
    shop.provider.refund_answer = Unknown("a timeout")
    sent = _count_refund_calls(shop)
    shop.provider.known[charge] = {}
    saga = RefundSaga(shop.books)
    payload = beginning(shop, refund_id)
    asked = saga.pay_back(payload)
    assert asked == {"next": "later", "wait_seconds": 5, "waits": 0, "watch": payload["watch"]}
    assert len(sent) == 1
    pending = RefundPending(Money(1, "KES"), "rfd-x")
    shop.provider.known[charge] = {reference(refund_id): KnownRefund(reference(refund_id), Money(1, "KES"), pending)}
    shop.clock.advance(seconds=5)
    waits = run(shop, refund_id)
    assert len(sent) == 1, "the provider knows of it: it is not asked to refund again"
    assert waits[:4] == [60, 300, 3600, 86_400]
    assert refund_of(shop, refund_id).status is RefundStatus.NEEDS_ATTENTION, "after five days people look"


def test_a_refund_that_the_provider_knows_nothing_of_is_sent_again_when_the_first_call_is_surely_over(
    shop: Shop,
) -> None:
    refund_id = a_refund(shop)
    shop.provider.refund_answer = Unknown("the connection was refused")
    sent = _count_refund_calls(shop)
    saga = RefundSaga(shop.books)
    payload = beginning(shop, refund_id)
    saga.pay_back(payload)
    shop.clock.advance(seconds=5)
    shop.provider.refund_answer = None
    assert saga.pay_back(payload)["next"] == "later", "whoever sent it may still be at it"
    assert len(sent) == 1
    shop.clock.advance(seconds=30)
    run(shop, refund_id)
    assert (len(sent), refund_of(shop, refund_id).status) == (2, RefundStatus.SUCCEEDED)


def test_a_pending_refund_that_fails_in_the_end_reverses_everything(shop: Shop) -> None:
    refund_id = a_refund(shop)
    charge = refund_of(shop, refund_id).parts[0].payment_id or ""
    _says(shop, refund_id, charge, RefundPending(Money(1, "KES"), "rfd-x"))
    shop.provider.refund_answer = RefundPending(Money(1, "KES"), "rfd-x")
    saga = RefundSaga(shop.books)
    saga.pay_back(beginning(shop, refund_id))
    _says(shop, refund_id, charge, Declined("account_closed"))
    shop.clock.advance(seconds=5)
    run(shop, refund_id)
    tree, refund = load_refund(shop.database, shop.tenant, refund_id)
    assert refund.status is RefundStatus.FAILED
    assert tree.payments[0].refunding is None
    assert all(tender.refunded == 0 for tender in tree.order.tenders)
    again = shop.run(RequestRefund(tree.order.id, Asked(), "Damaged"))["id"]
    shop.provider.refund_answer = None
    run(shop, again)
    assert refund_of(shop, again).status is RefundStatus.SUCCEEDED


def test_a_provider_that_gave_back_another_amount_needs_people(shop: Shop) -> None:
    refund_id = a_refund(shop)
    shop.provider.refund_answer = Refunded(Money(1, "KES"), "rfd-x", shop.clock())
    run(shop, refund_id)
    refund = refund_of(shop, refund_id)
    assert (refund.status, refund.parts[0].reason) == (RefundStatus.NEEDS_ATTENTION, "the provider says KES 0.01")


def test_what_needs_attention_goes_on_when_the_provider_found_a_way(shop: Shop) -> None:
    refund_id = a_refund(shop)
    charge = refund_of(shop, refund_id).parts[0].payment_id or ""
    stuck = RefundNeedsAttention(Money(1, "KES"), "rfd-x", "no bank account")
    shop.provider.refund_answer = stuck
    run(shop, refund_id)
    assert refund_of(shop, refund_id).status is RefundStatus.NEEDS_ATTENTION
    with pytest.raises(MoneyMayHaveMoved):
        shop.answer(ResolveRefund(refund_id, Way.TO_WALLET), finance(shop))
    shop.provider.refund_answer = None
    done = shop.provider.refund(_call(shop, refund_id, charge))
    _says(shop, refund_id, charge, done)  # type: ignore[arg-type]
    shop.run(ResolveRefund(refund_id, Way.AGAIN), finance(shop))
    run(shop, refund_id)
    assert refund_of(shop, refund_id).status is RefundStatus.SUCCEEDED


def test_what_was_declined_is_another_refund_to_the_provider_when_people_try_again(shop: Shop) -> None:
    refund_id = a_refund(shop, wallet=10_000)
    charge = refund_of(shop, refund_id).parts[1].payment_id or ""
    shop.provider.refund_answer = Declined("account_closed")
    run(shop, refund_id)
    shop.provider.refund_answer = None
    failed = KnownRefund(f"{refund_id}-2", Money(1, "KES"), Declined("account_closed"))
    shop.provider.known[charge] = {failed.reference: failed}
    shop.run(ResolveRefund(refund_id, Way.AGAIN), finance(shop))
    run(shop, refund_id)
    assert refund_of(shop, refund_id).status is RefundStatus.SUCCEEDED
    assert list(shop.provider.refunds) == [f"{refund_id}-2r2"]


@pytest.mark.parametrize("way", [Way.TO_WALLET, Way.OUTSIDE])
def test_what_the_provider_declines_can_go_another_way(shop: Shop, way: Way) -> None:
    refund_id = a_refund(shop, wallet=10_000)
    shop.provider.refund_answer = Declined("too_old")
    run(shop, refund_id)
    refund = refund_of(shop, refund_id)
    assert refund.status is RefundStatus.NEEDS_ATTENTION, "the wallet has its part: it is no failure any more"
    shop.run(ResolveRefund(refund_id, way), finance(shop))
    run(shop, refund_id)
    assert refund_of(shop, refund_id).status is RefundStatus.SUCCEEDED
    back = refund.parts[1].amount.amount if way is Way.TO_WALLET else 0
    assert shop.worth() == (16_000 + back, 0)


def test_a_guests_money_does_not_go_to_a_wallet(shop: Shop) -> None:

    refund_id = a_refund(shop)
    shop.provider.refund_answer = RefundNeedsAttention(Money(1, "KES"), "rfd-x", "no bank account")
    run(shop, refund_id)
    shop.database.transact([REFUNDS.write(replace(refund_of(shop, refund_id), customer_id=None))])
    with pytest.raises(MoneyBackNeedsCustomer):
        shop.answer(ResolveRefund(refund_id, Way.TO_WALLET), finance(shop))


# -- Side by side


def test_refunds_of_one_charge_go_out_one_by_one(shop: Shop) -> None:
    first = a_refund(shop, amount=Money(500, "KES"))
    order_id = refund_of(shop, first).order_id
    second = shop.run(RequestRefund(order_id, Asked(amount=Money(700, "KES")), "Damaged"))["id"]
    shop.run(SendRefundPart(first, 0), by_system(shop.tenant))
    with pytest.raises(ChargeBusy):
        shop.answer(SendRefundPart(second, 0), by_system(shop.tenant))
    saga = RefundSaga(shop.books)
    waiting = saga.pay_back(beginning(shop, second) | {"waits": 3})
    assert (waiting["next"], waiting["wait_seconds"], waiting["waits"]) == ("later", 40, 4)
    shop.clock.advance(minutes=1)
    run(shop, first)
    run(shop, second)
    assert {refund_of(shop, one).status for one in (first, second)} == {RefundStatus.SUCCEEDED}
    assert shop.tree(order_id).payments[0].given_back == 1_200


def test_twins_of_a_step_ask_the_provider_once(shop: Shop) -> None:
    refund_id = a_refund(shop)
    sent = _count_refund_calls(shop)
    tree, seen = load_refund(shop.database, shop.tenant, refund_id)

    pay_part(shop.books, tree, seen, 0)
    with pytest.raises(ChargeBusy):
        pay_part(shop.books, tree, seen, 0)
    assert len(sent) == 1


# -- Approval


def test_over_the_limit_a_second_person_approves(shop: Shop) -> None:
    refund_id = a_request(shop)
    assert refund_of(shop, refund_id).status is RefundStatus.REQUESTED
    with pytest.raises(ApprovalNeedsAnother):
        shop.answer(ApproveRefund(refund_id))
    shop.run(ApproveRefund(refund_id), finance(shop))
    run(shop, refund_id)
    assert refund_of(shop, refund_id).status is RefundStatus.SUCCEEDED
    with pytest.raises(IllegalRefundChange):
        shop.answer(RejectRefund(refund_id, "Too late"), finance(shop))


def test_a_request_comes_to_what_is_left_when_it_is_approved(shop: Shop) -> None:
    waiting = a_request(shop)
    order_id = refund_of(shop, waiting).order_id
    run(shop, shop.run(RequestRefund(order_id, Asked(amount=Money(900, "KES")), "Goodwill"))["id"])
    before = refund_of(shop, waiting).amount
    shop.run(ApproveRefund(waiting), finance(shop))
    assert refund_of(shop, waiting).amount == before - Money(900, "KES")


def test_a_rejected_request_leaves_everything_to_give_back(shop: Shop) -> None:
    refund_id = a_request(shop)
    shop.run(RejectRefund(refund_id, "It is whole"), finance(shop))
    order_id = refund_of(shop, refund_id).order_id
    assert shop.tree(order_id).order.tenders[0].refunded == 0


def test_an_order_that_was_never_sold_is_not_refunded(shop: Shop) -> None:
    with pytest.raises(OrderNotRefundable):
        shop.answer(RequestRefund(an_order(shop), Asked(), "Damaged"))


def test_a_refund_that_is_not_there_is_unknown(shop: Shop) -> None:
    order_id = a_sold_order(shop)
    for refund_id in ("rfd_nothing-1", f"rfd_{order_id.removeprefix('ord_')}-7"):
        with pytest.raises(UnknownRefund):
            shop.answer(ApproveRefund(refund_id), finance(shop))


# -- Crashes


def test_whatever_dies_or_gives_no_answer_at_any_call_the_money_goes_back_once(shop: Shop) -> None:
    """The saga's steps, each failing at each call it makes; then they are called again, as the state machine does."""
    refund_id = a_refund(shop, wallet=10_000, restock=True)
    world = World(shop, lambda books: b"")
    clean = Script()
    run(shop, refund_id, RefundSaga(world.process(clean)))
    amount = shop.provider.refunds[f"{refund_id}-2"]
    points = 0
    for script in crash_points(clean, FAULTS):
        world.reset()
        try:
            run(shop, refund_id, RefundSaga(world.process(script)))
        except (Died, Exception):  # noqa: BLE001 - the state machine calls again, whatever it was
            shop.clock.advance(seconds=1)
        sagas = functools.partial(RefundSaga, world.process())
        run(shop, refund_id, sagas())
        assert refund_of(shop, refund_id).status is RefundStatus.SUCCEEDED, script.fault
        assert shop.provider.refunds == {f"{refund_id}-2": amount}
        assert refund_of(shop, refund_id).to_restock == []
        assert differences(picture(state.items(), shop.clock())) == []
        points += 1
    assert points > 60


def _count_refund_calls(shop: Shop) -> list[str]:
    calls: list[str] = []
    refund = shop.provider.refund

    def counted(call: Any) -> RefundAnswer:
        calls.append(call.reference)
        return refund(call)

    shop.provider.refund = counted  # type: ignore[method-assign]
    return calls


def _says(shop: Shop, refund_id: str, charge: str, outcome: Any) -> None:
    known = KnownRefund(reference(refund_id), Money(1, "KES"), outcome)
    shop.provider.known[charge] = {reference(refund_id): known}


def _call(shop: Shop, refund_id: str, charge: str) -> Any:

    return RefundCall(shop.tenant, reference(refund_id), charge, refund_of(shop, refund_id).amount)
