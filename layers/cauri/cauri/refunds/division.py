"""What a refund comes to: how much of each piece of the order, and through which of its tenders it goes back.

Whatever is asked, one after another: no piece gives back more than it was sold for, net and tax each, no tender more
than it paid; and once everything was given back, it was exactly that. Roundings are made on what has been given back
in all, not on each refund. Pure. Source: SPEC 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cauri.money import Money, round_half_even, split_units, total
from cauri.orders.model import SHIPPING, LineItem, Order, OrderTree, Refunded, Taxed, VendorOrder
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
from cauri.values import replace


def divide(asked: Asked, tree: OrderTree) -> list[RefundLine]:
    """The pieces that `asked` gives back, and how much of each.

    Raises UnknownLine, TooManyUnits, RefundTooLarge, RefundCurrencyMismatch, NothingToRefund.
    """
    if asked.lines or asked.shipping:
        lines = [*_asked_lines(asked.lines, tree), *_asked_shipping(asked.shipping, tree)]
    elif asked.amount is not None:
        lines = _spread(_units(asked.amount, tree.order.currency), tree)
    else:
        lines = _all_that_is_left(tree, restock=asked.restock)
    lines = [line for line in lines if line.total or line.restock]
    if not any(line.total for line in lines):
        raise NothingToRefund
    return lines


def take(tree: OrderTree, lines: Iterable[RefundLine], parts: Iterable[RefundPart], sign: int = 1) -> OrderTree:
    """The order once `lines` and `parts` count as given back; with -1, when they do not any more."""
    shares = {share.id: share for share in tree.vendor_orders}
    for line in lines:
        shares[line.vendor_order] = _taken(shares[line.vendor_order], line, sign)
    tenders = list(tree.order.tenders)
    for part in parts:
        tender = tenders[part.tender]
        tenders[part.tender] = replace(tender, refunded=tender.refunded + sign * part.amount.amount)
    return replace(tree, order=replace(tree.order, tenders=tuple(tenders)), vendor_orders=tuple(shares.values()))


def parts_of(amount: Money, order: Order, first: Sequence[str] = ()) -> list[RefundPart]:
    """How `amount` goes back through the tenders: those named `first` as far as they reach, the others in proportion.

    Raises UnknownLine for a tender that the order does not have, RefundTooLarge.
    """
    left = [tender.left for tender in order.tenders]
    if amount.amount > sum(left):
        raise RefundTooLarge(amount, Money(sum(left), order.currency))
    names = [tender.payment_id or tender.kind for tender in order.tenders]
    if unknown := set(first) - set(names):
        raise UnknownLine(min(unknown))
    shares, rest = [0] * len(left), amount.amount
    for name in dict.fromkeys(first):
        for place in [place for place, known in enumerate(names) if known == name]:
            shares[place] = min(rest, left[place])
            rest -= shares[place]
    others = [0 if name in first else units for name, units in zip(names, left, strict=True)]
    if rest:
        shares = [share + part for share, part in zip(shares, split_units(rest, others), strict=True)]
    return [
        RefundPart(
            place, tender.kind, Money(units, order.currency), tender.provider, tender.payment_id, after=tender.refunded
        )
        for place, (tender, units) in enumerate(zip(order.tenders, shares, strict=True))
        if units
    ]


# -- Lines


def _asked_lines(asked: Sequence[LineAsked], tree: OrderTree) -> list[RefundLine]:
    known = {line.id: (share, line) for share in tree.vendor_orders for line in share.lines}
    lines = []
    for one in asked:
        if one.line_id not in known or sum(other.line_id == one.line_id for other in asked) > 1:
            raise UnknownLine(one.line_id)
        share, line = known[one.line_id]
        if one.amount is None:
            lines.append(_by_quantity(share, line, one.quantity, restock=one.restock))
        else:
            lines.append(_by_amount(share, line.id, _units(one.amount, tree.order.currency)))
    return lines


def _asked_shipping(asked: Sequence[ShippingAsked], tree: OrderTree) -> list[RefundLine]:
    known = {share.number: share for share in tree.vendor_orders} | {share.id: share for share in tree.vendor_orders}
    lines: dict[str, RefundLine] = {}
    for one in asked:
        share = known.get(one.vendor_order)
        if share is None or share.id in lines:
            raise UnknownLine(one.vendor_order)
        left = share.left(SHIPPING).total
        units = left if one.amount is None else _units(one.amount, tree.order.currency)
        lines[share.id] = _by_amount(share, SHIPPING, units)
    return list(lines.values())


def _by_quantity(share: VendorOrder, line: LineItem, quantity: int, *, restock: bool) -> RefundLine:
    """The part of the line that its units are, rounded on all units that were given back; no more than is left."""
    back, left = share.given_back(line.id), share.left(line.id)
    if quantity > line.quantity - back.quantity:
        raise TooManyUnits(line.id, quantity, line.quantity - back.quantity)
    if restock and quantity > (in_stock := _in_stock(share, line)):
        raise TooManyUnits(line.id, quantity, in_stock)
    whole = share.pieces[line.id]
    due = _part(whole, back.quantity + quantity, line.quantity) - _part(whole, back.quantity, line.quantity)
    money = Taxed(min(due.net, left.net), min(due.tax, left.tax))
    if back.quantity + quantity == line.quantity:
        money = left  # the last units take along what amounts and roundings left
    return _line(share, line.id, money, quantity, quantity if restock else 0)


def _by_amount(share: VendorOrder, piece: str, units: int) -> RefundLine:
    """An amount with its tax in it: the tax of all amounts given back of the piece, less what was given back."""
    left, whole, back = share.left(piece), share.pieces[piece], share.given_back(piece).money
    if units > left.total:
        currency = share.shipping.currency
        raise RefundTooLarge(Money(units, currency), Money(left.total, currency))
    due = round_half_even(whole.tax * (back.total + units), whole.total) - back.tax if whole.total else 0
    tax = max(units - left.net, min(due, left.tax, units), 0)
    return _line(share, piece, Taxed(units - tax, tax))


def _spread(units: int, tree: OrderTree) -> list[RefundLine]:
    """An amount over all pieces, in proportion to what is left of each."""
    pieces = [(share, piece, share.left(piece).total) for share in tree.vendor_orders for piece in share.pieces]
    left = sum(weight for _, _, weight in pieces)
    if not left:
        raise NothingToRefund
    if units > left:
        raise RefundTooLarge(Money(units, tree.order.currency), Money(left, tree.order.currency))
    shares = split_units(units, [weight for _, _, weight in pieces])
    return [_by_amount(share, piece, part) for (share, piece, _), part in zip(pieces, shares, strict=True) if part]


def _all_that_is_left(tree: OrderTree, *, restock: bool) -> list[RefundLine]:
    lines = []
    for share in tree.vendor_orders:
        for line in share.lines:
            units = line.quantity - share.given_back(line.id).quantity
            again = min(units, _in_stock(share, line)) if restock else 0
            lines.append(_line(share, line.id, share.left(line.id), units, again))
        lines.append(_line(share, SHIPPING, share.left(SHIPPING)))
    return lines


def _taken(share: VendorOrder, line: RefundLine, sign: int) -> VendorOrder:
    back = share.given_back(line.piece)
    money = Taxed(sign * line.net.amount, sign * line.tax.amount)
    units, restock = back.quantity + sign * line.quantity, back.restocked + sign * line.restock
    now = Refunded(back.money + money, units, restock)
    return replace(share, refunded={**share.refunded, line.piece: now})


def _in_stock(share: VendorOrder, line: LineItem) -> int:
    """How many units of a line the order still has in stock, and can give back to it."""
    return line.quantity - line.quantity_fulfilled - share.given_back(line.id).restocked if line.stock else 0


def _line(share: VendorOrder, piece: str, money: Taxed, quantity: int = 0, restock: int = 0) -> RefundLine:
    currency = share.shipping.currency
    return RefundLine(share.id, piece, quantity, Money(money.net, currency), Money(money.tax, currency), restock)


def _part(whole: Taxed, quantity: int, of: int) -> Taxed:
    return Taxed(round_half_even(whole.net * quantity, of), round_half_even(whole.tax * quantity, of))


def _units(money: Money, currency: str) -> int:
    if money.currency != currency:
        raise RefundCurrencyMismatch(currency)
    return money.amount


def amount_of(lines: Iterable[RefundLine], currency: str) -> Money:
    return total((line.total for line in lines), currency)
