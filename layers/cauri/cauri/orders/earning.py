"""What a vendor order comes to in the books, as a function of what is earned of it and what was given back.

An event (goods accepted, money given back) posts the difference between the accounts after it and before it. So
roundings can't add up: whatever happened, and in whichever order, the accounts are those of what stands now.
Source: SPEC 8.
"""

from __future__ import annotations

from collections.abc import Mapping

from cauri.books.ledger import COMMISSION, DEFERRED_REVENUE, PROMOTIONS, TAX, Posting, payable_to
from cauri.money import round_half_even
from cauri.orders.model import SHIPPING, Taxed, VendorOrder
from cauri.values import replace


def accounts(share: VendorOrder) -> dict[str, int]:
    """What each account has of `share`, in minor units, credits positive. Their sum is what was not given back.

    Money goes back first from what is not earned yet. Of what is earned, the vendor has the net, less commission and
    the tax on it; commission is on goods, and follows what stands of them. So does what the tenant adds, where its
    promotions took something off.
    """
    deferred, kept = Taxed(), {}
    for piece, whole in share.pieces.items():
        earned, back = share.earned.get(piece, Taxed()), share.given_back(piece).money
        unearned = whole - earned
        from_unearned = Taxed(min(back.net, unearned.net), min(back.tax, unearned.tax))
        deferred += unearned - from_unearned
        kept[piece] = earned - (back - from_unearned)
    goods = sum(money.net for piece, money in kept.items() if piece != SHIPPING)
    net, tax = sum(money.net for money in kept.values()), sum(money.tax for money in kept.values())
    commission, commission_tax, subsidy = _in_proportion(share, goods)
    stands = {
        DEFERRED_REVENUE: deferred.total,
        payable_to(share.vendor_id): net + subsidy - commission - commission_tax,
        COMMISSION: commission,
        TAX: tax + commission_tax,
    }
    return stands | ({PROMOTIONS: -subsidy} if share.subsidy else {})


def change(before: VendorOrder, after: VendorOrder) -> list[Posting]:
    """The postings that take the accounts from `before` to `after`."""
    was, now, currency = accounts(before), accounts(after), before.shipping.currency
    return [Posting(account, was[account] - now[account], currency) for account in now if was[account] != now[account]]


def accept(share: VendorOrder, quantities: Mapping[str, int]) -> VendorOrder:
    """`share` when so many more units of its lines, by line id, were accepted: their part of the line is earned.

    Shipping is earned with the first goods. What was given back before it could be earned stays unearned.
    """
    earned = dict(share.earned)
    lines = []
    for line in share.lines:
        accepted = line.quantity_accepted + quantities.get(line.id, 0)
        lines.append(
            replace(line, quantity_accepted=accepted, quantity_fulfilled=max(line.quantity_fulfilled, accepted))
        )
        if quantities.get(line.id):
            earned[line.id] = _earned(share, line.id, accepted, line.quantity)
    if any(quantities.values()):
        earned[SHIPPING] = _earned(share, SHIPPING, 1, 1)
    return replace(share, lines=tuple(lines), earned=earned)


def _earned(share: VendorOrder, piece: str, accepted: int, quantity: int) -> Taxed:
    """The part of a piece that `accepted` of its units make, as far as it was not given back unearned."""
    whole, before, back = share.pieces[piece], share.earned.get(piece, Taxed()), share.given_back(piece).money
    unearned = whole - before
    gone = Taxed(min(back.net, unearned.net), min(back.tax, unearned.tax))
    due = Taxed(_part(whole.net, accepted, quantity), _part(whole.tax, accepted, quantity))
    return Taxed(
        max(before.net, min(due.net, whole.net - gone.net)), max(before.tax, min(due.tax, whole.tax - gone.tax))
    )


def _in_proportion(share: VendorOrder, goods: int) -> tuple[int, int, int]:
    """Commission, the tax on it, and what the tenant adds, on so much of the goods' net price.

    Goods that shoppers get for nothing have no price: there, units are counted.
    """
    whole = sum(line.net.amount for line in share.lines)
    if not whole:
        goods, whole = (sum(line.quantity_accepted for line in share.lines), sum(line.quantity for line in share.lines))
    added = share.subsidy.amount if share.subsidy else 0
    commission, commission_tax = share.commission.amount, share.commission_tax.amount
    return _part(commission, goods, whole), _part(commission_tax, goods, whole), _part(added, goods, whole)


def _part(amount: int, numerator: int, denominator: int) -> int:
    return round_half_even(amount * numerator, denominator) if denominator else 0
