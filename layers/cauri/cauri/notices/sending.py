"""Hand a queued message to its carrier, and record what became of it.

A message may be brought twice. One that was recorded is not sent again; one whose sender died between the carrier's
answer and its record is, since nobody knows: carriers of email have no idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cauri.books.commit import Books
from cauri.books.database import Database
from cauri.notices.commands import RecordMessage, by_carrier
from cauri.notices.letters import Button, letter
from cauri.notices.model import Kind, Message, MessageStatus
from cauri.notices.store import message_key
from cauri.parties.model import Party, Tenant
from cauri.parties.store import party_key, tenant_key
from cauri.providers.email import Attachment, Email, EmailCarrier, Undeliverable
from cauri.values import dataclass


@dataclass(frozen=True)
class Composed:
    """What a message says: the words for its template, what the reader can do, and what goes with it."""

    words: Mapping[str, str]
    button: Button | None = None
    attachments: tuple[Attachment, ...] = ()


Composer = Callable[[Database, Tenant, Party, Message], Composed]
"""Reads what a message is about, as it is now."""


@dataclass(frozen=True)
class Sender:
    books: Books
    carrier: EmailCarrier
    composers: Mapping[Kind, Composer]

    def send(self, tenant_id: str, message_id: str) -> None:
        """Send the message, unless that was done. What the carrier does not answer is raised: it is tried again."""
        message = self._fetch_queued(tenant_id, message_id)
        if message is None:
            return
        try:
            carrier_id = self.carrier.send(self._written(message))
        except Undeliverable as refused:
            self._record(message, RecordMessage(message_id, problem=str(refused)))
        else:
            self._record(message, RecordMessage(message_id, self.carrier.name, carrier_id))

    def _fetch_queued(self, tenant_id: str, message_id: str) -> Message | None:
        key = message_key(tenant_id, message_id)
        message = self.books.database.fetch([key])[key]
        return message if message is not None and message.status is MessageStatus.QUEUED else None

    def _written(self, message: Message) -> Email:
        """Raises Undeliverable for somebody who has no address."""
        tenants, people = tenant_key(message.tenant), party_key(message.tenant, message.customer_id)
        found = self.books.database.fetch([tenants, people])
        tenant, party = found[tenants], found[people]
        if tenant is None or party is None or not party.email:
            raise Undeliverable("no_address")
        composed = self.composers[message.kind](self.books.database, tenant, party, message)
        words = {"name": party.name or party.email, **composed.words}
        written = letter(message.kind, tenant.name, words, composed.button)
        return Email(tenant.name, party.email, written.subject, written.text, written.html, composed.attachments)

    def _record(self, message: Message, command: RecordMessage) -> None:
        # The attempt that was recorded first counts: another's carrier id is another input under the same key.
        self.books.run(command, by_carrier(message.tenant), f"message:{message.id}:{command.carrier_id}")
