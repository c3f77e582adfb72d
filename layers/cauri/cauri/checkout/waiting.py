"""Who waits for an order's payment: the task token of its saga, and how the saga is woken."""

from __future__ import annotations

from typing import Any, Protocol

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from cauri.books.database import Database
from cauri.books.plan import Event
from cauri.books.shelf import Key, Shelf, Wire, Write


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


class _Tokens(Shelf[str]):
    """For reading: an item is its token."""

    def from_item(self, item: Wire) -> str:
        token: str = item["token"]["S"]
        return token


TOKENS = _Tokens("commerce", str, place=lambda _: ("", ""), tenant=lambda _: "")


def token_key(tenant: str, order_id: str) -> Key[str]:
    return TOKENS.key(tenant, f"wait#{order_id}", "token")


def wait_item(tenant: str, order_id: str, token: str) -> Write:
    key = token_key(tenant, order_id)
    request: dict[str, Any] = WaitItem(key.pk, key.sk, token=token).get_save_kwargs_from_instance()
    return Write("Put", request)


def waker(database: Database, waiter: Waiter) -> Any:
    """What the dispatcher does when news of a payment come: wake the order's saga, if it waits already."""

    def wake(tenant: str, event: Event) -> None:
        key = token_key(tenant, str(event.data["order_id"]))
        token = database.fetch([key])[key]
        if token is not None:
            waiter.wake(token)

    return wake
