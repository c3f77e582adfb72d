"""Webhooks on their way in: who is believed, what is kept, what is done with it, and what it costs. Source: SPEC 4."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cauri.books.commit import Books
from cauri.books.log import read_record
from cauri.money import Money
from cauri.parties.commands import PutTenant
from cauri.payments.hearing import NotSettledYetError, look_into
from cauri.payments.intake import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    TENANT_REMEMBERED,
    TENANTS_REMEMBERED_MAX,
    Delivery,
    Intake,
    Received,
)
from cauri.payments.model import PaymentStatus, UnknownPayment
from cauri.payments.senders import ADDRESSES_KEPT_MAX, DELIVERIES_MAX, REFUSED_KEPT_MAX
from cauri.payments.store import WEBHOOKS
from cauri.payments.webhooks import WebhookEvent
from cauri.providers.demo import DemoProvider
from cauri.providers.demo_wire import SIGNATURE_HEADER, signature
from cauri.providers.keys import KeysUnavailableError
from cauri.providers.ports import Authentication, Forged, Pending, Unknown

from tests.engines import Engine, client
from tests.handlers import loaded
from tests.proof import state
from tests.shop import START, TENANT, SetClock, Shop, database_of, no_pause

SECRET = "the secret of this test"
IP = "203.0.113.9"
CHARGE = {"id": "txn_1", "reference": "pay_1-1", "status": "success"}
SUCCESS = {"event": "charge.success", "data": CHARGE}


@pytest.fixture
def shop(engine: Engine) -> Shop:
    shop = Shop(database_of(engine))
    shop.run(PutTenant("Soko", demo=True))
    return shop


@pytest.fixture
def intake(shop: Shop) -> Intake:
    return Intake(books_of(shop))


def books_of(shop: Shop, secret: str = SECRET, retiring: str = "") -> Books:
    """The books of the webhook's function: it knows the provider's secret, and need not know its address."""
    provider = DemoProvider("", secret, SetClock(START), retiring=retiring)
    return Books(shop.database, shop.clock, providers={"demo": provider}, pause=no_pause)


def delivery(body: Any = SUCCESS, **changed: Any) -> Delivery:
    """What the provider sends: the body, signed for the tenant."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    tenant = changed.get("tenant", TENANT)
    signed = Delivery("demo", tenant, {SIGNATURE_HEADER: signature(SECRET, tenant, raw)}, raw, IP)
    return replace(signed, **changed)


def kept() -> list[WebhookEvent]:
    return [WEBHOOKS.from_item(item) for item in state.items()["platform"] if "#webhooks#" in item["pk"]["S"]]


def announced() -> list[Any]:
    """The events that the log carries, for whoever processes them."""
    records = [read_record(item) for item in state.items()["log"]]
    return [event for record in records for event in record.events if event.name.startswith("webhook.")]


# -- Believed -------------------------------------------------------------------------------------------


def test_a_signed_webhook_is_kept_as_it_came_and_announced(intake: Intake) -> None:
    sent = delivery()

    assert intake.receive(sent) is Received.STORED

    [event] = kept()
    assert event.text.encode() == sent.raw
    assert (event.provider, event.kind, event.reference) == ("demo", "charge.success", "pay_1-1")
    assert (event.source_ip, event.received_at, event.refusal) == (IP, START, "")
    [news] = announced()
    assert news.name == "webhook.received"
    assert news.data == {"provider": "demo", "kind": "charge.success", "reference": "pay_1-1", "object": "txn_1"}


def test_it_costs_one_round_trip_once_the_tenant_is_known(shop: Shop, intake: Intake) -> None:
    intake.receive(delivery())
    before = shop.database.meter.round_trips

    other = {"event": "charge.success", "data": {"id": "txn_2", "reference": "pay_2-1", "status": "success"}}
    assert intake.receive(delivery(other)) is Received.STORED

    assert shop.database.meter.round_trips - before == 1


