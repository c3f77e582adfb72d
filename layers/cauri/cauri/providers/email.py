"""The port to whoever carries email."""

from __future__ import annotations

from typing import Protocol

from cauri.values import dataclass


@dataclass(frozen=True)
class Attachment:
    """`media_type` as in ``application/pdf``."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Email:
    """A message to one person. `sender_name` is whom it comes from, as people read it."""

    sender_name: str
    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


class Undeliverable(Exception):  # noqa: N818 - an answer, as a decline is
    """The carrier will not take this message, however often it is asked. The text says why, and names nobody."""


class EmailCarrier(Protocol):
    name: str

    def send(self, email: Email) -> str:
        """Hand over `email`; the carrier's id of it.

        Raises Undeliverable; anything else means that nobody knows, and that the same may be tried again: a message
        that was taken all the same comes twice.
        """
