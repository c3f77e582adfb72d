"""The steps of the checkout saga: wait for the money, then confirm; or ask, and then undo. Source: SPEC 3.

A step takes what the state machine passes (see checkout.asl.yaml) and answers ``{"next": …}``, where to go on. A
step that changes something does it by commands whose keys follow from the execution or from the fact they record,
or by claims, whose owners do; so every step may come twice, and late.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from pydantic import TypeAdapter

from cauri.books.caller import Caller
from cauri.books.commit import Books, StepCommitted
from cauri.books.watches import put, take_away
from cauri.checkout.promotions import CLAIM_LOCATION
from cauri.checkout.reservation import CLAIM_GRACE
from cauri.checkout.resuming import ResumeCheckout
from cauri.checkout.store import promotion_key
from cauri.clock import Instant, rfc3339
from cauri.ids import digest
from cauri.inventory.claims import Claims, Wanted
from cauri.inventory.model import OutOfStock, Part
from cauri.inventory.store import product_key
from cauri.orders.backorders import remember_backorders
from cauri.orders.commands import CancelOrder, ConfirmOrder
from cauri.orders.drawing import ExtendHold, HoldGone
from cauri.orders.model import (
    CancelReason,
    IllegalOrderChange,
    Order,
    OrderNotPaid,
    OrderPaid,
    OrderStatus,
    OrderTree,
    UnknownOrder,
)
from cauri.orders.store import load_tree
from cauri.orders.uses import PromotionUsedByCustomer
from cauri.orders.waiting import Wait, Waiter, wait_item
from cauri.parties.store import tenant_key
from cauri.payments.asking import settle
from cauri.payments.model import PaymentStatus
from cauri.providers.ports import Pending, Unknown
from cauri.recovery.abandoned import watch_over_abandoned
from cauri.refunds.commands import ReturnPayments, returnable
from cauri.refunds.model import NothingToRefund
from cauri.values import dataclass
from cauri.wallet.store import wallet_key

SAGA: Final = "system:checkout"

RECLAIM_LIVES: Final = timedelta(hours=1)
"""A claim for a paid order that had lost its own. Nobody has to pay any more: it only bridges the confirmation."""

RECLAIMS_MAX: Final = 40
"""More can't be kept in the transaction that confirms the order, beside its vendor orders."""

DAY: Final = timedelta(days=1)
ASK_AGAIN: Final = ((0, 5), (60, 60), (600, 300), (3600, 3600), (24 * 3600, 24 * 3600))
"""(seconds since the order expired, seconds until the provider is asked again)."""
ASK_FOR: Final = 6 * DAY
"""Often for a day, in which the order keeps its stock; then daily for five. Source: SPEC 3 and 4."""

