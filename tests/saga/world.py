"""A market whose checkouts run to their end: stream, queue, webhooks, the saga's steps and the state machine.

What happens, happens one thing after another on the test's clock. Everything that a step, a consumer or a webhook
does outside its process goes through a `Script`, so that a test can count it, break it, or do something first.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.books.dispatch import Dispatcher, Routes
from cauri.books.fold import Fold
from cauri.books.statements import trial_balance
from cauri.checkout.opening import Contact
from cauri.checkout.saga import CheckoutSaga
from cauri.checkout.tenders import TenderAsked
from cauri.clock import Instant
from cauri.edge.stream import in_order, records_of
from cauri.inventory.claims import Claims
from cauri.inventory.sweep import sweep
from cauri.money import Money
from cauri.orders.waiting import waker
from cauri.payments.hearing import HEARERS, look_into
from cauri.payments.intake import Delivery, Intake, Received
from cauri.providers.demo import DemoProvider
from cauri.providers.demo_wire import SIGNATURE_HEADER, signature
from cauri.providers.ports import (
    Authentication,
    Declined,
    KnownRefund,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Refunded,
    RefundNeedsAttention,
    RefundOutcome,
    RefundPending,
    Unknown,
    Unreadable,
)
from cauri.recovery.running import Stuck, recover
from cauri.refunds.hearing import hear_refund
from cauri.refunds.saga import RefundSaga
from cauri.wallet.saga import RedemptionSaga
from moto.dynamodb.models import dynamodb_backends

from local.machines.interpreter import Machine
from tests.engines import REGION, TABLE_PREFIX
from tests.proof.faults import Died, FaultyIssuer, FaultyProvider, Script, ScriptedDatabase
from tests.proof.state import ACCOUNT, Snapshot, snapshot
from tests.provider import ScriptedProvider
from tests.rewards import ScriptedIssuer
from tests.saga.machine import Executions, Starter
from tests.saga.trouble import Standstill
from tests.shop import START, TENANT, SetClock, Shop, from_wallet, no_pause

SECRET: Final = "a secret of the tests"
WIRE: Final = DemoProvider("https://demo.example", SECRET, SetClock(START))
ASK_AGAIN_AFTER: Final = (5, 60, 300, 3600)
"""The payments' consumer's pauses, in seconds. Source: SPEC 4."""
HEARD: Final = {**HEARERS, "refund.": hear_refund}
RECEIVES_MAX: Final = 10
SWEPT_EVERY: Final = timedelta(minutes=5)
EXECUTIONS_MAX: Final = 200
QUIET: Final = frozenset({"Prepare", "BeginSoon"})

Act = Callable[[], object]


@dataclass
class TellingProvider(ScriptedProvider):
    """The scripted provider, with the demo provider's webhooks."""

    refund_fates: list[str] = field(default_factory=list)

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        return WIRE.authenticate(tenant, headers, raw, source_ip)

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        return WIRE.read_event(raw)

    def refund(self, refund: RefundCall) -> RefundAnswer:
        """Once per reference. What becomes of the next ones, `refund_fates` says; after that they are done."""
        made = self.known.get(refund.charge_reference, {}).get(refund.reference)
        if made is not None or self.refund_answer is not None or not self.refund_fates:
            return made.outcome if made is not None else super().refund(refund)
        match self.refund_fates.pop(0):
            case "declined":
                return Declined("too_old")
            case "lost":
                return Unknown("the connection was refused")
            case "unheard":
                super().refund(refund)
                return Unknown("the connection was lost")
            case "pending":
                return self._took_on(refund, RefundPending(refund.amount, f"rfd-{refund.reference}"))
            case "stuck":
                stuck = RefundNeedsAttention(refund.amount, f"rfd-{refund.reference}", "no bank account")
                return self._took_on(refund, stuck)
        return super().refund(refund)

    def _took_on(self, refund: RefundCall, outcome: RefundOutcome) -> RefundOutcome:
        of_charge = self.known.setdefault(refund.charge_reference, {})
        of_charge[refund.reference] = KnownRefund(refund.reference, refund.amount, outcome)
        return outcome

    def end_refunds(self, *, done: bool = True) -> list[str]:
        """Whatever it took on and did not finish ends now; the references."""
        ended = []
        for of_charge in self.known.values():
            for reference, made in list(of_charge.items()):
                if isinstance(made.outcome, RefundPending | RefundNeedsAttention):
                    outcome = Refunded(made.amount, f"rfd-{reference}", START) if done else Declined("account_closed")
                    of_charge[reference] = replace(made, outcome=outcome)
                    self.refunds |= {reference: made.amount} if done else {}
                    ended.append(reference)
        return ended

    def silent(self, reference: str) -> None:
        """Whoever asks gets no answer."""
        self.truth[reference] = Unknown("the connection timed out")


