"""moto's DynamoDB, made sound under threads, quick in transactions, and as strict as AWS about them.

As it comes, moto has no lock: under threads it oversells, tears transactions and loses writes that it acknowledged.
Its transactions copy every table they touch, are of any size, ignore the client's token and cost nothing. `install`
puts what the modules beside this one know in place of moto's own, for the whole process. It reaches into moto, so
it knows one version, and refuses any other.
"""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Final, TypeVar, cast

import moto
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.models import DynamoDBStreamsBackend
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

from local.engine import moto_capacity, moto_shortcut, moto_tokens, moto_transactions

SUPPORTED_VERSION: Final = "5.2.5"

# Each answer to GetRecords makes an iterator, and moto keeps them all: a pump that asks 20 times a second would fill
# the memory. On AWS they expire after 15 minutes.
ITERATORS_MAX: Final = 1000

F = TypeVar("F", bound=Callable[..., Any])

# Re-entrant, since a handler may call another. One for all tables: a transaction spans tables.
_lock: Final = RLock()
_installed = False


class UnsupportedVersionError(RuntimeError):
    """moto is not the version whose inside this module knows."""


def install() -> None:
    """Makes moto's DynamoDB and its streams sound in this process. Calling it again does nothing."""
    global _installed  # noqa: PLW0603  it marks a change to moto's own classes, which are global as well
    if _installed:
        return
    if moto.__version__ != SUPPORTED_VERSION:
        raise UnsupportedVersionError(f"moto {moto.__version__}, where {SUPPORTED_VERSION} is known")
    _replace(DynamoDBBackend, "transact_write_items", lambda _: moto_transactions.transact_write_items)
    _replace(DynamoDBBackend, "update_item", moto_transactions.undone_on_error)
    for operation, metered in moto_capacity.METERED.items():
        _replace(DynamoHandler, operation, metered)
    _replace(DynamoHandler, "transact_write_items", moto_tokens.once_per_token)
    _replace(DynamoHandler, "call_action", _one_at_a_time)
    _replace(DynamoDBStreamsHandler, "call_action", _one_at_a_time)
    _replace(BotocoreStubber, "process_request", lambda process: moto_shortcut.shortened(process, _lock))
    _replace(DynamoDBStreamsBackend, "get_records", _keeping_few_iterators)
    _installed = True


def empty_tables() -> None:
    """Empties every table and stream that moto holds, and keeps their declarations."""
    with _lock:
        moto_tokens.forget_all()
        for account in dynamodb_backends.values():
            for backend in account.values():
                for table in backend.tables.values():
                    table.items.clear()
                    if table.stream_shard is not None:
                        table.stream_shard.items.clear()


def _replace(owner: type, name: str, made_of: Callable[[Any], Any]) -> None:
    setattr(owner, name, made_of(getattr(owner, name)))


def _one_at_a_time(action: F) -> F:
    @wraps(action)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with _lock:
            return action(*args, **kwargs)

    return cast(F, locked)


def _keeping_few_iterators(get_records: F) -> F:
    @wraps(get_records)
    def get(backend: DynamoDBStreamsBackend, *args: Any, **kwargs: Any) -> Any:
        records = get_records(backend, *args, **kwargs)
        for oldest in list(backend.shard_iterators)[:-ITERATORS_MAX]:
            del backend.shard_iterators[oldest]
        return records

    return cast(F, get)
