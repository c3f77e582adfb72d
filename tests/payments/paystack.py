"""A shop that is paid through the fake of Paystack, in this process: each delivery goes through the intake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cauri.books.commit import Books
from cauri.checkout.commands import InlineLine
from cauri.checkout.opening import Contact
from cauri.checkout.tenders import TenderAsked
from cauri.clock import rfc3339
from cauri.payments.hearing import News, NotSettledYetError, look_into
from cauri.payments.intake import Delivery, Intake, Received
from cauri.payments.model import Payment
from cauri.providers.http import Answer, Http
from cauri.providers.paystack import Paystack
from cauri.providers.paystack_api import PaystackApi
from cauri.providers.unknown import Unknown

from local.outside.http import Call, Webhook
from local.outside.paystack import FakePaystack
from tests.shop import TENANT, Shop, no_pause

KEY = "sk_test_soko"
PAYSTACK_IP = "52.31.139.75"


class Direct(Http):
    """Asks the fake without a wire between."""

    def __init__(self) -> None:
        super().__init__()
        self.fake: FakePaystack | None = None

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        safe_twice: bool = False,
    ) -> Answer | Unknown:
        assert self.fake is not None
        path, _, query = url.removeprefix("https://paystack.example").partition("?")
        asked = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        reply = self.fake.answer(Call(method, path, asked, dict(headers), body or b""))
        return Answer(reply.status, reply.body)


@dataclass
class Paid:
    """`told` are the webhooks that Paystack has sent, and that may or may not have arrived."""

    shop: Shop
    told: list[Webhook] = field(default_factory=list)

    def __post_init__(self) -> None:
        http = Direct()
        self.fake = http.fake = FakePaystack(
            "https://paystack.example",
            lambda key: TENANT if key == KEY else None,
            self.told.append,
            lambda: rfc3339(self.shop.clock()),
        )
        paystack = Paystack(PaystackApi("https://paystack.example", lambda _: [KEY], http))
        self.books = Books(self.shop.database, self.shop.clock, providers={"paystack": paystack}, pause=no_pause)
        self.intake = Intake(self.books)

    def order(self) -> str:
        """An order of one coffee that waits for its money."""
        self.shop.books.providers = self.books.providers
        tenders = (TenderAsked("provider", provider="paystack"),)
        lines = (InlineLine("coffee", 1),)
        placed = self.shop.checkout(tenders=tenders, lines=lines, currency="KES", contact=Contact("amina@example.com"))
        return str(placed["order"]["id"])

    def payment(self, order_id: str) -> Payment:
        return self.shop.tree(order_id).payments[0]

    def reference(self, order_id: str) -> str:
        """What Paystack calls the order's charge."""
        return self.payment(order_id).charge_reference.replace("_", ".")

    def deliver(self, webhook: Webhook, source_ip: str = PAYSTACK_IP) -> Received:
        return self.intake.receive(Delivery("paystack", TENANT, webhook.headers, webhook.raw, source_ip))

    def hear(self, webhook: Webhook) -> bool:
        """Look into what a delivery says; False if it must come again."""
        event = self.books.providers["paystack"].read_event(webhook.raw)
        news: News = {"provider": "paystack", **_facts(event)}
        try:
            look_into(self.books, TENANT, news)
        except NotSettledYetError:
            return False
        return True


def _facts(event: Any) -> dict[str, str]:
    return {"kind": event.kind, "reference": event.reference, "object": event.object}
