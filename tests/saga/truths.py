"""What must be true of a world once nothing more is to happen: a difference is a sentence for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cauri.books.ledger import books_of, cash_at
from cauri.books.statements import trial_balance
from cauri.orders.model import OrderStatus
from cauri.payments.model import PaymentStatus
from cauri.providers.ports import Captured
from cauri.refunds.model import OPEN, RefundStatus

from tests.proof import invariants, state
from tests.proof.picture import Picture, picture
from tests.saga.world import World


def look(world: World) -> Picture:
    return picture(state.items(), world.clock.now)


def troubles(world: World) -> list[str]:
    """Every difference, at any time at which no command is half way."""
    seen = look(world)
    return [*invariants.differences(seen), *_ledger_is_the_log(world, seen), *_what_is_open_is_watched(world, seen)]


def unfinished(world: World) -> list[str]:
    """Every difference once all is over: the sagas ended, and what they left to expire has expired."""
    world.expire_claims()
    seen = look(world)
    return [
        *invariants.differences(seen),
        *invariants.overdue(seen),
        *_ledger_is_the_log(world, seen),
        *_money_is_where_we_say(world, seen),
        *_paid_exactly_or_not_at_all(seen),
        *_nothing_is_reserved(seen),
        *_no_refund_is_left(seen),
        *_nobody_is_left(world),
        *_what_is_open_is_watched(world, seen),
    ]


def posted(seen: Picture) -> Counter[tuple[str, str]]:
    """What the entries of the log come to, by account and asset, debits positive."""
    sums = Counter[tuple[str, str]]()
    for record in seen.records:
        for posting in record.entry.postings if record.entry else ():
            sums[books_of(posting.account)[-1], posting.asset] += posting.amount
    return sums


def _ledger_is_the_log(world: World, seen: Picture) -> Iterator[str]:
    """The accounts, as the fold made them, are what the entries come to."""
    if not world.folds:
        return
    balances = trial_balance(world.shop.database, world.shop.tenant)
    found = {(one.account, one.asset): one.debit - one.credit for one in balances.accounts}
    expected = dict(posted(seen))
    if found != expected:
        yield f"the accounts stand at {found}, and the log makes them {expected}"
    if not balances.balanced:
        yield f"the trial balance is off: {balances.totals}"


def _money_is_where_we_say(world: World, seen: Picture) -> Iterator[str]:
    """What the provider has of ours is what our cash account says; what is disputed by both sides is neither's."""
    taken = sum(said.amount.amount for said in world.provider.truth.values() if isinstance(said, Captured))
    given_back = sum(money.amount for money in world.provider.refunds.values())
    cash = sum(amount for (account, _), amount in posted(seen).items() if account == cash_at("demo"))
    if taken - given_back != cash:
        yield f"the provider has {taken} - {given_back}, and our account says {cash}"


def _paid_exactly_or_not_at_all(seen: Picture) -> Iterator[str]:
    for tree in seen.trees:
        order = tree.order
        sold = order.confirmed_at is not None  # what of it was refunded since, the invariants look into
        kept = (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED) if sold else (PaymentStatus.SUCCEEDED,)
        paid = sum(one.amount.amount for one in tree.payments if one.status in kept)
        due = order.total.amount - order.drawn.amount if sold else 0
        if paid != due:
            yield f"{order.id} is {order.status}: {paid} were paid to providers, and {due} are due"


def _nothing_is_reserved(seen: Picture) -> Iterator[str]:
    for cell in seen.cells:
        if cell.claims:
            yield f"{cell.sku} has claims: {dict(cell.claims)}"
    for wallet in seen.wallets:
        if holds := wallet.live(seen.at).holds:
            yield f"the wallet of {wallet.customer_id} has holds: {holds}"


def _no_refund_is_left(seen: Picture) -> Iterator[str]:
    """What was granted has reached the customer, or was called off; and its goods are where they are to be."""
    for refund in seen.refunds:
        if refund.status in OPEN or (refund.status is RefundStatus.SUCCEEDED and refund.to_restock):
            yield f"{refund.id} is {refund.status}: {refund.parts}, {refund.to_restock}"
    for tree in seen.trees:
        for payment in tree.payments:
            if payment.refunding is not None and payment.status is not PaymentStatus.REFUNDED:
                yield f"{payment.id} is still being refunded by {payment.refunding}"


def _what_is_open_is_watched(world: World, seen: Picture) -> Iterator[str]:
    """Whatever is not at its end, recovery would find."""
    watched = {watch.resource for watch in world.shop.watched()}
    kept = {owner for cell in seen.cells for owner, claim in cell.claims.items() if not claim.held}
    for tree in seen.trees:
        waits = tree.order.status is OrderStatus.PENDING_PAYMENT
        if (waits or kept.intersection(part.owner for part in tree.parts)) and tree.order.id not in watched:
            yield f"{tree.order.id} is {tree.order.status}, and nobody watches over it"
    for refund in seen.refunds:
        is_open = refund.status in (RefundStatus.APPROVED, RefundStatus.PROCESSING)
        restocks = refund.status is RefundStatus.SUCCEEDED and refund.to_restock
        if (is_open or restocks) and refund.id not in watched:
            yield f"{refund.id} is {refund.status}, and nobody watches over it"


def _nobody_is_left(world: World) -> Iterator[str]:
    for execution in world.executions.all:
        if not execution.ended:
            yield f"{execution.name} has not ended: {execution.states}"
