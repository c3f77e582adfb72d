"""Give customers credit, points and rewards; let them live longer; and take back what was given by mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from cauri.books.caller import Caller
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money
from cauri.parties.model import UnknownTenant, VersionMismatch
from cauri.parties.store import tenant_key
from cauri.values import dataclass, replace
from cauri.wallet.accounts import LOYALTY
from cauri.wallet.approvals import Approval, ApprovalStatus, Decision, Extension, Grant, UnknownApproval
from cauri.wallet.changes import Desk, at_desk, change
from cauri.wallet.lots import Kind, Lot, UnknownLot
from cauri.wallet.programme import Programme
from cauri.wallet.store import approval_key, programme_key
from cauri.wallet.views import LotView, approval_view, issued_view, lot_view, programme_view


@dataclass
class ExpiresInThePast(Refusal):
    """Credit that could never be spent."""

    code: ClassVar[str] = "expires_in_the_past"

    def detail(self) -> str:
        return "What is issued expires in the future, or never."


@dataclass
class PartnersIssueRewards(Refusal):
    """Credit and points are the tenant's own."""

    code: ClassVar[str] = "partners_issue_rewards"

    def detail(self) -> str:
        return "A partner issues rewards, and nothing else."


@dataclass(frozen=True)
class PutProgramme(Command):
    """The rules of the loyalty programme, all of them."""

    name: ClassVar = "put_loyalty_programme"
    rules: Programme
    expected_version: int | None = None
    """The version that the sender read; another one is refused. 0 is none yet."""


@dataclass(frozen=True)
class IssueCredit(Command):
    """`value` is money, or points (PTS). Above a limit it waits for the word of others."""

    name: ClassVar = "issue_credit"
    customer_id: str
    kind: Kind
    value: Money
    source: str
    expires_at: Instant | None = None


@dataclass(frozen=True)
class ExtendCredit(Command):
    """A lot lives longer, also in its days of grace. Above a limit it waits for the word of others."""

    name: ClassVar = "extend_credit"
    customer_id: str
    lot_id: str
    expires_at: Instant


@dataclass(frozen=True)
class RevokeCredit(Command):
    """What is left of a lot is taken back."""

    name: ClassVar = "revoke_credit"
    customer_id: str
    lot_id: str
    note: str = ""


@dataclass(frozen=True)
class DecideApproval(Command):
    """Somebody's word. The last that is needed issues or extends what was asked for."""

    name: ClassVar = "decide_approval"
    approval_id: str
    approved: bool


@decides(PutProgramme)
def put_programme(command: PutProgramme, work: Work) -> Plan:
    tenant, key = tenant_key(work.tenant), programme_key(work.tenant)
    found = work.fetch(tenant, key)
    if found[tenant] is None:
        raise UnknownTenant
    known = found[key]
    programme = replace(command.rules, tenant=work.tenant, version=known.version if known else 0)
    if command.expected_version is not None and command.expected_version != programme.version:
        raise VersionMismatch(command.expected_version, programme.version)
    programme.require_rates()
    version = programme.version + 1
    return (
        Plan(programme_view(programme, version))
        .save(programme)
        .emit(Event("loyalty_programme.updated", work.tenant, version))
    )


