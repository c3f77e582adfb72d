"""Where messages are kept: the platform table, each among those about the same thing."""

from __future__ import annotations

from typing import Final

from cauri.books.shelf import Key, Shelf, shelve
from cauri.notices.model import Message

MESSAGES: Final = shelve(
    Shelf(
        "platform",
        Message,
        place=lambda message: (f"message#{message.id}", "message"),
        tenant=lambda message: message.tenant,
        listed=lambda message: (messages_about(message.about), message.id),
    )
)


def messages_about(resource: str) -> str:
    """The list of messages about `resource`."""
    return f"messages_about#{resource}"


def message_key(tenant: str, message_id: str) -> Key[Message]:
    return MESSAGES.key(tenant, f"message#{message_id}", "message")
