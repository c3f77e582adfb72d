"""The one door to DynamoDB. Every call goes through it, is counted, and fails in one of few ways."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

import botocore.exceptions

from cauri.books.shelf import Found, Key, Wire, Write
from cauri.errors import ContendedError, UnavailableError
from cauri.values import dataclass, field
from cauri.wire import DYNAMODB
from cauri.wire import Wire as Connection

BATCH_GET_KEYS_MAX: Final = 100
TRANSACTION_ACTIONS_MAX: Final = 100
PARALLEL_CALLS_MAX: Final = 16

CONTENDED: Final = frozenset({"TransactionConflictException", "TransactionInProgressException"})
BUSY: Final = frozenset(
    {
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    }
)

T = TypeVar("T")


class ConditionFailed(Exception):  # noqa: N818 - an answer of the database, for its caller to read
    """One write's condition did not hold; `item` is what is stored, if there is something."""

    def __init__(self, item: Wire | None) -> None:
        super().__init__("the condition of a write did not hold")
        self.item = item


class TransactionRefused(Exception):  # noqa: N818
    """A transaction's conditions did not all hold. `failed` gives the stored item (or None) by the action's place."""

    def __init__(self, failed: Mapping[int, Wire | None]) -> None:
        super().__init__("the conditions of a transaction did not hold")
        self.failed = failed


@dataclass
class Meter:
    """What a piece of work cost. A round trip is a wait: calls made together are one."""

    round_trips: int = 0
    calls: int = 0
    units: float = 0.0
    units_of: dict[str, float] = field(default_factory=dict)

    def add(self, operation: str, consumed: Any) -> None:
        self.calls += 1
        for one in consumed if isinstance(consumed, list) else [consumed or {}]:
            spent = one.get("CapacityUnits", 0.0)
            self.units += spent
            self.units_of[operation] = self.units_of.get(operation, 0.0) + spent


