"""What is true of everything stored, whenever no command is half way: a difference is a sentence for people.

Each function is one invariant, asked of a `Picture`. `differences` asks them all; `overdue` asks what must not be
there any more at a moment, once the sweep and the sagas had their turn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from cauri.billing.accounts import OF_CUSTOMERS
from cauri.books.ledger import RECEIVABLE, Posting, cash_at
from cauri.checkout.model import CartStatus
from cauri.clock import Instant
from cauri.inventory.model import BACKORDER, EARMARK, Part
from cauri.money import Money, total
from cauri.orders.earning import accounts
from cauri.orders.model import CancelReason, LineStatus, OrderStatus, OrderTree, order_status
from cauri.payments.model import PaymentStatus
from cauri.reconciliation.billing import (
    customers_owe_what_was_posted,
    items_are_billed_by_one_invoice,
    numbers_of_invoices_have_no_gap,
    outstanding_is_what_the_documents_say,
    what_billing_comes_to,
    what_is_paid_is_what_was_allocated,
    what_was_received_is_unapplied_allocated_or_credit,
)
from cauri.reconciliation.picture import Picture
from cauri.refunds.model import OPEN, PartStatus, Refund, RefundPart, RefundStatus
from cauri.wallet.accounts import BREAKAGE, LOYALTY, POINTS, REDEEMED, account_of
from cauri.wallet.depletion import LOYALTY as WALLET_LOYALTY
from cauri.wallet.draws import Draw, units_of
from cauri.wallet.lots import PTS, Kind
from cauri.wallet.partners import UseStatus
from cauri.wallet.redemption import RedemptionStatus

Differences = Iterator[str]
OFF: Final = {UseStatus.WAITING, UseStatus.DECLINED, UseStatus.RELEASED}
"""Nothing of the part is set aside or taken at its issuer."""


def entries_balance(picture: Picture) -> Differences:
    """Every entry sums to zero, per asset."""
    for record in picture.records:
        sums: Counter[str] = Counter()
        for posting in record.entry.postings if record.entry else ():
            sums[posting.asset] += posting.amount
        if any(sums.values()):
            yield f"the entry of {record.log_id} ({record.command}) is off by {dict(sums)}"


def wallets_are_what_was_posted(picture: Picture) -> Differences:
    """A wallet's account is the sum of its postings and the sum of its lots, and no lot is below zero."""
    posted = {account: rows for account, rows in _by_account(picture).items() if account[0].startswith("wallet:")}
    stand = {
        (account_of(kind, wallet.customer_id), asset): wallet.owed(asset, kind)
        for wallet in picture.wallets
        for kind, asset in wallet.accounts()
    }
    for account in sorted(stand.keys() | posted.keys()):
        yield from _stands_as(*account, stand.get(account, 0), posted.get(account, []))
    for wallet in picture.wallets:
        if any(lot.units < 0 or not lot.units + wallet.held_of(lot.id) > 0 for lot in wallet.lots.values()):
            yield f"a lot of {wallet} is below zero, or nothing is left of it"
        if any(units <= 0 for hold in wallet.holds.values() for units in hold.parts.values()):
            yield f"{wallet} holds nothing, or less"


def stands_as_posted(account: str, asset: str, stands: int, posted: int, said: Collection[int | None]) -> Differences:
    """A guarded account is what was posted on it (`posted`, debits positive), and a posting `said` so."""
    if stands != -posted:
        yield f"{account} stands at {stands} {asset}, and {-posted} were posted"
    if stands not in said:
        yield f"no posting on {account} left {stands} {asset}"


def _stands_as(account: str, asset: str, stands: int, postings: Sequence[Posting]) -> Differences:
    posted = sum(posting.amount for posting in postings)
    return stands_as_posted(account, asset, stands, posted, [posting.balance_after for posting in postings])


def points_are_all_issued(picture: Picture) -> Differences:
    """All points that customers have are those that were issued: no point comes from anywhere else."""
    issued = sum(posting.amount for posting in _by_account(picture).get((POINTS, PTS), []))
    have = sum(wallet.owed(PTS, Kind.POINTS) for wallet in picture.wallets)
    if issued != have:
        yield f"{issued} points are issued, and customers have {have}"


