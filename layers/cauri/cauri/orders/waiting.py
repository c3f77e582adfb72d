"""Who waits for an order's payment: the task token of its saga, and how the saga is woken."""

from __future__ import annotations

from typing import Any, Final, Protocol

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from cauri.books.database import Database
from cauri.books.plan import Event
from cauri.books.shelf import Key, Shelf, Wire, Write
from cauri.clock import Instant, from_rfc3339, rfc3339
from cauri.values import dataclass


class Waiter(Protocol):
    def wake(self, token: str) -> None:
        """Let the execution that waits with `token` go on. One that waits no more is left alone."""


class WaitItem(Model):
    """The token of the wait under way. A later wait overwrites it: only the last one can be woken."""

    class Meta:
        table_name = "commerce"
        region = "us-east-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    token = UnicodeAttribute()
    until = UnicodeAttribute()


@dataclass(frozen=True)
class Wait:
    """The saga of an order waits with `token`, and goes on at `until` even if nobody wakes it."""

    token: str
    until: Instant


class _Waits(Shelf[Wait]):
    """For reading: an item is its token and its time."""

    def from_item(self, item: Wire) -> Wait:
        return Wait(item["token"]["S"], from_rfc3339(item["until"]["S"]))


WAITS: Final = _Waits("commerce", Wait, place=lambda _: ("", ""), tenant=lambda _: "")


def wait_key(tenant: str, order_id: str) -> Key[Wait]:
    return WAITS.key(tenant, f"wait#{order_id}", "token")


def wait_item(tenant: str, order_id: str, wait: Wait) -> Write:
    key = wait_key(tenant, order_id)
    item = WaitItem(key.pk, key.sk, token=wait.token, until=rfc3339(wait.until))
    request: dict[str, Any] = item.get_save_kwargs_from_instance()
    return Write("Put", request)


def waker(database: Database, waiter: Waiter) -> Any:
    """What the dispatcher does when news of a payment come: wake the order's saga, if it waits already."""

    def wake(tenant: str, event: Event) -> None:
        key = wait_key(tenant, str(event.data["order_id"]))
        wait = database.fetch([key])[key]
        if wait is not None:
            waiter.wake(wait.token)

    return wake