Payload = Mapping[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Replaced:
    """A line's stock that was gone, by its place in the line, and what was claimed instead."""

    lost: list[int]
    claimed: list[Part]

    def instead_of(self, stock: Sequence[Part]) -> tuple[Part, ...]:
        """The line's stock as it is now."""
        return (*(part for at, part in enumerate(stock) if at not in self.lost), *self.claimed)


Secured = dict[str, Replaced]
"""By line id, or use of a promotion; one whose claims all held is not in it."""


@functools.cache
def _secured_stock() -> TypeAdapter[Secured]:
    return TypeAdapter(Secured)


@dataclass(frozen=True)
class CheckoutSaga:
    books: Books
    waiter: Waiter

    def run(self, payload: Payload) -> Result:
        """Run the step that `payload` names."""
        steps: dict[str, Callable[[Payload], Result]] = {
            "begin": self.begin,
            "await_payment": self.await_payment,
            "ask_provider": self.ask_provider,
            "secure_stock": self.secure_stock,
            "confirm_order": self.confirm_order,
            "settle_stock": self.settle_stock,
            "cancel_order": self.cancel_order,
            "refund_payment": self.refund_payment,
            "release_stock": self.release_stock,
            "finish": self.finish,
            "resume": self.resume,
        }
        return steps[payload["step"]](payload)

    # -- Forward

    def begin(self, payload: Payload) -> Result:
        """A question: where does the order stand? No undo, since nothing changes."""
        tree = self._tree(payload)
        seconds = max(1, int((tree.order.expires_at - self.books.clock()).total_seconds()))
        customer_id = tree.order.customer_id
        return {"next": standing(tree, self.books.clock()), "wait_seconds": seconds, "customer_id": customer_id}

    def await_payment(self, payload: Payload) -> Result:
        """Leave the token of this wait where news will find it. No undo: a token nobody uses runs out.

        News that came before the token was there are seen by the look afterwards.
        """
        until = self.books.clock() + timedelta(seconds=payload["wait_seconds"])
        wait = Wait(payload["token"], until)
        self.books.database.write(wait_item(payload["tenant"], payload["order_id"], wait))
        if standing(self._tree(payload), self.books.clock()) != "wait":
            self.waiter.wake(payload["token"])
        return {}

    def ask_provider(self, payload: Payload) -> Result:
        """Ask what became of the payments, and record what is known. What nobody knows yet is asked again for days."""
        tree = self._tree(payload)
        order = tree.order
        pending = [payment for payment in tree.payments if payment.status is PaymentStatus.PENDING]
        answers = [settle(self.books, payment) for payment in pending]
        now = self.books.clock()
        settled = standing(self._tree(payload), now)
        if settled != "wait" or now < order.expires_at:
            return {"next": settled}
        if any(isinstance(answer, Unknown | Pending) for answer in answers):
            return self._ask_later(tree, now)
        return {"next": "abandoned"}

    def secure_stock(self, payload: Payload) -> Result:
        """Make the claims of the paid order lasting, and claim again what is gone. Undone by release_stock.

        What is claimed again stays held until the confirmation keeps it: if this step should finish after its own
        undo, it leaves nothing but a claim that expires. And it gives nothing back itself, since another execution
        may have secured the same. It answers only what changed: a state machine carries 256 KiB.
        """
        tree = self._tree(payload)
        if not tree.order.may_go_on(self.books.clock()):
            return {"next": "lost", "stock": {}}
        lost = tree.parts
        if tree.order.status is OrderStatus.PENDING_PAYMENT:
            lost = self._claims(payload).keep(tree.parts)
        secured: Secured = {}
        try:
            for holder, parts in tree.claims.items():
                if gone := [at for at, part in enumerate(parts) if part in lost]:
                    secured[holder] = Replaced(gone, self._reclaim(holder, [parts[at] for at in gone], payload))
                if sum(len(replaced.claimed) for replaced in secured.values()) > RECLAIMS_MAX:
                    return {"next": "lost", "stock": _secured_stock().dump_python(secured, mode="json")}
        except OutOfStock:
            return {"next": "lost", "stock": _secured_stock().dump_python(secured, mode="json")}
        return {"next": "secured", "stock": _secured_stock().dump_python(secured, mode="json")}

    def confirm_order(self, payload: Payload) -> Result:
        """Commit the confirmation. Undone by cancel_order, which takes this step's key."""
        secured = _secured(payload)
        claims = self._tree(payload).claims if secured else {}
        stock = {holder: secured[holder].instead_of(parts) for holder, parts in claims.items() if holder in secured}
        command = ConfirmOrder(payload["order_id"], payload["customer_id"], stock)
        try:
            self.books.run(command, _by_saga(payload), payload["key"])
        except (HoldGone, OutOfStock, PromotionUsedByCustomer, OrderNotPaid, IllegalOrderChange):
            return {"next": "lost"}
        return {"next": "confirmed"}

    def settle_stock(self, payload: Payload) -> Result:
        """Turn the claims of the confirmed order into allocations, and remember the lines that wait for units.

        No undo: the order is confirmed. It is the last step, so that nobody has to watch over the saga any more.
        """
        tree = self._tree(payload)
        if tree.order.status is OrderStatus.CONFIRMED:
            claims = self._claims(payload)
            claims.allocate(tree.parts)
            remember_backorders(claims, tree)
        take_away(self.books.database, payload["tenant"], payload["watch"])
        return {"next": "done"}

    # -- Undo

    def cancel_order(self, payload: Payload) -> Result:
        """Give the order up, unless it turns out to be paid or confirmed after all: then that is followed."""
        reason = CancelReason(payload["reason"])
        command = CancelOrder(payload["order_id"], payload["customer_id"], reason, tuple(payload["forbids"]))
        try:
            self.books.run(command, _by_saga(payload), payload["key"])
        except OrderPaid:
            return {"next": "paid"}
        except StepCommitted:
            return {"next": "confirmed"}
        except IllegalOrderChange as illegal:
            return {"next": "cancelled" if illegal.status is OrderStatus.CANCELLED else "confirmed"}
        return {"next": "cancelled"}

    def refund_payment(self, payload: Payload) -> Result:
        """Have given back what was paid for an order that was given up for good: a refund of its own does it.

        Late money that takes the order on is none of it, and has its own saga.
        """
        payments = tuple(payment.id for payment in returnable(self._tree(payload)))
        if not payments:
            return {"next": "refunded"}
        command = ReturnPayments(payload["order_id"], payments)
        with suppress(NothingToRefund):  # another execution was here first
            self.books.run(command, _by_saga(payload), f"return:{payload['order_id']}:{','.join(payments)}")
        return {"next": "refunded"}

    def release_stock(self, payload: Payload) -> Result:
        """Make everything available again that the order, or this execution for it, has claimed."""
        tree = self._tree(payload)
        if tree.order.status is OrderStatus.CANCELLED:
            reclaimed = [part for line in _secured(payload).values() for part in line.claimed]
            self._claims(payload).give_back({*tree.parts, *reclaimed})
        return {"next": "released"}

    def finish(self, payload: Payload) -> Result:
        """The order is given up, and all is undone: nobody has to watch over the saga any more.

        Its payments may still come, and the news of them get lost: the provider is asked once more before it is too
        late for the order to go on.
        """
        if (watch := watch_over_abandoned(self._tree(payload))) is not None:
            put(self.books.database, watch)
        take_away(self.books.database, payload["tenant"], payload["watch"])
        return {"next": "done"}

    # -- From the dead letters

    def resume(self, payload: Payload) -> Result:
        """Start the saga of the order again. It sees how the order stands, and does what is left."""
        again = f"{payload['order_id']}-{self.books.clock():%Y%m%dT%H%M%S}"
        key = f"{payload['execution']}:resume:{again}"
        self.books.run(ResumeCheckout(payload["order_id"], again), _by_saga(payload), key)
        return {"next": again}

    # -- Parts of steps

    def _tree(self, payload: Payload) -> OrderTree:
        tree = load_tree(self.books.database, payload["tenant"], payload["order_id"])
        if tree is None:
            raise UnknownOrder(payload["order_id"])
        return tree

    def _claims(self, payload: Payload) -> Claims:
        return Claims(self.books.database, payload["tenant"])

    def _ask_later(self, tree: OrderTree, now: Instant) -> Result:
        since = now - tree.order.expires_at
        if since >= ASK_FOR:
            return {"next": "unresolved"}
        seconds = next(wait for after, wait in reversed(ASK_AGAIN) if since.total_seconds() >= after or after == 0)
        asked_again = now + timedelta(seconds=seconds)
        if since < DAY:
            Claims(self.books.database, tree.order.tenant).extend(tree.parts, asked_again + CLAIM_GRACE)
            self._extend_hold(tree.order, asked_again)
        return {"next": "unknown", "wait_seconds": seconds}

    def _extend_hold(self, order: Order, asked_again: Instant) -> None:
        """What the wallet holds lives on as well, if it would not until some time after the next answer."""
        if not order.draws or order.customer_id is None:
            return
        key = wallet_key(order.tenant, order.customer_id)
        wallet = self.books.database.fetch([key])[key]
        hold = wallet.holds.get(order.id) if wallet else None
        if hold is not None and hold.expires_at < asked_again + CLAIM_GRACE / 2:
            until = asked_again + CLAIM_GRACE
            command = ExtendHold(order.id, order.customer_id, until)
            self.books.run(command, Caller(order.tenant, SAGA), f"{order.id}:extend_hold:{rfc3339(until)}")

    def _reclaim(self, holder: str, gone: Sequence[Part], payload: Payload) -> list[Part]:
        """Claim for a line, or a use of a promotion, as much as is `gone`. Raises OutOfStock."""
        now = self.books.clock()
        owner = digest(payload["execution"], holder)[:24]
        wanted = self._wanted(gone[0], sum(part.quantity for part in gone), owner, payload["tenant"])
        return self._claims(payload).take(wanted, now, now + RECLAIM_LIVES)

    def _wanted(self, part: Part, quantity: int, owner: str, tenant: str) -> Wanted:
        """More of what `part` is of, from wherever it is by now."""
        database = self.books.database
        if part.location == CLAIM_LOCATION:
            of_promotion = promotion_key(tenant, part.sku)
            promotion = database.fetch([of_promotion])[of_promotion]
            return Wanted(part.sku, promotion.cells_there if promotion else {}, [CLAIM_LOCATION], quantity, owner)
        of_product, of_tenant = product_key(tenant, part.sku), tenant_key(tenant)
        found = database.fetch([of_product, of_tenant])
        product, rules = found[of_product], found[of_tenant]
        cells, locations = (product.cells if product else {}), (rules.locations if rules else ())
        return Wanted(part.sku, cells, locations, quantity, owner)


def standing(tree: OrderTree, now: Instant) -> str:
    """Where an order goes from here: wait, paid, declined, refund, confirmed, cancelled, or done."""
    order = tree.order
    if order.status is OrderStatus.CANCELLED and order.confirmed_at is not None:
        return "done"  # it was sold, and refunded
    statuses = {payment.status for payment in tree.payments}
    paid = statuses <= {PaymentStatus.SUCCEEDED}
    if PaymentStatus.MISMATCHED in statuses and order.status is not OrderStatus.CONFIRMED:
        return "refund"
    if order.status is OrderStatus.PENDING_PAYMENT:
        return "paid" if paid else "declined" if PaymentStatus.FAILED in statuses else "wait"
    if order.status is OrderStatus.CANCELLED and paid and tree.payments:
        return "paid" if order.may_go_on(now) else "refund"
    return {OrderStatus.CANCELLED: "cancelled", OrderStatus.CONFIRMED: "confirmed"}.get(order.status, "done")


def _secured(payload: Payload) -> Secured:
    return _secured_stock().validate_python(payload["stock"])


def _by_saga(payload: Payload) -> Caller:
    return Caller(payload["tenant"], SAGA)