def statements_run_from_balance_to_balance(picture: Picture) -> Differences:
    """Each line of a statement goes on from the one before, and the last is what the wallet stands at."""
    stands: dict[tuple[str, Kind, str], int] = {}
    for moved in sorted(picture.movements_of_wallets, key=lambda one: one.number):
        for line in moved.lines:
            account = (moved.customer_id, line.kind, line.change.currency)
            stands[account] = stands.get(account, 0) + line.change.amount
            if stands[account] != line.balance_after.amount:
                yield f"line {moved.number} of {account} says {line.balance_after}, after {stands[account]}"
    have = {
        (wallet.customer_id, kind, asset): wallet.owed(asset, kind)
        for wallet in picture.wallets
        for kind, asset in wallet.accounts()
    }
    if {account: units for account, units in stands.items() if units} != have:
        yield f"statements end at {stands}, and wallets have {have}"


def holds_are_of_redemptions(picture: Picture) -> Differences:
    """What a wallet holds is what redemptions, and orders that wait, have set aside, until it is over."""
    held = {
        (wallet.customer_id, hold_id): hold.parts
        for wallet in picture.wallets
        for hold_id, hold in wallet.live(picture.at).holds.items()
    }
    aside = {(one.customer_id, one.id): one.units for one in picture.redemptions if one.sets_aside(picture.at)}
    waiting = {
        (tree.order.customer_id or "", tree.order.id): (units_of(tree.order.draws), tree.order.expires_at)
        for tree in picture.trees
        if tree.order.status is OrderStatus.PENDING_PAYMENT and tree.order.draws
    }
    of_orders = {place: parts for place, parts in held.items() if place in waiting}
    if {place: parts for place, parts in held.items() if place not in of_orders} != aside:
        yield f"wallets hold {held}, redemptions {aside}, and waiting orders {waiting}"
    for place, (units, expires_at) in waiting.items():
        its = of_orders.get(place)
        if its != units and (its is not None or picture.at < expires_at):
            yield f"{place} waits until {expires_at} for {units}, and its wallet holds {its}"


