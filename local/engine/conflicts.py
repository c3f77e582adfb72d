"""TransactionConflict, which neither engine ever raises, raised as AWS raises it.

While a transaction is in flight over some items, a second one that touches any of them is cancelled, and a plain
write of one of them is refused. Here "in flight" is from the moment a client sends a transaction until it has the
answer; the clients of one `Conflicts` see each other.

    conflicts = Conflicts(template.tables.values())
    conflicts.watch(client)
    with conflicts.held("cauri-test-wallet", {"pk": {"S": "…"}, "sk": {"S": "…"}}):
        ...  # whoever writes that item now is refused
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from local.template import Table

Attributes = Mapping[str, Mapping[str, Any]]
Place = tuple[str, tuple[Any, ...]]  # a table's name, and the values of an item's key
Parsed = Any  # what botocore parses of an answer, as its ClientError takes it
Answer = tuple[AWSResponse, Parsed]

PLAIN_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem")
CLAIM: Final = "cauri_conflicts_claim"  # where a request's context keeps what it holds
CONFLICT: Final = "TransactionConflict"
ONGOING: Final = "Transaction is ongoing for the item"
CANCELLED: Final = "Transaction cancelled, please refer cancellation reasons for specific reasons"


class Conflicts:
    """Who is writing what, over all watched clients. `refused` counts the requests that met a conflict.

    A transaction of no botocore client is in flight for `seconds_min` at least: an engine in this process answers
    before another thread has its turn.
    """

    def __init__(self, tables: Iterable[Table], seconds_min: float = 0) -> None:
        self._seconds_min = seconds_min
        self._keys = {table.name: table.keys.names for table in tables}
        self._held: set[Place] = set()
        self._lock = threading.Lock()
        self.refused = 0

    def watch(self, client: Any) -> None:
        """Lets the requests of this botocore client meet conflicts from now on."""
        events = client.meta.events
        events.register("before-call.dynamodb.TransactWriteItems", self._begin)
        events.register("before-call.dynamodb.TransactGetItems", self._read)
        events.register("after-call.dynamodb.TransactWriteItems", self._end)
        events.register("after-call-error.dynamodb.TransactWriteItems", self._end)
        for operation in PLAIN_WRITES:
            events.register(f"before-call.dynamodb.{operation}", self._write)

    @contextmanager
    def held(self, table: str, key: Attributes) -> Iterator[None]:
        """As if another transaction were in flight over this item, for as long as the body runs."""
        place = self._place(table, key)
        with self._lock:
            self._held.add(place)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(place)

    @contextmanager
    def met(self, operation: str, request: Mapping[str, Any]) -> Iterator[None]:
        """What a request meets that no client of botocore sends; the body sends it. Raises ClientError."""
        places = self._places(request) if operation == "TransactWriteItems" else ()
        refused = self._claimed(places)
        if operation == "TransactGetItems":
            refused = self._conflict(request)
        elif operation in PLAIN_WRITES:
            refused = self._written(request)
        if refused is not None:
            raise ClientError(refused, operation)
        try:
            if places:
                time.sleep(self._seconds_min)
            yield
        finally:
            self._free(places)

    def _begin(self, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> Answer | None:
        places = self._places(json.loads(params["body"]))
        refused = self._claimed(places)
        if refused is None:
            context[CLAIM] = places
        return _answer(refused)

    def _end(self, context: dict[str, Any], **_: Any) -> None:
        self._free(context.pop(CLAIM, ()))

    def _read(self, params: Mapping[str, Any], **_: Any) -> Answer | None:
        return _answer(self._conflict(json.loads(params["body"])))

    def _write(self, params: Mapping[str, Any], **_: Any) -> Answer | None:
        return _answer(self._written(json.loads(params["body"])))

    def _claimed(self, places: Sequence[Place]) -> Parsed | None:
        """Holds the places, or says why not."""
        with self._lock:
            refused = self._refusal(places)
            if refused is None:
                self._held.update(places)
        return refused

    def _free(self, places: Sequence[Place]) -> None:
        with self._lock:
            self._held.difference_update(places)

    def _conflict(self, request: Mapping[str, Any]) -> Parsed | None:
        with self._lock:
            return self._refusal(self._places(request))

    def _written(self, request: Mapping[str, Any]) -> Parsed | None:
        place = self._place(request["TableName"], request.get("Item") or request["Key"])
        with self._lock:
            if place not in self._held:
                return None
            self.refused += 1
        return _parsed("TransactionConflictException", ONGOING)

    def _refusal(self, places: Sequence[Place]) -> Parsed | None:
        """The cancellation, if any of the places is held. The caller has the lock."""
        conflicts = [place in self._held for place in places]
        if not any(conflicts):
            return None
        self.refused += 1
        reasons = [{"Code": CONFLICT, "Message": ONGOING} if conflict else {"Code": "None"} for conflict in conflicts]
        message = f"{CANCELLED} [{', '.join(reason['Code'] for reason in reasons)}]"
        return _parsed("TransactionCanceledException", message, CancellationReasons=reasons)

    def _places(self, request: Mapping[str, Any]) -> list[Place]:
        actions = (action for [action] in (each.values() for each in request["TransactItems"]))
        return [self._place(action["TableName"], action.get("Item") or action["Key"]) for action in actions]

    def _place(self, table: str, attributes: Attributes) -> Place:
        return table, tuple(tuple(attributes[name].items()) for name in self._keys[table])


def _parsed(code: str, message: str, **more: Any) -> Parsed:
    """What botocore makes an exception of."""
    metadata = {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RequestId": "", "RetryAttempts": 0}
    return {"Error": {"Code": code, "Message": message}, "Message": message, "ResponseMetadata": metadata, **more}


def _answer(refused: Parsed | None) -> Answer | None:
    """What botocore takes in place of a request; nothing has it go on."""
    return None if refused is None else (AWSResponse("", 400, HTTPHeaders(), None), refused)
