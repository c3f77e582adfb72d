"""Which messages there are."""

from __future__ import annotations

from cauri.books.database import Database
from cauri.books.listing import Page, read_page
from cauri.notices.model import Message, UnknownMessage
from cauri.notices.store import MESSAGES, message_key, messages_about
from cauri.notices.views import MessageView, message_view


def message_for(database: Database, tenant: str, message_id: str) -> MessageView:
    """Raises UnknownMessage."""
    key = message_key(tenant, message_id)
    message = database.fetch([key])[key]
    if message is None:
        raise UnknownMessage(message_id)
    return message_view(message)


def messages_of(database: Database, tenant: str, about: str, *, after: str | None, limit: int) -> Page[Message]:
    """The messages about something, the last first."""
    return read_page(database, MESSAGES, tenant, messages_about(about), after=after, limit=limit, newest_first=True)
