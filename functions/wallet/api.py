"""Store credit, points and rewards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
from cauri.edge.fields import (
    ID_PATTERN,
    BasisPoints,
    CurrencyCode,
    ExpectedVersion,
    Id,
    Line,
    MinorUnits,
    Moment,
    PositiveMoney,
    Shape,
    Title,
)
from cauri.edge.http import STAFF, Api
from cauri.edge.kinds import KindAsked, Kinds
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.money import MINOR_UNITS_MAX, Money, zero
from cauri.parties.limits import Tier
from cauri.parties.model import UnknownCustomer, UnknownTenant, VersionMismatch
from cauri.wallet.approvals import ApprovalClosed, NotYoursToApprove, UnknownApproval
from cauri.wallet.breakage import NothingCounted, Review
from cauri.wallet.changes import WalletFull
from cauri.wallet.depletion import BelowMinimum, Policy
from cauri.wallet.earning import AlreadyEarned, EarningExceeded, NothingEarned, UnknownEarning
from cauri.wallet.issuing import (
    DecideApproval,
    ExpiresInThePast,
    ExtendCredit,
    IssueCredit,
    PartnersIssueRewards,
    PutProgramme,
    RevokeCredit,
)
from cauri.wallet.lots import PTS, Kind, LotHeld, LotNotExtendable, UnknownHold, UnknownLot
from cauri.wallet.points import ClawBackPoints, EarnPoints, MaturePoints
from cauri.wallet.programme import Estimate, NoProgramme, Programme, Rate, RateMissing
from cauri.wallet.proposing import InsufficientBalance
from cauri.wallet.queries import (
    approval_of,
    approvals_of,
    breakages_of,
    explain_wallet,
    liabilities_of,
    lot_for,
    programme_of,
    proposal_for,
    redemption_for,
    review_of,
    reviews_of,
    statement_for,
    wallet_for,
)
from cauri.wallet.redeeming import (
    CaptureRedemption,
    HoldTooLong,
    Redeem,
    ReleaseRedemption,
    ReverseRedemption,
)
from cauri.wallet.redemption import (
    HoldTooSmall,
    IllegalRedemptionChange,
    RedemptionCurrencyMismatch,
    TaxTooLarge,
    UnknownRedemption,
)
from cauri.wallet.views import (
    ApprovalPage,
    ApprovalView,
    BreakagePage,
    EarningView,
    IssuedView,
    LiabilityPage,
    LotView,
    ProgrammeView,
    ProposalView,
    RedemptionPage,
    RedemptionView,
    StatementView,
    WalletView,
    approval_view,
    breakage_view,
    liability_view,
    redemption_view,
    statement_entry,
)
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

HOLDERS: Final = STAFF | {"customer"}
"""Who may see and spend: the customer itself, and staff."""

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, examples=["cus_amina"])]
KindNamed = Annotated[KindAsked, Path(examples=["store_credit"])]
Asset = Annotated[str, Path(pattern=r"^[A-Z]{3}$", description="A currency, or PTS", examples=["KES"])]
LotId = Annotated[str, Path(pattern=ID_PATTERN, examples=["lot_01JD0000000000000000000000"])]
RedemptionId = Annotated[str, Path(pattern=ID_PATTERN, examples=["red_01JD0000000000000000000000"])]
ApprovalId = Annotated[str, Path(pattern=ID_PATTERN, examples=["apr_01JD0000000000000000000000"])]
OrderId = Annotated[str, Path(pattern=ID_PATTERN, examples=["ord_01JD0000000000000000000000"])]
Period = Annotated[str, Path(pattern=r"^20[0-9]{2}-Q[1-4]$", examples=["2026-Q4"])]
Units = Annotated[int, Field(ge=1, le=MINOR_UNITS_MAX, examples=[500])]
Days = Annotated[int, Field(ge=0, le=3650)]
Subject = Annotated[str, Field(min_length=1, max_length=255, examples=["usr_java"])]


def _is_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("date", "Input should be a day of the calendar") from None
    return text


def _is_positive(text: str) -> str:
    if not Decimal(text):
        raise PydanticCustomError("rate", "A rate is above zero")
    return text


Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}, examples=["2026-11-20"]),
    AfterValidator(_is_date),
]
RateDecimal = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$", json_schema_extra={"not": {"pattern": r"^[0.]*$"}}, examples=["0.0077"]
    ),
    AfterValidator(_is_positive),
]

# What the validator below holds to, for the description.
_BY_KIND: Final[dict[str, Any]] = {
    "oneOf": [
        {
            "required": ["points"],
            "properties": {"kind": {"const": "points"}, "points": {"type": "integer"}, "amount": {"type": "null"}},
        },
        {
            "required": ["amount"],
            "properties": {
                "kind": {"enum": ["store_credit", "reward"]},
                "amount": {"type": "object"},
                "points": {"type": "null"},
            },
        },
    ]
}

api = Api("Wallet")


# -- The programme


class RateRequest(Shape):
    """What one whole unit of a currency is worth in the reporting currency."""

    rate: RateDecimal
    date: Day
    source: Title


class ProgrammeRequest(Shape):
    """The rules of the loyalty programme, whole: what is left out takes its default.

    Amounts are minor units of the reporting currency. `per_1000_points` is what 1,000 points pay, in minor units by
    currency: in a currency that is not there points pay nothing.
    """

    reporting_currency: CurrencyCode
    order: Annotated[Kinds, Field(description="Which kinds pay first")] = Field(
        default_factory=lambda: list(Policy().order)
    )
    expiring_first_days: Annotated[
        Days, Field(description="Lots that expire within so many days pay before all others")
    ] = 7
    points_minimum: Annotated[int, Field(ge=0, le=MINOR_UNITS_MAX)] = 100
    per_1000_points: Annotated[dict[CurrencyCode, Units], Field(max_length=50, examples=[{"KES": 10_000}])] = Field(
        default_factory=dict
    )
    rates: Annotated[dict[CurrencyCode, RateRequest], Field(max_length=200)] = Field(default_factory=dict)
    automatic_max: Annotated[
        MinorUnits | None, Field(description="What staff issue by themselves; else 100 whole units")
    ] = None
    manager_max: Annotated[
        MinorUnits | None,
        Field(description="What one manager may agree to; above, a manager and finance. Else 1,000 whole units"),
    ] = None
    decide_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24
    earn_per_1000: Annotated[
        dict[CurrencyCode, Units],
        Field(max_length=50, description="Points that 1,000 minor units of an order earn", examples=[{"KES": 10}]),
    ] = Field(default_factory=dict)
    earned_days: Annotated[
        Annotated[int, Field(ge=1, le=3650)] | None, Field(description="How long earned points live; else for ever")
    ] = None
    grace_days: Annotated[Days, Field(description="How long staff may extend what has expired")] = 30
    expiring_soon_days: Days = 30
    restored_days: Annotated[
        Annotated[int, Field(ge=1, le=3650)] | None,
        Field(description="How long a lot lives again that had expired when its redemption was reversed"),
    ] = None
    hold_minutes_max: Annotated[int, Field(ge=1, le=60 * 24 * 30)] = 24 * 60
    review_flagged: Annotated[
        bool, Field(description="What looks like fraud is set aside until staff capture or release it")
    ] = False
    estimate: Annotated[Estimate, Field(strict=False, description="How breakage is estimated")] = Estimate.REMOTE
    estimate_bps: BasisPoints = 1_500
    confirming_partners: Annotated[
        list[Subject],
        Field(max_length=100, description="Partners, by the `sub` of their tokens, whose issuer confirms each use"),
    ] = Field(default_factory=list)
    expected_version: ExpectedVersion | None = None

    def command(self, tenant: str) -> PutProgramme:
        spending = Policy(tuple(self.order), self.expiring_first_days, self.points_minimum, self.per_1000_points)
        rates = {currency: Rate(one.rate, one.date, one.source) for currency, one in self.rates.items()}
        programme = Programme(
            tenant,
            self.reporting_currency,
            spending,
            rates,
            self.automatic_max,
            self.manager_max,
            self.decide_hours,
            self.earn_per_1000,
            self.earned_days,
            self.grace_days,
            self.expiring_soon_days,
            self.restored_days,
            self.hold_minutes_max,
            self.review_flagged,
            self.estimate,
            self.estimate_bps,
            tuple(self.confirming_partners),
        )
        return PutProgramme(programme, self.expected_version)


@api.command(
    "PUT",
    "/v1/loyalty-programme",
    roles={"admin"},
    tier=Tier.WRITES,
    answer=ProgrammeView,
    refusals=[UnknownTenant, VersionMismatch, RateMissing],
)
def put_loyalty_programme(body: ProgrammeRequest, caller: Caller) -> PutProgramme:
    """Set up the loyalty programme, or change its rules

    What was issued keeps the worth of its day.
    """
    return body.command(caller.tenant)


@api.read("/v1/loyalty-programme", roles=STAFF, answer=ProgrammeView, refusals=[NoProgramme])
def get_loyalty_programme(caller: Caller) -> ProgrammeView:
    """Get the loyalty programme's rules"""
    return programme_of(wiring.database(), caller.tenant)


