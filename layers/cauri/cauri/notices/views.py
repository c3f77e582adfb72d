"""Messages as they are shown."""

from __future__ import annotations

from cauri.clock import rfc3339
from cauri.notices.model import Kind, Message, MessageStatus
from cauri.values import dataclass


@dataclass(frozen=True)
class MessageView:
    """A message: what it told whom of, and what became of it. Its words, and the address, are not kept."""

    id: str
    kind: Kind
    customer_id: str
    about: str
    status: MessageStatus
    carrier: str | None
    carrier_id: str | None
    queued_at: str
    ended_at: str | None
    problem: str | None


@dataclass(frozen=True)
class MessagePage:
    """Messages about something, the last first."""

    items: list[MessageView]
    next_cursor: str | None


def message_view(message: Message) -> MessageView:
    return MessageView(
        id=message.id,
        kind=message.kind,
        customer_id=message.customer_id,
        about=message.about,
        status=message.status,
        carrier=message.carrier or None,
        carrier_id=message.carrier_id or None,
        queued_at=rfc3339(message.queued_at),
        ended_at=rfc3339(message.ended_at) if message.ended_at else None,
        problem=message.problem or None,
    )
