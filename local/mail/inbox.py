"""The inbox: every email that the functions send ends here, and nowhere else."""

import base64
import binascii
import email
import email.policy
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage, Message
from typing import Any, Final

from local.aws import AwsError
from local.state import State

MESSAGE_BYTES_MAX: Final = 40 * 1024 * 1024
REJECTED_DOMAIN: Final = "reject.example"
"""Nobody can be sent anything there: SES refuses addresses too, and something has to play that."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message as its reader has it. `at` is Unix seconds."""

    id: str
    at: float
    sender: str
    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


class Inbox:
    """Keeps what it gets until the state is fresh."""

    def __init__(self, state: State) -> None:
        self._state = state

    def receive(self, request: Mapping[str, Any]) -> dict[str, str]:
        """SendEmail of SES version 2. Raises AwsError."""
        recipients = request.get("Destination", {}).get("ToAddresses", [])
        if not recipients or any(each.endswith(f"@{REJECTED_DOMAIN}") for each in recipients):
            raise AwsError("BadRequestException", "there is nobody to send it to")
        try:
            raw = base64.b64decode(request["Content"]["Raw"]["Data"], validate=True)
        except (KeyError, binascii.Error) as unreadable:
            raise AwsError("BadRequestException", "the local cloud takes raw messages") from unreadable
        if len(raw) > MESSAGE_BYTES_MAX:
            raise AwsError("BadRequestException", f"a message has at most {MESSAGE_BYTES_MAX} bytes")
        message_id = f"local-{uuid.uuid4()}"
        self._state.execute(
            "insert into emails (message_id, at, recipients, raw) values (?, ?, ?, ?)",
            *(message_id, time.time(), json.dumps(recipients), raw),
        )
        return {"MessageId": message_id}

    def all(self, limit: int = 200) -> list[Received]:
        """The last messages, newest first."""
        rows = self._state.rows("select * from emails order by rowid desc limit ?", limit)
        return [_received(row) for row in rows]

    def get(self, message_id: str) -> Received | None:
        row = self._state.row("select * from emails where message_id = ?", message_id)
        return None if row is None else _received(row)


def _received(row: Any) -> Received:
    message = email.message_from_bytes(row["raw"], policy=email.policy.default)
    return Received(
        id=row["message_id"],
        at=row["at"],
        sender=str(message["From"]),
        to=", ".join(json.loads(row["recipients"])),
        subject=str(message["Subject"]),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=tuple(_attachment(part) for part in message.iter_attachments()),
    )


def _attachment(part: Message) -> Attachment:
    data = part.get_payload(decode=True)
    return Attachment(
        part.get_filename() or "unnamed", part.get_content_type(), data if isinstance(data, bytes) else b""
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
