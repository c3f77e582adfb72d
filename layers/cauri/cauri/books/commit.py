"""Run a command: load, decide, commit. The only place that writes the log."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import TypeAdapter

from cauri.books import log
from cauri.books.caller import Caller
from cauri.books.database import Database, TransactionRefused
from cauri.books.log import Committed, Record
from cauri.books.numbers import Numbers
from cauri.books.plan import Plan
from cauri.books.shelf import Wire, Write, write_of
from cauri.books.watches import watches_over
from cauri.books.work import DECISIONS, AlreadyDone, Command, Work
from cauri.clock import Clock, Instant
from cauri.errors import ContendedError, Refusal, Unsettled
from cauri.ids import digest
from cauri.values import dataclass

if TYPE_CHECKING:
    from cauri.providers.ports import PaymentProvider

Pause = Callable[[int], None]


@dataclass(frozen=True)
class Settings:
    """What a deployment chose."""

    reservation: timedelta = timedelta(minutes=15)
    """How long an unpaid order keeps its stock and its holds."""
    public_url: str = "http://localhost"
    """Where people reach the API, without a slash at the end."""
    party_secret: str = ""
    """What keys the digests of email addresses."""


DEFAULTS: Final = Settings()


@dataclass(frozen=True)
class Answer:
    """The answer of a command as it goes out, now and whenever it is asked for again."""

    body: bytes
    replayed: bool = False


@dataclass
class IdempotencyKeyReused(Refusal):
    """The key stands for another command, or the same with another input."""

    code: ClassVar[str] = "idempotency_key_reused"
    key: str

    def detail(self) -> str:
        return f"The Idempotency-Key {self.key!r} was used for another request."

    def suggestion(self) -> str:
        return "Send a new request under a new key, or the same request under this one."


@dataclass
class Contended(Refusal):
    """Others kept changing the same things until this command's time was up. Nothing moved."""

    code: ClassVar[str] = "contended"

    def detail(self) -> str:
        return "Others were changing the same resource at the same time."

    def suggestion(self) -> str:
        return "Send the same request again, under the same key."


@dataclass
class StepUndone(Refusal):
    """This step of a saga was undone before it could commit."""

    code: ClassVar[str] = "step_undone"

    def detail(self) -> str:
        return "The step was undone before it took effect."


@dataclass
class StepCommitted(Refusal):
    """The step that was to be undone had committed after all: it is followed instead."""

    code: ClassVar[str] = "step_committed"

    def detail(self) -> str:
        return "The step took effect before it could be undone."


ATTEMPTS_MAX: Final = 12


def full_jitter(attempt: int) -> None:
    """Wait a random time, at most 30 ms doubled by every attempt before, and never over 1 s."""
    most = min(1_000, 30 * 2**attempt)
    time.sleep(secrets.randbelow(most) / 1000)


