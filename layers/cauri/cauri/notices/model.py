"""A message: that somebody is told of something. Whom, and where they are reached, is looked up when it goes out."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from cauri.books.plan import Event
from cauri.clock import Instant
from cauri.errors import Refusal
from cauri.values import dataclass, field, replace

QUEUED: Final = "notice.queued"
"""The event that puts a message on its way."""


class Kind(StrEnum):
    """What a message tells. Each has a template."""

    INVOICE_SENT = "invoice_sent"
    INVOICE_DUE = "invoice_due"
    INVOICE_OVERDUE = "invoice_overdue"
    CREDIT_NOTE = "credit_note"
    STATEMENT = "statement"


class MessageStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"
    """There is no address, or the carrier does not take it."""


@dataclass
class UnknownMessage(Refusal):
    code: ClassVar[str] = "unknown_message"
    message_id: str

    def detail(self) -> str:
        return f"There is no message {self.message_id!r}."


@dataclass(frozen=True)
class Message:
    """`about` is what it tells of, `customer_id` whom it tells: ids, and no address, name or text."""

    tenant: str
    id: str
    kind: Kind
    customer_id: str
    about: str
    queued_at: Instant
    status: MessageStatus = MessageStatus.QUEUED
    carrier: str = ""
    carrier_id: str = ""
    """What the carrier calls it."""
    ended_at: Instant | None = None
    """When the carrier took it, or refused it for good."""
    problem: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    """What tells it from others about the same thing, such as the days of a statement."""
    version: int = 0

    def queued(self) -> Event:
        """The event that puts it on its way."""
        return Event(QUEUED, self.id, 1, {"message_id": self.id, "kind": self.kind, "about": self.about})

    def sent(self, carrier: str, carrier_id: str, at: Instant) -> Message:
        return replace(self, status=MessageStatus.SENT, carrier=carrier, carrier_id=carrier_id, ended_at=at)

    def undeliverable(self, problem: str, at: Instant) -> Message:
        return replace(self, status=MessageStatus.UNDELIVERABLE, problem=problem, ended_at=at)
