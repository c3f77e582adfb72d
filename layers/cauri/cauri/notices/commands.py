"""What became of a message, recorded by whoever handed it over."""

from __future__ import annotations

from typing import ClassVar

from cauri.books.caller import Caller
from cauri.books.plan import Event, Plan
from cauri.books.work import Command, Work, decides
from cauri.notices.model import Message, MessageStatus, UnknownMessage
from cauri.notices.store import message_key
from cauri.notices.views import message_view
from cauri.values import dataclass


@dataclass(frozen=True)
class RecordMessage(Command):
    """The carrier took it, under this id; or it can't be delivered, for this reason."""

    name: ClassVar = "record_message"
    message_id: str
    carrier: str = ""
    carrier_id: str = ""
    problem: str = ""


@decides(RecordMessage)
def record_message(command: RecordMessage, work: Work) -> Plan:
    message = load_message(work, command.message_id)
    if message.status is not MessageStatus.QUEUED:  # it was brought twice, and handed over by somebody else meanwhile
        return Plan(message_view(message))
    if command.problem:
        ended = message.undeliverable(command.problem, work.at)
    else:
        ended = message.sent(command.carrier, command.carrier_id, work.at)
    told = Event(f"notice.{ended.status}", ended.id, ended.version + 1, {"kind": ended.kind, "about": ended.about})
    return Plan(message_view(ended)).save(ended).emit(told)


def tell(plan: Plan, message: Message) -> Plan:
    """`plan`, with the message on its way once it is committed."""
    return plan.save(message).emit(message.queued())


def load_message(work: Work, message_id: str) -> Message:
    """Raises UnknownMessage."""
    key = message_key(work.tenant, message_id)
    message = work.fetch(key)[key]
    if message is None:
        raise UnknownMessage(message_id)
    return message


def by_carrier(tenant: str) -> Caller:
    """Who sends messages out."""
    return Caller(tenant, "system:notices")
