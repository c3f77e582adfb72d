"""By schedule, and by hand: look at all that is past its time, and have it finished, or undone, or asked about.

It begins anew whenever it is called, and finds what is left. So it may be killed anywhere, and run beside itself: what
it starts, it starts by commands whose keys follow from the watch that was found.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.books.watches import LOOK_AFTER, Watch, due_by, put, take_away
from cauri.clock import Instant
from cauri.errors import Refusal, Unsettled
from cauri.orders.model import UnknownOrder
from cauri.orders.store import load_tree
from cauri.payments.asking import settle
from cauri.providers.ports import Pending, Unknown
from cauri.recovery.abandoned import unheard_of, watch_over_abandoned
from cauri.recovery.commands import NothingStuck, ResumeStuck, by_recovery, resume_key
from cauri.recovery.deadlines import DEADLINES, Remedy, State
from cauri.recovery.finding import Finding, find
from cauri.refunds.queries import refunds_that_are
from cauri.values import dataclass, replace

RUN_MAX: Final = 1000
"""Watches of one tenant in one run; the next one goes on."""
PAGE: Final = 100
FAR: Final = timedelta(minutes=30)
"""What has its time later than this is put where it is not found before. Sooner, it is just found again."""
ASKS_MAX: Final = 6
"""After so many questions that a provider could not answer, over days, people are told each time."""
FOR_PEOPLE: Final = {State.REFUND_REQUESTED: "requested", State.REFUND_NEEDS_ATTENTION: "needs_attention"}

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    RESUMED = "resumed"
    ASKED = "asked"
    FAILED = "failed"


@dataclass(frozen=True)
class Stuck:
    """What is, or was, past its deadline; `outcome` is None for what was only looked at, `state` for what can't be."""

    tenant: str
    resource: str
    state: State | None
    since: Instant
    deadline: Instant
    remedy: Remedy | None
    tries: int = 0
    outcome: Outcome | None = None
    execution: str | None = None
    problem: str | None = None


class ProviderSilentError(Exception):
    """A provider could not say for days whether it was paid."""


def stuck(database: Database, tenant: str, now: Instant) -> list[Stuck]:
    """Everything of the tenant that is past its deadline, also what waits for people. Nothing changes."""
    seen = [_look(database, watch, now) for watch in due_by(database, tenant, now, limit=RUN_MAX)]
    for_people = [one for state in FOR_PEOPLE for one in _for_people(database, tenant, state, now)]
    return [*(one for one in seen if one is not None), *for_people]


def _look(database: Database, watch: Watch, now: Instant) -> Stuck | None:
    try:
        finding = find(database, watch)
    except Refusal as failure:
        return replace(_told(Finding(watch, None, watch.begun_at)), problem=str(failure))
    return _told(finding) if finding.is_overdue(now) else None


def recover(books: Books, tenant: str) -> list[Stuck]:
    """Do what the table says about everything of the tenant that is past its deadline.

    What fails keeps nobody else waiting: it is among what is answered, with its `problem`.
    """
    return [
        attended
        for watch in due_by(books.database, tenant, books.clock(), limit=RUN_MAX)
        if (attended := _attend(books, watch)) is not None
    ]


def _attend(books: Books, watch: Watch) -> Stuck | None:
    """None for what is not stuck."""
    finding = Finding(watch, None, watch.begun_at)
    try:
        finding = find(books.database, watch)
        return _do(books, finding)
    except (Refusal, Unsettled, ProviderSilentError) as failure:
        logger.warning("%s of %s is not recovered: %r", watch.resource, watch.tenant, failure)
        return replace(_told(finding), outcome=Outcome.FAILED, problem=str(failure))


def _do(books: Books, finding: Finding) -> Stuck | None:
    watch, now = finding.watch, books.clock()
    if finding.state is None:
        _finish(books.database, watch)
        return None
    if not finding.is_overdue(now):
        _look_later(books.database, finding, now)
        return None
    if finding.remedy is Remedy.ASK:
        _ask(books, watch)
        return replace(_told(finding), outcome=Outcome.ASKED)
    return _resume(books, finding)


def _finish(database: Database, watch: Watch) -> None:
    """It is over, as the last step of its saga would have found."""
    if watch.machine == "checkout":
        tree = load_tree(database, watch.tenant, watch.resource)
        if tree is not None and (late := watch_over_abandoned(tree)) is not None:
            put(database, late)
    take_away(database, watch.tenant, watch.id)


def _resume(books: Books, finding: Finding) -> Stuck | None:
    watch = finding.watch
    try:
        answer = books.run(ResumeStuck(watch.id), by_recovery(watch.tenant), resume_key(watch))
    except NothingStuck:
        return None  # somebody else saw to it, or it came to its end
    take_away(books.database, watch.tenant, watch.id)
    return replace(_told(finding), outcome=Outcome.RESUMED, execution=json.loads(answer.body)["execution"])


def _look_later(database: Database, finding: Finding, now: Instant) -> None:
    """What has long to wait is put where it is found later: but not later than after as long again, since it may be
    paid, and get stuck, at any time.
    """
    watch = finding.watch
    due = watch.due
    while due <= now:
        due += due - watch.begun_at
    if (due := min(due, finding.deadline)) > now + FAR:
        put(database, replace(watch, due=due, version=0))
        take_away(database, watch.tenant, watch.id)


def _ask(books: Books, watch: Watch) -> None:
    """Ask about each payment that may have come. Raises ProviderSilentError if nobody could say for days."""
    tree = load_tree(books.database, watch.tenant, watch.resource)
    if tree is None:
        raise UnknownOrder(watch.resource)
    answers = [settle(books, payment) for payment in unheard_of(tree)]
    nobody_knows = any(isinstance(answer, Unknown | Pending) for answer in answers)
    if nobody_knows:
        tries = watch.tries + 1
        due = watch.due + LOOK_AFTER[min(tries, len(LOOK_AFTER) - 1)]
        put(books.database, replace(watch, due=due, tries=tries, version=0))
    take_away(books.database, watch.tenant, watch.id)
    if nobody_knows and watch.tries >= ASKS_MAX:
        raise ProviderSilentError(f"nobody could say for days whether {watch.resource} was paid")


def _for_people(database: Database, tenant: str, state: State, now: Instant) -> Iterator[Stuck]:
    """Refunds that people have to see to, oldest first. Their time counts from when they were asked for."""
    allowed = DEADLINES[state]
    after: str | None = None
    while True:
        page = refunds_that_are(database, tenant, FOR_PEOPLE[state], after=after, limit=PAGE)
        for refund in page.items:
            deadline = refund.requested_at + allowed.lasts
            if deadline > now:
                return
            yield Stuck(tenant, refund.id, state, refund.requested_at, deadline, allowed.remedy)
        if (after := page.position) is None:
            return


def _told(finding: Finding) -> Stuck:
    watch = finding.watch
    return Stuck(
        watch.tenant, watch.resource, finding.state, finding.since, finding.deadline, finding.remedy, watch.tries
    )
