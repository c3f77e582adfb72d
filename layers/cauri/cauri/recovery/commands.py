"""Start the saga again of what is stuck."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.caller import Caller
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.watches import Watch, watch_key
from cauri.books.work import Command, Work, decides
from cauri.errors import Refusal
from cauri.ids import digest
from cauri.orders.model import Order
from cauri.orders.store import order_key
from cauri.recovery.deadlines import Remedy
from cauri.recovery.finding import find
from cauri.refunds.model import Refund
from cauri.refunds.store import refund_key
from cauri.values import dataclass


@dataclass
class NothingStuck(Refusal):
    """It came to its end meanwhile, or its time is not over yet."""

    code: ClassVar[str] = "nothing_stuck"
    watch_id: str

    def detail(self) -> str:
        return f"Nothing is stuck at {self.watch_id!r}."


@dataclass(frozen=True)
class ResumeStuck(Command):
    """Start the saga again that has this watch, if it is stuck. Each watch has it started again once."""

    name: ClassVar = "resume_stuck"
    watch_id: str


@dataclass(frozen=True)
class Resumed:
    resource: str
    state: str
    execution: str


@decides(ResumeStuck)
def resume_stuck(command: ResumeStuck, work: Work) -> Plan:
    key = watch_key(work.tenant, command.watch_id)
    watch = work.fetch(key)[key]
    if watch is None:
        raise NothingStuck(command.watch_id)
    finding = find(work.database, watch)
    if not finding.is_overdue(work.at) or finding.remedy is not Remedy.RESUME:
        raise NothingStuck(command.watch_id)
    stuck = _stuck(watch, work)
    again = f"{watch.resource}-again-{digest(watch.id)[:12]}"
    facts = {"state": finding.state, "since": finding.since, "execution": again, "instead_of": watch.execution}
    kind = "refund" if isinstance(stuck, Refund) else "order"
    return (
        Plan(Resumed(watch.resource, str(finding.state), again))
        .save(stuck)  # as it is: the record is one of its own, and what changed it meanwhile is looked at first
        .start(StartSaga(watch.machine, again, watch.input, watch.tries + 1))
        .emit(Event(f"{kind}.resumed", watch.resource, stuck.version + 1, facts))
    )


def resume_key(watch: Watch) -> str:
    """Two that find the same watch start one saga."""
    return f"resume:{watch.id}"


def by_recovery(tenant: str) -> Caller:
    return Caller(tenant, "system:recovery")


def _stuck(watch: Watch, work: Work) -> Order | Refund:
    """The order or the refund itself."""
    if watch.machine == "refund":
        of_refund = refund_key(work.tenant, watch.resource)
        found: Order | Refund | None = work.fetch(of_refund)[of_refund]
    else:
        of_order = order_key(work.tenant, watch.resource)
        found = work.fetch(of_order)[of_order]
    if found is None:
        raise NothingStuck(watch.id)
    return found
