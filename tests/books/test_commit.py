"""One command, one commit, one answer: whenever and however often it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from cauri.books import log, work
from cauri.books.caller import Caller
from cauri.books.commit import (
    ATTEMPTS_MAX,
    Books,
    Contended,
    IdempotencyKeyReused,
    StepCommitted,
    StepUndone,
    full_jitter,
)
from cauri.books.database import Database
from cauri.books.ledger import RECEIVABLE, cash_at, credit, debit, entry
from cauri.books.log import ANSWER_BYTES_MAX, log_id_of
from cauri.books.plan import Plan
from cauri.books.work import Command, Work
from cauri.errors import ContendedError, Refusal, UnavailableError
from cauri.money import Money
from cauri.orders.commands import CancelOrder
from cauri.orders.model import CancelReason
from cauri.parties.commands import PutTenant, PutVendor
from cauri.parties.model import Vendor
from cauri.wallet.accounts import LOYALTY
from cauri.wallet.issuing import IssueCredit
from cauri.wallet.lots import Kind
from cauri.wallet.programme import NoProgramme

from tests.engines import Engine
from tests.proof.examples.worlds import KEY, a_paid_order, confirmation, saga
from tests.proof.faults import OwnDatabase
from tests.proof.picture import read_everything
from tests.shop import Shop, no_pause


def issue(amount: int) -> IssueCredit:
    return IssueCredit("cus_amina", Kind.STORE_CREDIT, Money(amount, "KES"), "goodwill")


ISSUE = issue(5_000)


def available(shop: Shop) -> int:
    return shop.worth()[0]


# -- The key


def test_the_same_key_gives_the_same_answer_and_one_effect(shop: Shop) -> None:
    shop.furnish().programme()
    first = shop.answer(ISSUE, key="k")
    again = shop.answer(ISSUE, key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.body == first.body
    assert available(shop) == 5_000


def test_the_first_answer_lasts_though_the_world_moves_on(shop: Shop) -> None:
    shop.furnish().programme()
    first = shop.answer(ISSUE, key="k")
    shop.clock.advance(days=400)
    shop.fund(700)
    assert shop.answer(ISSUE, key="k").body == first.body


def test_a_key_stands_for_one_input(shop: Shop) -> None:
    shop.furnish().programme()
    shop.answer(ISSUE, key="k")
    others: list[Command] = [issue(5_001), PutVendor("ven_x", "X", "KE", 1)]
    for other in others:
        with pytest.raises(IdempotencyKeyReused) as refusal:
            shop.answer(other, key="k")
        assert refusal.value.detail() == "The Idempotency-Key 'k' was used for another request."
    assert available(shop) == 5_000


def test_keys_are_scoped_to_tenant_and_caller(shop: Shop, engine: Engine) -> None:
    other = Shop(shop.database, tenant="duka")
    for each in (shop, other):
        each.furnish().programme()
        each.answer(ISSUE, key="k")
    colleague = Caller(shop.tenant, "usr_colleague", frozenset({"finance"}))
    assert shop.answer(ISSUE, colleague, key="k").replayed is False
    assert available(shop) == 10_000
    assert available(other) == 5_000


def test_a_refusal_leaves_no_trace_and_may_be_retried(shop: Shop, engine: Engine) -> None:
    with pytest.raises(NoProgramme):
        shop.answer(ISSUE, key="k")
    assert not any(read_everything(engine).values())
    shop.furnish().programme()
    assert shop.answer(ISSUE, key="k").replayed is False


def test_a_dry_run_answers_and_does_nothing(shop: Shop, engine: Engine) -> None:
    shop.furnish().programme()
    before = read_everything(engine)
    would_be = shop.answer(ISSUE, key="k", dry_run=True)
    assert read_everything(engine) == before
    done = shop.answer(ISSUE, key="k")
    assert done.body == would_be.body
    assert done.replayed is False


# -- The record


def test_a_record_says_who_when_from_where_and_what(shop: Shop, engine: Engine) -> None:
    shop.furnish().programme()
    shop.answer(ISSUE, key="k")
    key = log.key_of(shop.tenant, log_id_of(shop.tenant, shop.admin.subject, "k"))
    done = shop.database.look_up(key)
    assert done is not None
    record = done.record
    assert (record.caller, record.ip, record.at, record.command) == (
        "usr_admin",
        "192.0.2.1",
        shop.clock(),
        "issue_credit",
    )
    assert record.entry == entry(
        "issued", credit("wallet:store_credit:cus_amina", ISSUE.value, 5_000), debit(LOYALTY, ISSUE.value)
    )
    assert [(event.name, event.resource, event.version) for event in record.events] == [
        ("wallet.issued", "cus_amina", 1)
    ]


def test_a_plan_has_one_entry() -> None:
    plan = Plan("answer").post(None).post(entry("x", *_pair(5)))
    with pytest.raises(ValueError, match="one entry"):
        plan.post(entry("y", *_pair(5)))


def _pair(amount: int) -> tuple[Any, Any]:
    money = Money(amount, "KES")
    return debit(RECEIVABLE, money), credit(cash_at("demo"), money)


@dataclass(frozen=True)
class Babble(Command):
    """A command that answers more than a record holds."""

    name: ClassVar = "babble"
    words: list[str] = field(default_factory=list)


def test_an_answer_has_an_end(shop: Shop, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(work.DECISIONS, Babble, lambda command, work: Plan(command.words))
    noise = [f"{number * 7919 % 1_000_003:x}" for number in range(200_000)]
    with pytest.raises(ValueError, match=f"more than a record holds|{ANSWER_BYTES_MAX}"):
        shop.answer(Babble(noise))
    assert read_everything(engine)["log"] == []
    assert shop.answer(Babble(["word"] * 40_000)).replayed is False, "it is compressed"


# -- Races, and databases that do not answer


class Troubled(OwnDatabase):
    """Its transactions always end in the same way."""

    def __init__(self, origin: Database, *endings: Exception) -> None:
        super().__init__(origin)
        self._endings = list(endings)
        self.tried = 0

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            self.tried += 1
            raise self._endings[min(self.tried, len(self._endings)) - 1]
        return super().send(operation, request)


def conflict() -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    }
    return ClientError(response, "TransactWriteItems")


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "TransactWriteItems")


def run_on(database: Database, shop: Shop, **more: Any) -> None:
    Books(database, shop.clock, pause=no_pause, **more).run(ISSUE, shop.admin, "k")


def test_who_always_loses_hears_that_nothing_moved(shop: Shop) -> None:
    database = Troubled(shop.furnish().programme().database, conflict())
    with pytest.raises(Contended):
        run_on(database, shop)
    assert database.tried == ATTEMPTS_MAX
    assert available(shop) == 0


def test_who_got_no_answer_once_hears_that_nobody_knows(shop: Shop) -> None:
    """Even if all other attempts surely changed nothing: the one without an answer may have."""
    with pytest.raises(UnavailableError):
        run_on(Troubled(shop.furnish().programme().database, throttled(), conflict()), shop)


def test_the_time_for_attempts_ends(shop: Shop) -> None:
    database = Troubled(shop.furnish().programme().database, conflict())
    with pytest.raises(Contended):
        run_on(database, shop, seconds_max=-1.0)
    assert database.tried == 1


def test_pauses_grow_and_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("cauri.books.commit.time.sleep", slept.append)
    for attempt in range(ATTEMPTS_MAX):
        for _ in range(50):
            full_jitter(attempt)
        most = min(1.0, 0.030 * 2**attempt)
        assert 0 <= min(slept) <= max(slept) < most
        assert max(slept) > most / 2, "it is full jitter, and no fixed pause"
        slept.clear()


def test_a_malformed_transaction_is_an_error_of_ours_and_is_not_tried_again(shop: Shop) -> None:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": "ValidationError", "Message": "too large"}],
    }
    database = Troubled(shop.furnish().programme().database, ClientError(response, "TransactWriteItems"))
    with pytest.raises(ValueError, match="too large"):
        run_on(database, shop)
    assert database.tried == 1


# -- Saves that say what a lost race means


@dataclass(frozen=True)
class Clash(Command):
    """Saves a vendor as if it were new."""

    name: ClassVar = "clash"


@dataclass
class Taken(Refusal):
    code: ClassVar[str] = "taken"

    def detail(self) -> str:
        return "Taken."


def test_a_lost_race_that_means_a_refusal_is_not_run_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    times = []

    def clash(command: Clash, work: Work) -> Plan:
        times.append(1)
        return Plan("done").save(Vendor(work.tenant, "ven_kazi", "", "KE", 0), otherwise=Taken())

    monkeypatch.setitem(work.DECISIONS, Clash, clash)
    with pytest.raises(Taken):
        shop.furnish().answer(Clash())
    assert len(times) == 1


# -- Steps, and their undoing


def undo(order_id: str) -> CancelOrder:
    return CancelOrder(order_id, "cus_amina", CancelReason.NOT_FULFILLABLE, (KEY,))


def test_a_step_that_was_undone_can_not_commit_any_more(shop: Shop) -> None:
    order_id = a_paid_order(shop)
    confirm = confirmation(shop, order_id)
    shop.answer(undo(order_id), saga(shop), "undo")
    with pytest.raises(StepUndone):
        shop.answer(confirm, saga(shop), KEY)


def test_a_step_that_committed_is_followed_and_not_undone(shop: Shop) -> None:
    order_id = a_paid_order(shop)
    command, key = undo(order_id), KEY
    shop.answer(PutTenant("Soko", demo=True), saga(shop), key)
    with pytest.raises(StepCommitted):
        shop.answer(command, saga(shop), "undo")
    assert shop.tree(order_id).order.cancel_reason is None


def test_undoing_again_what_another_undo_had_forbidden(shop: Shop) -> None:
    order_id = a_paid_order(shop)
    other = a_second_order(shop)
    shop.answer(undo(order_id), saga(shop), "undo")
    shop.answer(CancelOrder(other, "cus_amina", CancelReason.NOT_FULFILLABLE, (KEY, "more")), saga(shop), "undo-2")
    assert shop.tree(other).order.cancel_reason is CancelReason.NOT_FULFILLABLE


def a_second_order(shop: Shop) -> str:
    order_id: str = shop.checkout(cart_id=shop.cart(shirt_l=1))["order"]["id"]
    return order_id


def test_contended_is_no_refusal_of_a_rule() -> None:
    assert not issubclass(ContendedError, Refusal)
    assert Contended().suggestion() == "Send the same request again, under the same key."
