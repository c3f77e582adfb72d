"""A message that is on its way, as whoever has something to tell leaves it."""

from __future__ import annotations

from cauri.books.shelf import write_of
from cauri.ids import Ids, LogId
from cauri.notices.model import Kind, Message

from tests.shop import Shop


def put_message(shop: Shop, customer_id: str = "cus_amina", kind: Kind = Kind.INVOICE_SENT) -> Message:
    shop.keys += 1
    now = shop.clock.now
    message_id = Ids(LogId(f"{shop.keys:040x}"), now).new("msg")
    message = Message(shop.tenant, message_id, kind, customer_id, "inv_1", now)
    shop.database.transact([write_of(message)])
    return message
