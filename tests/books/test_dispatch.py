"""The dispatcher: sagas are started, events go to their queues, and whoever waits is woken."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from cauri.books.dispatch import Dispatcher, Routes
from cauri.books.log import Record
from cauri.books.plan import Event, StartSaga
from cauri.ids import LogId
from cauri.orders.waiting import Wait, wait_item, waker

from tests.shop import START, TENANT, Shop

NEWS = Event("order.payment.received", "pay_1", 2, {"order_id": "ord_1"})


@dataclass
class Remembering:
    heard: list[tuple[str, ...]] = field(default_factory=list)

    def send(self, message: str) -> None:
        self.heard.append(("sent", message))

    def start(self, name: str, input_: str) -> None:
        self.heard.append(("started", name, input_))

    def wake(self, token: str) -> None:
        self.heard.append(("woken", token))


def a_record(*events: Event, sagas: tuple[StartSaga, ...] = ()) -> Record:
    return Record(TENANT, LogId("a" * 40), "test", "usr", "", START, "", None, events, sagas)


def test_everything_goes_where_it_is_routed() -> None:
    heard = Remembering()
    woken: list[tuple[str, Event]] = []
    routes = Routes(
        queues={"webhook.received": heard},
        machines={"checkout": heard},
        wakes={NEWS.name: lambda tenant, event: woken.append((tenant, event))},
    )
    received, unheard = Event("webhook.received", "whk_1", 1, {"kind": "charge.success"}), Event("cart.updated", "c", 1)
    Dispatcher(routes).dispatch(
        a_record(received, NEWS, unheard, sagas=(StartSaga("checkout", "ord_1", {"order_id": "ord_1"}),))
    )
    input_ = {"tenant": TENANT, "watch": "2026-11-20T09:35:00.000Z#ord_1", "order_id": "ord_1"}
    assert heard.heard[0] == ("started", "ord_1", json.dumps(input_))
    [(_, message)] = heard.heard[1:]
    assert json.loads(message) == {
        "tenant": TENANT,
        "log_id": "a" * 40,
        "at": "2026-11-20T09:30:00+00:00",
        "name": "webhook.received",
        "resource": "whk_1",
        "version": 1,
        "data": {"kind": "charge.success"},
    }
    assert woken == [(TENANT, NEWS)]


def test_who_waits_last_is_woken_and_who_does_not_wait_is_left_alone(shop: Shop) -> None:
    waiter = Remembering()
    wake = waker(shop.database, waiter)
    wake(TENANT, NEWS)
    assert waiter.heard == []
    for token in ("the first", "the second"):
        shop.database.write(wait_item(TENANT, "ord_1", Wait(token, START)))
    wake(TENANT, NEWS)
    assert waiter.heard == [("woken", "the second")]