def draws_are_paid_by_lots(picture: Picture) -> Differences:
    """What a wallet pays of an order is what its lots pay, points by their rate, and points and rewards pay no tax."""
    for tree in picture.trees:
        order = tree.order
        if total((draw.paid_by(*WALLET_LOYALTY) for draw in order.draws), order.currency) > order.total - order.tax:
            yield f"points and rewards pay some of the tax of {order.id}: {order.draws}"
        for tender in order.tenders:
            if (tender.draw is not None) != (tender.kind == "wallet"):
                yield f"{tender} of {order.id} is no tender of a wallet, or has no lots"
            elif tender.draw is not None:
                draw, points = tender.draw, tender.draw.units_of(Kind.POINTS)
                pays = {kind: draw.paid_by(kind).amount for kind in Kind}
                worth = {kind: draw.units_of(kind) for kind in Kind} | {Kind.POINTS: points * draw.rate // 1000}
                if sum(pays.values()) != tender.amount.amount or pays != worth:
                    yield f"{tender} of {order.id} is paid {pays}, by what is worth {worth}"


def wallets_get_back_what_refunds_say(picture: Picture) -> Differences:
    """The statement has the lots of a refund, as its order drew them."""
    told, due = Counter[tuple[str, Kind, str]](), Counter[tuple[str, Kind, str]]()
    for moved in picture.movements_of_wallets:
        for line in moved.lines if moved.why == "refunded" else ():
            told[moved.about, line.kind, line.change.currency] += line.change.amount
    for refund, part, draw in _given_to_wallets(picture):
        if draw is None:
            due[refund.id, Kind.STORE_CREDIT, refund.currency] += part.amount.amount
        for lot in draw.back(part.after, part.amount.amount).lots if draw else ():
            due[refund.id, lot.kind, lot.asset] += lot.units
    if told != due:
        yield f"refunds gave {dict(due)} back to wallets, and statements tell {dict(told)}"


def what_is_given_back_whole_was_drawn(picture: Picture) -> Differences:
    """However a tender of a wallet was given back, in all it is what had been drawn, lot by lot."""
    back, amounts = Counter[tuple[str, int, str]](), Counter[tuple[str, int]]()
    for refund, part, draw in _given_to_wallets(picture):
        for lot in draw.back(part.after, part.amount.amount).lots if draw else ():
            back[refund.order_id, part.tender, lot.id] += lot.units
        amounts[refund.order_id, part.tender] += part.amount.amount
    for order in (tree.order for tree in picture.trees):
        for place, draw in enumerate(tender.draw for tender in order.tenders):
            for lot_id, units in units_of([draw] if draw else []).items():
                known = back[order.id, place, lot_id]
                if known > units or (draw and amounts[order.id, place] == draw.amount.amount and known != units):
                    yield f"{order.id} drew {units} of {lot_id}, and {known} came back"


def _given_to_wallets(picture: Picture) -> Iterator[tuple[Refund, RefundPart, Draw | None]]:
    """The parts of refunds that wallets have, each with what its tender had drawn."""
    orders = {tree.order.id: tree.order for tree in picture.trees}
    for refund in picture.refunds:
        for part in refund.parts:
            if part.method == "wallet" and part.status is PartStatus.DONE:
                yield refund, part, orders[refund.order_id].tenders[part.tender].draw


def redemptions_pay_what_they_say(picture: Picture) -> Differences:
    """The lots of a redemption pay its amount."""
    for one in picture.redemptions:
        if one.pays != one.amount:
            yield f"{one.id} is for {one.amount}, and its lots pay {one.pays}"


def redemptions_are_cleared(picture: Picture) -> Differences:
    """What is cleared is what completed redemptions pay."""
    cleared = Counter[str]()
    for one in picture.redemptions:
        if one.step_status is RedemptionStatus.COMPLETED:
            cleared[one.amount.currency] += one.amount.amount
    posted = {
        asset: -sum(posting.amount for posting in postings)
        for (account, asset), postings in _by_account(picture).items()
        if account == REDEEMED
    }
    if {asset: units for asset, units in posted.items() if units} != dict(cleared):
        yield f"redemptions come to {dict(cleared)}, and posted were {posted}"


def partners_go_the_way_of_their_redemption(picture: Picture) -> Differences:
    """What is completed, every issuer has captured; of what was given up, none is set aside or taken."""
    ends = {RedemptionStatus.COMPLETED: {UseStatus.CAPTURED}, RedemptionStatus.COMPENSATED: OFF}
    for one in picture.redemptions:
        stand = {part.status for part in one.parts}
        if not stand <= ends.get(one.step_status, set(UseStatus)):
            yield f"{one.id} is {one.step_status}, and its parts are {stand}"


def stock_adds_up(picture: Picture) -> Differences:
    """What is on hand at a location is the sum of its movements, over the cells of a SKU; no number is below zero."""
    moved, on_hand = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for movement in picture.movements:
        moved[movement.sku, movement.location] += movement.quantity
    for cell in picture.stock:
        on_hand[cell.sku, cell.location] += cell.on_hand
        if (
            cell.location != BACKORDER
            and min([cell.available, cell.allocated, *(claim.quantity - 1 for claim in cell.claims.values())]) < 0
        ):
            yield f"a number of {cell} is below zero, or a claim is for nothing"
    for product in picture.products:
        if BACKORDER in product.cells:  # what may be sold ahead is available there, or was sold so
            moved[product.sku, BACKORDER] = product.backorder_capacity
    if moved != on_hand:
        yield f"moved {dict(moved)}, and on hand {dict(on_hand)}"


def movements_are_in_the_log(picture: Picture) -> Differences:
    """Every unit that moved is in a record of the log, and the other way round."""
    moved, told = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for movement in picture.movements:
        moved[movement.sku, movement.location] += movement.quantity
    for record in picture.records:
        for event in record.events:
            match event.name:
                case "stock.received" | "stock.adjusted":
                    told[event.resource, event.data["location"]] += event.data["quantity"]
                case "stock.moved":
                    told[event.resource, event.data["from"]] -= event.data["quantity"]
                    told[event.resource, event.data["to"]] += event.data["quantity"]
    if moved != told:
        yield f"moved {dict(moved)}, and the log tells {dict(told)}"


def low_stock_is_told_at_each_crossing(picture: Picture) -> Differences:
    """Low and replenished take turns, and the last that was told is what the product says."""
    for product in picture.products:
        told = [
            event.name
            for record in sorted(picture.records, key=lambda record: record.at)
            for event in sorted(record.events, key=lambda event: event.version)
            if event.resource == product.sku and event.name in ("stock.low", "stock.replenished")
        ]
        turns = [("stock.low", "stock.replenished")[at % 2] for at in range(len(told))]
        if sorted(told) != sorted(turns):
            yield f"of {product.sku} was told {told}"
        if product.low_stock is not None and product.is_low != (len(told) % 2 == 1):
            yield f"{product.sku} says that it is low: {product.is_low}; and told was {told}"


def cells_are_known(picture: Picture) -> Differences:
    """A product says how many cells it has; each that has anything is one of them."""
    cells = {product.sku: product.cells for product in picture.products}
    for cell in picture.stock:
        known = cells[cell.sku].get(cell.location, 0)
        if cell.number >= known:
            yield f"{cell.sku} has cell {cell.number} at {cell.location}, and says that it has {known}"


def uses_of_promotions_add_up(picture: Picture) -> Differences:
    """What was given out to be used is there, used or not; and a customer's uses are those of living orders."""
    for promotion in picture.promotions:
        cells = [cell for cell in picture.uses if cell.sku == promotion.code]
        if sum(cell.on_hand for cell in cells) != promotion.granted or len(cells) != promotion.cells:
            yield f"{promotion.code} was granted {promotion.granted} uses, and has {cells}"
        if any(cell.available < 0 for cell in cells):
            yield f"{promotion.code} was used more often than it can be: {cells}"
    living = Counter(
        (use.code, use.customer, tree.order.id)
        for tree in picture.trees
        if tree.order.status is not OrderStatus.CANCELLED
        for use in tree.order.uses
        if use.customer is not None
    )
    counted = Counter((code, customer, order) for (code, customer), used in picture.customers.items() for order in used)
    if living != counted:
        yield f"customers' living orders used {dict(living)}, and counted are {dict(counted)}"


def discounts_add_up(picture: Picture) -> Differences:
    """What a line costs is its price less its discounts, before tax or with it."""
    for tree in picture.trees:
        for line in tree.lines:
            left = line.gross - line.discount
            if left not in (line.net, line.total) or left.amount < 0:
                yield f"line {line.id} of {tree.order.id} costs {line.net} and {line.tax} tax, and should {left}"
        codes = {discount.code for line in tree.lines for discount in line.discounts}
        if codes != {use.code for use in tree.order.uses}:
            yield f"{tree.order.id} used {tree.order.uses}, and its lines have discounts of {codes}"


def allocations_are_of_confirmed_orders(picture: Picture) -> Differences:
    """What is allocated in a cell is what confirmed orders have there and claim no more: nothing is sold twice."""
    allocated = Counter[tuple[str, str, int]]()
    for tree in picture.trees:
        if tree.order.status is OrderStatus.CONFIRMED:
            for part in tree.parts:
                if not _claimed(picture, part):
                    allocated[part.sku, part.location, part.cell] += part.quantity
    for cell in picture.cells:
        sold = allocated[cell.sku, cell.location, cell.number]
        if cell.allocated != sold:
            yield f"cell {cell.number} of {cell.sku} has {cell.allocated} allocated, and orders have {sold}"


def no_two_lines_share_a_claim(picture: Picture) -> Differences:
    owners = Counter(
        (part.sku, part.location, part.cell, part.owner) for tree in _living(picture) for part in tree.parts
    )
    for owner, times in owners.items():
        if times > 1:
            yield f"{times} lines have the claim {owner}"


def kept_claims_are_of_orders(picture: Picture) -> Differences:
    """A claim that does not expire is of an order that is paid, or nobody would ever give it back."""
    owned = {(part.sku, part.location, part.cell, part.owner) for tree in _living(picture) for part in tree.parts}
    for cell in picture.cells:
        for owner, claim in cell.claims.items():
            if not claim.held and owner != EARMARK and (cell.sku, cell.location, cell.number, owner) not in owned:
                yield f"the kept claim {owner} on {cell.sku} is of no order"


def carts_have_what_they_reserved(picture: Picture) -> Differences:
    """Until its time is over, a reserved line has all of its quantity, and no order has any of that."""
    sold = {part for tree in _living(picture) for part in tree.parts}
    for cart in picture.carts:
        for line in cart.lines if cart.status is CartStatus.OPEN else ():
            if not line.has_reserved(picture.at):
                continue
            if sum(part.quantity for part in line.reserved) != line.quantity:
                yield f"{line.sku} in cart {cart.id}: {line.quantity} are wanted, and {line.reserved} reserved"
            for part in line.reserved:
                if part in sold or not _claimed(picture, part, until=line.reserved_until):
                    yield f"cart {cart.id} reserved {part}, and it is sold, or may go before"


def lines_have_their_stock(picture: Picture) -> Differences:
    """The parts of a line are its quantity, less what a refund put back on sale.

    While its order waits they are claimed for longer than it waits.
    """
    restocked = Counter[tuple[str, str]]()
    for refund in picture.refunds:
        for line_back in refund.lines:
            restocked[refund.order_id, line_back.piece] += line_back.restock if line_back.restocked else 0
    for tree in picture.trees:
        for line in tree.lines:
            wanted = line.quantity - restocked[tree.order.id, line.id] if line.sku else 0  # without a SKU, no stock
            if sum(part.quantity for part in line.stock) != wanted:
                yield f"line {line.id} of {tree.order.id} wants {line.quantity} and has {line.stock}"
        if tree.order.status is OrderStatus.PENDING_PAYMENT and picture.at < tree.order.expires_at:
            for part in tree.parts:
                if not _claimed(picture, part, until=tree.order.expires_at):
                    yield f"{tree.order.id} waits until {tree.order.expires_at}, and its claim {part} may go before"


def orders_add_up(picture: Picture) -> Differences:
    """The parts of an order sum to its whole: vendor orders, tenders, payments, tax, shipping."""
    for tree in picture.trees:
        order, currency = tree.order, tree.order.currency
        taxes = [line.tax for line in tree.lines] + [share.shipping_tax for share in tree.vendor_orders]
        sums = {
            "vendor orders": total((share.total for share in tree.vendor_orders), currency),
            "tenders": total((tender.amount for tender in order.tenders), currency),
            "goods, shipping and tax": total((line.net for line in tree.lines), currency) + order.shipping + order.tax,
        }
        for what, amount in sums.items():
            if amount != order.total:
                yield f"the {what} of {order.id} come to {amount}, and it to {order.total}"
        if total(taxes, currency) != order.tax:
            yield f"the taxes of {order.id} come to {total(taxes, currency)}, and it says {order.tax}"
        asked = {tender.payment_id: tender.amount for tender in order.tenders if tender.payment_id}
        if asked != {payment.id: payment.amount for payment in tree.payments}:
            yield f"the payments of {order.id} are {tree.payments}, and its tenders {order.tenders}"


def orders_are_what_their_parts_make_them(picture: Picture) -> Differences:
    """The stored status is the rollup of the level below, and payments are as it says."""
    for tree in picture.trees:
        order = tree.order
        waits = order.payment_status == "pending"
        rollup = order_status([share.status for share in tree.vendor_orders], waits_for_payment=waits)
        if order.status is not rollup:
            yield f"{order.id} is {order.status}, and its vendor orders make it {rollup}"
        statuses = {payment.status for payment in tree.payments}
        if order.status is OrderStatus.CONFIRMED and statuses - {PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED}:
            yield f"{order.id} is confirmed, and its payments are {statuses}"
        if order.status is OrderStatus.CANCELLED and PaymentStatus.PENDING in statuses:
            yield f"{order.id} is cancelled, and a payment is pending"
        allocated = bool({LineStatus.ALLOCATED, LineStatus.BACKORDERED} & {line.status for line in tree.lines})
        if (order.status is OrderStatus.CONFIRMED) != allocated:
            yield f"{order.id} is {order.status}, and its lines are {[line.status for line in tree.lines]}"


def carts_become_one_order(picture: Picture) -> Differences:
    orders = {tree.order.id for tree in picture.trees}
    for cart in picture.carts:
        if (cart.status is CartStatus.COMPLETED) != (cart.order_id in orders):
            yield f"cart {cart.id} is {cart.status} and became {cart.order_id}"
    became = Counter(cart.order_id for cart in picture.carts if cart.order_id)
    if any(times > 1 for times in became.values()):
        yield f"two carts became one order: {became}"


def the_ledger_tells_the_same_as_the_orders(picture: Picture) -> Differences:
    """Receivables, cash, and what is deferred, earned and payable are what orders, refunds and billing come to."""
    expected = Counter[tuple[str, str]]()
    for tree in picture.trees:
        for account, money in _sold_and_paid(tree):
            expected[account, money.currency] += money.amount
    for refund in picture.refunds:
        for account, money in _given_back(refund):
            expected[account, money.currency] += money.amount
    for account, money in what_billing_comes_to(picture):
        expected[account, money.currency] += money.amount
    posted = {account: sum(posting.amount for posting in rows) for account, rows in _by_account(picture).items()}
    others = ("wallet:", LOYALTY, POINTS, BREAKAGE, REDEEMED, *OF_CUSTOMERS)
    ours = {at for at in posted if not at[0].startswith(others)}
    for at in sorted(ours | set(expected)):
        if posted.get(at, 0) != expected[at]:
            yield f"{at} stands at {posted.get(at, 0)}, and the orders make it {expected[at]}"


def _sold_and_paid(tree: OrderTree) -> Iterator[tuple[str, Money]]:
    order = tree.order
    if order.confirmed_at is not None:
        yield RECEIVABLE, order.total - order.drawn
        for share in tree.vendor_orders:
            yield from ((account, Money(-units, order.currency)) for account, units in accounts(share).items())
    for payment in tree.payments:
        if payment.is_settled:
            yield RECEIVABLE, -payment.received
            yield cash_at(payment.provider), payment.received


def _given_back(refund: Refund) -> Iterator[tuple[str, Money]]:
    if refund.status in GRANTED and not refund.is_return:
        yield RECEIVABLE, -refund.amount
    for part in refund.parts:
        if part.status is PartStatus.DONE:
            yield RECEIVABLE, part.amount
        if part.status is PartStatus.DONE and part.method != "wallet":
            yield cash_at("manual" if part.method == "outside" else part.provider or ""), -part.amount


GRANTED: Final = {*OPEN, RefundStatus.SUCCEEDED}


def lines_give_back_what_refunds_say(picture: Picture) -> Differences:
    """And never more than they were sold for, net and tax each."""
    pieces = Counter[tuple[str, str, str]]()
    for refund in picture.refunds:
        for line in refund.lines if refund.status in GRANTED else ():
            pieces[refund.order_id, line.vendor_order, line.piece] += line.total.amount
    shares = [(share, piece) for tree in picture.trees for share in tree.vendor_orders for piece in share.pieces]
    for share, piece in shares:
        back, whole = share.given_back(piece).money, share.pieces[piece]
        if back.total != pieces[share.order_id, share.id, piece]:
            yield f"{piece} of {share.number} gave {back} back, and refunds are {pieces}"
        if not (0 <= back.net <= whole.net and 0 <= back.tax <= whole.tax):
            yield f"{piece} of {share.number} gave {back} of {whole} back"


def tenders_give_back_what_refunds_say(picture: Picture) -> Differences:
    """And never more than they paid; so do payments, of what their provider took."""
    tenders, payments = Counter[tuple[str, int]](), Counter[str]()
    for refund in picture.refunds:
        for part in refund.parts:
            tenders[refund.order_id, part.tender] += (
                part.amount.amount if refund.status in GRANTED and not refund.is_return else 0
            )
            payments[part.payment_id or ""] += part.amount.amount if part.status is PartStatus.DONE else 0
    for tree in picture.trees:
        for place, tender in enumerate(tree.order.tenders):
            if not 0 <= tender.refunded == tenders[tree.order.id, place] <= tender.amount.amount:
                yield f"tender {place} of {tree.order.id} gave {tender.refunded} back, and refunds are {tenders}"
        for payment in tree.payments:
            if not payment.given_back == payments[payment.id] <= payment.received.amount:
                yield f"{payment.id} gave {payment.given_back} back, and the parts of refunds are {payments}"


def refunds_are_the_sum_of_their_lines(picture: Picture) -> Differences:
    for refund in picture.refunds:
        if not refund.is_return and total((line.total for line in refund.lines), refund.currency) != refund.amount:
            yield f"the lines of {refund.id} are not its parts: {refund}"


def versions_are_told_once(picture: Picture) -> Differences:
    """No two records tell the same event of the same version of a resource."""
    told = Counter((event.name, event.resource, event.version) for r in picture.records for event in r.events)
    for event, times in told.items():
        if times > 1:
            yield f"{event} was told {times} times"


INVARIANTS: Final[tuple[Callable[[Picture], Differences], ...]] = (
    entries_balance,
    wallets_are_what_was_posted,
    points_are_all_issued,
    statements_run_from_balance_to_balance,
    holds_are_of_redemptions,
    redemptions_pay_what_they_say,
    draws_are_paid_by_lots,
    wallets_get_back_what_refunds_say,
    what_is_given_back_whole_was_drawn,
    partners_go_the_way_of_their_redemption,
    redemptions_are_cleared,
    stock_adds_up,
    uses_of_promotions_add_up,
    discounts_add_up,
    movements_are_in_the_log,
    low_stock_is_told_at_each_crossing,
    cells_are_known,
    allocations_are_of_confirmed_orders,
    no_two_lines_share_a_claim,
    kept_claims_are_of_orders,
    carts_have_what_they_reserved,
    lines_have_their_stock,
    orders_add_up,
    orders_are_what_their_parts_make_them,
    carts_become_one_order,
    the_ledger_tells_the_same_as_the_orders,
    lines_give_back_what_refunds_say,
    tenders_give_back_what_refunds_say,
    refunds_are_the_sum_of_their_lines,
    versions_are_told_once,
    customers_owe_what_was_posted,
    outstanding_is_what_the_documents_say,
    what_is_paid_is_what_was_allocated,
    what_was_received_is_unapplied_allocated_or_credit,
    items_are_billed_by_one_invoice,
    numbers_of_invoices_have_no_gap,
)


def differences(picture: Picture) -> list[str]:
    return [f"{invariant.__name__}: {each}" for invariant in INVARIANTS for each in invariant(picture)]


def overdue(picture: Picture) -> list[str]:
    """What is held past its time, once claims were swept and sagas ran."""
    now = picture.at
    claims = [
        f"{owner} holds {claim.quantity} of {cell.sku} since it expired"
        for cell in picture.cells
        for owner, claim in cell.claims.items()
        if claim.is_over(now)
    ]
    orders = [
        f"{tree.order.id} waits for its payment since {tree.order.expires_at}"
        for tree in picture.trees
        if tree.order.status is OrderStatus.PENDING_PAYMENT and tree.order.expires_at <= now
    ]
    return claims + orders


def _by_account(picture: Picture) -> Mapping[tuple[str, str], list[Posting]]:
    accounts: defaultdict[tuple[str, str], list[Posting]] = defaultdict(list)
    for record in picture.records:
        for posting in record.entry.postings if record.entry else ():
            accounts[posting.account, posting.asset].append(posting)
    return accounts


FOR_GOOD: Final = {reason for reason in CancelReason if reason is not CancelReason.UNPAID}


def _living(picture: Picture) -> list[OrderTree]:
    """Orders that have, or may still want, what they claimed: all but those given up for good."""
    return [tree for tree in picture.trees if tree.order.cancel_reason not in FOR_GOOD]


def _claimed(picture: Picture, part: Part, until: Instant | None = None) -> bool:
    """True if the part is claimed, and, with `until`, for no shorter than that."""
    cell = picture.cell(part)
    claim = cell.claims.get(part.owner) if cell else None
    if claim is None or claim.quantity != part.quantity:
        return False
    return until is None or not claim.held or claim.expires >= int(until.timestamp())
