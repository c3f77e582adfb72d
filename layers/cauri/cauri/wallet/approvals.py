"""Giving away much takes the word of others: who was asked, who agreed, and by when. Source: SPEC 11."""

from __future__ import annotations

import itertools
from enum import StrEnum
from typing import ClassVar, Literal

from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.money import Money
from cauri.values import dataclass, replace
from cauri.wallet.lots import Kind


@dataclass
class UnknownApproval(Refusal):
    code: ClassVar[str] = "unknown_approval"
    approval_id: str

    def detail(self) -> str:
        return f"There is no approval {self.approval_id!r}."


@dataclass
class ApprovalClosed(Refusal):
    """It was decided, or its time to decide is over."""

    code: ClassVar[str] = "approval_closed"
    approval_id: str
    status: str

    def detail(self) -> str:
        return f"Approval {self.approval_id} is {self.status}."

    def suggestion(self) -> str | None:
        return "Ask for it again." if self.status == ApprovalStatus.EXPIRED else None


@dataclass
class NotYoursToApprove(Refusal):
    """It is the caller's own request, the caller agreed before, or the word of another role is missing."""

    code: ClassVar[str] = "not_yours_to_approve"
    approval_id: str
    why: str

    def detail(self) -> str:
        return self.why


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Grant:
    """Credit to issue. `value` is money, or points (PTS)."""

    customer_id: str
    kind: Kind
    value: Money
    source: str
    expires_at: Instant | None = None
    issuer: str | None = None
    type: Literal["grant"] = "grant"


@dataclass(frozen=True)
class Extension:
    """A lot that is to live longer."""

    customer_id: str
    lot_id: str
    until: Instant
    type: Literal["extension"] = "extension"


@dataclass(frozen=True)
class Decision:
    """Somebody's word, with the roles that the person had."""

    by: str
    roles: tuple[str, ...]
    at: Instant
    approved: bool


@dataclass(frozen=True)
class Approval:
    """A request that waits for the word of so many people, one for each role of `needs`."""

    tenant: str
    id: str
    request: Grant | Extension
    worth: Money
    """In the reporting currency."""
    needs: tuple[str, ...]
    requested_by: str
    requested_at: Instant
    expires_at: Instant
    decisions: tuple[Decision, ...] = ()
    version: int = 0

    def status(self, at: Instant) -> ApprovalStatus:
        if any(not decision.approved for decision in self.decisions):
            return ApprovalStatus.REJECTED
        if _each_has_a_person(self.needs, self.decisions):
            return ApprovalStatus.APPROVED
        return ApprovalStatus.PENDING if at < self.expires_at else ApprovalStatus.EXPIRED

    @property
    def is_open(self) -> bool:
        """Whether people have not decided: they may, until its time is over."""
        return self.status(self.requested_at) is ApprovalStatus.PENDING

    def decided(self, decision: Decision) -> Approval:
        """With one more word. Raises ApprovalClosed, NotYoursToApprove."""
        if (status := self.status(decision.at)) is not ApprovalStatus.PENDING:
            raise ApprovalClosed(self.id, status)
        if decision.by == self.requested_by:
            raise NotYoursToApprove(self.id, "Nobody decides about a request of their own.")
        if decision.by in {one.by for one in self.decisions}:
            raise NotYoursToApprove(self.id, "This takes the word of somebody else as well.")
        if not _helps(self.needs, self.decisions, decision):
            raise NotYoursToApprove(self.id, "This takes the word of another role.")
        return replace(self, decisions=(*self.decisions, decision))


def _helps(needs: tuple[str, ...], decisions: tuple[Decision, ...], decision: Decision) -> bool:
    """Whether more of the needed roles have a person of their own with this decision than without."""
    return _filled(needs, (*decisions, decision)) > _filled(needs, decisions)


def _each_has_a_person(needs: tuple[str, ...], decisions: tuple[Decision, ...]) -> bool:
    return _filled(needs, decisions) == len(needs)


def _filled(needs: tuple[str, ...], decisions: tuple[Decision, ...]) -> int:
    """How many of the roles can have a person each. Who has both roles takes the one that is left."""
    return max(
        sum(role in one.roles for role, one in zip(order, decisions, strict=False))
        for order in itertools.permutations(needs)
    )
