"""Billing against a model of it that keeps no figure: only documents, and who gave how much to what.

Hypothesis chooses what staff of a biller do with two customers' deliveries, invoices, payments and credits in two
currencies, and which process dies at which call. What the model expects to be refused is refused, with the same words;
what is owed is what its documents come to; every payment is unapplied, allocated or credit, to the last unit; and every
invariant holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from cauri.billing.allocating import AllocatePayment, ChangePayment, Mode, RollBackAllocations
from cauri.billing.commands import CancelBillable, PutBillingRules, RecordDelivery, RecordOpeningBalance, RecordSale
from cauri.billing.crediting import ApplyCredit, TakeCreditOff, WriteOff
from cauri.billing.invoicing import (
    CREDITS_MAX,
    CreateInvoice,
    DeleteInvoice,
    InvoicePeriod,
    IssueInvoice,
    RecoverInvoice,
    VoidInvoice,
)
from cauri.billing.model import Priced, Rules
from cauri.billing.payments import OPENING, Meant, Surplus
from cauri.billing.receiving import CreditPayment, DeletePayment, ReceivePayment
from cauri.billing.store import account_key
from cauri.books.commit import Books
from cauri.books.work import Command
from cauri.errors import Refusal
from cauri.money import Money
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.engines import Engine
from tests.proof import state
from tests.proof.faults import FAULTS, Died, Script, ScriptedDatabase
from tests.proof.invariants import differences
from tests.proof.picture import picture
from tests.shop import START, Shop, no_pause

T = TypeVar("T")
Party = tuple[str, str]
"""A customer, and a currency in which it owes."""
AMINA: Final = ("cus_amina", "KES")
PARTIES: Final = [AMINA, ("cus_amina", "USD"), ("cus_brian", "KES")]
PERIODS: Final = [(date(2026, 10, 1), date(2026, 10, 9)), (date(2026, 10, 5), date(2026, 10, 14))]
WRITE_OFF_MAX: Final = 9
DEATHS: Final = [fault for fault in FAULTS if fault.kills]


@dataclass
class Item:
    id: str
    party: Party
    day: date
    total: int
    invoice: str | None = None
    is_cancelled: bool = False

    @property
    def is_pending(self) -> bool:
        return self.invoice is None and not self.is_cancelled


@dataclass
class Bill:
    id: str
    party: Party
    total: int
    due: date
    status: str
    items: list[Item] = field(default_factory=list)
    period: tuple[date, date] | None = None
    was: str = ""
    written_off: int = 0


@dataclass
class Receipt:
    id: str
    party: Party
    amount: int
    credited: int = 0


@dataclass
class Share:
    """What a payment gives a target, and what of it became a credit."""

    id: str
    receipt: str
    target: str
    amount: int
    credit: str | None
    credited: int


@dataclass
class Piece:
    id: str
    party: Party
    amount: int


@dataclass
class Use:
    id: str
    credit: str
    bill: str
    amount: int


@dataclass
class Model:
    opened: dict[Party, int] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    bills: dict[str, Bill] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    shares: list[Share] = field(default_factory=list)
    pieces: dict[str, Piece] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    periods: dict[tuple[Party, date, date], tuple[list[str], bool]] = field(default_factory=dict)
    """The invoices of a period, and whether nothing of it is left to bill."""

    def paid(self, target: str) -> int:
        given = sum(share.amount for share in self.shares if share.target == target)
        return given + sum(use.amount for use in self.uses if use.bill == target)

    def open(self, target: str) -> int | str:
        """What is open, or the refusal of whoever means to pay it."""
        bill = self.bills[target]
        if bill.status != "open":
            return "invoice_not_open"
        return bill.total - self.paid(target) - bill.written_off

    def open_before(self, party: Party) -> int:
        opening = sum(share.amount for share in self.shares_of(party) if share.target == OPENING)
        return self.opened.get(party, 0) - opening

    def shares_of(self, party: Party) -> list[Share]:
        return [share for share in self.shares if self.receipts[share.receipt].party == party]

    def left_of(self, receipt: Receipt) -> int:
        shares = [share for share in self.shares if share.receipt == receipt.id]
        return receipt.amount - receipt.credited - sum(share.amount + share.credited for share in shares)

    def left_in(self, piece: Piece) -> int:
        return piece.amount - sum(use.amount for use in self.uses if use.credit == piece.id)

    def credit(self, party: Party) -> int:
        return sum(self.left_in(piece) for piece in self.pieces.values() if piece.party == party)

    def standing(self, party: Party) -> tuple[int, int, int, int, int]:
        bills = [bill for bill in self.bills.values() if bill.party == party and bill.status == "open"]
        pending = [item.total for item in self.items.values() if item.party == party and item.is_pending]
        receipts = [receipt for receipt in self.receipts.values() if receipt.party == party]
        return (
            self.open_before(party),
            sum(bill.total - self.paid(bill.id) - bill.written_off for bill in bills),
            sum(pending),
            sum(self.left_of(receipt) for receipt in receipts),
            self.credit(party),
        )

    def due(self, party: Party) -> list[tuple[str, int]]:
        """What is open, in the order in which it is to be paid."""
        bills = [bill for bill in self.bills.values() if bill.party == party and bill.status == "open"]
        bills.sort(key=lambda bill: (bill.due, bill.id))
        opens = [(bill.id, bill.total - self.paid(bill.id) - bill.written_off) for bill in bills]
        return [(target, units) for target, units in [(OPENING, self.open_before(party)), *opens] if units]

    def from_credit(self, party: Party, amount: int, pieces_max: int) -> list[tuple[str, int]]:
        """The oldest credits, as far as they go."""
        uses = []
        pieces = [piece for piece in self.pieces.values() if piece.party == party and self.left_in(piece)]
        for piece in sorted(pieces, key=lambda piece: piece.id)[:pieces_max]:
            share = min(amount, self.left_in(piece))
            uses += [(piece.id, share)] if share else []
            amount -= share
        return uses


units = st.integers(1, 60)
parties = st.sampled_from([AMINA, AMINA, *PARTIES])
faults = st.one_of(st.none(), st.tuples(st.integers(0, 3), st.sampled_from(DEATHS)))
some = st.one_of(st.none(), units)
wishes = st.lists(st.tuples(st.integers(0, 99), st.sampled_from([30, 60, 100, 100, 130])), min_size=1, max_size=3)
"""Whom something is meant for, by chance; and how much, in percent of what is open."""


class BillingMachine(RuleBasedStateMachine):
    shop: Shop
    start: state.Snapshot

    def __init__(self) -> None:
        super().__init__()
        self.start.restore()
        self.shop.clock.now = START
        self.model = Model()
        self.keys = 0

    def run(self, command: Command, fault: Any = None) -> Any:
        """What the command answers, or the code of its refusal: by one process, or by the one after it if it dies."""
        self.keys += 1
        shop, key = self.shop, f"step-{self.keys}"
        for script in (Script(*fault) if fault else Script(), Script()):
            books = Books(ScriptedDatabase(shop.database, script), shop.clock, pause=no_pause)
            try:
                return json.loads(books.run(command, shop.admin, key).body)
            except Refusal as refusal:
                return refusal.code
            except Died:
                continue
        raise AssertionError("nobody dies twice")

    def refused(self, command: Command, code: str | None, fault: Any) -> Any:
        """What the command answers; None, once it was refused as the model wants it."""
        said = self.run(command, fault)
        if code is None:
            assert not isinstance(said, str), said
            return said
        assert said == code
        return None

    @initialize(uses_credit=st.booleans(), opened=units, days=st.lists(st.integers(1, 14), min_size=2, max_size=4))
    def begin(self, uses_credit: bool, opened: int, days: list[int]) -> None:
        most = dict.fromkeys(("KES", "USD"), WRITE_OFF_MAX)
        self.uses_credit = uses_credit
        self.run(PutBillingRules(Rules("", write_off_max=most, apply_credit=uses_credit)))
        self.open_with(AMINA, opened, None)
        for day in days:
            self.record(AMINA, day, 10 * day, False, None)
            self.make(AMINA, 5 * day, 30 - day, False, None)
            self.receive(AMINA, 15 * day, None)

    @rule(days=st.sampled_from([1, 20, 40]))
    def let_time_pass(self, days: int) -> None:
        self.shop.clock.advance(days=days)

    # -- What is owed

    @rule(party=parties, amount=units, fault=faults)
    def open_with(self, party: Party, amount: int, fault: Any) -> None:
        known = "opening_balance_set" if party in self.model.opened else None
        if self.refused(RecordOpeningBalance(party[0], Money(amount, party[1])), known, fault):
            self.model.opened[party] = amount

    @rule(party=parties, day=st.integers(1, 14), price=units, is_sale=st.booleans(), fault=faults)
    def record(self, party: Party, day: int, price: int, is_sale: bool, fault: Any) -> None:
        kind = RecordSale if is_sale else RecordDelivery
        on = date(2026, 10, day)
        said = self.run(kind(party[0], "Water", on, 2, Money(price, party[1]), "standard"), fault)
        self.model.items[said["id"]] = Item(said["id"], party, on, said["total"]["amount"])

    @precondition(lambda self: self.model.items)
    @rule(data=st.data(), fault=faults)
    def cancel(self, data: Any, fault: Any) -> None:
        item = self.any_of(self.model.items, data, lambda item: item.is_pending)
        code = None if item.is_pending else "already_billed"
        if self.refused(CancelBillable(item.party[0], item.id), code, fault):
            item.is_cancelled = True

    # -- Invoices

    @rule(party=parties, price=units, days=st.integers(1, 60), draft=st.booleans(), fault=faults)
    def make(self, party: Party, price: int, days: int, draft: bool, fault: Any) -> None:
        due = self.shop.clock.now.date() + timedelta(days=days)
        lines = (Priced("Repair", 1, Money(price, party[1]), "standard"),)
        said = self.run(CreateInvoice(party[0], lines, draft, due), fault)
        bill = Bill(said["id"], party, said["total"]["amount"], due, "draft")
        self.model.bills[bill.id] = bill
        if not draft:
            self.issued(bill, said)

    @rule(party=parties, period=st.sampled_from(PERIODS), fault=faults)
    def bill_a_period(self, party: Party, period: tuple[date, date], fault: Any) -> None:
        invoices, is_complete = self.model.periods.get((party, *period), ([], False))
        items = [
            item
            for item in self.model.items.values()
            if item.party == party and item.is_pending and period[0] <= item.day <= period[1]
        ]
        code = None
        if is_complete or (invoices and not items):
            code = "period_invoiced"
        elif not items:
            code = "nothing_to_bill"
        said = self.refused(InvoicePeriod(party[0], *period, party[1]), code, fault)
        if not said:
            return
        assert {line["billable_id"] for line in said["lines"]} == {item.id for item in items}
        due = self.shop.clock.now.date() + timedelta(days=30)
        bill = Bill(said["id"], party, sum(item.total for item in items), due, "draft", items, period)
        self.model.bills[bill.id] = bill
        for item in items:
            item.invoice = bill.id
        self.model.periods[party, *period] = ([*invoices, bill.id], True)
        self.issued(bill, said)

    @precondition(lambda self: self.there_is("draft"))
    @rule(data=st.data(), fault=faults)
    def issue(self, data: Any, fault: Any) -> None:
        bill = self.any_of(self.model.bills, data, lambda bill: bill.status == "draft")
        said = self.refused(IssueInvoice(bill.id), None if bill.status == "draft" else "illegal_invoice_change", fault)
        if said:
            self.issued(bill, said)

    def issued(self, bill: Bill, said: Any) -> None:
        bill.status = "open"
        assert (said["total"]["amount"], said["due_on"]) == (bill.total, bill.due.isoformat())
        uses = self.model.from_credit(bill.party, bill.total, CREDITS_MAX) if self.uses_credit else []
        self.used(bill, uses)
        assert said["paid"]["amount"] == sum(amount for _, amount in uses)

    @precondition(lambda self: self.model.bills)
    @rule(data=st.data(), void=st.booleans(), fault=faults)
    def take_back(self, data: Any, void: bool, fault: Any) -> None:
        bill = self.any_of(self.model.bills, data, lambda bill: bill.status == "open" and not self.model.paid(bill.id))
        code = None
        if bill.status == "open" and (self.model.paid(bill.id) or bill.written_off):
            code = "invoice_has_payments"
        elif bill.status not in (("open",) if void else ("open", "draft")):
            code = "illegal_invoice_change"
        if not self.refused((VoidInvoice if void else DeleteInvoice)(bill.id), code, fault):
            return
        bill.was, bill.status = bill.status, "void" if void else "deleted"
        if not void:
            for item in bill.items:
                item.invoice = None
            if bill.period:
                invoices, _ = self.model.periods[bill.party, *bill.period]
                self.model.periods[bill.party, *bill.period] = ([one for one in invoices if one != bill.id], False)

    @precondition(lambda self: self.there_is("deleted"))
    @rule(data=st.data(), fault=faults)
    def recover(self, data: Any, fault: Any) -> None:
        bill = self.any_of(self.model.bills, data, lambda bill: bill.status == "deleted")
        code = None
        if bill.status != "deleted":
            code = "illegal_invoice_change"
        elif any(not item.is_pending for item in bill.items):
            code = "already_billed"
        if not self.refused(RecoverInvoice(bill.id), code, fault):
            return
        bill.status = bill.was
        for item in bill.items:
            item.invoice = bill.id
        if bill.period:
            invoices, is_complete = self.model.periods[bill.party, *bill.period]
            self.model.periods[bill.party, *bill.period] = ([*invoices, bill.id], is_complete)

    @precondition(lambda self: self.model.bills)
    @rule(data=st.data(), amount=st.one_of(st.none(), st.integers(1, 12)), fault=faults)
    def write_off(self, data: Any, amount: int | None, fault: Any) -> None:
        bill = self.any_of(self.model.bills, data, lambda bill: self.model.open(bill.id) in range(1, WRITE_OFF_MAX + 1))
        left = self.model.open(bill.id)
        code: str | None = None
        if isinstance(left, str):
            code, left = left, 0
        asked = left if amount is None else amount
        if code is None:
            over = asked + bill.written_off > WRITE_OFF_MAX
            refusals = {"nothing_to_allocate": not asked, "allocation_exceeds_target": asked > left}
            code = next((name for name, holds in {**refusals, "over_write_off_limit": over}.items() if holds), None)
        if self.refused(WriteOff(bill.id, self.money(amount, bill.party)), code, fault):
            bill.written_off += asked

    # -- Payments

    @rule(party=parties, amount=st.integers(1, 200), fault=faults)
    def receive(self, party: Party, amount: int, fault: Any) -> None:
        said = self.run(ReceivePayment(party[0], Money(amount, party[1]), "UPI"), fault)
        self.model.receipts[said["id"]] = Receipt(said["id"], party, amount)

    @precondition(lambda self: self.model.receipts)
    @rule(data=st.data(), fault=faults)
    def allocate_to_what_is_due(self, data: Any, fault: Any) -> None:
        receipt = self.any_of(self.model.receipts, data, self.model.left_of)
        left, expected = self.model.left_of(receipt), []
        for target, open_on in self.model.due(receipt.party):
            share = min(left, open_on)
            expected += [(target, share)] if share else []
            left -= share
        code = None if expected else "nothing_to_allocate"
        said = self.refused(AllocatePayment(receipt.id), code, fault)
        if said:
            made = self.took(receipt, said)
            assert [(share.target, share.amount) for share in made] == expected

    @precondition(lambda self: self.model.receipts)
    @rule(
        data=st.data(),
        wishes=wishes,
        mode=st.sampled_from([Mode.SMART, *Mode]),
        surplus=st.sampled_from(Surplus),
        fault=faults,
    )
    def allocate(self, data: Any, wishes: Any, mode: Mode, surplus: Surplus, fault: Any) -> None:
        receipt = self.any_of(self.model.receipts, data, self.model.left_of)
        meant = self.meant(receipt, wishes)
        smart = mode is Mode.SMART
        code, shares = self.expected(meant, receipt.party, self.model.left_of(receipt), smart, surplus)
        command = AllocatePayment(receipt.id, self.targets(meant, receipt.party), mode, surplus)
        said = self.refused(command, code, fault)
        if said:
            made = self.took(receipt, said)
            assert [(share.target, share.amount, share.credited) for share in made] == shares

    def meant(self, receipt: Receipt, wishes: Any) -> list[tuple[str, int]]:
        """Targets of this party mostly, and now and then of another."""
        everything = [OPENING, *sorted(self.model.bills)]
        own = [OPENING, *(target for target, _ in self.model.due(receipt.party) if target != OPENING)]
        chosen: dict[str, int] = {}
        for turn, percent in wishes:
            targets = everything if turn % 5 == 0 else own
            target = targets[turn % len(targets)]
            open_on = self.model.open_before(receipt.party) if target == OPENING else self.model.open(target)
            chosen[target] = max(1, (open_on if isinstance(open_on, int) else 7) * percent // 100)
        return list(chosen.items())

    def expected(
        self, meant: list[tuple[str, int]], party: Party, left: int, smart: bool, surplus: Surplus
    ) -> tuple[str | None, list[tuple[str, int, int]]]:
        """The refusal, or the shares with what of each becomes credit."""
        for target, _ in meant:
            bill = self.model.bills.get(target)
            if bill and bill.party[0] != party[0]:
                return "unknown_invoice", []
            if bill and bill.party != party:
                return "invoice_currency_mismatch", []
        if not smart and sum(asked for _, asked in meant) > left:
            return "allocations_exceed_payment", []
        shares = []
        for target, wanted in meant:
            asked = min(wanted, left)
            open_on = self.model.open_before(party) if target == OPENING else self.model.open(target)
            if isinstance(open_on, str):
                return open_on, []
            if not smart and asked > open_on:
                return "allocation_exceeds_target", []
            share = (target, min(asked, open_on), asked - open_on if asked > open_on and surplus == "credit" else 0)
            shares += [share] if any(share[1:]) else []
            left -= sum(share[1:])
        return (None if shares or not meant else "nothing_to_allocate"), shares

    @precondition(lambda self: self.model.shares)
    @rule(data=st.data(), whole=st.booleans(), fault=faults)
    def roll_back(self, data: Any, whole: bool, fault: Any) -> None:
        shares = {share.id: share for share in self.model.shares}
        chosen = self.any_of(shares, data, lambda share: share.credit)
        receipt = self.model.receipts[chosen.receipt]
        taken = [share for share in self.model.shares if share.receipt == receipt.id] if whole else [chosen]
        ids = None if whole else (chosen.id,)
        said = self.refused(RollBackAllocations(receipt.id, ids), self.keeps(taken), fault)
        if said:
            assert said["amount"]["amount"] == sum(share.amount for share in taken)
            assert set(said["invoices"]) == {share.target for share in taken} - {OPENING}
            self.gave_back(taken)

    @precondition(lambda self: self.model.receipts)
    @rule(data=st.data(), percent=st.integers(10, 200), wishes=st.one_of(st.none(), wishes), fault=faults)
    def change(self, data: Any, percent: int, wishes: Any, fault: Any) -> None:
        receipt = self.any_of(self.model.receipts, data, self.model.left_of)
        taken = [share for share in self.model.shares if share.receipt == receipt.id]
        amount = max(1, receipt.amount * percent // 100)
        meant = self.meant(receipt, wishes) if wishes else []
        command = ChangePayment(
            receipt.id, Money(amount, receipt.party[1]), self.targets(meant, receipt.party) if wishes else None
        )
        code = "allocations_required" if (taken or receipt.credited) and not wishes else None
        code = code or next(
            (c for c in [self.expected(meant, receipt.party, 10**9, True, Surplus.CREDIT)[0]] if c in STRANGE), None
        )
        code = code or self.keeps(taken)
        left = amount - receipt.credited
        code = code or ("allocations_exceed_payment" if left < 0 else None)
        if code is None:
            kept, self.model.shares = self.model.shares, [share for share in self.model.shares if share not in taken]
            code, shares = self.expected(meant, receipt.party, left, False, Surplus.UNAPPLIED)
            self.model.shares = kept
        said = self.refused(command, code, fault)
        if said:
            self.gave_back(taken)
            receipt.amount = amount
            made = self.took(receipt, said)
            assert [(share.target, share.amount, share.credited) for share in made] == shares

    @precondition(lambda self: self.model.receipts)
    @rule(data=st.data(), fault=faults)
    def delete_payment(self, data: Any, fault: Any) -> None:
        receipt = self.any_of(self.model.receipts, data, lambda receipt: receipt.amount == self.model.left_of(receipt))
        touched = receipt.credited or any(share.receipt == receipt.id for share in self.model.shares)
        if self.refused(DeletePayment(receipt.id), "payment_allocated" if touched else None, fault):
            del self.model.receipts[receipt.id]
            assert self.run(AllocatePayment(receipt.id)) == "unknown_account_payment"

    # -- Credit

    @precondition(lambda self: self.model.receipts)
    @rule(data=st.data(), amount=some, fault=faults)
    def make_credit(self, data: Any, amount: int | None, fault: Any) -> None:
        receipt = self.any_of(self.model.receipts, data, self.model.left_of)
        left = self.model.left_of(receipt)
        asked = left if amount is None else amount
        code = None if asked else "nothing_to_allocate"
        code = "allocations_exceed_payment" if asked > left else code
        said = self.refused(CreditPayment(receipt.id, self.money(amount, receipt.party)), code, fault)
        if said:
            receipt.credited += asked
            self.model.pieces[said["id"]] = Piece(said["id"], receipt.party, asked)

    @precondition(lambda self: self.there_is("open"))
    @rule(data=st.data(), amount=some, fault=faults)
    def apply_credit(self, data: Any, amount: int | None, fault: Any) -> None:
        bill = self.any_of(self.model.bills, data, lambda bill: bill.status == "open" and self.model.credit(bill.party))
        left, available = self.model.open(bill.id), self.model.credit(bill.party)
        if isinstance(left, str):
            code: str | None = left
            asked = 0
        else:
            asked = min(left, available) if amount is None else amount
            code = "insufficient_credit" if asked > available else None
            code = "allocation_exceeds_target" if asked > left else code
            code = code if asked else "nothing_to_allocate"
        uses = self.model.from_credit(bill.party, asked, len(self.model.pieces))
        if self.refused(ApplyCredit(bill.id, self.money(amount, bill.party)), code, fault):
            self.used(bill, uses)

    @precondition(lambda self: self.model.uses)
    @rule(data=st.data(), fault=faults)
    def take_credit_off(self, data: Any, fault: Any) -> None:
        use = data.draw(st.sampled_from(self.model.uses))
        self.refused(TakeCreditOff(use.credit, use.id), None, fault)
        self.model.uses.remove(use)
        assert self.run(TakeCreditOff(use.credit, use.id)) == "unknown_allocation"

    # -- Parts

    def there_is(self, status: str) -> bool:
        return any(bill.status == status for bill in self.model.bills.values())

    def any_of(self, documents: dict[str, T], data: Any, is_wanted: Callable[[T], Any]) -> T:
        """One of those that are wanted, mostly; and now and then of all."""
        wanted = [one for one in documents if is_wanted(documents[one])]
        if wanted and data.draw(st.integers(0, 5)):
            return documents[data.draw(st.sampled_from(sorted(wanted)))]
        return documents[data.draw(st.sampled_from(sorted(documents)))]

    def money(self, amount: int | None, party: Party) -> Money | None:
        return None if amount is None else Money(amount, party[1])

    def targets(self, meant: list[tuple[str, int]], party: Party) -> tuple[Meant, ...]:
        return tuple(Meant(target, Money(amount, party[1])) for target, amount in meant)

    def keeps(self, taken: list[Share]) -> str | None:
        """What keeps shares from being taken back: credit that was made of one, and pays an invoice."""
        made = {share.credit for share in taken}
        return "credit_applied" if any(use.credit in made for use in self.model.uses) else None

    def took(self, receipt: Receipt, said: Any) -> list[Share]:
        """The shares that are new."""
        known = {share.id for share in self.model.shares}
        made = [
            Share(
                one["id"],
                receipt.id,
                one["invoice_id"] or OPENING,
                one["amount"]["amount"],
                one["credit_id"],
                one["credited"]["amount"],
            )
            for one in said["allocations"]
            if one["id"] not in known
        ]
        for share in made:
            if share.credit:
                self.model.pieces[share.credit] = Piece(share.credit, receipt.party, share.credited)
        self.model.shares += made
        assert said["unapplied"]["amount"] == self.model.left_of(receipt)
        return made

    def gave_back(self, taken: list[Share]) -> None:
        self.model.shares = [share for share in self.model.shares if share not in taken]
        for share in taken:
            self.model.pieces.pop(share.credit or "", None)

    def used(self, bill: Bill, uses: list[tuple[str, int]]) -> None:
        """What pays the bill now. The database says under which ids."""
        for credit_id, amount in uses:
            stored = picture(state.items(), self.shop.clock.now).credits
            [made] = [one for one in stored if one.id == credit_id]
            known = {use.id for use in self.model.uses}
            [application] = [one for one in made.applied if one.id not in known]
            assert (application.invoice_id, application.amount) == (bill.id, amount)
            self.model.uses.append(Use(application.id, credit_id, bill.id, amount))

    @invariant()
    def what_is_owed_is_what_the_documents_come_to(self) -> None:
        for party in PARTIES:
            key = account_key(self.shop.tenant, party[0])
            account = self.shop.database.fetch([key])[key]
            stands = account.of(party[1]) if account else None
            found = (
                (stands.opening, stands.invoiced, stands.unbilled, stands.unapplied, stands.credit)
                if stands
                else (0,) * 5
            )
            assert found == self.model.standing(party), party

    @invariant()
    def every_invariant_holds(self) -> None:
        assert differences(picture(state.items(), self.shop.clock.now)) == []


STRANGE: Final = ("unknown_invoice", "invoice_currency_mismatch")


def test_billing_does_what_its_documents_say(engine: Engine, shop: Shop) -> None:
    shop.furnish()
    BillingMachine.shop, BillingMachine.start = shop, state.snapshot()
    run_state_machine_as_test(
        BillingMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make it shorter takes minutes
        ),
    )
