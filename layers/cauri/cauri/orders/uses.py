"""How often each customer used a promotion that allows so many: a set of orders, kept by the commits of those orders.

No count and no read before it: an order's id is put into the set on the condition that there is room, and taken out
whenever the order is given up. Both are safe twice. One item per customer and promotion, so nobody meets anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.models import Model

from cauri.books.shelf import Key, Shelf, Wire, Write, writes
from cauri.errors import Refusal
from cauri.orders.model import Order
from cauri.values import dataclass

TABLE: Final = "commerce"


@dataclass
class PromotionUsedByCustomer(Refusal):
    """This customer used the promotion as often as one may."""

    code: ClassVar[str] = "promotion_used_by_customer"
    promotion: str

    def detail(self) -> str:
        return f"You have used {self.promotion} as often as one customer can."

    def suggestion(self) -> str:
        return "Check out without it. It comes back if an order of yours that used it is not paid."

    def facts(self) -> dict[str, object]:
        return {"promotion": self.promotion}


class UsesItem(Model):
    """The orders by which one customer used one promotion."""

    class Meta:
        table_name = TABLE
        region = "us-east-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    orders = UnicodeSetAttribute(null=True)


class _Uses(Shelf[frozenset[str]]):
    """For reading: the ids of the orders."""

    def from_item(self, item: Wire) -> frozenset[str]:
        return frozenset(item.get("orders", {}).get("SS", ()))


USES: Final = _Uses(TABLE, frozenset, place=lambda _: ("", ""), tenant=lambda _: "")


def uses_key(tenant: str, code: str, customer: str) -> Key[frozenset[str]]:
    """`customer` is a digest."""
    return USES.key(tenant, f"uses#{code}#{customer}", "uses")


@dataclass(frozen=True)
class CountUse:
    """An order uses the promotion, if fewer than `most` of this customer's do."""

    tenant: str
    code: str
    customer: str
    order_id: str
    most: int


@dataclass(frozen=True)
class ReturnUse:
    """An order uses it no more."""

    tenant: str
    code: str
    customer: str
    order_id: str


def counted(order: Order) -> Iterator[CountUse]:
    for use in order.uses:
        if use.customer is not None and use.customer_max is not None:
            yield CountUse(order.tenant, use.code, use.customer, order.id, use.customer_max)


def returned(order: Order) -> Iterable[ReturnUse]:
    return [ReturnUse(use.tenant, use.code, use.customer, use.order_id) for use in counted(order)]


@writes(CountUse)
def count_use(use: CountUse) -> Write:
    number = size(UsesItem.orders)  # type: ignore[no-untyped-call]
    room = UsesItem.orders.does_not_exist() | (number < use.most) | UsesItem.orders.contains(use.order_id)
    return _update(use, UsesItem.orders.add({use.order_id}), room)


@writes(ReturnUse)
def return_use(use: ReturnUse) -> Write:
    return _update(use, UsesItem.orders.delete({use.order_id}))


def _update(use: CountUse | ReturnUse, action: Any, condition: Any = None) -> Write:
    key = uses_key(use.tenant, use.code, use.customer)
    return Write("Update", UsesItem(key.pk, key.sk).get_update_kwargs_from_instance([action], condition))
