"""What a refund comes to: any sequence of refunds sums exactly, and never exceeds. Source: SPEC 4."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from cauri.books.ledger import COMMISSION, DEFERRED_REVENUE, TAX, payable_to
from cauri.errors import Refusal
from cauri.money import Money, split_units
from cauri.orders.earning import accept, accounts, change
from cauri.orders.model import SHIPPING, OrderTree, Taxed
from cauri.refunds.division import amount_of, divide, parts_of, take
from cauri.refunds.model import (
    Asked,
    LineAsked,
    NothingToRefund,
    RefundCurrencyMismatch,
    RefundLine,
    RefundPart,
    RefundTooLarge,
    ShippingAsked,
    TooManyUnits,
    UnknownLine,
)
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.refunds.trees import a_line, a_share, a_tree, kes


def refund(tree: OrderTree, **asked: object) -> tuple[list[RefundLine], list[RefundPart], OrderTree]:
    question = Asked(**asked)  # type: ignore[arg-type]
    lines = divide(question, tree)
    parts = parts_of(amount_of(lines, "KES"), tree.order, question.tenders)
    return lines, parts, take(tree, lines, parts)


# -- One by one


def test_units_of_a_line_give_back_their_part_and_the_last_ones_what_is_left() -> None:
    tree = a_tree(a_share("A", a_line("1", 3, 1000, 160)))
    amounts = []
    for _ in range(3):
        [line], _, tree = refund(tree, lines=(LineAsked("1", 1),))
        amounts.append((line.net.amount, line.tax.amount))
    assert amounts == [(333, 53), (334, 54), (333, 53)]
    with pytest.raises(TooManyUnits):
        refund(tree, lines=(LineAsked("1", 1),))


def test_an_amount_of_a_line_has_its_part_of_the_tax() -> None:
    tree = a_tree(a_share("A", a_line("1", 1, 1000, 160)))
    [line], _, tree = refund(tree, lines=(LineAsked("1", amount=kes(580)),))
    assert (line.net, line.tax) == (kes(500), kes(80))
    [line], _, tree = refund(tree, lines=(LineAsked("1", 1),))
    assert (line.net, line.tax) == (kes(500), kes(80)), "the unit gives back what the amount left of it"


def test_an_amount_of_the_order_is_spread_over_what_is_left_of_it() -> None:
    tree = a_tree(a_share("A", a_line("1", 1, 3000, 0), shipping=500), a_share("B", a_line("2", 1, 1500, 0)))
    lines, _, _ = refund(tree, amount=kes(1000))
    assert {(line.vendor_order, line.piece): line.total.amount for line in lines} == {
        ("A", "1"): 600,
        ("A", SHIPPING): 100,
        ("B", "2"): 300,
    }


def test_shipping_is_given_back_by_itself() -> None:
    tree = a_tree(a_share("A", a_line("1", 1, 3000, 0), shipping=500, shipping_tax=80))
    [line], _, tree = refund(tree, shipping=(ShippingAsked("ORD-1-A"),))
    assert (line.piece, line.net, line.tax) == (SHIPPING, kes(500), kes(80))
    with pytest.raises(NothingToRefund):
        refund(tree, shipping=(ShippingAsked("A"),))


def test_tenders_give_back_in_proportion_or_in_the_order_that_is_stated() -> None:
    tree = a_tree(a_share("A", a_line("1", 1, 1000, 0)), tenders=(400, 600))
    _, parts, _ = refund(tree, amount=kes(100))
    assert [(part.method, part.amount.amount) for part in parts] == [("wallet", 40), ("provider", 60)]
    _, parts, after = refund(tree, amount=kes(500), tenders=("wallet",))
    assert [(part.method, part.amount.amount) for part in parts] == [("wallet", 400), ("provider", 100)]
    _, parts, _ = refund(after, amount=kes(500), tenders=("wallet",))
    assert [(part.method, part.amount.amount) for part in parts] == [("provider", 500)]


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (Asked(lines=(LineAsked("9", 1),)), UnknownLine),
        (Asked(lines=(LineAsked("1", 1), LineAsked("1", 1))), UnknownLine),
        (Asked(shipping=(ShippingAsked("Z"),)), UnknownLine),
        (Asked(lines=(LineAsked("1", 4),)), TooManyUnits),
        (Asked(lines=(LineAsked("1", amount=kes(1161)),)), RefundTooLarge),
        (Asked(lines=(LineAsked("1", amount=Money(1, "USD")),)), RefundCurrencyMismatch),
        (Asked(amount=kes(1161)), RefundTooLarge),
        (Asked(amount=Money(1, "USD")), RefundCurrencyMismatch),
        (Asked(shipping=(ShippingAsked("A"),)), NothingToRefund),
    ],
)
def test_what_the_order_does_not_have_is_refused(asked: Asked, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        divide(asked, a_tree(a_share("A", a_line("1", 3, 1000, 160))))


def test_a_tender_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownLine):
        refund(a_tree(a_share("A", a_line("1", 1, 10, 0))), tenders=("wallet",))


def test_units_that_were_shipped_can_be_given_back_but_not_put_back() -> None:
    share = accept(a_share("A", a_line("1", 3, 900, 0)), {"1": 2})
    with pytest.raises(TooManyUnits):
        refund(a_tree(share), lines=(LineAsked("1", 2, restock=True),))
    lines, _, _ = refund(a_tree(share), restock=True)
    assert (lines[0].quantity, lines[0].restock) == (3, 1)


def test_an_order_of_nothing_has_nothing_to_give_back() -> None:
    with pytest.raises(NothingToRefund):
        refund(a_tree(a_share("A", a_line("1", 1, 0, 0))), amount=kes(0))


# -- The books


def test_before_the_goods_are_accepted_a_refund_reverses_what_is_deferred() -> None:
    before = a_share("A", a_line("1", 2, 1000, 160))
    _, _, tree = refund(a_tree(before), lines=(LineAsked("1", 1),))
    assert [(p.account, p.amount) for p in change(before, tree.vendor_orders[0])] == [(DEFERRED_REVENUE, 580)]


def test_afterwards_it_reverses_payable_commission_and_tax_in_proportion() -> None:
    before = accept(a_share("A", a_line("1", 2, 1000, 160)), {"1": 2})
    assert accounts(before) == {DEFERRED_REVENUE: 0, payable_to("ven_A"): 884, COMMISSION: 100, TAX: 176}
    _, _, tree = refund(a_tree(before), lines=(LineAsked("1", 1),))
    assert {p.account: p.amount for p in change(before, tree.vendor_orders[0])} == {
        payable_to("ven_A"): 442,
        COMMISSION: 50,
        TAX: 88,
    }


def test_of_a_line_that_is_accepted_in_part_what_is_deferred_goes_first() -> None:
    before = accept(a_share("A", a_line("1", 4, 1000, 0), commission_bps=0), {"1": 3})
    _, _, tree = refund(a_tree(before), lines=(LineAsked("1", amount=kes(400)),))
    after = tree.vendor_orders[0]
    assert (accounts(after)[DEFERRED_REVENUE], accounts(after)[payable_to("ven_A")]) == (0, 600)
    assert accept(after, {"1": 1}).earned["1"] == Taxed(750, 0), "what was given back is not earned any more"


# -- Any sequence


@dataclass(frozen=True)
class Step:
    """What is asked next, drawn as numbers that are made to fit the order."""

    kind: str
    line: int
    units: int
    permille: int
    restock: bool


steps = st.builds(
    Step,
    kind=st.sampled_from(["units", "amount of a line", "amount", "shipping", "accept", "fail the last"]),
    line=st.integers(0, 9),
    units=st.integers(1, 9),
    permille=st.integers(1, 1000),
    restock=st.booleans(),
)
lines_drawn = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 10_007), st.integers(0, 1_613)), min_size=1, max_size=4
)
shares_drawn = st.lists(
    st.tuples(lines_drawn, st.integers(0, 999), st.integers(0, 99), st.integers(0, 10_000)), min_size=1, max_size=3
)


def sold(drawn: list[tuple[list[tuple[int, int, int]], int, int, int]], weights: list[int]) -> OrderTree:
    number = iter(range(1, 100))
    shares = [
        a_share(
            letter,
            *(a_line(str(next(number)), *line) for line in lines),
            shipping=shipping,
            shipping_tax=tax,
            commission_bps=bps,
        )
        for letter, (lines, shipping, tax, bps) in zip("ABC", drawn, strict=False)
    ]
    whole = sum(share.total.amount for share in shares)
    return a_tree(*shares, tenders=tuple(split_units(whole, weights)))


def asked_of(step: Step, tree: OrderTree) -> Asked:
    share = tree.vendor_orders[step.line % len(tree.vendor_orders)]
    line = tree.lines[step.line % len(tree.lines)]
    home = next(share for share in tree.vendor_orders if line in share.lines)
    match step.kind:
        case "units":
            return Asked(lines=(LineAsked(line.id, min(step.units, line.quantity), restock=step.restock),))
        case "amount of a line":
            units = home.left(line.id).total * step.permille // 1000
            return Asked(lines=(LineAsked(line.id, amount=kes(units)),))
        case "shipping":
            return Asked(shipping=(ShippingAsked(share.id, kes(share.left(SHIPPING).total * step.permille // 1000)),))
    left = sum(one.left(piece).total for one in tree.vendor_orders for piece in one.pieces)
    return Asked(amount=kes(left * step.permille // 1000), tenders=("wallet",) if step.restock else ())


def stands(before: OrderTree, tree: OrderTree) -> None:
    """What is true of an order whatever was given back of it; it is told piece by piece, vendor by vendor."""
    back = 0
    for share in tree.vendor_orders:
        given = sum(share.given_back(piece).money.total for piece in share.pieces)
        back += given
        for piece, whole in share.pieces.items():
            money = share.given_back(piece).money
            assert 0 <= money.net <= whole.net
            assert 0 <= money.tax <= whole.tax
        stand = accounts(share)
        assert sum(stand.values()) == share.total.amount - given, "the books have what was not given back"
        assert min(stand[DEFERRED_REVENUE], stand[COMMISSION], stand[TAX]) >= 0
    assert sum(tender.refunded for tender in tree.order.tenders) == back
    assert all(0 <= tender.refunded <= tender.amount.amount for tender in tree.order.tenders)


@settings(max_examples=300, deadline=None)
@given(shares_drawn, st.lists(st.integers(0, 5), min_size=1, max_size=3).filter(any), st.lists(steps, max_size=12))
def test_any_sequence_of_refunds_sums_exactly_and_never_exceeds(
    drawn: list[tuple[list[tuple[int, int, int]], int, int, int]], weights: list[int], asked: list[Step]
) -> None:
    first = tree = sold(drawn, weights)
    posted = Counter[str]()
    for share in tree.vendor_orders:
        posted[DEFERRED_REVENUE] += share.total.amount
    last: tuple[list[RefundLine], list[RefundPart]] | None = None
    for step in [*asked, Step("the rest", 0, 0, 1000, restock=False)]:
        before = tree
        try:
            if step.kind == "fail the last":
                if last is None:
                    continue
                tree, last = take(tree, *last, -1), None
            elif step.kind == "accept":
                share = tree.vendor_orders[step.line % len(tree.vendor_orders)]
                taken = {l.id: min(step.units, l.quantity - l.quantity_accepted) for l in share.lines}  # noqa: E741
                others = [one for one in tree.vendor_orders if one is not share]
                tree = replace(tree, vendor_orders=(accept(share, taken), *others))
            else:
                question = Asked() if step.kind == "the rest" else asked_of(step, tree)
                lines = divide(question, tree)
                parts = parts_of(amount_of(lines, "KES"), tree.order, question.tenders)
                tree, last = take(tree, lines, parts), (lines, parts)
        except Refusal as refusal:
            event(refusal.code)
            continue
        old = {share.id: share for share in before.vendor_orders}
        for share in tree.vendor_orders:
            for posting in change(old[share.id], share):
                posted[posting.account] -= posting.amount
        stands(first, tree)
    assert all(tender.left == 0 for tender in tree.order.tenders), "all of it came back"
    assert all(not any(accounts(share).values()) for share in tree.vendor_orders)
    assert not any(posted.values()), "and so it did in the books, to the last unit, for every vendor"