# -- What is owed, and what lapsed


@api.read("/v1/loyalty-programme/liabilities", roles=STAFF, answer=LiabilityPage)
def list_liabilities(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> LiabilityPage:
    """List what was owed to customers, the newest day first

    By kind and currency, and in the reporting currency by the rates of the days on which it was issued; with the
    breakage that the programme's method expects. It is counted once a day.
    """
    cursors = cursors_of(caller, "liabilities")
    page = liabilities_of(wiring.database(), caller.tenant, after=cursors.open(cursor), limit=limit)
    return LiabilityPage([liability_view(one) for one in page.items], cursors.seal(page.position))


@api.read("/v1/loyalty-programme/breakages/<period>", roles=STAFF, answer=BreakagePage)
def list_breakages(period: Period, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> BreakagePage:
    """List what lapsed in a quarter, the newest first

    With the moment, the quarter and the journal entry of its recognition.
    """
    cursors = cursors_of(caller, "breakages", period)
    page = breakages_of(wiring.database(), caller.tenant, period, after=cursors.open(cursor), limit=limit)
    return BreakagePage([breakage_view(one) for one in page.items], cursors.seal(page.position))


@api.read("/v1/loyalty-programme/reviews/<period>", roles=STAFF, answer=Review, refusals=[NothingCounted])
def get_breakage_review(period: Period, caller: Caller) -> Review:
    """Review the estimate of breakage

    What was owed as the quarter began, what of it lapsed, and what the programme estimates.
    """
    return review_of(wiring.database(), caller.tenant, period)


# -- Issuing


class CreditRequest(Shape):
    """Credit to issue: an `amount` of store credit or of rewards, or `points`."""

    model_config = ConfigDict(json_schema_extra=_BY_KIND)

    kind: KindAsked
    amount: PositiveMoney | None = None
    points: Units | None = None
    source: Annotated[Title, Field(description="Where it comes from", examples=["goodwill"])]
    expires_at: Moment | None = None

    @model_validator(mode="after")
    def _counts_what_it_is(self) -> CreditRequest:
        if (self.kind is Kind.POINTS) != (self.points is not None) or (self.points is None) == (self.amount is None):
            raise PydanticCustomError("value", "Points are given as points, and other kinds as an amount")
        return self

    def command(self, customer_id: str) -> IssueCredit:
        value = self.amount.money() if self.amount else Money(self.points or 0, PTS)
        return IssueCredit(customer_id, self.kind, value, self.source, self.expires_at)


class ExtensionRequest(Shape):
    """Until when the lot lives."""

    expires_at: Moment


class RevocationRequest(Shape):
    """Why it is taken back."""

    note: Line = ""


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/credits",
    roles=STAFF | {"partner"},
    tier=Tier.STAFF_ISSUANCE,
    answer=IssuedView,
    status=HTTPStatus.CREATED,
    refusals=[NoProgramme, RateMissing, ExpiresInThePast, PartnersIssueRewards, WalletFull],
)
def issue_credit(customer_id: CustomerId, body: CreditRequest) -> IssueCredit:
    """Issue store credit, points or a reward

    It is given, never sold. Above the programme's limits it waits for the word of others, and the answer has an
    `approval` instead of a `credit`. A partner issues rewards.
    """
    return body.command(customer_id)


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/credits/<lot_id>/extension",
    roles=STAFF,
    tier=Tier.STAFF_ISSUANCE,
    answer=IssuedView,
    refusals=[NoProgramme, RateMissing, UnknownLot, LotNotExtendable],
)
def extend_credit(customer_id: CustomerId, lot_id: LotId, body: ExtensionRequest) -> ExtendCredit:
    """Let credit live longer

    Also while its days of grace last. Above the programme's limits it waits for the word of others.
    """
    return ExtendCredit(customer_id, lot_id, body.expires_at)