def test_a_delivery_that_comes_again_is_one_record_and_processed_once(shop: Shop, intake: Intake) -> None:
    for ip in (IP, IP, "198.51.100.7"):
        assert intake.receive(delivery(source_ip=ip)) is Received.STORED
    shop.clock.advance(hours=71)
    assert Intake(books_of(shop)).receive(delivery()) is Received.STORED

    assert len(kept()) == 1
    assert len(announced()) == 1


def test_the_webhooks_of_a_day_are_spread_over_partitions(shop: Shop, intake: Intake) -> None:
    for number in range(32):
        intake.receive(delivery({**SUCCESS, "data": {**CHARGE, "id": f"txn_{number}"}}))

    partitions = Counter(item["pk"]["S"] for item in state.items()["platform"] if "#webhooks#" in item["pk"]["S"])
    assert partitions.total() == 32
    assert len(partitions) > 8
    assert {len(partition) for partition in partitions} == {len(f"{TENANT}#webhooks#2026-11-20#00")}


def test_the_same_news_in_other_words_is_another_record(intake: Intake) -> None:
    """It is cheap to look into twice, and what came is kept byte for byte."""
    intake.receive(delivery())
    intake.receive(delivery({**SUCCESS, "sent_at": "2026-11-20T09:31:00Z"}))

    assert len(kept()) == 2


def test_while_secrets_are_rotated_both_are_believed(shop: Shop) -> None:
    rotated = Intake(books_of(shop, secret="the new secret", retiring=SECRET))

    assert rotated.receive(delivery()) is Received.STORED


def test_an_authentic_body_that_nobody_can_read_is_kept_for_people(intake: Intake) -> None:
    assert intake.receive(delivery(b"\xff\xfe not JSON")) is Received.STORED

    [event] = kept()
    assert (event.kind, event.reference, event.refusal) == ("unreadable", "", "")
    assert event.text == "\\xff\\xfe not JSON"