class StepTimedOut(TimeoutError):  # noqa: N818 - what the interpreter takes for its own States.Timeout
    """The state machine stopped waiting for a step."""


@dataclass(eq=False)
class Invocation:
    """One call of a step by the state machine: the `nth` of this step in this world, counted from 1."""

    execution: str
    function: str
    step: str
    nth: int
    payload: Mapping[str, Any]
    script: Script = field(default_factory=Script)
    outcome: Any = None

    @property
    def place(self) -> tuple[str, int]:
        return (self.step, self.nth)


@dataclass
class Message:
    """One message of the payments' queue."""

    body: str
    visible_at: Instant
    receives: int = 0


class World:
    def __init__(self, database: Database, machines: Mapping[str, Machine]) -> None:
        self.provider = TellingProvider()
        self.issuer = ScriptedIssuer()
        self.shop = Shop(database, provider=self.provider)
        self.machines = machines
        self.clock = self.shop.clock
        self.executions = Executions(machines, self.clock, self)
        self.letters: list[dict[str, Any]] = []
        """The sagas' dead letters."""
        self.lost_webhooks: list[str] = []
        """The payments' dead letters."""
        self.invocations: list[Invocation] = []
        self.plan: Callable[[Invocation], Script | None] = lambda invocation: None
        """Which script an invocation of a step follows; None for the harmless one."""
        self.interludes: dict[int, Act] = {}
        """What to do just before the n-th call of all steps, counted from 0."""
        self.calls = 0
        self._queue: list[Message] = []
        self._appointments: list[tuple[Instant, int, Act]] = []
        self._times = Counter[str]()
        self._numbers = itertools.count()
        self.position = 0
        """How much of the log's stream the consumers have had."""
        self.folds = True
        """Whether the fold reads the stream. It takes half of all calls, and changes nothing that sagas look at."""
        self.intake = Intake(self.process())
        self.fold = Fold(self.shop.database)
        self.dispatcher = Dispatcher(self._routes())

    def _routes(self) -> Routes:
        wake = waker(self.shop.database, self.executions)
        return Routes(
            queues={"webhook.received": self},
            machines={name: Starter(self.executions, name) for name in self.machines},
            wakes={"order.payment.received": wake, "order.payment.failed": wake},
        )

    # -- Processes

    def process(self, script: Script | None = None) -> Books:
        """The books of a new process."""
        script = script or Script()
        return Books(
            ScriptedDatabase(self.shop.database, script),
            self.clock,
            providers={"demo": FaultyProvider(self.provider, script)},
            settings=self.shop.books.settings,
            pause=no_pause,
        )

    def invoke(self, function: str, payload: bytes) -> Mapping[str, Any]:
        """As Lambda's Invoke answers. Raises StepTimedOut."""
        asked = json.loads(payload)
        step = asked["step"]
        self._times[step] += 1
        name = self.executions.running.name
        invocation = Invocation(name, function.rpartition(":")[2], step, self._times[step], asked)
        self.invocations.append(invocation)
        if (script := self.plan(invocation)) is not None:
            invocation.script = script
        self._watch(invocation.script)
        if isinstance(script, Standstill):
            script.run(lambda: self._run(invocation))
            if script.reached:
                script.stood_at = self.calls - 1
                raise StepTimedOut
        else:
            self._run(invocation)
        if isinstance(invocation.outcome, BaseException):
            failure = {"errorType": type(invocation.outcome).__name__, "errorMessage": str(invocation.outcome)}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": failure}
        return {"StatusCode": 200, "Payload": invocation.outcome}

    def _saga(self, function: str, script: Script | None = None) -> CheckoutSaga | RefundSaga | RedemptionSaga:
        books = self.process(script)
        if function.startswith("Redemption"):
            return RedemptionSaga(books, FaultyIssuer(self.issuer, script or Script()))
        return RefundSaga(books) if function == "RefundSteps" else CheckoutSaga(books, self.executions)

    def _run(self, invocation: Invocation) -> None:
        saga = self._saga(invocation.function, invocation.script)
        try:
            invocation.outcome = json.loads(json.dumps(saga.run(invocation.payload)))
        except (Exception, Died) as error:  # noqa: BLE001 - Lambda reports whatever a handler raises
            invocation.outcome = error

    def _watch(self, script: Script) -> None:
        """Count its calls, and play the interludes."""
        play = script.play

        def watched(operation: str, request: Mapping[str, Any], effect: Callable[[], Any]) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if (interlude := self.interludes.pop(number, None)) is not None:
                interlude()
            return play(operation, request, effect)

        script.play = watched  # type: ignore[method-assign]

    def call(self, service: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What the state machine asks of other services: to put a letter on the queue."""
        assert (service, action) == ("sqs", "SendMessage"), (service, action)
        self.letters.append(json.loads(parameters["MessageBody"]))
        return {"MessageId": "1"}

    # -- The stream and the queue

    def pump(self) -> bool:
        """Bring what was committed to its consumers. True if there was something."""
        batch = {"Records": [record.to_json() for record in _stream()[self.position :]]}
        if not batch["Records"]:
            return False
        self.position += len(batch["Records"])
        if self.folds:
            self.fold.fold(records_of(batch))
        assert in_order(batch, self.dispatcher.dispatch) == {"batchItemFailures": []}
        return True

    def lose_what_was_committed(self) -> None:
        """The dispatcher never gets it: no saga starts, no queue hears, nobody is woken."""
        batch = {"Records": [record.to_json() for record in _stream()[self.position :]]}
        self.position += len(batch["Records"])
        self.fold.fold(records_of(batch))

    def fold_all(self) -> None:
        """The fold reads the whole stream, later than the others."""
        self.folds = True
        self.fold.fold(records_of({"Records": [record.to_json() for record in _stream()]}))

    def send(self, message: str) -> None:
        """The payments' queue gets a message."""
        self._queue.append(Message(message, self.clock.now))

    def consume(self) -> bool:
        """Let the payments' consumer handle what is visible. True if there was something."""
        due = [message for message in self._queue if message.visible_at <= self.clock.now]
        for message in due:
            self._handle(message)
        return bool(due)

    def _handle(self, message: Message) -> None:
        body = json.loads(message.body)
        message.receives += 1
        try:
            look_into(self.process(), body["tenant"], body["data"], HEARD)
        except Exception:  # noqa: BLE001 - as the handler does: it comes again, and at last is a dead letter
            pause = ASK_AGAIN_AFTER[min(message.receives, len(ASK_AGAIN_AFTER)) - 1]
            message.visible_at = self.clock.now + timedelta(seconds=pause)
            if message.receives < RECEIVES_MAX:
                return
            self.lost_webhooks.append(message.body)
        self._queue.remove(message)

    # -- Time

    def at(self, moment: Instant, act: Act) -> None:
        heapq.heappush(self._appointments, (moment, next(self._numbers), act))

    def after(self, act: Act, **delta: float) -> None:
        self.at(self.clock.now + timedelta(**delta), act)

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(EXECUTIONS_MAX):
            if self.pump() or self.consume():
                continue
            able = next(self.executions.able(), None)
            if able is None:
                return
            self.executions.go_on(able)
        raise AssertionError("it goes round in circles")

    def run(self, **delta: float) -> None:
        """Let time pass until nothing more is to happen, or, if given, just so long."""
        until = self.clock.now + timedelta(**delta) if delta else None
        self.settle()
        while (moment := self._next()) is not None and (until is None or moment <= until):
            self._move_to(moment)
            for act in self._due():
                act()
            self.settle()
        if until is not None:
            self._move_to(until)

    def pass_time(self, **delta: float) -> None:
        """Run until nothing more is to happen, and then let so much time pass."""
        self.run()
        self._move_to(self.clock.now + timedelta(**delta))

    def _move_to(self, moment: Instant) -> None:
        swept = moment - self.clock.now >= SWEPT_EVERY
        self.clock.now = max(self.clock.now, moment)
        if swept:
            self.expire_claims()

    def _next(self) -> Instant | None:
        moments = [message.visible_at for message in self._queue]
        moments += [moment for moment, _, _ in self._appointments[:1]]
        if (deadline := self.executions.next_deadline()) is not None:
            moments.append(deadline)
        return min(moments, default=None)

    def _due(self) -> Iterator[Act]:
        while self._appointments and self._appointments[0][0] <= self.clock.now:
            yield heapq.heappop(self._appointments)[2]

    def sweep(self) -> None:
        sweep(self.shop.database, TENANT, self.clock.now)

    def expire_claims(self) -> None:
        """The sweep of what the stories sell, without its walk through the catalogue."""
        claims = Claims(self.shop.database, TENANT)
        for sku in ("shirt-l", "coffee"):
            for cell in self.shop.cells(sku):
                claims.expire(cell, self.clock.now)

    # -- What became of it

    def status(self, order: str) -> str:
        return self.shop.tree(order).order.status

    def stock(self, sku: str) -> tuple[int, int, int]:
        """Units that are available, reserved, allocated."""
        cells = self.shop.cells(sku)
        parts = [(cell.available, cell.reserved, cell.allocated) for cell in cells]
        return tuple(map(sum, zip(*parts, strict=True)))  # type: ignore[return-value]

    def wallet(self) -> tuple[int, int]:
        """What the customer's wallet can pay, and what it holds."""
        return self.shop.worth()

    def ledger(self) -> dict[str, int]:
        """Every account that stands at something, debits positive."""
        accounts = trial_balance(self.shop.database, TENANT).accounts
        return {one.account: one.debit - one.credit for one in accounts if one.debit != one.credit}

    def way(self, name: str) -> list[str]:
        """The states that an execution went through, without those that only look or wait a moment."""
        return [state for state in self.executions.named(name).states if state not in QUIET]

    # -- What people do

    def buy(self, *, drawn: int = 0, guest: bool = False, **units: int) -> str:
        """A checkout, of which the wallet holds `drawn` and the provider is asked for the rest; the order's id."""
        caller = self.shop.guest() if guest else self.shop.customer()
        tenders = [TenderAsked("provider", provider="demo")]
        if drawn:
            tenders.insert(0, from_wallet(drawn))
        cart = self.shop.cart(caller, **(units or {"shirt_l": 2, "coffee": 1}))
        more: dict[str, Any] = {"contact": Contact("amina@example.com")} if guest else {}
        order: str = self.shop.checkout(caller, cart_id=cart, tenders=tuple(tenders), **more)["order"]["id"]
        return order

    def buy_in_two(self, deposit: int = 100_000) -> tuple[str, str, str]:
        """A checkout with a deposit and the rest, both at the provider: the order, and its payments."""
        caller = self.shop.customer()
        tenders = (TenderAsked("provider", Money(deposit, "KES"), "demo"), TenderAsked("provider", provider="demo"))
        placed = self.shop.checkout(caller, cart_id=self.shop.cart(caller, shirt_l=2, coffee=1), tenders=tenders)
        first, second = (each["payment_id"] for each in placed["to_pay"])
        return placed["order"]["id"], first, second

    def pays(self, payment: str) -> None:
        """The shopper pays, and the provider tells us."""
        self.provider.pay(payment)
        self.tell("charge.success", payment)

    def payment_of(self, order: str) -> str:
        [payment] = self.shop.tree(order).payments
        return payment.id

    def tell(self, kind: str, reference: str, **more: Any) -> Received:
        """The provider's webhook comes."""
        data = {"id": f"txn-{reference}", "reference": reference, "status": kind.rpartition(".")[2]} | more
        raw = json.dumps({"event": kind, "data": data}).encode()
        headers = {SIGNATURE_HEADER: signature(SECRET, TENANT, raw)}
        return self.intake.receive(Delivery("demo", TENANT, headers, raw, "203.0.113.9"))

    def start_again(self, order: str, name: str | None = None) -> None:
        """Start the order's saga as the dispatcher did, after an outage of the state machine lost it."""
        input_ = {"tenant": TENANT, "order_id": order, "watch": self.shop.watch(order)}
        self.executions.start(name or order, json.dumps(input_))

    def recover(self) -> list[Stuck]:
        """The schedule of the recovery; what it did."""
        return recover(self.process(), TENANT)

    def replay(self, letter: Mapping[str, Any]) -> None:
        """`cauri dlq replay`: invoke the function of a dead letter with its payload."""
        self.letters.remove(dict(letter))
        self._saga(letter["function"]).run(letter["payload"])


@dataclass(frozen=True)
class Beginning:
    """A world before its sagas, to begin from again and again."""

    database: Database
    machines: Mapping[str, Machine]
    stored: Snapshot
    provider: TellingProvider
    issuer: ScriptedIssuer
    now: Instant
    keys: int
    streamed: list[Any]
    """What the log's consumers have yet to read."""

    @classmethod
    def of(cls, world: World) -> Beginning:
        assert not world.executions.all
        shop, streamed = world.shop, _stream()[world.position :]
        outside = copy.deepcopy(world.provider), copy.deepcopy(world.issuer)
        return cls(shop.database, world.machines, snapshot(), *outside, world.clock.now, shop.keys, streamed)

    def again(self) -> World:
        """A new world that is as this one was."""
        self.stored.restore()
        world = World(self.database, self.machines)
        world.clock.now = self.now
        world.shop.keys = self.keys
        _stream()[:] = self.streamed
        vars(world.provider).update(vars(copy.deepcopy(self.provider)))
        vars(world.issuer).update(vars(copy.deepcopy(self.issuer)))
        return world


def _stream() -> list[Any]:
    shard = dynamodb_backends[ACCOUNT][REGION].tables[f"{TABLE_PREFIX}log"].stream_shard
    assert shard is not None
    return shard.items