@api.read(
    "/v1/wallets/<customer_id>/credits/<lot_id>",
    roles=STAFF | {"partner"},
    answer=LotView,
    refusals=[NoProgramme, UnknownLot],
)
def get_credit(customer_id: CustomerId, lot_id: LotId, caller: Caller) -> LotView:
    """Get a lot that something is left of

    A partner sees what it issued itself.
    """
    return lot_for(wiring.database(), caller, customer_id, lot_id, wiring.clock()())


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/credits/<lot_id>/revocation",
    roles=STAFF | {"partner"},
    tier=Tier.STAFF_ISSUANCE,
    answer=LotView,
    refusals=[NoProgramme, UnknownLot, LotHeld],
)
def revoke_credit(customer_id: CustomerId, lot_id: LotId, body: RevocationRequest) -> RevokeCredit:
    """Take back what is left of a lot

    What was given by mistake. What is set aside for a redemption comes first. A partner takes back what it issued
    itself.
    """
    return RevokeCredit(customer_id, lot_id, body.note)


# -- Points that orders earn


class EarningRequest(Shape):
    """An order, and the amount that it earns by."""

    order_id: Id
    amount: PositiveMoney


class ClawbackRequest(Shape):
    """What is refunded of the order."""

    refunded: PositiveMoney


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/earnings",
    roles=STAFF,
    tier=Tier.STAFF_ISSUANCE,
    answer=EarningView,
    status=HTTPStatus.CREATED,
    refusals=[NoProgramme, AlreadyEarned, NothingEarned, WalletFull],
)
def earn_points(customer_id: CustomerId, body: EarningRequest) -> EarnPoints:
    """Earn points with an order

    By the programme's rule for its currency. They are pending until the delivery is accepted.
    """
    return EarnPoints(customer_id, body.order_id, body.amount.money())


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/earnings/<order_id>/maturity",
    roles=STAFF,
    tier=Tier.STAFF_ISSUANCE,
    answer=EarningView,
    refusals=[NoProgramme, UnknownEarning, AlreadyEarned],
)
def mature_points(customer_id: CustomerId, order_id: OrderId) -> MaturePoints:
    """Make the points of an order spendable

    Its delivery is accepted.
    """
    return MaturePoints(customer_id, order_id)


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/earnings/<order_id>/clawback",
    roles=STAFF,
    tier=Tier.STAFF_ISSUANCE,
    answer=EarningView,
    refusals=[NoProgramme, UnknownEarning, EarningExceeded],
)
def claw_back_points(customer_id: CustomerId, order_id: OrderId, body: ClawbackRequest) -> ClawBackPoints:
    """Claw back the points of what is refunded

    Of the order's own points first, then of those that expire first. What is spent is gone: no balance goes below zero.
    """
    return ClawBackPoints(customer_id, order_id, body.refunded.money())