class Database:
    """Reads are strongly consistent, and time out after 3 s (1 s to connect).

    Nothing is retried here: a command that meets `Unsettled` runs again as a whole, which its log record makes safe.
    """

    def __init__(self, *, prefix: str, region: str, host: str | None = None) -> None:
        self._prefix = prefix
        self._wire = Connection(
            DYNAMODB, region=region, host=host, connect_seconds=1, read_seconds=3, pool=2 * PARALLEL_CALLS_MAX
        )
        self.meter = Meter()
        self._thread = threading.local()

    def get_ready(self) -> None:
        """Make what the first call would wait for, but the connection."""
        self._wire.get_ready()

    def forget_connections(self) -> None:
        """To be called after a snapshot is restored, in which no connection lives on."""
        self._wire.forget_connections()

    # -- Reading

    def fetch(self, keys: Sequence[Key[Any]]) -> Found:
        """The aggregates at `keys`, over all tables, in one round trip."""
        self._count_wait()
        return self._batch_get(keys)

    def _batch_get(self, keys: Sequence[Key[Any]]) -> Found:
        wanted = list({key.address for key in keys})
        items: dict[tuple[str, str, str], Wire] = {}
        while wanted:
            now, wanted = wanted[:BATCH_GET_KEYS_MAX], wanted[BATCH_GET_KEYS_MAX:]
            answer = self._call("BatchGetItem", {"RequestItems": self._requested(now)})
            for table, found in answer["Responses"].items():
                name = table.removeprefix(self._prefix)
                items.update({(name, item["pk"]["S"], item.get("sk", {}).get("S", "")): item for item in found})
            for table, left in answer.get("UnprocessedKeys", {}).items():
                name = table.removeprefix(self._prefix)
                wanted += [(name, key["pk"]["S"], key.get("sk", {}).get("S", "")) for key in left["Keys"]]
        return Found(items)

    def _requested(self, addresses: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
        tables: dict[str, Any] = {}
        for table, pk, sk in addresses:
            request: dict[str, Any] = tables.setdefault(self._prefix + table, {"Keys": [], "ConsistentRead": True})
            request["Keys"].append({"pk": {"S": pk}} | ({"sk": {"S": sk}} if sk else {}))
        return tables

    def query(self, table: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a Query, given as the wire has it but for the table's name."""
        self._count_wait()
        return self._query(table, request)

    def query_all(self, table: str, request: Mapping[str, Any]) -> list[Wire]:
        """Every item of a partition's range that is known to be small."""
        self._count_wait()
        page = self._query(table, request)
        items = list(page["Items"])
        while last := page.get("LastEvaluatedKey"):
            page = self._query(table, {**request, "ExclusiveStartKey": last})
            items += page["Items"]
        return items

    def _query(self, table: str, request: Mapping[str, Any]) -> dict[str, Any]:
        consistent = {} if "IndexName" in request else {"ConsistentRead": True}
        return self._call("Query", {"TableName": self._prefix + table, **consistent, **request})

    def look_up(self, key: Key[T]) -> T | None:
        """One aggregate, also if a transaction that writes it is under way: that one is waited out or conflicts."""
        self._count_wait()
        place = {"pk": {"S": key.pk}} | ({"sk": {"S": key.sk}} if key.sk else {})
        get = {"TableName": self._prefix + key.shelf.table, "Key": place}
        answer = self._call("TransactGetItems", {"TransactItems": [{"Get": get}]})
        item = answer["Responses"][0].get("Item")
        return key.shelf.from_item(item) if item else None

    # -- Writing: the commit, the claims of stock, and the rows that consumers derive from the log

    def transact(self, writes: Sequence[Write]) -> None:
        """All of `writes`, or none. Raises TransactionRefused."""
        if len(writes) > TRANSACTION_ACTIONS_MAX:
            raise ValueError(f"a transaction has at most {TRANSACTION_ACTIONS_MAX} actions, not {len(writes)}")
        self._count_wait()
        self._call("TransactWriteItems", {"TransactItems": [{w.action: self._named(w.request)} for w in writes]})

    def write(self, write: Write) -> Wire | None:
        """One conditional write by itself. Raises ConditionFailed. Answers what ``ReturnValues`` asks for."""
        self._count_wait()
        return self._write(write)

    def _write(self, write: Write) -> Wire | None:
        answer = self._call(write.action + "Item", self._named(write.request))
        attributes: Wire | None = answer.get("Attributes")
        return attributes

    def write_rows(self, table: str, rows: Sequence[Wire]) -> None:
        """Rows that are the same whenever they are written."""
        self._count_wait()
        requests = [{"PutRequest": {"Item": row}} for row in rows]
        while requests:
            now, requests = requests[:25], requests[25:]
            answer = self._call("BatchWriteItem", {"RequestItems": {self._prefix + table: now}})
            requests += answer.get("UnprocessedItems", {}).get(self._prefix + table, [])

    def _named(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {**request, "TableName": self._prefix + request["TableName"]}

    # -- Together

    def together(self, *calls: Callable[[], T]) -> list[T]:
        """Make independent calls at once and wait for all: one round trip, however many calls (or retries) each makes.

        When some fail, the others are still waited for, and then the first failure is raised. A call made here must
        not itself make calls together: it would wait for a thread while holding one.
        """
        before = self.meter.round_trips
        futures = [self._pool.submit(call) for call in calls[1:]]
        outcomes = [_outcome(call) for call in calls[:1]] + [_outcome(future.result) for future in futures]
        self.meter.round_trips = before + 1
        for outcome in outcomes:
            if isinstance(outcome, _Failed):
                raise outcome.error
        return outcomes  # type: ignore[return-value]

    def beside(self, call: Callable[[], T]) -> Future[T]:
        """Begin `call` beside whatever the caller does next. It is no wait, unless the caller makes one of it.

        As with `together`, it must not itself make calls together.
        """

        def run() -> T:
            self._thread.is_beside = True
            try:
                return call()
            finally:
                self._thread.is_beside = False

        return self._pool.submit(run)

    def _count_wait(self) -> None:
        if not getattr(self._thread, "is_beside", False):
            self.meter.round_trips += 1

    @functools.cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(PARALLEL_CALLS_MAX)

    # -- The wire

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self.send(operation, request)
        except botocore.exceptions.ClientError as error:
            raise _meaning(error) from error
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError) as error:
            raise UnavailableError(f"{operation}: {error}") from error
        self.meter.add(operation, answer.get("ConsumedCapacity"))
        return answer

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request. Tests that make calls fail, or wait, do it here."""
        return self._wire.send(operation, {**request, "ReturnConsumedCapacity": "TOTAL"})


@dataclass(frozen=True)
class _Failed:
    """Tells an error that was raised from one that was answered."""

    error: Exception


def _outcome(call: Callable[[], T]) -> T | _Failed:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - raised by the caller once the others are done
        return _Failed(error)


def _meaning(error: botocore.exceptions.ClientError) -> Exception:
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(response.get("Item"))
    if code == "TransactionCanceledException":
        return _cancellation(response["CancellationReasons"])
    if code in CONTENDED:
        return ContendedError(code)
    if code in BUSY:
        return UnavailableError(code)
    return error


def _cancellation(reasons: Sequence[Mapping[str, Any]]) -> Exception:
    """A condition that failed tells more than a conflict, which tells more than a throttle."""
    failed = {at: one.get("Item") for at, one in enumerate(reasons) if one["Code"] == "ConditionalCheckFailed"}
    codes = {reason["Code"] for reason in reasons} - {"None"}
    if failed:
        return TransactionRefused(failed)
    if "TransactionConflict" in codes:
        return ContendedError("TransactionConflict")
    if codes <= {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        return UnavailableError(", ".join(sorted(codes)))
    return ValueError(f"the transaction is malformed: {[dict(reason) for reason in reasons]}")
