"""The log of messages: what people were told of, and what became of it."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.fields import ID_PATTERN
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit, cursors_of
from cauri.notices.model import UnknownMessage
from cauri.notices.queries import message_for, messages_of
from cauri.notices.views import MessagePage, MessageView, message_view

MessageId = Annotated[str, Path(pattern=ID_PATTERN, examples=["msg_01JD4W6K3M9QZ8X7V5T2R1P0N4"])]
About = Annotated[
    str,
    Query(pattern=ID_PATTERN, examples=["inv_01JD4W6K3M9QZ8X7V5T2R1P0N4"], description="Only messages about this"),
]

api = Api("Notices")


@api.read("/v1/messages", roles=STAFF, answer=MessagePage)
def list_messages(caller: Caller, about: About, limit: Limit = 50, cursor: CursorAsked = None) -> MessagePage:
    """List the messages about something, the last first"""
    cursors = cursors_of(caller, "messages", about)
    page = messages_of(wiring.database(), caller.tenant, about, after=cursors.open(cursor), limit=limit)
    return MessagePage([message_view(message) for message in page.items], cursors.seal(page.position))


@api.read("/v1/messages/<message_id>", roles=STAFF, answer=MessageView, refusals=[UnknownMessage])
def get_message(message_id: MessageId, caller: Caller) -> MessageView:
    """Get a message

    Its words, and the address that it went to, are kept nowhere.
    """
    return message_for(wiring.database(), caller.tenant, message_id)


handler = api.handler