# -- Approvals


class DecisionRequest(Shape):
    """Yes or no."""

    approved: bool


@api.command(
    "POST",
    "/v1/approvals/<approval_id>/decisions",
    roles={"manager", "finance"},
    tier=Tier.STAFF_ISSUANCE,
    answer=ApprovalView,
    refusals=[
        UnknownApproval,
        ApprovalClosed,
        NotYoursToApprove,
        NoProgramme,
        RateMissing,
        ExpiresInThePast,
        UnknownLot,
        LotNotExtendable,
        WalletFull,
    ],
)
def decide_approval(approval_id: ApprovalId, body: DecisionRequest) -> DecideApproval:
    """Decide about a request

    The last word that is needed issues or extends what was asked for. Nobody decides about a request of their own.
    """
    return DecideApproval(approval_id, body.approved)


@api.read("/v1/approvals/<approval_id>", roles=STAFF, answer=ApprovalView, refusals=[UnknownApproval])
def get_approval(approval_id: ApprovalId, caller: Caller) -> ApprovalView:
    """Get a request for approval"""
    return approval_of(wiring.database(), caller.tenant, approval_id, wiring.clock()())


@api.read("/v1/approvals", roles=STAFF, answer=ApprovalPage)
def list_approvals(
    caller: Caller,
    decided: Annotated[Literal["true", "false"], Query(description="Those that people have decided")] = "false",
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> ApprovalPage:
    """List the requests for approval, the newest first

    Those that nobody has decided, unless you ask for the others.
    """
    cursors = cursors_of(caller, "approvals", decided)
    is_open = decided == "false"
    page = approvals_of(wiring.database(), caller.tenant, is_open=is_open, after=cursors.open(cursor), limit=limit)
    now = wiring.clock()()
    return ApprovalPage([approval_view(one, now) for one in page.items], cursors.seal(page.position))


# -- Redeeming


class AmountRequest(Shape):
    """Minor units of a currency; may be none."""

    amount: MinorUnits
    currency: CurrencyCode

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class ProposalRequest(Shape):
    """An amount to pay. `tax` is the part of it that points and rewards can't pay."""

    amount: PositiveMoney
    tax: AmountRequest | None = None
    kinds: Annotated[Kinds | None, Field(description="Which kinds pay, in this order; else the tenant's order")] = None

    @property
    def tax_money(self) -> Money:
        return self.tax.money() if self.tax else zero(self.amount.currency)

    @property
    def chosen(self) -> tuple[Kind, ...] | None:
        return None if self.kinds is None else tuple(self.kinds)


class RedemptionRequest(ProposalRequest):
    """An amount to pay from the wallet; with `hold_minutes`, to set aside for so long."""

    reference: Annotated[Line | None, Field(description="What is paid", examples=["invoice 17"])] = None
    hold_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 30)] | None = None

    def command(self, customer_id: str) -> Redeem:
        amount = self.amount.money()
        return Redeem(customer_id, amount, self.tax_money, self.chosen, self.reference, self.hold_minutes)


