"""Calls that go wrong: a database and a provider whose n-th call meets a fault, and the faults there are.

Every call of one process goes through its `Script`, so that the calls of a command can be counted in a clean run, and
then made to fail one by one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from cauri.books.database import Database
from cauri.providers.ports import Charge, KnownRefund, Opening, RefundAnswer, RefundCall, Unknown, Verification
from cauri.providers.rewards import RewardAnswer, RewardUse

from tests.engines import REGION, TABLE_PREFIX
from tests.provider import ScriptedProvider
from tests.rewards import ScriptedIssuer

T = TypeVar("T")
URL: Final = "https://dynamodb.example"
INITIALIZE: Final = "provider.initialize"
VERIFY: Final = "provider.verify"
REFUND: Final = "provider.refund"
LIST: Final = "provider.list_refunds"
TRANSACTIONS: Final = frozenset({"TransactWriteItems", "TransactGetItems"})
WRITES: Final = frozenset({"PutItem", "UpdateItem"})
BATCHES: Final = frozenset({"BatchGetItem", "BatchWriteItem"})


class Died(BaseException):
    """The process is gone: no handler of it runs, and its memory is lost."""


@dataclass(frozen=True)
class Call:
    """One call that leaves the process, and what it would do."""

    operation: str
    request: Mapping[str, Any]
    effect: Callable[[], Any]

    @property
    def to_provider(self) -> bool:
        return self.operation.startswith("provider.")


@dataclass(frozen=True)
class Fault:
    """What becomes of a call, instead of its effect and answer. `fits` says which calls it can happen to."""

    name: str
    fits: Callable[[Call], bool]
    strike: Callable[[Call], Any]

    @property
    def kills(self) -> bool:
        return self.name.startswith("died")


@dataclass
class Script:
    """The calls of one process, numbered as they come. The call `at`, if any, meets `fault`."""

    at: int | None = None
    fault: Fault | None = None
    calls: list[Call] = field(default_factory=list)

    @property
    def left_in_doubt(self) -> bool:
        """The provider was made not to answer: whoever hears that nobody knows asks again."""
        return self.fault is not None and self.fault.name.startswith("provider unknown")

    def play(self, operation: str, request: Mapping[str, Any], effect: Callable[[], Any]) -> Any:
        call = Call(operation, request, effect)
        number = len(self.calls)
        self.calls.append(call)
        if number == self.at and self.fault is not None:
            return self.fault.strike(call)
        return effect()


# -- The faults


def _refused(call: Call) -> Any:
    raise EndpointConnectionError(endpoint_url=URL)


def _cut_off(call: Call) -> Any:
    _unheard(call)
    raise ConnectionClosedError(endpoint_url=URL)


def _timed_out(call: Call) -> Any:
    _unheard(call)
    raise ReadTimeoutError(endpoint_url=URL)


def _conflict(call: Call) -> Any:
    raise (
        _cancelled(call, "TransactionConflict")
        if call.operation in TRANSACTIONS
        else _error(call, "TransactionConflictException")
    )


def _throttled(call: Call) -> Any:
    if call.operation == "TransactWriteItems":
        raise _cancelled(call, "ThrottlingError")
    raise _error(call, "ProvisionedThroughputExceededException")


def _unprocessed(call: Call) -> Any:
    """The database did nothing of the batch, and says so; the next call is answered."""
    wanted = call.request["RequestItems"]
    return {"Responses": {}, "UnprocessedKeys": wanted, "UnprocessedItems": wanted}


def _died_before(call: Call) -> Any:
    raise Died


def _died_after(call: Call) -> Any:
    _unheard(call)
    raise Died


def _unknown_before(call: Call) -> Any:
    return Unknown("the connection was refused")


def _unknown_after(call: Call) -> Any:
    _unheard(call)
    return Unknown("the connection was lost")


def _unheard(call: Call) -> None:
    """The call has its effect, or is refused, and nobody hears which."""
    with suppress(ClientError):
        call.effect()


def _cancelled(call: Call, code: str) -> ClientError:
    """A cancellation for a reason that lies with the last of the actions."""
    innocent = len(call.request["TransactItems"]) - 1
    reasons = [{"Code": "None"}] * innocent + [{"Code": code}]
    return _error(call, "TransactionCanceledException", CancellationReasons=reasons)


def _error(call: Call, code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(response, call.operation)


def _to_database(call: Call) -> bool:
    return not call.to_provider


def _anywhere(call: Call) -> bool:
    return True


def _asks_provider(call: Call) -> bool:
    return call.operation in {VERIFY, REFUND, LIST}  # initialize makes a link, and asks nobody


FAULTS: Final = (
    Fault("connection refused", _to_database, _refused),
    Fault("connection lost after the effect", _to_database, _cut_off),
    Fault("timeout after the effect", _to_database, _timed_out),
    Fault("conflict", lambda call: call.operation in TRANSACTIONS | WRITES, _conflict),
    Fault("throttled", _to_database, _throttled),
    Fault("batch unprocessed", lambda call: call.operation in BATCHES, _unprocessed),
    Fault("provider unknown before the effect", _asks_provider, _unknown_before),
    Fault("provider unknown after the effect", _asks_provider, _unknown_after),
    Fault("died before", _anywhere, _died_before),
    Fault("died after", _anywhere, _died_after),
)


def interlude(play: Callable[[], object]) -> Fault:
    """No failure: somebody else does something whole, just before the call."""

    def strike(call: Call) -> Any:
        play()
        return call.effect()

    return Fault("interlude", _anywhere, strike)


# -- Who meets them


class InTurn(ThreadPoolExecutor):
    """Runs what is submitted in the thread that waits for it, so that calls made together come in one order.

    Either what is submitted runs at once, hence before what its submitter does itself, or when it is waited for.
    """

    def __init__(self, *, at_once: bool) -> None:
        super().__init__(1)
        self._at_once = at_once

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future = _Lazy(functools.partial(fn, *args, **kwargs))
        if self._at_once:
            future.run()
        return future


class _Lazy(Future[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__()
        self._work = work

    def run(self) -> None:
        try:
            self.set_result(self._work())
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it; a death is not caught
            self.set_exception(error)

    def result(self, timeout: float | None = None) -> T:
        if not self.done():
            self.run()
        return super().result(timeout)


class OwnDatabase(Database):
    """A new process's database, over the connection of `origin`: a client takes long to make, and remembers nothing."""

    def __init__(self, origin: Database) -> None:
        super().__init__(prefix=TABLE_PREFIX, region=REGION)
        self._wire = origin._wire


