"""Wallets as people and programs see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from cauri.clock import Instant
from cauri.money import Money
from cauri.values import dataclass
from cauri.wallet.accounts import Line, Movement
from cauri.wallet.approvals import Approval, ApprovalStatus, Decision, Extension, Grant
from cauri.wallet.breakage import Breakage, Liability, Owed
from cauri.wallet.depletion import Payment
from cauri.wallet.earning import Earning, EarningStatus
from cauri.wallet.lots import Kind, Lot, LotStatus, Snapshot, Wallet
from cauri.wallet.partners import PartnerPart
from cauri.wallet.programme import Estimate, Programme
from cauri.wallet.redemption import Redemption, RedemptionStatus
from cauri.wallet.signals import SEVERITY, Severity, Sign


@dataclass(frozen=True)
class LotView:
    """Credit that came at once. `amount` is what is left to spend of `granted`; points are of the currency PTS."""

    id: str
    kind: Kind
    granted: Money
    amount: Money
    held: Money
    status: str
    source: str
    issued_at: Instant
    expires_at: Instant | None
    issuer: str | None
    snapshot: Snapshot | None


@dataclass(frozen=True)
class KindView:
    """What there is of a kind in a currency: to spend, of which some expires soon; and what can't be spent now."""

    kind: Kind
    available: Money
    expiring_soon: Money
    held: Money
    pending: Money
    expired: Money
    """In its days of grace: staff may extend it."""


@dataclass(frozen=True)
class WalletView:
    customer_id: str
    balances: list[KindView]
    lots: list[LotView]
    """In the order in which they expire."""


@dataclass(frozen=True)
class StatementEntry:
    """One change. `note` is what people said of it."""

    number: int
    at: Instant
    why: str
    about: str
    lines: list[Line]
    note: str


@dataclass(frozen=True)
class StatementView:
    """The newest first."""

    customer_id: str
    entries: list[StatementEntry]
    next_cursor: str | None


@dataclass(frozen=True)
class GrantView:
    kind: Kind
    value: Money
    source: str
    expires_at: Instant | None


@dataclass(frozen=True)
class ExtensionView:
    lot_id: str
    until: Instant


@dataclass(frozen=True)
class ApprovalView:
    """A request that waits for people, or waited. `missing` is how many more must agree."""

    id: str
    status: ApprovalStatus
    customer_id: str
    grant: GrantView | None
    extension: ExtensionView | None
    worth: Money
    needs: list[str]
    missing: int
    requested_by: str
    requested_at: Instant
    expires_at: Instant
    decisions: list[Decision]


@dataclass(frozen=True)
class ApprovalPage:
    approvals: list[ApprovalView]
    next_cursor: str | None


@dataclass(frozen=True)
class IssuedView:
    """What was issued; or, above the limits, who must agree first."""

    credit: LotView | None
    approval: ApprovalView | None


@dataclass(frozen=True)
class EarningView:
    """What an order earned: pending, until its delivery is accepted. `clawed_back` went with what was refunded."""

    order_id: str
    customer_id: str
    amount: Money
    points: int
    status: EarningStatus
    refunded: Money
    clawed_back: int


@dataclass(frozen=True)
class BrokenLot:
    lot_id: str
    kind: Kind
    amount: Money


@dataclass(frozen=True)
class BreakageView:
    """What lapsed of one wallet at once, and where it is in the books. `worth` is in the reporting currency."""

    id: str
    customer_id: str
    lots: list[BrokenLot]
    worth: Money
    breakage_recognized_at: Instant
    breakage_recognition_period: str
    breakage_journal_entry_id: str


@dataclass(frozen=True)
class BreakagePage:
    """The newest first."""

    breakages: list[BreakageView]
    next_cursor: str | None


@dataclass(frozen=True)
class LiabilityView:
    """What was owed to customers on a day, by kind and currency, and in the reporting currency."""

    day: str
    at: Instant
    owed: list[Owed]
    worth: Money
    estimate: Estimate
    estimate_bps: int
    estimated_breakage: Money
    recognized: Money


@dataclass(frozen=True)
class LiabilityPage:
    """The newest first."""

    liabilities: list[LiabilityView]
    next_cursor: str | None


@dataclass(frozen=True)
class PaymentView:
    """What one lot pays: `units` of it, which are worth `pays`."""

    lot_id: str
    kind: Kind
    units: int
    pays: Money


@dataclass(frozen=True)
class RedemptionView:
    id: str
    status: RedemptionStatus
    customer_id: str
    amount: Money
    tax: Money
    payments: list[PaymentView]
    reference: str | None
    at: Instant
    expires_at: Instant | None
    signs: list[SignView]
    for_review: bool
    partners: list[PartnerPart]
    """What partners' issuers are asked about, and how far that is."""


@dataclass(frozen=True)
class SignView:
    """What looks like fraud about a redemption, and how much so."""

    sign: Sign
    severity: Severity


@dataclass(frozen=True)
class RedemptionPage:
    """The newest first."""

    redemptions: list[RedemptionView]
    next_cursor: str | None


@dataclass(frozen=True)
class ProposalView:
    """How an amount would be paid. `rest` is what the wallet can't pay."""

    amount: Money
    tax: Money
    payments: list[PaymentView]
    rest: Money


@dataclass(frozen=True)
class RateView:
    rate: str
    date: str
    source: str