class Books:
    """Runs commands against one database. Time, pauses and the deadline are given."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        providers: Mapping[str, PaymentProvider] | None = None,
        settings: Settings = DEFAULTS,
        pause: Pause = full_jitter,
        seconds_max: float = 6.0,
    ) -> None:
        self.database = database
        self.clock = clock
        self.providers = providers or {}
        self.settings = settings
        self.numbers = Numbers(database)
        self._pause = pause
        self._seconds_max = seconds_max

    def run(
        self,
        command: Command,
        caller: Caller,
        key: str,
        *,
        dry_run: bool = False,
        before_commit: Callable[[], None] = lambda: None,
    ) -> Answer:
        """The answer of `command`: of its one commit under `key`, whenever that was.

        `before_commit` is the last word of whoever sends it: what it raises is a refusal.

        Raises the Refusal that a rule gives, IdempotencyKeyReused, Contended (others kept winning), or
        UnavailableError (the database did not answer; the same key will tell what happened).
        """
        run = _Run(self, command, caller, key, dry_run=dry_run, before_commit=before_commit)
        try:
            return self._persist(run)
        except Unsettled:
            raise  # nobody knows: what was done before the commit may be needed, and expires by itself
        except Exception:  # a refusal, or a fault of ours: either way nothing was committed
            run.undo()
            raise

    def _persist(self, run: _Run) -> Answer:
        """Attempt until there is an answer, or the time is up.

        Contended is the answer only if every attempt surely changed nothing. After one that got no answer from the
        database nobody knows, and that is what the caller is told.
        """
        deadline = time.monotonic() + self._seconds_max
        doubt: Unsettled | None = None
        for attempt in range(ATTEMPTS_MAX):
            try:
                return run.attempt()
            except ContendedError as contended:
                last: Unsettled = contended
            except Unsettled as unknown:
                last = doubt = unknown
            if time.monotonic() > deadline:
                break
            self._pause(attempt)
        if doubt is not None:
            raise doubt
        raise Contended from last


class _Run:
    def __init__(
        self,
        books: Books,
        command: Command,
        caller: Caller,
        key: str,
        *,
        dry_run: bool,
        before_commit: Callable[[], None],
    ) -> None:
        self._books = books
        self._command = command
        self._caller = caller
        self._key = key
        self._dry_run = dry_run
        self._before_commit = before_commit
        self._log_id = log.log_id_of(caller.tenant, caller.subject, key)
        self._input_hash = digest(command.name, _canonical(_json(command)))
        self._undone: set[str] = set()
        self._undo: list[Callable[[], object]] = []

    def undo(self) -> None:
        for undo in self._undo:
            undo()

    def attempt(self) -> Answer:
        books = self._books
        work = Work(
            books,
            self._caller,
            self._log_id,
            self._input_hash,
            books.clock(),
            dry_run=self._dry_run,
            undo=self._undo,
        )
        try:
            plan = DECISIONS[type(self._command)](self._command, work)
            if not self._dry_run:
                self._before_commit()
        except AlreadyDone as already:
            return self._replay(already.done)
        except Refusal as refusal:
            return self._replay_or_raise(work, refusal)
        plan.forbidden = [step for step in plan.forbidden if step not in self._undone]
        body = _json(plan.answer)
        if self._dry_run:
            return Answer(body)
        return self._commit(plan, body, work)

    def _commit(self, plan: Plan, body: bytes, work: Work) -> Answer:
        record = self._record(plan, work.at)
        writes: list[Write] = [log.put(record, body)]
        writes += [log.put(self._tombstone(key, work.at), b"") for key in plan.forbidden]
        writes += [write_of(save.aggregate) for save in plan.saves]
        writes += watches_over(plan.sagas, record.tenant, work.at)
        try:
            self._books.database.transact(writes)
        except TransactionRefused as refused:
            return self._lost(plan, refused)
        return Answer(body)

    def _lost(self, plan: Plan, refused: TransactionRefused) -> Answer:
        """Say which condition decided: our own record before all others, then the first refusal, then a lost race."""
        if (mine := refused.failed.get(0)) is not None:
            return self._replay(log.read(mine))
        for at, step in enumerate(plan.forbidden, start=1):
            if (taken := refused.failed.get(at)) is not None:
                self._note_taken(step, taken)
        first_save = 1 + len(plan.forbidden)
        for at, save in enumerate(plan.saves):
            if first_save + at in refused.failed and save.otherwise is not None:
                raise save.otherwise
        raise ContendedError("somebody else's change came first")

    def _note_taken(self, step: str, taken: Wire) -> None:
        """The key of a step to be undone is taken: by the step itself, or by an undo that came before."""
        if not log.read_record(taken).undone:
            raise StepCommitted
        self._undone.add(step)

    def _replay_or_raise(self, work: Work, refusal: Refusal) -> Answer:
        """A rule refuses, or whoever sends it; but if this very command succeeded before, its success is the answer."""
        if (done := self._books.database.look_up(work.record_key)) is not None:
            return self._replay(done)
        raise refusal

    def _replay(self, done: Committed) -> Answer:
        if done.record.undone:
            raise StepUndone
        if done.record.input_hash != self._input_hash:
            raise IdempotencyKeyReused(self._key)
        return Answer(done.answer, replayed=True)

    def _record(self, plan: Plan, at: Instant) -> Record:
        return Record(
            tenant=self._caller.tenant,
            log_id=self._log_id,
            command=self._command.name,
            caller=self._caller.subject,
            ip=self._caller.ip,
            at=at,
            input_hash=self._input_hash,
            entry=plan.entry,
            events=tuple(plan.events),
            sagas=tuple(plan.sagas),
        )

    def _tombstone(self, key: str, at: Instant) -> Record:
        caller = self._caller
        log_id = log.log_id_of(caller.tenant, caller.subject, key)
        return Record(caller.tenant, log_id, self._command.name, caller.subject, caller.ip, at, "", undone=True)


def _canonical(document: bytes) -> str:
    """The same text for the same input, in whichever order its members were sent."""
    return json.dumps(json.loads(document), sort_keys=True)


_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {}


def _json(value: Any) -> bytes:
    adapter = _ADAPTERS.get(type(value))
    if adapter is None:
        adapter = _ADAPTERS[type(value)] = TypeAdapter(type(value))
    return adapter.dump_json(value)