class ScriptedDatabase(OwnDatabase):
    """One whose calls follow a script, one after the other."""

    def __init__(self, origin: Database, script: Script, *, submitted_first: bool = False) -> None:
        super().__init__(origin)
        self._script = script
        self._submitted_first = submitted_first

    @functools.cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return InTurn(at_once=self._submitted_first)

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        dispatch = super().send
        answer: dict[str, Any] = self._script.play(operation, request, lambda: dispatch(operation, request))
        return answer


@dataclass
class FaultyProvider:
    """The provider as one process sees it: what it knows is the same for all, and calls to it may fail."""

    truth: ScriptedProvider
    script: Script

    @property
    def name(self) -> str:
        return self.truth.name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.truth, name)

    def initialize(self, charge: Charge) -> Opening:
        opening: Opening = self.script.play(INITIALIZE, {}, lambda: self.truth.initialize(charge))
        return opening

    def verify(self, tenant: str, reference: str) -> Verification:
        answer: Verification = self.script.play(VERIFY, {}, lambda: self.truth.verify(tenant, reference))
        return answer

    def refund(self, refund: RefundCall) -> RefundAnswer:
        answer: RefundAnswer = self.script.play(REFUND, {}, lambda: self.truth.refund(refund))
        return answer

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        known: tuple[KnownRefund, ...] | Unknown = self.script.play(
            LIST, {}, lambda: self.truth.list_refunds(tenant, charge_reference)
        )
        return known


@dataclass
class FaultyIssuer:
    """The issuer of rewards as one process sees it."""

    truth: ScriptedIssuer
    script: Script

    @property
    def name(self) -> str:
        return self.truth.name

    def confirm(self, use: RewardUse) -> RewardAnswer:
        return self._ask("confirm", use)

    def capture(self, use: RewardUse) -> RewardAnswer:
        return self._ask("capture", use)

    def release(self, use: RewardUse) -> RewardAnswer:
        return self._ask("release", use)

    def _ask(self, question: str, use: RewardUse) -> RewardAnswer:
        asked = getattr(self.truth, question)
        answer: RewardAnswer = self.script.play(f"provider.{question}", {}, lambda: asked(use))
        return answer