class CaptureRequest(Shape):
    """How much of it; all, if nothing is said."""

    amount: PositiveMoney | None = None


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/redemptions",
    roles=HOLDERS,
    tier=Tier.MONEY_WRITES,
    answer=RedemptionView,
    status=HTTPStatus.CREATED,
    refusals=[
        UnknownCustomer,
        NoProgramme,
        RedemptionCurrencyMismatch,
        TaxTooLarge,
        BelowMinimum,
        InsufficientBalance,
        HoldTooLong,
    ],
    location=lambda redemption: f"/v1/redemptions/{redemption['id']}",
)
def redeem(customer_id: CustomerId, body: RedemptionRequest) -> Redeem:
    """Pay from a wallet

    With several balances at once: rewards, store credit and points, in the tenant's order or in your own; of a kind,
    what expires first goes first. With `hold_minutes` it is set aside, to be captured or released. What a partner's
    issuer must confirm is answered as `started`: get the redemption to see what becomes of it.
    """
    return body.command(customer_id)


@api.read(
    "/v1/wallets/<customer_id>/redemptions/plan",
    method="POST",
    roles=HOLDERS,
    answer=ProposalView,
    refusals=[UnknownCustomer, NoProgramme, RedemptionCurrencyMismatch, TaxTooLarge, BelowMinimum],
)
def plan_redemption(customer_id: CustomerId, body: ProposalRequest, caller: Caller) -> ProposalView:
    """Propose how to pay from a wallet

    The best split, and what it leaves unpaid. Nothing is done.
    """
    asked = (body.amount.money(), body.tax_money, body.chosen)
    return proposal_for(wiring.database(), caller, customer_id, *asked, wiring.clock()())


_STEP_REFUSALS: Final = (UnknownCustomer, NoProgramme, UnknownRedemption, IllegalRedemptionChange)


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/redemptions/<redemption_id>/capture",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=RedemptionView,
    refusals=[*_STEP_REFUSALS, RedemptionCurrencyMismatch, HoldTooSmall, UnknownHold],
)
def capture_redemption(customer_id: CustomerId, redemption_id: RedemptionId, body: CaptureRequest) -> CaptureRedemption:
    """Capture what was set aside

    All of it or a part; the rest comes back. With rewards that a partner's issuer must confirm, it is `started`.
    """
    amount = body.amount.money() if body.amount else None
    return CaptureRedemption(customer_id, redemption_id, amount)


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/redemptions/<redemption_id>/release",
    roles=HOLDERS,
    tier=Tier.MONEY_WRITES,
    answer=RedemptionView,
    refusals=_STEP_REFUSALS,
)
def release_redemption(customer_id: CustomerId, redemption_id: RedemptionId) -> ReleaseRedemption:
    """Release what was set aside

    It is available again.
    """
    return ReleaseRedemption(customer_id, redemption_id)