@decides(IssueCredit)
def issue_credit(command: IssueCredit, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    issuer = None
    if not work.caller.is_staff:  # then it is a partner
        if command.kind is not Kind.REWARD:
            raise PartnersIssueRewards
        issuer = work.caller.subject
    if command.expires_at is not None and command.expires_at <= work.at:
        raise ExpiresInThePast
    grant = Grant(command.customer_id, command.kind, command.value, command.source, command.expires_at, issuer)
    worth = desk.programme.worth(grant.value)
    return _with_approval(grant, worth, desk, work) or _issue(grant, desk, work)


@decides(ExtendCredit)
def extend_credit(command: ExtendCredit, work: Work) -> Plan:
    desk = at_desk(command.customer_id, work)
    extension = Extension(command.customer_id, command.lot_id, command.expires_at)
    extended = _extended(extension, desk, work)
    asked = _with_approval(extension, _worth(extended, desk), desk, work)
    return asked or _extend(extension, desk, work)


@decides(RevokeCredit)
def revoke_credit(command: RevokeCredit, work: Work) -> Plan:
    before = at_desk(command.customer_id, work).wallet
    require_issuer(before.lot(command.lot_id), work.caller)
    after, [gone] = before.revoke(command.lot_id)
    return change(
        Plan(lot_view(gone, gone.units, 0, "revoked")),
        before,
        after,
        work,
        why="revoked",
        about=command.lot_id,
        against=LOYALTY,
        note=command.note,
    )


@decides(DecideApproval)
def decide_approval(command: DecideApproval, work: Work) -> Plan:
    key = approval_key(work.tenant, command.approval_id)
    asked = work.fetch(key)[key]
    if asked is None:
        raise UnknownApproval(command.approval_id)
    roles = tuple(sorted(work.caller.roles))
    approval = asked.decided(Decision(work.caller.subject, roles, work.at, command.approved))
    status = approval.status(work.at)
    plan = Plan(approval_view(approval, work.at)).save(approval)
    plan.emit(Event(f"approval.{_TOLD[status]}", approval.id, approval.version + 1, _about(approval)))
    if status is not ApprovalStatus.APPROVED:
        return plan
    return _done(approval, at_desk(approval.request.customer_id, work), work, plan)


_TOLD = {
    ApprovalStatus.PENDING: "agreed",
    ApprovalStatus.APPROVED: "approved",
    ApprovalStatus.REJECTED: "rejected",
}


def _about(approval: Approval) -> dict[str, str]:
    return {"customer_id": approval.request.customer_id, "request": approval.request.type}


def require_issuer(lot: Lot, caller: Caller) -> None:
    """A partner sees and takes back what it issued itself, and nothing else. Raises UnknownLot."""
    if not caller.is_staff and lot.issuer != caller.subject:
        raise UnknownLot(lot.id)


def _with_approval(request: Grant | Extension, worth: Money, desk: Desk, work: Work) -> Plan | None:
    """The plan to ask others, if it takes their word."""
    needs = desk.programme.approvers(worth)
    if not needs:
        return None
    approval = Approval(
        work.tenant,
        work.ids.new("apr"),
        request,
        worth,
        needs,
        work.caller.subject,
        work.at,
        work.at + timedelta(hours=desk.programme.decide_hours),
    )
    return (
        Plan(issued_view(approval=approval_view(approval, work.at)))
        .save(approval)
        .emit(Event("approval.requested", approval.id, 1, _about(approval)))
    )


def _done(approval: Approval, desk: Desk, work: Work, plan: Plan) -> Plan:
    """Everybody has agreed: what was asked for is part of the same commit."""
    made = (
        _issue(approval.request, desk, work)
        if isinstance(approval.request, Grant)
        else _extend(approval.request, desk, work)
    )
    plan.saves += made.saves
    return plan.post(made.entry).emit(*made.events)


def _issue(grant: Grant, desk: Desk, work: Work) -> Plan:
    if grant.expires_at is not None and grant.expires_at <= work.at:
        raise ExpiresInThePast  # while others thought about it
    value = grant.value
    lot = Lot(
        work.ids.new("lot"),
        grant.kind,
        value.currency,
        value.amount,
        value.amount,
        grant.source,
        work.at,
        grant.expires_at,
        issuer=grant.issuer,
        confirmed_outside=grant.issuer in desk.programme.confirming_partners,
        snapshot=desk.programme.snapshot(value),
    )
    after = desk.wallet.add(lot)
    plan = Plan(issued_view(credit=_view(lot, desk, work)))
    return change(plan, desk.wallet, after, work, why="issued", about=lot.id, against=LOYALTY, note=grant.source)


def _extended(extension: Extension, desk: Desk, work: Work) -> Lot:
    """Raises UnknownLot, LotNotExtendable."""
    grace = desk.programme.grace
    return desk.wallet.extend(extension.lot_id, extension.until, work.at, grace).lot(extension.lot_id)


def _extend(extension: Extension, desk: Desk, work: Work) -> Plan:
    lot = _extended(extension, desk, work)
    after = desk.wallet.extend(lot.id, extension.until, work.at, desk.programme.grace)
    plan = Plan(issued_view(credit=_view(lot, desk, work)))
    return change(plan, desk.wallet, after, work, why="extended", about=lot.id, against=LOYALTY)


def _worth(lot: Lot, desk: Desk) -> Money:
    """What is left of it, held or not."""
    return desk.programme.worth_of(lot, lot.units + desk.wallet.held_of(lot.id))


def _view(lot: Lot, desk: Desk, work: Work) -> LotView:
    held = desk.wallet.held_of(lot.id)
    return lot_view(lot, lot.units, held, lot.status(work.at, desk.programme.grace, held))