@dataclass(frozen=True)
class ProgrammeView:
    """The rules. Amounts are minor units; limits in the reporting currency."""

    reporting_currency: str
    order: list[Kind]
    expiring_first_days: int
    points_minimum: int
    per_1000_points: dict[str, int]
    rates: dict[str, RateView]
    automatic_max: int | None
    manager_max: int | None
    decide_hours: int
    earn_per_1000: dict[str, int]
    earned_days: int | None
    grace_days: int
    expiring_soon_days: int
    restored_days: int | None
    hold_minutes_max: int
    review_flagged: bool
    estimate: Estimate
    estimate_bps: int
    confirming_partners: list[str]
    version: int


def lot_view(lot: Lot, available: int, held: int, status: str) -> LotView:
    return LotView(
        lot.id,
        lot.kind,
        Money(lot.granted, lot.asset),
        Money(available, lot.asset),
        Money(held, lot.asset),
        status,
        lot.source,
        lot.issued_at,
        lot.expires_at,
        lot.issuer,
        lot.snapshot,
    )


def wallet_view(wallet: Wallet, programme: Programme, at: Instant) -> WalletView:
    lots = sorted(wallet.lots.values(), key=lambda lot: lot.turn)
    soon = wallet.expiring(at + timedelta(days=programme.expiring_soon_days), at)
    views = [_lot(lot, wallet, programme, at) for lot in lots]
    return WalletView(
        wallet.customer_id, [_kind_view(*account, views, soon) for account in sorted(wallet.accounts())], views
    )


def _lot(lot: Lot, wallet: Wallet, programme: Programme, at: Instant) -> LotView:
    held = wallet.held_of(lot.id)
    return lot_view(lot, lot.units, held, lot.status(at, programme.grace, held))


def _kind_view(kind: Kind, asset: str, views: list[LotView], soon: list[Lot]) -> KindView:
    units, held = Counter[str](), 0
    for view in views:
        if (view.kind, view.amount.currency) == (kind, asset):
            units[view.status] += view.amount.amount
            held += view.held.amount
    return KindView(
        kind,
        available=Money(units[LotStatus.ACTIVE], asset),
        expiring_soon=Money(sum(lot.units for lot in soon if (lot.kind, lot.asset) == (kind, asset)), asset),
        held=Money(held, asset),
        pending=Money(units[LotStatus.PENDING], asset),
        expired=Money(units[LotStatus.EXPIRED] + units[LotStatus.FULLY_EXPIRED], asset),
    )


def statement_entry(moved: Movement) -> StatementEntry:
    return StatementEntry(moved.number, moved.at, moved.why, moved.about, list(moved.lines), moved.note)


def approval_view(approval: Approval, at: Instant) -> ApprovalView:
    asked = approval.request
    return ApprovalView(
        approval.id,
        approval.status(at),
        asked.customer_id,
        GrantView(asked.kind, asked.value, asked.source, asked.expires_at) if isinstance(asked, Grant) else None,
        ExtensionView(asked.lot_id, asked.until) if isinstance(asked, Extension) else None,
        approval.worth,
        list(approval.needs),
        len(approval.needs) - sum(decision.approved for decision in approval.decisions),
        approval.requested_by,
        approval.requested_at,
        approval.expires_at,
        list(approval.decisions),
    )


def issued_view(*, credit: LotView | None = None, approval: ApprovalView | None = None) -> IssuedView:
    return IssuedView(credit, approval)


def earning_view(earning: Earning) -> EarningView:
    return EarningView(
        earning.order_id,
        earning.customer_id,
        earning.amount,
        earning.points,
        earning.status,
        earning.refunded,
        earning.clawed_back,
    )


def breakage_view(broken: Breakage) -> BreakageView:
    return BreakageView(
        broken.id,
        broken.customer_id,
        [BrokenLot(part.id, part.kind, Money(part.units, part.asset)) for part in broken.parts],
        broken.worth,
        broken.breakage_recognized_at,
        broken.breakage_recognition_period,
        broken.breakage_journal_entry_id,
    )


def liability_view(counted: Liability) -> LiabilityView:
    return LiabilityView(
        counted.day,
        counted.at,
        list(counted.owed),
        counted.worth,
        counted.estimate,
        counted.estimate_bps,
        counted.estimated_breakage,
        counted.recognized,
    )


def payment_views(payments: Iterable[Payment]) -> list[PaymentView]:
    return [PaymentView(one.lot.id, one.lot.kind, one.units, one.pays) for one in payments]


def redemption_view(redemption: Redemption, at: Instant) -> RedemptionView:
    return RedemptionView(
        redemption.id,
        redemption.status(at),
        redemption.customer_id,
        redemption.amount,
        redemption.tax,
        payment_views(redemption.payments),
        redemption.reference,
        redemption.at,
        redemption.expires_at,
        [SignView(sign, SEVERITY[sign]) for sign in redemption.signs],
        redemption.for_review,
        list(redemption.parts),
    )


def programme_view(programme: Programme, version: int) -> ProgrammeView:
    spending = programme.spending
    return ProgrammeView(
        programme.reporting_currency,
        list(spending.order),
        spending.expiring_first_days,
        spending.points_minimum,
        spending.per_1000_points,
        {currency: RateView(one.rate, one.date, one.source) for currency, one in programme.rates.items()},
        programme.automatic_max,
        programme.manager_max,
        programme.decide_hours,
        programme.earn_per_1000,
        programme.earned_days,
        programme.grace_days,
        programme.expiring_soon_days,
        programme.restored_days,
        programme.hold_minutes_max,
        programme.review_flagged,
        programme.estimate,
        programme.estimate_bps,
        list(programme.confirming_partners),
        version,
    )