@api.command(
    "POST",
    "/v1/wallets/<customer_id>/redemptions/<redemption_id>/reversal",
    roles=STAFF,
    tier=Tier.MONEY_WRITES,
    answer=RedemptionView,
    refusals=[*_STEP_REFUSALS, WalletFull],
)
def reverse_redemption(customer_id: CustomerId, redemption_id: RedemptionId) -> ReverseRedemption:
    """Reverse a redemption

    What was paid comes back to the lots it came from, with the days they had; what expired meanwhile, as the programme
    says.
    """
    return ReverseRedemption(customer_id, redemption_id)


@api.read("/v1/redemptions", roles=STAFF, answer=RedemptionPage)
def list_redemptions_to_review(caller: Caller, limit: Limit = 50, cursor: CursorAsked = None) -> RedemptionPage:
    """List the redemptions to review, the newest first

    If the programme says so, what looks like fraud is set aside: capture it, or release it.
    """
    cursors = cursors_of(caller, "redemptions to review")
    now = wiring.clock()()
    page = reviews_of(wiring.database(), caller.tenant, now, after=cursors.open(cursor), limit=limit)
    return RedemptionPage([redemption_view(one, now) for one in page.items], cursors.seal(page.position))


@api.read("/v1/redemptions/<redemption_id>", roles=HOLDERS, answer=RedemptionView, refusals=[UnknownRedemption])
def get_redemption(redemption_id: RedemptionId, caller: Caller) -> RedemptionView:
    """Get a redemption

    What each lot paid, and where it stands: also while partners' issuers are asked (`started`), and while all is given
    back since one of them declined (`compensating`, then `compensated`).
    """
    return redemption_for(wiring.database(), caller, redemption_id, wiring.clock()())


# -- What there is


@api.read("/v1/wallets/<customer_id>", roles=HOLDERS, answer=WalletView, refusals=[UnknownCustomer, NoProgramme])
def get_wallet(customer_id: CustomerId, caller: Caller) -> WalletView:
    """Get a customer's wallet

    Every balance by kind and currency: available, held, pending, and what expires soon; and the lots they are made of.
    A read after a change sees it.
    """
    return wallet_for(wiring.database(), caller, customer_id, wiring.clock()())


@api.read("/v1/wallets/<customer_id>/statement", roles=HOLDERS, answer=StatementView, refusals=[UnknownCustomer])
def get_wallet_statement(
    customer_id: CustomerId, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> StatementView:
    """Get the statement of a customer's wallet, the newest first

    Every change of a balance, and what it stood at afterwards. A read after a change sees it.
    """
    cursors = cursors_of(caller, "wallet statement", customer_id)
    page = statement_for(wiring.database(), caller, customer_id, after=cursors.open(cursor), limit=limit)
    return StatementView(customer_id, [statement_entry(one) for one in page.items], cursors.seal(page.position))


@api.read(
    "/v1/explain/wallet/<customer_id>/<kind>/<asset>",
    roles=HOLDERS,
    answer=ExplanationPage,
    refusals=[UnknownCustomer],
)
def explain_wallet_of(
    customer_id: CustomerId,
    kind: KindNamed,
    asset: Asset,
    caller: Caller,
    limit: Limit = 50,
    cursor: CursorAsked = None,
) -> ExplanationPage:
    """Explain a balance of a wallet

    What came and what went of one kind, in minor units of a currency or in points (PTS), each with the balance
    afterwards: what is available, held, pending, and in its days of grace, together.
    """
    database = wiring.database()
    return explained(
        f"wallet/{customer_id}/{kind}/{asset}",
        caller,
        cursor,
        lambda position: explain_wallet(database, caller, customer_id, kind, asset, position=position, limit=limit),
    )


handler = api.handler
