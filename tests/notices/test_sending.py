"""Messages go out once, and what became of them is known."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from cauri.books.shelf import write_of
from cauri.notices.commands import RecordMessage, by_carrier
from cauri.notices.letters import Button
from cauri.notices.model import Kind, Message, MessageStatus, UnknownMessage
from cauri.notices.sending import Composed, Sender
from cauri.notices.store import message_key
from cauri.parties.commands import EraseCustomer, PutCustomer
from cauri.providers.email import Attachment, Email, Undeliverable

from tests.notices.messages import put_message
from tests.shop import Shop

PAPER = Attachment("INV-1.pdf", "application/pdf", b"%PDF-")


@dataclass
class Carrier:
    """Takes what it is given, unless it is told otherwise."""

    name: str = "pigeon"
    trouble: Exception | None = None
    taken: list[Email] = field(default_factory=list)

    def send(self, email: Email) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(email)
        return f"pigeon-{len(self.taken)}"


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def sender(shop: Shop, carrier: Carrier) -> Sender:
    shop.furnish()
    shop.run(PutCustomer("cus_amina", "Amina Otieno", "amina@example.com"))
    words = {"number": "INV-1", "total": "KSh 5.00", "open": "KSh 5.00", "due": "1 May 2027"}

    def invoice(database: object, tenant: object, party: object, message: Message) -> Composed:
        return Composed(words, Button("Pay", "https://soko.example/pay"), (PAPER,))

    return Sender(shop.books, carrier, {Kind.INVOICE_SENT: invoice})


def kept(shop: Shop, message_id: str) -> Message:
    key = message_key(shop.tenant, message_id)
    message = shop.database.fetch([key])[key]
    assert message is not None
    return message


def test_a_message_goes_to_its_person_with_what_is_attached(shop: Shop, sender: Sender, carrier: Carrier) -> None:
    message = put_message(shop)
    sender.send(shop.tenant, message.id)
    [email] = carrier.taken
    assert (email.sender_name, email.to, email.attachments) == ("Soko", "amina@example.com", (PAPER,))
    assert email.subject == "Invoice INV-1 from Soko"
    sent = kept(shop, message.id)
    assert (sent.status, sent.carrier, sent.carrier_id) == (MessageStatus.SENT, "pigeon", "pigeon-1")


def test_a_message_that_is_brought_twice_goes_out_once(shop: Shop, sender: Sender, carrier: Carrier) -> None:
    message = put_message(shop)
    sender.send(shop.tenant, message.id)
    sender.send(shop.tenant, message.id)
    assert len(carrier.taken) == 1


def test_what_two_senders_sent_at_once_keeps_the_first_id(shop: Shop, sender: Sender) -> None:
    message = put_message(shop)
    for carrier_id in ("pigeon-1", "pigeon-2"):
        shop.run(RecordMessage(message.id, "pigeon", carrier_id), by_carrier(shop.tenant), f"{message.id}:{carrier_id}")
    assert kept(shop, message.id).carrier_id == "pigeon-1"


def test_an_address_that_is_refused_is_not_tried_again(shop: Shop, sender: Sender, carrier: Carrier) -> None:
    carrier.trouble = Undeliverable("MessageRejected")
    message = put_message(shop)
    sender.send(shop.tenant, message.id)
    carrier.trouble = None
    sender.send(shop.tenant, message.id)
    assert (kept(shop, message.id).status, carrier.taken) == (MessageStatus.UNDELIVERABLE, [])
    assert kept(shop, message.id).problem == "MessageRejected"


def test_a_carrier_that_gives_no_answer_is_asked_again(shop: Shop, sender: Sender, carrier: Carrier) -> None:
    carrier.trouble = TimeoutError()
    message = put_message(shop)
    with pytest.raises(TimeoutError):
        sender.send(shop.tenant, message.id)
    carrier.trouble = None
    sender.send(shop.tenant, message.id)
    assert kept(shop, message.id).status is MessageStatus.SENT


@pytest.mark.parametrize("who", ["cus_juma", "cus_gone"])
def test_somebody_without_an_address_can_not_be_reached(shop: Shop, sender: Sender, carrier: Carrier, who: str) -> None:
    shop.run(PutCustomer("cus_gone", "Gone", "gone@example.com"))
    shop.run(EraseCustomer("cus_gone"))
    message = put_message(shop, customer_id=who)
    sender.send(shop.tenant, message.id)
    assert (kept(shop, message.id).status, kept(shop, message.id).problem) == (
        MessageStatus.UNDELIVERABLE,
        "no_address",
    )
    assert carrier.taken == []


def test_a_message_that_nobody_queued_is_nobody_s(shop: Shop, sender: Sender, carrier: Carrier) -> None:
    sender.send(shop.tenant, "msg_nowhere")
    assert carrier.taken == []
    with pytest.raises(UnknownMessage):
        shop.run(RecordMessage("msg_nowhere", "pigeon", "1"))


def test_neither_the_message_nor_its_record_knows_an_address_or_a_name(shop: Shop, sender: Sender) -> None:
    message = put_message(shop)
    sender.send(shop.tenant, message.id)
    request = {"ExpressionAttributeValues": {":pk": {"S": f"{shop.tenant}#message#{message.id}"}}}
    stored = shop.database.query("platform", {"KeyConditionExpression": "pk = :pk", **request})
    assert "amina@" not in str(stored)
    assert "Otieno" not in str(stored)
    assert write_of(message)