@pytest.mark.parametrize(
    "filler",
    [b"\xff", b'"', b"\n", "é".encode(), b"a", b"\x01"],
    ids=["no text", "quotes", "lines", "accents", "letters", "control"],
)
def test_the_longest_body_fits_into_a_record_whatever_is_in_it(intake: Intake, filler: bytes) -> None:
    body = filler * (BODY_BYTES_MAX // len(filler))

    assert intake.receive(delivery(body)) is Received.STORED


# -- Not believed ---------------------------------------------------------------------------------------


def test_a_wrong_signature_is_refused_and_recorded(intake: Intake) -> None:
    forged = delivery(headers={SIGNATURE_HEADER: signature("a guess", TENANT, b"")})

    assert intake.receive(forged) is Received.BAD_SIGNATURE

    [event] = kept()
    assert (event.refusal, event.kind, event.reference) == ("bad_signature", "", ""), "what it says is not believed"
    assert [news.name for news in announced()] == ["webhook.refused"], "and not processed"


@pytest.mark.parametrize("headers", [{}, {SIGNATURE_HEADER: ""}, {SIGNATURE_HEADER: "é"}])
def test_no_signature_is_a_wrong_one(intake: Intake, headers: dict[str, str]) -> None:
    assert intake.receive(delivery(headers=headers)) is Received.BAD_SIGNATURE


def test_another_tenants_signature_is_a_wrong_one(shop: Shop, intake: Intake) -> None:
    other = Shop(shop.database, tenant="duka")
    other.run(PutTenant("Duka", demo=True))

    assert intake.receive(replace(delivery(tenant="duka"), tenant=TENANT)) is Received.BAD_SIGNATURE


def test_a_body_that_was_written_anew_is_refused(intake: Intake) -> None:
    """The signature is over the very bytes: the same JSON with other spaces is another body."""
    sent = delivery()
    rewritten = json.dumps(json.loads(sent.raw), separators=(",", ":")).encode()
    assert json.loads(rewritten) == json.loads(sent.raw)

    assert intake.receive(replace(sent, raw=rewritten)) is Received.BAD_SIGNATURE


def test_a_forged_body_is_kept_only_at_its_beginning(intake: Intake) -> None:
    assert intake.receive(delivery(b"\xff" * BODY_BYTES_MAX, headers={})) is Received.BAD_SIGNATURE

    [event] = kept()
    assert event.text == "\\xff" * HEAD_BYTES_MAX


def test_the_same_forgery_again_is_one_record(intake: Intake) -> None:
    for _ in range(3):
        intake.receive(delivery(headers={}))

    assert len(kept()) == 1


def test_a_forgery_does_not_stand_in_the_way_of_the_real_one(intake: Intake) -> None:
    intake.receive(delivery(headers={}))

    assert intake.receive(delivery()) is Received.STORED
    assert [event.refusal for event in kept()].count("") == 1


def test_an_address_that_is_not_the_providers_is_refused_and_recorded(shop: Shop) -> None:
    class Choosy(DemoProvider):
        """Some providers have fixed addresses; the demo provider has none."""

        def authenticate(self, tenant: str, headers: Any, raw: bytes, source_ip: str) -> Authentication:
            believed = super().authenticate(tenant, headers, raw, source_ip)
            return believed if source_ip == IP else Forged("unknown_ip")

    books = Books(shop.database, shop.clock, providers={"demo": Choosy("", SECRET, shop.clock)}, pause=no_pause)

    assert Intake(books).receive(delivery(source_ip="192.0.2.66")) is Received.UNKNOWN_IP
    assert [event.refusal for event in kept()] == ["unknown_ip"]


def test_too_large_is_refused_before_anything_is_computed(intake: Intake) -> None:
    assert intake.receive(delivery(b"a" * (BODY_BYTES_MAX + 1))) is Received.TOO_LARGE
    assert kept() == []


def forged(number: int, source_ip: str = IP) -> Delivery:
    return delivery({"forged": number}, headers={}, source_ip=source_ip)


def test_a_flood_of_forgeries_keeps_a_few_of_each_sender_and_minute(shop: Shop) -> None:
    instances = [Intake(books_of(shop)) for _ in range(2)]
    for number in range(50):
        assert instances[number % 2].receive(forged(number)) is Received.BAD_SIGNATURE
    assert 1 < len(kept()) <= REFUSED_KEPT_MAX

    shop.clock.advance(minutes=1)
    instances[0].receive(forged(1))
    before = len(kept())
    assert before > 1
    assert instances[0].receive(delivery()) is Received.STORED, "the real one is not in their way"


def test_a_flood_from_everywhere_keeps_no_more_than_the_minute_has_places(intake: Intake) -> None:
    for number in range(400):
        assert intake.receive(forged(number, f"198.51.{number % 250}.{number // 250}")) is Received.BAD_SIGNATURE
    assert len(kept()) <= REFUSED_KEPT_MAX * ADDRESSES_KEPT_MAX


def test_forgeries_whose_place_is_taken_cost_no_write(shop: Shop, intake: Intake) -> None:
    for number in range(50):
        intake.receive(forged(number))
    before = shop.database.meter.calls
    for number in range(50):
        intake.receive(forged(number))
    assert shop.database.meter.calls == before


def test_who_sends_more_than_anybody_has_news_for_is_asked_to_wait(shop: Shop, intake: Intake) -> None:
    for _ in range(DELIVERIES_MAX):
        assert intake.receive(delivery(headers={})) is Received.BAD_SIGNATURE
    assert intake.receive(delivery()) is Received.TOO_MANY
    assert intake.receive(delivery(source_ip="198.51.100.7")) is Received.STORED
    shop.clock.advance(minutes=1)
    assert intake.receive(delivery()) is Received.STORED


def test_while_the_secrets_can_not_be_had_it_is_to_come_again(shop: Shop) -> None:
    class Locked(DemoProvider):
        def authenticate(self, tenant: str, headers: Any, raw: bytes, source_ip: str) -> Authentication:
            raise KeysUnavailableError

    books = Books(shop.database, shop.clock, providers={"demo": Locked("", SECRET, shop.clock)}, pause=no_pause)

    assert Intake(books).receive(delivery()) is Received.LATER
    assert kept() == []


# -- Nowhere --------------------------------------------------------------------------------------------


def test_an_unknown_provider_or_tenant_is_nowhere(intake: Intake) -> None:
    assert intake.receive(delivery(provider="paystack")) is Received.NOWHERE
    assert intake.receive(delivery(tenant="nobody")) is Received.NOWHERE
    assert kept() == []


def test_a_tenant_that_is_not_in_demo_mode_has_no_demo_webhook(shop: Shop) -> None:
    shop.run(PutTenant("Soko", demo=False))

    assert Intake(books_of(shop)).receive(delivery()) is Received.NOWHERE


def test_leaving_demo_mode_is_noticed_when_the_memory_of_the_tenant_is_over(shop: Shop, intake: Intake) -> None:
    assert intake.receive(delivery()) is Received.STORED
    shop.run(PutTenant("Soko", demo=False))

    shop.clock.now += TENANT_REMEMBERED
    assert intake.receive(delivery()) is Received.STORED
    shop.clock.advance(seconds=1)
    assert intake.receive(delivery()) is Received.NOWHERE


def test_made_up_tenants_do_not_fill_the_memory(intake: Intake) -> None:
    for number in range(TENANTS_REMEMBERED_MAX + 5):
        assert intake.receive(delivery(tenant=f"nobody-{number}")) is Received.NOWHERE

    assert len(intake._tenants) <= TENANTS_REMEMBERED_MAX
    assert intake.receive(delivery()) is Received.STORED


# -- Looking into it ------------------------------------------------------------------------------------


@pytest.fixture
def order(shop: Shop) -> str:
    shop.furnish().stock(shirt_l=3)
    placed: str = shop.checkout(cart_id=shop.cart(shirt_l=1))["order"]["id"]
    return placed


@pytest.fixture
def payment(shop: Shop, order: str) -> str:
    return shop.tree(order).payments[0].id


def news(reference: str, kind: str = "charge.success") -> dict[str, str]:
    return {"provider": "demo", "kind": kind, "reference": reference}


def test_a_success_counts_when_the_provider_confirms_it(shop: Shop, order: str, payment: str) -> None:
    shop.provider.pay(payment)

    look_into(shop.books, TENANT, news(payment))
    look_into(shop.books, TENANT, news(payment))

    assert shop.tree(order).payments[0].status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("said", [Pending(), Unknown("503"), None])
def test_a_success_that_is_not_confirmed_is_asked_about_again(shop: Shop, order: str, payment: str, said: Any) -> None:
    if said is not None:
        shop.provider.truth[payment] = said

    with pytest.raises(NotSettledYetError):
        look_into(shop.books, TENANT, news(payment))

    assert shop.tree(order).payments[0].status is PaymentStatus.PENDING


def test_a_success_that_the_provider_calls_a_decline_is_one(shop: Shop, order: str, payment: str) -> None:
    shop.provider.decline(payment)

    look_into(shop.books, TENANT, news(payment))

    assert shop.tree(order).payments[0].status is PaymentStatus.FAILED


def test_news_of_a_failure_need_not_be_confirmed_the_deadline_will_ask(shop: Shop, order: str, payment: str) -> None:
    shop.provider.truth[payment] = Unknown("503")

    look_into(shop.books, TENANT, news(payment, "charge.failed"))

    assert shop.tree(order).payments[0].status is PaymentStatus.PENDING


def test_another_amount_than_was_asked_gives_no_value(shop: Shop, order: str, payment: str) -> None:
    shop.provider.pay(payment, Money(1, "KES"))

    look_into(shop.books, TENANT, news(payment))

    assert shop.tree(order).payments[0].status is PaymentStatus.MISMATCHED


def test_money_of_no_order_of_ours_is_for_people(shop: Shop, payment: str) -> None:
    with pytest.raises(UnknownPayment):
        look_into(shop.books, TENANT, news("pay_of_somebody_else"))
    with pytest.raises(UnknownPayment):
        look_into(shop.books, TENANT, {**news(payment), "provider": "paystack"})


@pytest.mark.parametrize("kind", ["unreadable", "refund.processed", "transfer.success"])
def test_what_is_no_charge_asks_nobody(shop: Shop, kind: str) -> None:
    look_into(shop.books, TENANT, {"provider": "demo", "kind": kind, "reference": ""})


# -- The functions --------------------------------------------------------------------------------------


@pytest.fixture
def webhook(engine: Engine) -> Iterator[Any]:
    with loaded("functions.payments.webhook", DEMO_PROVIDER_SECRET=SECRET) as function:
        yield function


def request(sent: Delivery, **changed: Any) -> dict[str, Any]:
    """A function URL's event, payload format 2.0."""
    http = {"method": "POST", "sourceIp": sent.source_ip}
    return {
        "rawPath": f"/{sent.provider}/{sent.tenant}",
        "headers": dict(sent.headers),
        "requestContext": {"http": http | changed.pop("http", {})},
        "body": sent.raw.decode(),
        "isBase64Encoded": False,
    } | changed


def test_the_function_answers_for_what_was_received(shop: Shop, webhook: Any) -> None:
    sent = delivery()
    statuses = {
        "stored": webhook.handler(request(sent), None)["statusCode"],
        "in base64": webhook.handler(
            request(sent, body=base64.b64encode(sent.raw).decode(), isBase64Encoded=True), None
        )["statusCode"],
        "forged": webhook.handler(request(sent, headers={}), None)["statusCode"],
        "nobody's": webhook.handler(request(sent, rawPath="/demo/nobody"), None)["statusCode"],
        "no provider": webhook.handler(request(sent, rawPath="/soko"), None)["statusCode"],
        "a tenant that is no name": webhook.handler(request(sent, rawPath="/demo/so%23ko"), None)["statusCode"],
        "not posted": webhook.handler(request(sent, http={"method": "GET"}), None)["statusCode"],
        "too large": webhook.handler(request(delivery(b"a" * (BODY_BYTES_MAX + 1))), None)["statusCode"],
    }
    assert statuses == {
        "stored": 200,
        "in base64": 200,
        "forged": 401,
        "nobody's": 404,
        "no provider": 404,
        "a tenant that is no name": 404,
        "not posted": 404,
        "too large": 413,
    }
    assert len([event for event in kept() if not event.refusal]) == 1


def test_a_request_without_a_body_is_a_forgery_and_no_trouble(shop: Shop, webhook: Any) -> None:
    event = request(delivery(), headers={})
    del event["body"]

    assert webhook.handler(event, None)["statusCode"] == 401


def test_what_can_not_be_settled_comes_again_after_a_while_and_the_rest_does_not(
    shop: Shop, payment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.provider.pay(payment)
    sqs = client("sqs", None)
    url = sqs.create_queue(QueueName="payments")["QueueUrl"]
    for reference in ("nobodys", payment):
        message = {"tenant": TENANT, "resource": "whk_1", "data": news(reference)}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]

    with loaded("functions.payments.events", DEMO_PROVIDER_SECRET=SECRET, PAYMENTS_QUEUE_URL=url) as function:
        monkeypatch.setattr(function, "books", shop.books)
        answer = function.handler({"Records": [as_lambda_has_it(message) for message in received]}, None)

    [unsettled] = [message["MessageId"] for message in received if "nobodys" in message["Body"]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": unsettled}]}
    sqs.delete_queue(QueueUrl=url)


def as_lambda_has_it(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
    }
