"""Whose wallet who may see."""

from __future__ import annotations

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.explaining import Explanation, Step
from cauri.books.listing import Page, read_partition, read_spread
from cauri.books.statements import UnknownAccount, statement
from cauri.clock import Instant, from_rfc3339
from cauri.money import Money
from cauri.parties.model import UnknownCustomer
from cauri.wallet.accounts import Movement, account_of
from cauri.wallet.approvals import Approval, UnknownApproval
from cauri.wallet.breakage import Breakage, Liability, NothingCounted, Review, days_of, review
from cauri.wallet.issuing import require_issuer
from cauri.wallet.lots import Kind, Wallet
from cauri.wallet.programme import NoProgramme, Programme
from cauri.wallet.proposing import proposal
from cauri.wallet.redemption import Redemption, UnknownRedemption
from cauri.wallet.store import (
    APPROVALS,
    BREAKAGES,
    LIABILITIES,
    MOVEMENTS,
    REDEMPTIONS,
    REVIEWS,
    TABLE,
    approval_key,
    approvals_list,
    breakage_list,
    liability_partition,
    programme_key,
    redemption_key,
    shards,
    statement_partition,
    wallet_key,
)
from cauri.wallet.views import (
    ApprovalView,
    LotView,
    ProgrammeView,
    ProposalView,
    RedemptionView,
    WalletView,
    approval_view,
    lot_view,
    payment_views,
    programme_view,
    redemption_view,
    wallet_view,
)


def explain_wallet(
    database: Database, caller: Caller, customer_id: str, kind: Kind, asset: str, *, position: str | None, limit: int
) -> Explanation:
    """Why a customer has so much of a kind, whether it can be spent or not: what was posted. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    key = wallet_key(caller.tenant, customer_id)
    wallet = database.fetch([key])[key]
    owed = wallet.owed(asset, kind) if wallet else 0
    try:
        page = statement(
            database, caller.tenant, account_of(kind, customer_id), asset, after=position or "", limit=limit
        )
    except UnknownAccount:
        return Explanation(owed, [], None)
    # What we owe the customer is a credit to us, and a balance to them.
    steps = [Step(from_rfc3339(it.at), it.kind, it.log_id, -it.amount, -it.balance) for it in page.lines]
    return Explanation(owed, steps, page.last)


def wallet_for(database: Database, caller: Caller, customer_id: str, at: Instant) -> WalletView:
    """Everything a customer has: its own, or any to staff. One read. Raises UnknownCustomer, NoProgramme."""
    programme, wallet = _wallet(database, caller, customer_id)
    return wallet_view(wallet.live(at), programme, at)


def lot_for(database: Database, caller: Caller, customer_id: str, lot_id: str, at: Instant) -> LotView:
    """A lot that something is left of: any to staff, its own to a partner. Raises UnknownLot, NoProgramme."""
    programme, wallet = _read(database, caller.tenant, customer_id)
    lot = wallet.live(at).lot(lot_id)
    require_issuer(lot, caller)
    held = wallet.live(at).held_of(lot_id)
    return lot_view(lot, lot.units, held, lot.status(at, programme.grace, held))


def statement_for(
    database: Database, caller: Caller, customer_id: str, *, after: str | None, limit: int
) -> Page[Movement]:
    """What changed a customer's wallet, the newest first. Raises UnknownCustomer."""
    _require_own(caller, customer_id)
    partition = statement_partition(caller.tenant, customer_id)
    return read_partition(database, MOVEMENTS, partition, after=after, limit=limit, newest_first=True)


def proposal_for(
    database: Database,
    caller: Caller,
    customer_id: str,
    amount: Money,
    tax: Money,
    kinds: tuple[Kind, ...] | None,
    at: Instant,
) -> ProposalView:
    """How the wallet would pay. Raises what a redemption would, but for InsufficientBalance."""
    programme, wallet = _wallet(database, caller, customer_id)
    made = proposal(programme, wallet.live(at), amount, tax, kinds, at, outside=True)
    return ProposalView(amount, tax, payment_views(made.payments), made.rest)


def redemption_for(database: Database, caller: Caller, redemption_id: str, at: Instant) -> RedemptionView:
    """Raises UnknownRedemption, also for others'."""
    key = redemption_key(caller.tenant, redemption_id)
    redemption = database.fetch([key])[key]
    if redemption is None or not (caller.is_staff or caller.customer_id == redemption.customer_id):
        raise UnknownRedemption(redemption_id)
    return redemption_view(redemption, at)


def reviews_of(database: Database, tenant: str, at: Instant, *, after: str | None, limit: int) -> Page[Redemption]:
    """What is set aside because it looks like fraud, until staff capture or release it; the newest first.

    What nobody looked at in time came back by itself: it is on the list, and left out. So a page may have fewer.
    """
    page = read_spread(database, REDEMPTIONS, tenant, shards(REVIEWS), after=after, limit=limit)
    return Page([one for one in page.items if one.sets_aside(at)], page.position)


def programme_of(database: Database, tenant: str) -> ProgrammeView:
    """Raises NoProgramme."""
    key = programme_key(tenant)
    programme = database.fetch([key])[key]
    if programme is None:
        raise NoProgramme
    return programme_view(programme, programme.version)


def approval_of(database: Database, tenant: str, approval_id: str, at: Instant) -> ApprovalView:
    """Raises UnknownApproval."""
    key = approval_key(tenant, approval_id)
    approval = database.fetch([key])[key]
    if approval is None:
        raise UnknownApproval(approval_id)
    return approval_view(approval, at)


def approvals_of(database: Database, tenant: str, *, is_open: bool, after: str | None, limit: int) -> Page[Approval]:
    """The requests that nobody has decided yet, or those that people have; the newest first."""
    names = shards(approvals_list(is_open))
    return read_spread(database, APPROVALS, tenant, names, after=after, limit=limit)


def breakages_of(database: Database, tenant: str, period: str, *, after: str | None, limit: int) -> Page[Breakage]:
    """What lapsed in a quarter, the newest first."""
    return read_spread(database, BREAKAGES, tenant, shards(breakage_list(period)), after=after, limit=limit)


def liabilities_of(database: Database, tenant: str, *, after: str | None, limit: int) -> Page[Liability]:
    """What was owed on each day on which somebody counted, the newest first."""
    partition = liability_partition(tenant)
    return read_partition(database, LIABILITIES, partition, after=after, limit=limit, newest_first=True)


def review_of(database: Database, tenant: str, period: str) -> Review:
    """Raises NothingCounted."""
    first, last = days_of(period)
    request = {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": liability_partition(tenant)},
            ":first": {"S": first},
            ":last": {"S": last},
        },
    }
    counted = LIABILITIES.from_items(database.query_all(TABLE, request))
    if not counted:
        raise NothingCounted(period)
    return review(period, counted[0], counted[-1])


def _wallet(database: Database, caller: Caller, customer_id: str) -> tuple[Programme, Wallet]:
    _require_own(caller, customer_id)
    return _read(database, caller.tenant, customer_id)


def _read(database: Database, tenant: str, customer_id: str) -> tuple[Programme, Wallet]:
    rules, key = programme_key(tenant), wallet_key(tenant, customer_id)
    found = database.fetch([rules, key])
    programme = found[rules]
    if programme is None:
        raise NoProgramme
    return programme, found[key] or Wallet(tenant, customer_id)


def _require_own(caller: Caller, customer_id: str) -> None:
    if not caller.is_staff and caller.customer_id != customer_id:
        raise UnknownCustomer(customer_id)
