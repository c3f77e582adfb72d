"""The steps of a run: write the shards down, work on each, end. See invoice_run.asl.yaml.

A step may come twice, and late. What is done to a customer or an invoice is a command of its own whose key names it and
the run, so that the second time is a replay; and what keeps two runs from billing the same is the database's condition
on the customer's period and on every item. Nothing is undone: what a run made stays, and may be deleted by another run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from cauri.billing.invoicing import DeleteInvoice, InvoicePeriod
from cauri.billing.model import ITEMS_MAX, NothingToBill, PeriodInvoiced
from cauri.billing.run_store import run_key, shard_key
from cauri.billing.running import AddShards, ContinueRun, FinishRun, RecordShard, by_run
from cauri.billing.runs import Outcome, Result, Run, RunKind, RunShard, UnknownRun
from cauri.books.commit import Books, Contended
from cauri.errors import Refusal, Unsettled
from cauri.ids import digest
from cauri.values import dataclass

logger = logging.getLogger(__name__)

GIVEN_UP: Final = "unavailable"
INTERNAL: Final = "internal_error"

Payload = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class RunSaga:
    books: Books

    def run(self, payload: Payload) -> Answer:
        """Run the step that `payload` names."""
        steps: dict[str, Callable[[Payload], Answer]] = {
            "add_shards": self.add_shards,
            "work": self.work,
            "give_up": self.give_up,
            "finish": self.finish,
            "resume_run": self.resume_run,
        }
        return steps[payload["step"]](payload)

    def add_shards(self, payload: Payload) -> Answer:
        """Write the next shards down. No undo: whom a run is about is no harm."""
        run_id, after, first = payload["run_id"], payload["after"], payload["first"]
        command = AddShards(run_id, after, first)
        added = self._do(command, payload, f"{run_id}:shards:{after}")
        if added["more"]:
            return {"next": "more", "after": added["after"], "first": added["first"]}
        numbers = list(range(added["first"]))
        return {"next": "work" if numbers else "finish", "shards": numbers}

    def work(self, payload: Payload) -> Answer:
        """Do it to each of a shard's ids. No undo: each is a whole, and is done once."""
        run, shard = self._load(payload)
        if not shard.done:
            self._record(run, shard, tuple(self._one(run, id_) for id_ in shard.ids))
        return {"next": "done"}

    def give_up(self, payload: Payload) -> Answer:
        """The shard failed again and again: say so of whatever of it nobody could do."""
        run, shard = self._load(payload)
        if not shard.done:
            self._record(run, shard, tuple(self._one_or_given_up(run, id_) for id_ in shard.ids))
        return {"next": "done"}

    def finish(self, payload: Payload) -> Answer:
        """End the run. Raises RunUnfinishedError while a shard is not done."""
        self._do(FinishRun(payload["run_id"]), payload, f"{payload['run_id']}:finish")
        return {"next": "done"}

    def resume_run(self, payload: Payload) -> Answer:
        """From the dead letters: start the saga again."""
        again = f"{payload['run_id']}-{self.books.clock():%Y%m%dT%H%M%S}"
        self._do(ContinueRun(payload["run_id"], again), payload, f"{payload['execution']}:resume:{again}")
        return {"next": again}

    # -- One of many

    def _one(self, run: Run, id_: str) -> Outcome:
        """What becomes of one. Unsettled is raised: nobody knows, and the shard is worked on once more."""
        try:
            return self._bill(run, id_) if run.kind is RunKind.BILL else self._delete(run, id_)
        except (Unsettled, Contended):
            raise
        except (NothingToBill, PeriodInvoiced) as already:
            return Outcome(id_, Result.SKIPPED, code=already.code)
        except Refusal as refusal:
            return Outcome(id_, Result.FAILED, code=refusal.code, detail=refusal.detail())
        except Exception:  # a fault of ours that one of them meets: it is reported, and stops no other
            logger.exception("run %s failed for %s", run.id, id_)
            return Outcome(id_, Result.FAILED, code=INTERNAL, detail="Something failed that nobody expected.")

    def _one_or_given_up(self, run: Run, id_: str) -> Outcome:
        try:
            return self._one(run, id_)
        except (Unsettled, Contended):
            return Outcome(id_, Result.FAILED, code=GIVEN_UP, detail="It could not be done in time. Run it again.")

    def _bill(self, run: Run, customer_id: str) -> Outcome:
        """The customer's invoices of the period: one, or as many as its items need."""
        assert run.since is not None
        assert run.until is not None
        assert run.currency is not None
        invoices: list[str] = []
        command = InvoicePeriod(customer_id, run.since, run.until, run.currency, numbered=False)
        while True:
            try:
                made = self._do(command, run, f"{run.id}:{customer_id}:{len(invoices)}")
            except PeriodInvoiced:
                if not invoices:
                    raise
                break
            invoices.append(made["id"])
            if len(made["lines"]) < ITEMS_MAX:
                break
        return Outcome(customer_id, Result.MADE, tuple(invoices))

    def _delete(self, run: Run, invoice_id: str) -> Outcome:
        self._do(DeleteInvoice(invoice_id), run, f"{run.id}:{invoice_id}")
        return Outcome(invoice_id, Result.MADE, (invoice_id,))

    # -- Parts

    def _load(self, payload: Payload) -> tuple[Run, RunShard]:
        run_at = run_key(payload["tenant"], payload["run_id"])
        shard_at = shard_key(payload["tenant"], payload["run_id"], payload["shard"])
        found = self.books.database.fetch([run_at, shard_at])
        run, shard = found[run_at], found[shard_at]
        if run is None or shard is None:
            raise UnknownRun(payload["run_id"])
        return run, shard

    def _record(self, run: Run, shard: RunShard, outcomes: tuple[Outcome, ...]) -> None:
        # Two that worked on it at once may have met different races: each has its key, and the first counts.
        found = digest(*(f"{one.id}:{one.result}:{one.code}:{one.invoices}" for one in outcomes))
        self._do(RecordShard(run.id, shard.number, outcomes), run, f"{run.id}:shard:{shard.number}:{found}")

    def _do(self, command: Any, of: Payload | Run, key: str) -> Any:
        tenant = of.tenant if isinstance(of, Run) else of["tenant"]
        return json.loads(self.books.run(command, by_run(tenant), key).body)
